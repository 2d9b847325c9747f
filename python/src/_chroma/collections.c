/* Engine's methods on tenants, databases and collections. */
#include "module.h"

#include <string.h>

/* ---- Tenants and databases ---------------------------------------------------------------- */

METHOD(create_tenant)
{
    engine_call call;
    chroma_string name;
    chroma_error *error = NULL;
    chroma_status status;

    if (!engine_enter(self, &call, "create_tenant", count, 1, 1)
        || !string_argument(args[0], "name", &name)) {
        return NULL;
    }
    Py_BEGIN_ALLOW_THREADS
    status = chroma_tenant_create(call.engine, name, &error);
    Py_END_ALLOW_THREADS
    if (status != CHROMA_OK) {
        return raise_error(call.state, status, error);
    }
    Py_RETURN_NONE;
}

METHOD(get_tenant)
{
    engine_call call;
    chroma_string name;
    chroma_error *error = NULL;
    chroma_status status;

    if (!engine_enter(self, &call, "get_tenant", count, 1, 1)
        || !string_argument(args[0], "name", &name)) {
        return NULL;
    }
    Py_BEGIN_ALLOW_THREADS
    status = chroma_tenant_get(call.engine, name, &error);
    Py_END_ALLOW_THREADS
    if (status != CHROMA_OK) {
        return raise_error(call.state, status, error);
    }
    return tenant_object(call.state, args[0]);
}

METHOD(create_database)
{
    engine_call call;
    chroma_string name, tenant;
    chroma_error *error = NULL;
    chroma_status status;

    if (!engine_enter(self, &call, "create_database", count, 2, 2)
        || !string_argument(args[0], "name", &name)
        || !string_argument(args[1], "tenant", &tenant)) {
        return NULL;
    }
    Py_BEGIN_ALLOW_THREADS
    status = chroma_database_create(call.engine, tenant, name, &error);
    Py_END_ALLOW_THREADS
    if (status != CHROMA_OK) {
        return raise_error(call.state, status, error);
    }
    Py_RETURN_NONE;
}

METHOD(delete_database)
{
    engine_call call;
    chroma_string name, tenant;
    chroma_error *error = NULL;
    chroma_status status;

    if (!engine_enter(self, &call, "delete_database", count, 2, 2)
        || !string_argument(args[0], "name", &name)
        || !string_argument(args[1], "tenant", &tenant)) {
        return NULL;
    }
    Py_BEGIN_ALLOW_THREADS
    status = chroma_database_delete(call.engine, tenant, name, &error);
    Py_END_ALLOW_THREADS
    if (status != CHROMA_OK) {
        return raise_error(call.state, status, error);
    }
    Py_RETURN_NONE;
}

static PyObject *
database_at(module_state *state, const chroma_database_list *list, size_t index)
{
    chroma_database_view view;
    chroma_error *error = NULL;
    chroma_status status = chroma_database_list_view(list, index, &view, &error);
    if (status != CHROMA_OK) {
        return raise_error(state, status, error);
    }
    return database_object(state, &view);
}

METHOD(get_database)
{
    engine_call call;
    chroma_string name, tenant;
    chroma_database_list *list = NULL;
    chroma_error *error = NULL;
    chroma_status status;

    if (!engine_enter(self, &call, "get_database", count, 2, 2)
        || !string_argument(args[0], "name", &name)
        || !string_argument(args[1], "tenant", &tenant)) {
        return NULL;
    }
    Py_BEGIN_ALLOW_THREADS
    status = chroma_database_get(call.engine, tenant, name, &list, &error);
    Py_END_ALLOW_THREADS
    if (status != CHROMA_OK) {
        return raise_error(call.state, status, error);
    }
    PyObject *database = database_at(call.state, list, 0);
    chroma_database_list_free(list);
    return database;
}

METHOD(list_databases)
{
    engine_call call;
    uint64_t limit, offset;
    chroma_string tenant;
    chroma_database_list *list = NULL;
    chroma_error *error = NULL;
    chroma_status status;

    if (!engine_enter(self, &call, "list_databases", count, 3, 3)
        || !optional_count_argument(args[0], "limit", UINT64_MAX, &limit)
        || !optional_count_argument(args[1], "offset", 0, &offset)
        || !string_argument(args[2], "tenant", &tenant)) {
        return NULL;
    }
    Py_BEGIN_ALLOW_THREADS
    status = chroma_database_list_all(call.engine, tenant, limit, offset, &list, &error);
    Py_END_ALLOW_THREADS
    if (status != CHROMA_OK) {
        return raise_error(call.state, status, error);
    }
    size_t length = chroma_database_list_count(list);
    PyObject *databases = PyList_New((Py_ssize_t)length);
    for (size_t index = 0; databases != NULL && index < length; index++) {
        PyObject *database = database_at(call.state, list, index);
        if (database == NULL) {
            Py_CLEAR(databases);
            break;
        }
        PyList_SetItem(databases, (Py_ssize_t)index, database);
    }
    chroma_database_list_free(list);
    return databases;
}

