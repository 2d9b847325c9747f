/* Engine's methods on records. */
#include "module.h"

#include <string.h>

/* ---- Writes ------------------------------------------------------------------------------- */

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

/* ---- Selections --------------------------------------------------------------------------- */

static bool
selection_argument(call_memory *memory, PyObject *ids, PyObject *where, PyObject *where_document,
                   chroma_selection *selection)
{
    string_column column;
    if (!optional_strings_argument(memory, ids, "ids", false, &column)
        || !optional_string_argument(where, "where", &selection->where_json)
        || !optional_string_argument(where_document, "where_document",
                                     &selection->where_document_json)) {
        return false;
    }
    selection->ids = column.strings;
    selection->id_count = column.count;
    return true;
}

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

/* ---- Reads -------------------------------------------------------------------------------- */

/* How many records there are, which is known at once. */
static PyObject *
count_all(const engine_call *call, chroma_string id)
{
    uint64_t record_count;
    chroma_collection *collection = NULL;
    chroma_error *error = NULL;
    chroma_status status;

    Py_BEGIN_ALLOW_THREADS
    status = chroma_collection_open_by_id(call->engine, id, &collection, &error);
    if (status == CHROMA_OK) {
        status = chroma_collection_count(collection, &record_count, &error);
    }
    chroma_collection_close(collection);
    Py_END_ALLOW_THREADS
    if (status != CHROMA_OK) {
        return raise_error(call->state, status, error);
    }
    return PyLong_FromUnsignedLongLong(record_count);
}

/* A read: what it needs, and what came of it. */
typedef struct {
    chroma_engine *engine;
    chroma_string id;
    chroma_count_options options;
    uint64_t record_count;
    chroma_error *error;
    chroma_status status;
} count_read;

static void
run_count(void *argument, chroma_cancel *cancel)
{
    count_read *read = argument;
    chroma_collection *collection = NULL;
    read->options.cancel = cancel;
    read->status = chroma_collection_open_by_id(read->engine, read->id, &collection, &read->error);
    if (read->status == CHROMA_OK) {
        read->status = chroma_collection_count_selected(collection, &read->options,
                                                        &read->record_count, &read->error);
    }
    chroma_collection_close(collection);
}

METHOD(count)
{
    engine_call call;
    chroma_string tenant, database;
    count_read read = {.options = CHROMA_COUNT_OPTIONS_INIT};
    chroma_selection *selection = &read.options.selection;
    PyObject *where = count > 3 ? args[3] : Py_None;
    PyObject *where_document = count > 4 ? args[4] : Py_None;

    if (!engine_enter(self, &call, "count", count, 3, 5)
        || !string_argument(args[0], "collection_id", &read.id)
        || !string_argument(args[1], "tenant", &tenant)
        || !string_argument(args[2], "database", &database)
        || !optional_string_argument(where, "where", &selection->where_json)
        || !optional_string_argument(where_document, "where_document",
                                     &selection->where_document_json)) {
        return NULL;
    }
    if (where == Py_None && where_document == Py_None) {
        return count_all(&call, read.id);
    }
    read.engine = call.engine;
    if (!run_interruptibly(run_count, &read)) {
        chroma_error_free(read.error);
        return NULL;
    }
    if (read.status != CHROMA_OK) {
        return raise_error(call.state, read.status, read.error);
    }
    return PyLong_FromUnsignedLongLong(read.record_count);
}

typedef struct {
    chroma_engine *engine;
    chroma_string id;
    chroma_get_options options;
    chroma_get_result *result;
    chroma_error *error;
    chroma_status status;
} get_read;

static void
run_get(void *argument, chroma_cancel *cancel)
{
    get_read *read = argument;
    chroma_collection *collection = NULL;
    read->options.cancel = cancel;
    read->status = chroma_collection_open_by_id(read->engine, read->id, &collection, &read->error);
    if (read->status == CHROMA_OK) {
        read->status =
            chroma_collection_get(collection, &read->options, &read->result, &read->error);
    }
    chroma_collection_close(collection);
}

METHOD(get)
{
    engine_call call;
    call_memory memory = {0};
    chroma_string tenant, database;
    chroma_get_view view = CHROMA_GET_VIEW_INIT;
    get_read read = {.options = CHROMA_GET_OPTIONS_INIT};
    PyObject *after = count > 9 ? args[9] : Py_None;
    PyObject *order_by = count > 10 ? args[10] : Py_None;
    PyObject *descending = count > 11 ? args[11] : Py_False;

    if (!engine_enter(self, &call, "get", count, 9, 12)
        || !string_argument(args[0], "collection_id", &read.id)
        || !optional_count_argument(args[3], "limit", UINT64_MAX, &read.options.limit)
        || !count_argument(args[4], "offset", &read.options.offset)
        || !include_argument(call.state, args[6], &read.options.include)
        || !string_argument(args[7], "tenant", &tenant)
        || !string_argument(args[8], "database", &database)
        || !optional_string_argument(after, "after", &read.options.after)
        || !optional_string_argument(order_by, "order_by", &read.options.order_by)
        || !bool_argument(descending, "descending", &read.options.descending)) {
        return NULL;
    }
    read.engine = call.engine;
    bool is_complete =
        selection_argument(&memory, args[1], args[2], args[5], &read.options.selection)
        && run_interruptibly(run_get, &read);
    call_memory_end(&memory);
    PyObject *response = NULL;
    if (is_complete && read.status == CHROMA_OK) {
        read.status = chroma_get_result_view(read.result, &view, &read.error);
    }
    if (is_complete && read.status == CHROMA_OK) {
        response = get_response(call.state, &view);
    }
    else if (is_complete) {
        raise_error(call.state, read.status, read.error);
    }
    else {
        chroma_error_free(read.error);
    }
    chroma_get_result_free(read.result);
    return response;
}

