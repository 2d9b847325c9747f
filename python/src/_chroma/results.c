/* From C results to Python objects, all fresh: the caller may change them. */
#include "module.h"

#include <string.h>

/* ---- Types -------------------------------------------------------------------------------- */

static PyStructSequence_Field tenant_fields[] = {{"name", NULL}, {NULL, NULL}};

static PyStructSequence_Field database_fields[] = {
    {"id", NULL}, {"name", NULL}, {"tenant", NULL}, {NULL, NULL}};

static PyStructSequence_Field collection_fields[] = {
    {"id", NULL},     {"name", NULL},     {"configuration", NULL},
    {"schema", NULL}, {"metadata", NULL}, {"dimension", NULL},
    {"tenant", NULL}, {"database", NULL}, {NULL, NULL}};

static PyStructSequence_Field get_fields[] = {{"ids", NULL},       {"embeddings", NULL},
                                              {"documents", NULL}, {"uris", NULL},
                                              {"metadatas", NULL}, {NULL, NULL}};

static PyStructSequence_Field query_fields[] = {
    {"ids", NULL},       {"embeddings", NULL}, {"documents", NULL}, {"uris", NULL},
    {"metadatas", NULL}, {"distances", NULL},  {NULL, NULL}};

bool
result_types_create(PyObject *module, module_state *state)
{
    struct {
        PyTypeObject **type;
        PyStructSequence_Desc description;
    } types[] = {
        {&state->tenant_type,
         {"chromadb_swift_bindings._chroma.Tenant", "A tenant.", tenant_fields, 1}},
        {&state->database_type,
         {"chromadb_swift_bindings._chroma.Database", "A database.", database_fields, 3}},
        {&state->collection_type,
         {"chromadb_swift_bindings._chroma.Collection", "A collection.", collection_fields, 8}},
        {&state->get_response_type,
         {"chromadb_swift_bindings._chroma.GetResponse",
          "Columns of records. A column that was not asked for is None.", get_fields, 5}},
        {&state->query_response_type,
         {"chromadb_swift_bindings._chroma.QueryResponse",
          "Columns with an item for each query. A column that was not asked for is None.",
          query_fields, 6}},
    };
    for (size_t index = 0; index < sizeof types / sizeof types[0]; index++) {
        *types[index].type = PyStructSequence_NewType(&types[index].description);
        if (*types[index].type == NULL || PyModule_AddType(module, *types[index].type) < 0) {
            return false;
        }
    }
    return true;
}

/* A named tuple of the values, whose references it takes over. One that is NULL, with an exception
 * set, makes the answer NULL; what stands behind it in the arguments was made in vain. */
static PyObject *
tuple_of(PyTypeObject *type, PyObject *const *values, Py_ssize_t count)
{
    bool is_complete = true;
    for (Py_ssize_t index = 0; index < count; index++) {
        is_complete = is_complete && values[index] != NULL;
    }
    PyObject *tuple = is_complete ? PyStructSequence_New(type) : NULL;
    for (Py_ssize_t index = 0; index < count; index++) {
        if (tuple != NULL) {
            PyStructSequence_SetItem(tuple, index, values[index]);
        }
        else {
            Py_XDECREF(values[index]);
        }
    }
    return tuple;
}

static PyObject *
none(void)
{
    Py_INCREF(Py_None);
    return Py_None;
}

/* ---- Tenants, databases, collections ------------------------------------------------------ */

PyObject *
string_object(chroma_string string)
{
    if (string.data == NULL) {
        return none();
    }
    return PyUnicode_DecodeUTF8(string.data, (Py_ssize_t)string.length, NULL);
}

static PyObject *
uuid_object(module_state *state, const uint8_t id[16])
{
    PyObject *class = imported(&state->uuid_class, "uuid", "UUID");
    if (class == NULL) {
        return NULL;
    }
    /* UUID(hex, bytes). */
    return PyObject_CallFunction(class, "Oy#", Py_None, (const char *)id, (Py_ssize_t)16);
}

static PyObject *
json_object(module_state *state, chroma_string text)
{
    if (text.data == NULL) {
        return none();
    }
    PyObject *loads = imported(&state->json_loads, "json", "loads");
    if (loads == NULL) {
        return NULL;
    }
    return PyObject_CallFunction(loads, "s#", text.data, (Py_ssize_t)text.length);
}

PyObject *
tenant_object(module_state *state, PyObject *name)
{
    Py_INCREF(name);
    return tuple_of(state->tenant_type, &name, 1);
}