/* ---- Collections -------------------------------------------------------------------------- */

static PyObject *
collection_at(module_state *state, const chroma_collection_list *list, size_t index)
{
    chroma_collection_view view = CHROMA_COLLECTION_VIEW_INIT;
    chroma_error *error = NULL;
    chroma_status status = chroma_collection_list_view(list, index, &view, &error);
    if (status != CHROMA_OK) {
        return raise_error(state, status, error);
    }
    return collection_object(state, &view);
}

/* The only collection of a list, which is freed. */
static PyObject *
only_collection(module_state *state, chroma_collection_list *list)
{
    PyObject *collection = collection_at(state, list, 0);
    chroma_collection_list_free(list);
    return collection;
}

METHOD(count_collections)
{
    engine_call call;
    chroma_string tenant, database;
    uint64_t collection_count;
    chroma_error *error = NULL;
    chroma_status status;

    if (!engine_enter(self, &call, "count_collections", count, 2, 2)
        || !string_argument(args[0], "tenant", &tenant)
        || !string_argument(args[1], "database", &database)) {
        return NULL;
    }
    Py_BEGIN_ALLOW_THREADS
    status = chroma_collection_count_all(call.engine, tenant, database, &collection_count, &error);
    Py_END_ALLOW_THREADS
    if (status != CHROMA_OK) {
        return raise_error(call.state, status, error);
    }
    return PyLong_FromUnsignedLongLong(collection_count);
}

METHOD(list_collections)
{
    engine_call call;
    uint64_t limit, offset;
    chroma_string tenant, database;
    chroma_collection_list *list = NULL;
    chroma_error *error = NULL;
    chroma_status status;

    if (!engine_enter(self, &call, "list_collections", count, 4, 4)
        || !optional_count_argument(args[0], "limit", UINT64_MAX, &limit)
        || !optional_count_argument(args[1], "offset", 0, &offset)
        || !string_argument(args[2], "tenant", &tenant)
        || !string_argument(args[3], "database", &database)) {
        return NULL;
    }
    Py_BEGIN_ALLOW_THREADS
    status =
        chroma_collection_list_all(call.engine, tenant, database, limit, offset, &list, &error);
    Py_END_ALLOW_THREADS
    if (status != CHROMA_OK) {
        return raise_error(call.state, status, error);
    }
    size_t length = chroma_collection_list_count(list);
    PyObject *collections = PyList_New((Py_ssize_t)length);
    for (size_t index = 0; collections != NULL && index < length; index++) {
        PyObject *collection = collection_at(call.state, list, index);
        if (collection == NULL) {
            Py_CLEAR(collections);
            break;
        }
        PyList_SetItem(collections, (Py_ssize_t)index, collection);
    }
    chroma_collection_list_free(list);
    return collections;
}

METHOD(create_collection)
{
    engine_call call;
    call_memory memory = {0};
    chroma_collection_options options = CHROMA_COLLECTION_OPTIONS_INIT;
    chroma_collection *collection = NULL;
    chroma_collection_list *list = NULL;
    chroma_error *error = NULL;
    chroma_status status;
    bool is_there;

    if (!engine_enter(self, &call, "create_collection", count, 7, 7)
        || !string_argument(args[0], "name", &options.name)
        || !optional_string_argument(args[1], "configuration_json_str", &options.configuration_json)
        || !optional_string_argument(args[2], "schema_str", &options.schema_json)
        || !bool_argument(args[4], "get_or_create", &options.get_or_create)
        || !string_argument(args[5], "tenant", &options.tenant)
        || !string_argument(args[6], "database", &options.database)) {
        return NULL;
    }
    if (!metadata_argument(call.state, &memory, args[3], "metadata", NONE_IS_REFUSED,
                           &options.metadata)) {
        call_memory_end(&memory);
        return NULL;
    }
    Py_BEGIN_ALLOW_THREADS
    do {
        chroma_error_free(error);
        error = NULL;
        status = chroma_collection_create(call.engine, &options, &collection, &error);
        is_there = status == CHROMA_OK;
        if (is_there) {
            status = chroma_collection_describe(collection, &list, &error);
        }
        chroma_collection_close(collection);
        /* Somebody deleted it between the two: whoever wants it in any case gets a new one. */
    } while (is_there && status == CHROMA_ERROR_NOT_FOUND && options.get_or_create);
    Py_END_ALLOW_THREADS
    call_memory_end(&memory);
    if (status != CHROMA_OK) {
        return raise_error(call.state, status, error);
    }
    return only_collection(call.state, list);
}

