/* Engine's methods that write records. */
#include "module.h"

#include <string.h>

/* The arguments of a write, which add() takes in another order than the others. */
typedef struct {
    PyObject *collection_id;
    PyObject *ids;
    PyObject *embeddings;
    PyObject *metadatas;
    PyObject *documents;
    PyObject *uris;
    PyObject *tenant;
    PyObject *database;
    PyObject *embedding_present;
} write_arguments;

typedef chroma_status (*write_function)(chroma_collection *collection,
                                        const chroma_records *records, chroma_error **out_error);

/* What write_function names wants; not the collection itself. */
static bool
records_argument(module_state *state, call_memory *memory, const write_arguments *given,
                 none_meaning none, chroma_records *records)
{
    string_column ids, documents, uris;
    chroma_metadata *metadatas;
    size_t metadata_count, flag_count;
    if (!strings_argument(memory, given->ids, "ids", &ids)
        || !metadatas_argument(state, memory, given->metadatas, none, &metadatas, &metadata_count)
        || !optional_strings_argument(memory, given->documents, "documents", true, &documents)
        || !optional_strings_argument(memory, given->uris, "uris", true, &uris)
        || !flags_argument(memory, given->embedding_present, "embedding_present",
                           &records->embedding_present, &flag_count)) {
        return false;
    }
    /* libchroma knows one count for all columns. */
    if ((records->embeddings.values != NULL && records->embeddings.count != ids.count)
        || (metadatas != NULL && metadata_count != ids.count)
        || (documents.strings != NULL && documents.count != ids.count)
        || (uris.strings != NULL && uris.count != ids.count)
        || (records->embedding_present != NULL && flag_count != ids.count)) {
        raise_status(state, CHROMA_ERROR_INVALID_ARGUMENT,
                     "Inconsistent number of IDs, embeddings, documents, URIs and metadatas");
        return false;
    }
    records->record_count = ids.count;
    records->ids = ids.strings;
    records->documents = documents.strings;
    records->uris = uris.strings;
    records->metadatas = metadatas;
    return true;
}

static PyObject *
write_records(const engine_call *call, const write_arguments *given, none_meaning none,
              bool needs_embeddings, write_function write)
{
    call_memory memory = {0};
    chroma_string id, tenant, database;
    chroma_records records = CHROMA_RECORDS_INIT;
    chroma_collection *collection = NULL;
    chroma_error *error = NULL;
    chroma_status status;

    if (!string_argument(given->collection_id, "collection_id", &id)
        || !string_argument(given->tenant, "tenant", &tenant)
        || !string_argument(given->database, "database", &database)
        || ((needs_embeddings || given->embeddings != Py_None)
            && !vectors_argument(&memory, given->embeddings, "embeddings", &records.embeddings))
        || !records_argument(call->state, &memory, given, none, &records)) {
        call_memory_end(&memory);
        return NULL;
    }
    Py_BEGIN_ALLOW_THREADS
    status = chroma_collection_open_by_id(call->engine, id, &collection, &error);
    if (status == CHROMA_OK) {
        status = write(collection, &records, &error);
    }
    chroma_collection_close(collection);
    Py_END_ALLOW_THREADS
    call_memory_end(&memory);
    if (status != CHROMA_OK) {
        return raise_error(call->state, status, error);
    }
    Py_RETURN_TRUE;
}

METHOD(add)
{
    engine_call call;
    if (!engine_enter(self, &call, "add", count, 8, 8)) {
        return NULL;
    }
    const write_arguments given = {.ids = args[0],
                                   .collection_id = args[1],
                                   .embeddings = args[2],
                                   .metadatas = args[3],
                                   .documents = args[4],
                                   .uris = args[5],
                                   .tenant = args[6],
                                   .database = args[7],
                                   .embedding_present = Py_None};
    return write_records(&call, &given, NONE_IS_REFUSED, true, chroma_collection_add);
}

static bool
conflict_policy_argument(module_state *state, PyObject *given, chroma_conflict_policy *policy)
{
    static const struct {
        const char *name;
        chroma_conflict_policy policy;
    } policies[] = {{"ignore", CHROMA_ON_CONFLICT_IGNORE},
                    {"error", CHROMA_ON_CONFLICT_ERROR},
                    {"replace", CHROMA_ON_CONFLICT_REPLACE}};
    chroma_string name;
    if (!string_argument(given, "on_conflict", &name)) {
        return false;
    }
    for (size_t index = 0; index < sizeof policies / sizeof policies[0]; index++) {
        if (name.length == strlen(policies[index].name)
            && memcmp(name.data, policies[index].name, name.length) == 0) {
            *policy = policies[index].policy;
            return true;
        }
    }
    raise_status(state, CHROMA_ERROR_INVALID_ARGUMENT,
                 "on_conflict should be 'ignore', 'error' or 'replace', got %R", given);
    return false;
}

