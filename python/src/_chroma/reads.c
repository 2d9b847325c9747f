/* Engine's methods that read records. */
#include "module.h"

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