PyObject *
database_object(module_state *state, const chroma_database_view *view)
{
    PyObject *id = uuid_object(state, view->id);
    if (id == NULL) {
        return NULL;
    }
    PyObject *values[] = {id, string_object(view->name), string_object(view->tenant)};
    return tuple_of(state->database_type, values, 3);
}

PyObject *
collection_object(module_state *state, const chroma_collection_view *view)
{
    /* These three call Python: an exception must not be set meanwhile. */
    PyObject *id = uuid_object(state, view->id);
    PyObject *configuration = id == NULL ? NULL : json_object(state, view->configuration_json);
    PyObject *schema = configuration == NULL ? NULL : json_object(state, view->schema_json);
    if (schema == NULL) {
        Py_XDECREF(id);
        Py_XDECREF(configuration);
        return NULL;
    }
    PyObject *values[] = {
        id,
        string_object(view->name),
        configuration,
        schema,
        metadata_object(&view->metadata),
        view->dimension == 0 ? none() : PyLong_FromUnsignedLongLong(view->dimension),
        string_object(view->tenant),
        string_object(view->database),
    };
    return tuple_of(state->collection_type, values, 8);
}

/* ---- Columns ------------------------------------------------------------------------------ */

/* Rows of a result. A column that is not in it is None. */
typedef struct {
    module_state *state;
    const chroma_string *strings;
    const chroma_metadata *metadatas;
    const float *numbers;
    size_t dimension;
} result_column;

/* Makes an object of the rows from first on. */
typedef PyObject *(*column_rows)(const result_column *column, size_t first, size_t count);

static PyObject *
string_rows(const result_column *column, size_t first, size_t count)
{
    PyObject *list = PyList_New((Py_ssize_t)count);
    for (size_t index = 0; list != NULL && index < count; index++) {
        PyObject *item = string_object(column->strings[first + index]);
        if (item == NULL) {
            Py_CLEAR(list);
            break;
        }
        PyList_SetItem(list, (Py_ssize_t)index, item);
    }
    return list;
}

static PyObject *
metadata_rows(const result_column *column, size_t first, size_t count)
{
    return metadata_list(column->metadatas + first, count);
}

static PyObject *
distance_rows(const result_column *column, size_t first, size_t count)
{
    PyObject *list = PyList_New((Py_ssize_t)count);
    for (size_t index = 0; list != NULL && index < count; index++) {
        PyObject *item = PyFloat_FromDouble(column->numbers[first + index]);
        if (item == NULL) {
            Py_CLEAR(list);
            break;
        }
        PyList_SetItem(list, (Py_ssize_t)index, item);
    }
    return list;
}

static PyObject *
embedding_rows(const result_column *column, size_t first, size_t count)
{
    PyObject *empty = imported(&column->state->numpy_empty, "numpy", "empty");
    if (empty == NULL) {
        return NULL;
    }
    size_t dimension = count == 0 ? 0 : column->dimension;
    PyObject *array =
        PyObject_CallFunction(empty, "(nn)s", (Py_ssize_t)count, (Py_ssize_t)dimension, "f");
    if (array == NULL || count == 0) {
        return array;
    }
    Py_buffer view;
    if (PyObject_GetBuffer(array, &view, PyBUF_CONTIG) < 0) {
        Py_DECREF(array);
        return NULL;
    }
    memcpy(view.buf, column->numbers + first * dimension, (size_t)view.len);
    PyBuffer_Release(&view);
    return array;
}

PyObject *
get_response(module_state *state, const chroma_get_view *view)
{
    const struct {
        bool is_included;
        column_rows rows;
        result_column column;
    } columns[] = {
        {true, string_rows, {state, .strings = view->ids}},
        {view->embeddings != NULL,
         embedding_rows,
         {state, .numbers = view->embeddings, .dimension = view->dimension}},
        {view->documents != NULL, string_rows, {state, .strings = view->documents}},
        {view->uris != NULL, string_rows, {state, .strings = view->uris}},
        {view->metadatas != NULL, metadata_rows, {state, .metadatas = view->metadatas}},
    };
    enum { COUNT = sizeof columns / sizeof columns[0] };
    PyObject *values[COUNT] = {NULL};
    for (size_t index = 0; index < COUNT; index++) {
        values[index] = columns[index].is_included
                            ? columns[index].rows(&columns[index].column, 0, view->record_count)
                            : none();
        if (values[index] == NULL) {
            break;
        }
    }
    return tuple_of(state->get_response_type, values, COUNT);
}

