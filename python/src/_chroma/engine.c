/* The type Engine: a handle on a database. */
#include "module.h"

typedef struct {
    PyObject_HEAD chroma_engine *engine; /* NULL once closed. */
} engine_object;

bool
engine_enter(PyObject *self, engine_call *call, const char *method, Py_ssize_t given,
             Py_ssize_t minimum, Py_ssize_t maximum)
{
    if (given < minimum || given > maximum) {
        PyErr_Format(PyExc_TypeError,
                     "Engine.%s() takes %s%zd positional argument%s but %zd %s given", method,
                     minimum == maximum ? "" : "up to ", maximum, maximum == 1 ? "" : "s", given,
                     given == 1 ? "was" : "were");
        return false;
    }
    call->state = PyType_GetModuleState(Py_TYPE(self));
    call->engine = ((engine_object *)self)->engine;
    if (call->engine == NULL) {
        raise_status(call->state, CHROMA_ERROR_CLOSED, "The client was closed. Create a new one.");
        return false;
    }
    return true;
}

static PyObject *
engine_new(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    static char *names[] = {
        "", "", "read_only", "background", "memory_limit_bytes", "indexing_threads", NULL};
    PyObject *path, *allow_reset;
    PyObject *read_only = Py_False, *background = Py_True;
    PyObject *memory_limit = Py_None, *indexing_threads = Py_None;
    uint32_t is_in_background;
    uint64_t thread_count;
    chroma_engine_options options = CHROMA_ENGINE_OPTIONS_INIT;
    chroma_error *error = NULL;
    chroma_status status;

    if (!PyArg_ParseTupleAndKeywords(args, keywords, "OO|$OOOO:Engine", names, &path, &allow_reset,
                                     &read_only, &background, &memory_limit, &indexing_threads)
        || !optional_string_argument(path, "path", &options.path)
        || !bool_argument(allow_reset, "allow_reset", &options.allow_reset)
        || !bool_argument(read_only, "read_only", &options.read_only)
        || !bool_argument(background, "background", &is_in_background)
        || !optional_number_argument(memory_limit, "memory_limit_bytes",
                                     &options.memory_limit_bytes)
        || !optional_count_argument(indexing_threads, "indexing_threads", 0, &thread_count)) {
        return NULL;
    }
    options.indexing_threads = (uint32_t)thread_count;
    options.disable_background_compaction = !is_in_background;
    engine_object *self = PyObject_New(engine_object, type);
    if (self == NULL) {
        return NULL;
    }
    self->engine = NULL;
    Py_BEGIN_ALLOW_THREADS
    status = chroma_engine_open(&options, &self->engine, &error);
    Py_END_ALLOW_THREADS
    if (status != CHROMA_OK) {
        Py_DECREF(self);
        return raise_error(PyType_GetModuleState(type), status, error);
    }
    return (PyObject *)self;
}

/* Closing may write; others need not wait for it. */
static void
engine_end(engine_object *self)
{
    chroma_engine *engine = self->engine;
    self->engine = NULL;
    if (engine != NULL) {
        Py_BEGIN_ALLOW_THREADS
        chroma_engine_close(engine);
        Py_END_ALLOW_THREADS
    }
}

static void
engine_deallocate(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    engine_end((engine_object *)self);
    PyObject_Free(self);
    Py_DECREF(type);
}

static PyObject *
engine_close(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    engine_end((engine_object *)self);
    Py_RETURN_NONE;
}

static PyObject *
engine_heartbeat(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    engine_call call;
    int64_t nanoseconds;
    chroma_error *error = NULL;
    chroma_status status;

    if (!engine_enter(self, &call, "heartbeat", 0, 0, 0)) {
        return NULL;
    }
    Py_BEGIN_ALLOW_THREADS
    status = chroma_engine_heartbeat(call.engine, &nanoseconds, &error);
    Py_END_ALLOW_THREADS
    if (status != CHROMA_OK) {
        return raise_error(call.state, status, error);
    }
    return PyLong_FromLongLong(nanoseconds);
}

static PyObject *
engine_get_max_batch_size(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    engine_call call;
    if (!engine_enter(self, &call, "get_max_batch_size", 0, 0, 0)) {
        return NULL;
    }
    return PyLong_FromLong(CHROMA_RECORD_COUNT_MAX);
}

static PyObject *
engine_reset(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    engine_call call;
    chroma_error *error = NULL;
    chroma_status status;

    if (!engine_enter(self, &call, "reset", 0, 0, 0)) {
        return NULL;
    }
    Py_BEGIN_ALLOW_THREADS
    status = chroma_engine_reset(call.engine, &error);
    Py_END_ALLOW_THREADS
    if (status != CHROMA_OK) {
        return raise_error(call.state, status, error);
    }
    Py_RETURN_TRUE;
}

/* The text before the empty line is what inspect.signature() reads. */
#define DOC(name, parameters, doc) name "($self" parameters ")\n--\n\n" doc

#define PLAIN(name, doc) \
    { \
#name, engine_##name, METH_NOARGS, DOC(#name, "", doc) \
    }