METHOD(insert)
{
    engine_call call;
    call_memory memory = {0};
    chroma_string id;
    chroma_conflict_policy policy;
    chroma_records records = CHROMA_RECORDS_INIT;
    chroma_insertion_counts counts = CHROMA_INSERTION_COUNTS_INIT;
    chroma_collection *collection = NULL;
    chroma_error *error = NULL;
    chroma_status status;

    if (!engine_enter(self, &call, "insert", count, 7, 7)
        || !string_argument(args[0], "collection_id", &id)
        || !conflict_policy_argument(call.state, args[6], &policy)) {
        return NULL;
    }
    const write_arguments given = {.ids = args[1],
                                   .metadatas = args[3],
                                   .documents = args[4],
                                   .uris = args[5],
                                   .embedding_present = Py_None};
    if (!vectors_argument(&memory, args[2], "embeddings", &records.embeddings)
        || !records_argument(call.state, &memory, &given, NONE_IS_REFUSED, &records)) {
        call_memory_end(&memory);
        return NULL;
    }
    Py_BEGIN_ALLOW_THREADS
    status = chroma_collection_open_by_id(call.engine, id, &collection, &error);
    if (status == CHROMA_OK) {
        status = chroma_collection_insert(collection, &records, policy, &counts, &error);
    }
    chroma_collection_close(collection);
    Py_END_ALLOW_THREADS
    call_memory_end(&memory);
    if (status == CHROMA_ERROR_ALREADY_EXISTS) {
        return raise_error_as(call.state, "IDAlreadyExistsError", error);
    }
    if (status != CHROMA_OK) {
        return raise_error(call.state, status, error);
    }
    return Py_BuildValue("KK", (unsigned long long)counts.added_count,
                         (unsigned long long)counts.existing_count);
}

/* The order of update() and upsert(). */
static write_arguments
arguments_in_order(PyObject *const *args, Py_ssize_t count)
{
    return (write_arguments){.collection_id = args[0],
                             .ids = args[1],
                             .embeddings = args[2],
                             .metadatas = args[3],
                             .documents = args[4],
                             .uris = args[5],
                             .tenant = args[6],
                             .database = args[7],
                             .embedding_present = count > 8 ? args[8] : Py_None};
}

METHOD(update)
{
    engine_call call;
    if (!engine_enter(self, &call, "update", count, 8, 9)) {
        return NULL;
    }
    const write_arguments given = arguments_in_order(args, count);
    return write_records(&call, &given, NONE_REMOVES_THE_KEY, false, chroma_collection_update);
}

METHOD(upsert)
{
    engine_call call;
    if (!engine_enter(self, &call, "upsert", count, 8, 8)) {
        return NULL;
    }
    const write_arguments given = arguments_in_order(args, count);
    return write_records(&call, &given, NONE_REMOVES_THE_KEY, true, chroma_collection_upsert);
}

/* ---- Of what is selected ------------------------------------------------------------------ */

METHOD(update_selected)
{
    engine_call call;
    call_memory memory = {0};
    chroma_string id;
    chroma_update_options options = CHROMA_UPDATE_OPTIONS_INIT;
    uint64_t updated_count;
    chroma_collection *collection = NULL;
    chroma_error *error = NULL;
    chroma_status status;

    if (!engine_enter(self, &call, "update_selected", count, 5, 5)
        || !string_argument(args[0], "collection_id", &id)) {
        return NULL;
    }
    if (!selection_argument(&memory, args[1], args[2], args[3], &options.selection)
        || !metadata_argument(call.state, &memory, args[4], "metadata", NONE_REMOVES_THE_KEY,
                              &options.metadata)) {
        call_memory_end(&memory);
        return NULL;
    }
    Py_BEGIN_ALLOW_THREADS
    status = chroma_collection_open_by_id(call.engine, id, &collection, &error);
    if (status == CHROMA_OK) {
        status = chroma_collection_update_selected(collection, &options, &updated_count, &error);
    }
    chroma_collection_close(collection);
    Py_END_ALLOW_THREADS
    call_memory_end(&memory);
    if (status != CHROMA_OK) {
        return raise_error(call.state, status, error);
    }
    return PyLong_FromUnsignedLongLong(updated_count);
}

METHOD(delete)
{
    engine_call call;
    call_memory memory = {0};
    chroma_string id, tenant, database;
    chroma_delete_options options = CHROMA_DELETE_OPTIONS_INIT;
    uint64_t deleted_count;
    chroma_collection *collection = NULL;
    chroma_error *error = NULL;
    chroma_status status;

    if (!engine_enter(self, &call, "delete", count, 7, 7)
        || !string_argument(args[0], "collection_id", &id)
        || !optional_count_argument(args[4], "limit", UINT64_MAX, &options.limit)
        || !string_argument(args[5], "tenant", &tenant)
        || !string_argument(args[6], "database", &database)) {
        return NULL;
    }
    if (!selection_argument(&memory, args[1], args[2], args[3], &options.selection)) {
        call_memory_end(&memory);
        return NULL;
    }
    Py_BEGIN_ALLOW_THREADS
    status = chroma_collection_open_by_id(call.engine, id, &collection, &error);
    if (status == CHROMA_OK) {
        status = chroma_collection_delete_records(collection, &options, &deleted_count, &error);
    }
    chroma_collection_close(collection);
    Py_END_ALLOW_THREADS
    call_memory_end(&memory);
    if (status != CHROMA_OK) {
        return raise_error(call.state, status, error);
    }
    return PyLong_FromUnsignedLongLong(deleted_count);
}