/* A list with the rows of each query. */
static PyObject *
nested(const chroma_query_view *view, column_rows rows, const result_column *column)
{
    PyObject *list = PyList_New((Py_ssize_t)view->query_count);
    for (size_t query = 0; list != NULL && query < view->query_count; query++) {
        size_t first = view->row_offsets[query];
        PyObject *item = rows(column, first, view->row_offsets[query + 1] - first);
        if (item == NULL) {
            Py_CLEAR(list);
            break;
        }
        PyList_SetItem(list, (Py_ssize_t)query, item);
    }
    return list;
}

PyObject *
query_response(module_state *state, const chroma_query_view *view)
{
    const struct {
        bool is_included;
        column_rows rows;
        result_column column;
    } columns[] = {
        {true, string_rows, {state, .strings = view->ids}},
        {view->embeddings != NULL,
         embedding_rows,
         {state, .numbers = view->embeddings, .dimension = view->dimension}},
        {view->documents != NULL, string_rows, {state, .strings = view->documents}},
        {view->uris != NULL, string_rows, {state, .strings = view->uris}},
        {view->metadatas != NULL, metadata_rows, {state, .metadatas = view->metadatas}},
        {view->distances != NULL, distance_rows, {state, .numbers = view->distances}},
    };
    enum { COUNT = sizeof columns / sizeof columns[0] };
    PyObject *values[COUNT] = {NULL};
    for (size_t index = 0; index < COUNT; index++) {
        values[index] = columns[index].is_included
                            ? nested(view, columns[index].rows, &columns[index].column)
                            : none();
        if (values[index] == NULL) {
            break;
        }
    }
    return tuple_of(state->query_response_type, values, COUNT);
}

PyObject *
distinct_object(const chroma_distinct_view *view)
{
    PyObject *values = PyList_New((Py_ssize_t)view->value_count);
    PyObject *counts = PyList_New((Py_ssize_t)view->value_count);
    for (size_t index = 0; values != NULL && counts != NULL && index < view->value_count; index++) {
        PyObject *value = metadata_value_object(&view->values[index]);
        PyObject *count = value == NULL ? NULL : PyLong_FromUnsignedLongLong(view->counts[index]);
        if (count == NULL) {
            Py_XDECREF(value);
            Py_CLEAR(values);
            break;
        }
        PyList_SetItem(values, (Py_ssize_t)index, value);
        PyList_SetItem(counts, (Py_ssize_t)index, count);
    }
    if (values == NULL || counts == NULL) {
        Py_XDECREF(values);
        Py_XDECREF(counts);
        return NULL;
    }
    return Py_BuildValue("{sNsN}", "values", values, "counts", counts);
}

/* ---- Explanations ------------------------------------------------------------------------- */

static const char *
strategy_name(chroma_search_strategy strategy)
{
    switch (strategy) {
        case CHROMA_SEARCH_EXACT_SCAN:
            return "exact scan";
        case CHROMA_SEARCH_CODE_SCAN:
            return "code scan";
        case CHROMA_SEARCH_GRAPH:
            return "graph";
        case CHROMA_SEARCH_FILTERED_GRAPH:
            return "filtered graph";
        default:
            return "unknown";
    }
}

#define UNSIGNED(name) #name, (unsigned long long)view.name
#define SIGNED(name) #name, (long long)view.name

static PyObject *
search_object(module_state *state, const chroma_explain_result *result, size_t index)
{
    chroma_search_view view = CHROMA_SEARCH_VIEW_INIT;
    chroma_error *error = NULL;
    chroma_status status = chroma_explain_result_search(result, index, &view, &error);
    if (status != CHROMA_OK) {
        return raise_error(state, status, error);
    }
    return Py_BuildValue("{sssOsKsKsK}", "strategy", strategy_name(view.strategy), "has_switched",
                         view.has_switched ? Py_True : Py_False, UNSIGNED(scanned_count),
                         UNSIGNED(measured_count), UNSIGNED(reranked_count));
}