METHOD(get_collection)
{
    engine_call call;
    chroma_string name, tenant, database;
    chroma_collection *collection = NULL;
    chroma_collection_list *list = NULL;
    chroma_error *error = NULL;
    chroma_status status;

    if (!engine_enter(self, &call, "get_collection", count, 3, 3)
        || !string_argument(args[0], "name", &name) || !string_argument(args[1], "tenant", &tenant)
        || !string_argument(args[2], "database", &database)) {
        return NULL;
    }
    Py_BEGIN_ALLOW_THREADS
    status = chroma_collection_open(call.engine, tenant, database, name, &collection, &error);
    if (status == CHROMA_OK) {
        status = chroma_collection_describe(collection, &list, &error);
    }
    chroma_collection_close(collection);
    Py_END_ALLOW_THREADS
    if (status != CHROMA_OK) {
        return raise_error(call.state, status, error);
    }
    return only_collection(call.state, list);
}

static bool
is_equal(chroma_string left, chroma_string right)
{
    return left.length == right.length && memcmp(left.data, right.data, left.length) == 0;
}

METHOD(get_collection_by_id)
{
    engine_call call;
    chroma_string id, tenant, database;
    chroma_collection *collection = NULL;
    chroma_collection_list *list = NULL;
    chroma_collection_view view = CHROMA_COLLECTION_VIEW_INIT;
    chroma_error *error = NULL;
    chroma_status status;

    if (!engine_enter(self, &call, "get_collection_by_id", count, 3, 3)
        || !string_argument(args[0], "collection_id", &id)
        || !string_argument(args[1], "tenant", &tenant)
        || !string_argument(args[2], "database", &database)) {
        return NULL;
    }
    Py_BEGIN_ALLOW_THREADS
    status = chroma_collection_open_by_id(call.engine, id, &collection, &error);
    if (status == CHROMA_OK) {
        status = chroma_collection_describe(collection, &list, &error);
    }
    if (status == CHROMA_OK) {
        status = chroma_collection_list_view(list, 0, &view, &error);
    }
    chroma_collection_close(collection);
    Py_END_ALLOW_THREADS
    /* libchroma knows a collection by its id alone; here a database shows its own ones only. */
    if (status == CHROMA_OK
        && (!is_equal(view.tenant, tenant) || !is_equal(view.database, database))) {
        chroma_collection_list_free(list);
        return raise_status(call.state, CHROMA_ERROR_NOT_FOUND, "Collection [%U] does not exist",
                            args[0]);
    }
    if (status != CHROMA_OK) {
        chroma_collection_list_free(list);
        return raise_error(call.state, status, error);
    }
    return only_collection(call.state, list);
}

METHOD(update_collection)
{
    engine_call call;
    call_memory memory = {0};
    chroma_string id;
    chroma_modify_options options = CHROMA_MODIFY_OPTIONS_INIT;
    chroma_collection *collection = NULL;
    chroma_error *error = NULL;
    chroma_status status;

    if (!engine_enter(self, &call, "update_collection", count, 4, 4)
        || !string_argument(args[0], "collection_id", &id)
        || !optional_string_argument(args[1], "new_name", &options.name)
        || !optional_string_argument(args[3], "new_configuration_json_str",
                                     &options.configuration_json)) {
        return NULL;
    }
    if (!metadata_argument(call.state, &memory, args[2], "new_metadata", NONE_REMOVES_THE_KEY,
                           &options.metadata)) {
        call_memory_end(&memory);
        return NULL;
    }
    Py_BEGIN_ALLOW_THREADS
    status = chroma_collection_open_by_id(call.engine, id, &collection, &error);
    if (status == CHROMA_OK) {
        status = chroma_collection_modify(collection, &options, &error);
    }
    chroma_collection_close(collection);
    Py_END_ALLOW_THREADS
    call_memory_end(&memory);
    if (status != CHROMA_OK) {
        return raise_error(call.state, status, error);
    }
    Py_RETURN_NONE;
}

METHOD(delete_collection)
{
    engine_call call;
    chroma_string name, tenant, database;
    chroma_error *error = NULL;
    chroma_status status;

    if (!engine_enter(self, &call, "delete_collection", count, 3, 3)
        || !string_argument(args[0], "name", &name) || !string_argument(args[1], "tenant", &tenant)
        || !string_argument(args[2], "database", &database)) {
        return NULL;
    }
    Py_BEGIN_ALLOW_THREADS
    status = chroma_collection_delete(call.engine, tenant, database, name, &error);
    Py_END_ALLOW_THREADS
    if (status != CHROMA_OK) {
        return raise_error(call.state, status, error);
    }
    Py_RETURN_NONE;
}