/* By way of void (*)(void), for which compilers do not warn that the types differ. */
#define FAST(name, parameters, doc) \
    { \
#name, (PyCFunction)(void (*)(void))engine_##name, METH_FASTCALL, \
            DOC(#name, ", " parameters ", /", doc) \
    }

#define RECORDS "embeddings, metadatas, documents, uris, tenant, database"

static PyMethodDef engine_methods[] = {
    PLAIN(close, "Gives the handle back. Idempotent; calls under way go on."),
    PLAIN(heartbeat, "Nanoseconds since the epoch."),
    PLAIN(get_max_batch_size, "The largest number of records that one write takes."),
    PLAIN(reset, "Drops everything. Needs allow_reset."),
    FAST(create_tenant, "name", "Creates a tenant."),
    FAST(get_tenant, "name", "The tenant, which must exist."),
    FAST(create_database, "name, tenant", "Creates a database."),
    FAST(get_database, "name, tenant", "The database, which must exist."),
    FAST(delete_database, "name, tenant", "Deletes the database with its collections."),
    FAST(list_databases, "limit, offset, tenant", "The databases of the tenant, by name."),
    FAST(count_collections, "tenant, database", "How many collections the database has."),
    FAST(list_collections, "limit, offset, tenant, database", "The database's collections."),
    FAST(create_collection,
         "name, configuration_json_str, schema_str, metadata, get_or_create, tenant, database",
         "Creates a collection."),
    FAST(get_collection, "name, tenant, database", "The collection of the name."),
    FAST(get_collection_by_id, "collection_id, tenant, database", "The collection of the id."),
    FAST(update_collection, "collection_id, new_name, new_metadata, new_configuration_json_str",
         "Changes what is not None."),
    FAST(delete_collection, "name, tenant, database", "Deletes the collection."),
    FAST(add, "ids, collection_id, " RECORDS, "Inserts records."),
    FAST(insert, "collection_id, ids, embeddings, metadatas, documents, uris, on_conflict",
         "Inserts records; on_conflict, one of 'ignore', 'error' and 'replace', says what becomes "
         "of those that exist. Returns how many were added, and how many existed."),
    FAST(update, "collection_id, ids, " RECORDS ", embedding_present=None",
         "Changes records. Where embedding_present is False the embedding stays."),
    FAST(upsert, "collection_id, ids, " RECORDS, "Inserts or changes records."),
    FAST(update_selected, "collection_id, ids, where, where_document, metadata",
         "Merges metadata into that of the selected records and returns how many they are."),
    FAST(delete, "collection_id, ids, where, where_document, limit, tenant, database",
         "Deletes records and says how many."),
    FAST(count, "collection_id, tenant, database, where=None, where_document=None",
         "How many records there are, or how many the filters match."),
    FAST(get,
         "collection_id, ids, where, limit, offset, where_document, include, tenant, database, "
         "after=None, order_by=None, descending=False",
         "The selected records in the order of insertion, or of the values under order_by; those "
         "behind the record after."),
    FAST(distinct, "collection_id, key, ids, where, where_document, limit",
         "The values under the key in the selected records, and how many have each, as a dict."),
    FAST(query,
         "collection_id, ids, query_embeddings, n_results, where, where_document, include, "
         "tenant, database, exact=False, max_distance=None",
         "The n_results nearest records for each query, nearest first."),
    FAST(explain, "collection_id, ids, query_embeddings, n_results, where, where_document, exact",
         "How a query is answered, or without queries a selection, as a dict."),
    FAST(flush, "collection_id=None, progress=None",
         "Brings all collections, or one, to rest: what was written stands in segments and is "
         "indexed, what was deleted is gone."),
    FAST(compact, "collection_id=None, progress=None",
         "As flush; also makes as few segments as possible."),
    FAST(backup, "path, progress=None",
         "Copies the database into a directory, and says what that took as a dict."),
    FAST(statistics, "collection_id", "What the collection takes, as a dict."),
    FAST(indexing_status, "collection_id",
         "How many operations its index knows, how many not, all, and the share."),
    {NULL, NULL, 0, NULL},
};

static PyType_Slot engine_slots[] = {
    {Py_tp_doc,
     "Engine(path, allow_reset, /, *, read_only=False, background=True, "
     "memory_limit_bytes=None, indexing_threads=None)\n--\n\n"
     "A handle on a database directory, or, if path is None, on a fresh database in "
     "memory. If read_only, nothing is created, changed or removed."},
    {Py_tp_new, engine_new},
    {Py_tp_dealloc, engine_deallocate},
    {Py_tp_methods, engine_methods},
    {0, NULL},
};

static PyType_Spec engine_spec = {
    .name = "chromadb_swift_bindings._chroma.Engine",
    .basicsize = sizeof(engine_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = engine_slots,
};

PyTypeObject *
engine_type_create(PyObject *module)
{
    return (PyTypeObject *)PyType_FromModuleAndSpec(module, &engine_spec, NULL);
}