PyObject *
explanation_object(module_state *state, const chroma_explain_result *result)
{
    chroma_explain_view view = CHROMA_EXPLAIN_VIEW_INIT;
    chroma_error *error = NULL;
    chroma_status status = chroma_explain_result_view(result, &view, &error);
    if (status != CHROMA_OK) {
        return raise_error(state, status, error);
    }
    PyObject *searches = PyList_New((Py_ssize_t)view.query_count);
    for (size_t index = 0; searches != NULL && index < view.query_count; index++) {
        PyObject *search = search_object(state, result, index);
        if (search == NULL) {
            Py_CLEAR(searches);
            break;
        }
        PyList_SetItem(searches, (Py_ssize_t)index, search);
    }
    /* This calls Python: an exception must not be set meanwhile. */
    PyObject *filter =
        searches == NULL ? NULL : json_object(state, chroma_explain_result_filter_json(result));
    if (filter == NULL) {
        Py_XDECREF(searches);
        return NULL;
    }
    return Py_BuildValue("{sLsLsLsLsKsKsKsKsNsN}", SIGNED(version), SIGNED(generation),
                         SIGNED(position), SIGNED(indexed_position), UNSIGNED(record_count),
                         UNSIGNED(candidate_count), UNSIGNED(unindexed_count), UNSIGNED(ef_search),
                         "searches", searches, "filter", filter);
}

#undef SIGNED
#undef UNSIGNED

/* ---- Recovery ----------------------------------------------------------------------------- */

PyObject *
copy_object(const chroma_copy_view *view)
{
    return Py_BuildValue("{sKsKsKsKsK}", "blob_count", (unsigned long long)view->blob_count,
                         "byte_count", (unsigned long long)view->byte_count, "copied_blob_count",
                         (unsigned long long)view->copied_blob_count, "copied_byte_count",
                         (unsigned long long)view->copied_byte_count, "removed_blob_count",
                         (unsigned long long)view->removed_blob_count);
}

/* UUID(text), or None. */
static PyObject *
optional_uuid_object(module_state *state, chroma_string text)
{
    if (text.data == NULL) {
        return none();
    }
    PyObject *class = imported(&state->uuid_class, "uuid", "UUID");
    return class == NULL ? NULL
                         : PyObject_CallFunction(class, "s#", text.data, (Py_ssize_t)text.length);
}

static PyObject *
finding_object(module_state *state, const chroma_report_entry *entry)
{
    const bool is_damage = entry->kind == CHROMA_REPORT_DAMAGE;
    return Py_BuildValue("{sNsNsNsNsNsssO}", "file", string_object(entry->file), "place",
                         string_object(entry->place), "collection_id",
                         optional_uuid_object(state, entry->collection_id), "collection_name",
                         string_object(entry->collection_name), "what",
                         string_object(entry->message), "severity", is_damage ? "damage" : "waste",
                         "is_repairable", entry->is_repairable ? Py_True : Py_False);
}

static PyObject *
loss_object(module_state *state, const chroma_report_entry *entry)
{
    const result_column ids = {state, .strings = entry->lost_ids};
    PyObject *count = entry->lost_record_count == UINT64_MAX
                          ? none()
                          : PyLong_FromUnsignedLongLong(entry->lost_record_count);
    return Py_BuildValue("{sNsNsNsNsN}", "collection_id",
                         optional_uuid_object(state, entry->collection_id), "collection_name",
                         string_object(entry->collection_name), "what",
                         string_object(entry->message), "record_count", count, "ids",
                         string_rows(&ids, 0, entry->lost_id_count));
}

static PyObject *
action_object(module_state *state, const chroma_report_entry *entry)
{
    (void)state;
    return string_object(entry->message);
}

/* A list of what the entries of one of the kinds become. */
static PyObject *
entry_list(module_state *state, const chroma_report *report, unsigned kinds,
           PyObject *(*object)(module_state *state, const chroma_report_entry *entry))
{
    PyObject *list = PyList_New(0);
    for (size_t index = 0; list != NULL && index < chroma_report_count(report); index++) {
        chroma_report_entry entry = CHROMA_REPORT_ENTRY_INIT;
        chroma_error *error = NULL;
        PyObject *item = NULL;
        chroma_status status = chroma_report_view(report, index, &entry, &error);
        if (status == CHROMA_OK && (kinds & 1u << entry.kind) == 0) {
            continue;
        }
        item = status == CHROMA_OK ? object(state, &entry) : raise_error(state, status, error);
        if (item == NULL || PyList_Append(list, item) != 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(item);
    }
    return list;
}

PyObject *
findings_object(module_state *state, const chroma_report *report)
{
    return entry_list(state, report, 1u << CHROMA_REPORT_DAMAGE | 1u << CHROMA_REPORT_WASTE,
                      finding_object);
}

PyObject *
repair_object(module_state *state, const chroma_report *report)
{
    return Py_BuildValue("{sNsNsN}", "actions",
                         entry_list(state, report, 1u << CHROMA_REPORT_ACTION, action_object),
                         "losses", entry_list(state, report, 1u << CHROMA_REPORT_LOSS, loss_object),
                         "saved_directory", string_object(chroma_report_saved_directory(report)));
}