typedef struct {
    chroma_engine *engine;
    chroma_string id;
    chroma_distinct_options options;
    chroma_distinct_result *result;
    chroma_error *error;
    chroma_status status;
} distinct_read;

static void
run_distinct(void *argument, chroma_cancel *cancel)
{
    distinct_read *read = argument;
    chroma_collection *collection = NULL;
    read->options.cancel = cancel;
    read->status = chroma_collection_open_by_id(read->engine, read->id, &collection, &read->error);
    if (read->status == CHROMA_OK) {
        read->status =
            chroma_collection_distinct(collection, &read->options, &read->result, &read->error);
    }
    chroma_collection_close(collection);
}

METHOD(distinct)
{
    engine_call call;
    call_memory memory = {0};
    chroma_distinct_view view = CHROMA_DISTINCT_VIEW_INIT;
    distinct_read read = {.options = CHROMA_DISTINCT_OPTIONS_INIT};

    if (!engine_enter(self, &call, "distinct", count, 6, 6)
        || !string_argument(args[0], "collection_id", &read.id)
        || !string_argument(args[1], "key", &read.options.key)
        || !optional_count_argument(args[5], "limit", UINT64_MAX, &read.options.limit)) {
        return NULL;
    }
    read.engine = call.engine;
    bool is_complete =
        selection_argument(&memory, args[2], args[3], args[4], &read.options.selection)
        && run_interruptibly(run_distinct, &read);
    call_memory_end(&memory);
    PyObject *values = NULL;
    if (is_complete && read.status == CHROMA_OK) {
        read.status = chroma_distinct_result_view(read.result, &view, &read.error);
    }
    if (is_complete && read.status == CHROMA_OK) {
        values = distinct_object(&view);
    }
    else if (is_complete) {
        raise_error(call.state, read.status, read.error);
    }
    else {
        chroma_error_free(read.error);
    }
    chroma_distinct_result_free(read.result);
    return values;
}

typedef struct {
    chroma_engine *engine;
    chroma_string id;
    chroma_query_options options;
    chroma_query_result *result;
    chroma_explain_result *explanation; /* Instead of the result, where it is to be explained. */
    bool is_explained;
    chroma_error *error;
    chroma_status status;
} query_read;

static void
run_query(void *argument, chroma_cancel *cancel)
{
    query_read *read = argument;
    chroma_collection *collection = NULL;
    read->options.cancel = cancel;
    read->status = chroma_collection_open_by_id(read->engine, read->id, &collection, &read->error);
    if (read->status == CHROMA_OK && read->is_explained) {
        read->status =
            chroma_collection_explain(collection, &read->options, &read->explanation, &read->error);
    }
    else if (read->status == CHROMA_OK) {
        read->status =
            chroma_collection_query(collection, &read->options, &read->result, &read->error);
    }
    chroma_collection_close(collection);
}

/* Runs the query of the first six arguments, which query() and explain() share. False with an
 * exception set, and nothing to free, if it failed. */
static bool
read_query(const engine_call *call, PyObject *const *args, query_read *read)
{
    call_memory memory = {0};
    if (!string_argument(args[0], "collection_id", &read->id)
        || !count_argument(args[3], "n_results", &read->options.result_count)) {
        return false;
    }
    read->engine = call->engine;
    bool is_complete =
        selection_argument(&memory, args[1], args[4], args[5], &read->options.selection)
        && ((read->is_explained && args[2] == Py_None)
            || vectors_argument(&memory, args[2], "query_embeddings", &read->options.embeddings))
        && run_interruptibly(run_query, read);
    call_memory_end(&memory);
    if (is_complete && read->status == CHROMA_OK) {
        return true;
    }
    if (is_complete) {
        raise_error(call->state, read->status, read->error);
    }
    else {
        chroma_error_free(read->error);
    }
    chroma_query_result_free(read->result);
    chroma_explain_result_free(read->explanation);
    return false;
}

METHOD(query)
{
    engine_call call;
    chroma_string tenant, database;
    chroma_query_view view = CHROMA_QUERY_VIEW_INIT;
    query_read read = {.options = CHROMA_QUERY_OPTIONS_INIT};
    PyObject *exact = count > 9 ? args[9] : Py_False;
    PyObject *max_distance = count > 10 ? args[10] : Py_None;
    double bound;

    if (!engine_enter(self, &call, "query", count, 9, 11)
        || !include_argument(call.state, args[6], &read.options.include)
        || !string_argument(args[7], "tenant", &tenant)
        || !string_argument(args[8], "database", &database)
        || !bool_argument(exact, "exact", &read.options.exact)) {
        return NULL;
    }
    if (max_distance != Py_None) {
        if (!double_argument(max_distance, "max_distance", &bound)) {
            return NULL;
        }
        read.options.max_distance = &bound;
    }
    if (!read_query(&call, args, &read)) {
        return NULL;
    }
    PyObject *response = NULL;
    read.status = chroma_query_result_view(read.result, &view, &read.error);
    if (read.status == CHROMA_OK) {
        response = query_response(call.state, &view);
    }
    else {
        raise_error(call.state, read.status, read.error);
    }
    chroma_query_result_free(read.result);
    return response;
}

METHOD(explain)
{
    engine_call call;
    query_read read = {.options = CHROMA_QUERY_OPTIONS_INIT, .is_explained = true};

    if (!engine_enter(self, &call, "explain", count, 7, 7)
        || !bool_argument(args[6], "exact", &read.options.exact)
        || !read_query(&call, args, &read)) {
        return NULL;
    }
    PyObject *explanation = explanation_object(call.state, read.explanation);
    chroma_explain_result_free(read.explanation);
    return explanation;
}
