/* Engine's methods on space and speed. */
#include "module.h"

/* A flush or compaction of all collections, or of the one whose id has data. */
typedef struct {
    chroma_engine *engine;
    chroma_string id;
    chroma_status (*all)(chroma_engine *, const chroma_long_call *, chroma_error **);
    chroma_status (*one)(chroma_collection *, const chroma_long_call *, chroma_error **);
    chroma_error *error;
    chroma_status status;
} compaction;

static void
run_compaction(void *argument, const chroma_long_call *long_call)
{
    compaction *self = argument;
    if (self->id.data == NULL) {
        self->status = self->all(self->engine, long_call, &self->error);
        return;
    }
    chroma_collection *collection = NULL;
    self->status = chroma_collection_open_by_id(self->engine, self->id, &collection, &self->error);
    if (self->status == CHROMA_OK) {
        self->status = self->one(collection, long_call, &self->error);
    }
    chroma_collection_close(collection);
}

static PyObject *
compact(PyObject *self, PyObject *const *args, Py_ssize_t count, const char *method,
        compaction *compaction)
{
    engine_call call;
    PyObject *progress = count > 1 ? args[1] : Py_None;

    if (!engine_enter(self, &call, method, count, 0, 2)
        || (count > 0 && !optional_string_argument(args[0], "collection_id", &compaction->id))
        || !optional_callable_argument(progress, "progress")) {
        return NULL;
    }
    compaction->engine = call.engine;
    if (!run_long_call(run_compaction, compaction, progress)) {
        chroma_error_free(compaction->error);
        return NULL;
    }
    if (compaction->status != CHROMA_OK) {
        return raise_error(call.state, compaction->status, compaction->error);
    }
    Py_RETURN_NONE;
}

METHOD(flush)
{
    compaction flush = {.all = chroma_engine_flush, .one = chroma_collection_flush};
    return compact(self, args, count, "flush", &flush);
}

METHOD(compact)
{
    compaction compaction = {.all = chroma_engine_compact, .one = chroma_collection_compact};
    return compact(self, args, count, "compact", &compaction);
}

/* Opens the collection of the method's only argument and asks for what there is to know of it. */
static bool
ask(PyObject *self, PyObject *const *args, Py_ssize_t count, const char *method,
    chroma_status (*question)(chroma_collection *, void *, chroma_error **), void *answer)
{
    engine_call call;
    chroma_string id;
    chroma_collection *collection = NULL;
    chroma_error *error = NULL;
    chroma_status status;

    if (!engine_enter(self, &call, method, count, 1, 1)
        || !string_argument(args[0], "collection_id", &id)) {
        return false;
    }
    Py_BEGIN_ALLOW_THREADS
    status = chroma_collection_open_by_id(call.engine, id, &collection, &error);
    if (status == CHROMA_OK) {
        status = question(collection, answer, &error);
    }
    chroma_collection_close(collection);
    Py_END_ALLOW_THREADS
    if (status != CHROMA_OK) {
        raise_error(call.state, status, error);
    }
    return status == CHROMA_OK;
}

/* Names and values of a dict. */
#define UNSIGNED(name) #name, (unsigned long long)found.name
#define SIGNED(name) #name, (long long)found.name

static chroma_status
ask_statistics(chroma_collection *collection, void *answer, chroma_error **error)
{
    return chroma_collection_statistics(collection, answer, error);
}

METHOD(statistics)
{
    chroma_statistics found = CHROMA_STATISTICS_INIT;
    if (!ask(self, args, count, "statistics", ask_statistics, &found)) {
        return NULL;
    }
    return Py_BuildValue("{sKsLsLsKsKsKsKsKsKsK}", UNSIGNED(record_count), SIGNED(version),
                         SIGNED(position), UNSIGNED(log_row_count), UNSIGNED(log_record_count),
                         UNSIGNED(log_byte_count), UNSIGNED(segment_count),
                         UNSIGNED(segment_byte_count), UNSIGNED(dead_row_count),
                         UNSIGNED(compacted_byte_count));
}

static chroma_status
ask_indexing_status(chroma_collection *collection, void *answer, chroma_error **error)
{
    return chroma_collection_indexing_status(collection, answer, error);
}

METHOD(indexing_status)
{
    chroma_indexing_status found = CHROMA_INDEXING_STATUS_INIT;
    if (!ask(self, args, count, "indexing_status", ask_indexing_status, &found)) {
        return NULL;
    }
    return Py_BuildValue("(KKKd)", (unsigned long long)found.indexed_count,
                         (unsigned long long)found.unindexed_count,
                         (unsigned long long)found.total_count, found.progress);
}
