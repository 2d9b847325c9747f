/* Calls on collections. */
#include <stdio.h>

#include "addon.h"

typedef struct {
  call call;
  chroma_collection_options options;
  uint64_t limit;
  uint64_t offset;
  chroma_collection_list *list;
} collection_call;

/* Three arguments: tenant, database, name. */
static bool place_from(napi_env env, collection_call *self, const napi_value *arguments) {
  memory *memory = &self->call.memory;
  self->options = (chroma_collection_options)CHROMA_COLLECTION_OPTIONS_INIT;
  return text_from(env, memory, arguments[0], "'tenant'", &self->options.tenant) &&
         text_from(env, memory, arguments[1], "'database'", &self->options.database) &&
         optional_text_from(env, memory, arguments[2], "'name'", &self->options.name);
}

static void collection_release(call *call) {
  chroma_collection_list_free(((collection_call *)call)->list);
}

/* Describes the collection, and closes it: record calls open it again by its identifier. */
static chroma_status describe(collection_call *self, chroma_collection *collection) {
  chroma_status status = chroma_collection_describe(collection, &self->list, &self->call.error);
  chroma_collection_close(collection);
  return status;
}

/* ---- Descriptions --------------------------------------------------------------------------- */

static bool identifier_to(napi_env env, const uint8_t id[16], napi_value *out_value) {
  char text[37];
  snprintf(text, sizeof text,
           "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", id[0], id[1],
           id[2], id[3], id[4], id[5], id[6], id[7], id[8], id[9], id[10], id[11], id[12], id[13],
           id[14], id[15]);
  TRY(env, napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, out_value));
  return true;
}

/* {id, name, tenant, database, configuration and schema as JSON, metadata} */
static bool description_to(napi_env env, const chroma_collection_view *view,
                           napi_value *out_value) {
  napi_value id, name, tenant, database, configuration, schema, metadata;
  TRY(env, napi_create_object(env, out_value));
  if (!identifier_to(env, view->id, &id) || !text_to(env, view->name, &name) ||
      !text_to(env, view->tenant, &tenant) || !text_to(env, view->database, &database) ||
      !text_to(env, view->configuration_json, &configuration) ||
      !text_to(env, view->schema_json, &schema) || !metadata_to(env, &view->metadata, &metadata)) {
    return false;
  }
  TRY(env, napi_set_named_property(env, *out_value, "id", id));
  TRY(env, napi_set_named_property(env, *out_value, "name", name));
  TRY(env, napi_set_named_property(env, *out_value, "tenant", tenant));
  TRY(env, napi_set_named_property(env, *out_value, "database", database));
  TRY(env, napi_set_named_property(env, *out_value, "configuration", configuration));
  TRY(env, napi_set_named_property(env, *out_value, "schema", schema));
  TRY(env, napi_set_named_property(env, *out_value, "metadata", metadata));
  return true;
}

static bool descriptions_to(napi_env env, call *call, napi_value *out_value) {
  const chroma_collection_list *list = ((collection_call *)call)->list;
  size_t count = chroma_collection_list_count(list);
  TRY(env, napi_create_array_with_length(env, count, out_value));
  for (size_t index = 0; index < count; ++index) {
    chroma_collection_view view = CHROMA_COLLECTION_VIEW_INIT;
    napi_handle_scope scope;
    napi_value description;
    if (chroma_collection_list_view(list, index, &view, NULL) != CHROMA_OK) continue;
    TRY(env, napi_open_handle_scope(env, &scope));
    bool is_good = description_to(env, &view, &description);
    if (is_good && napi_set_element(env, *out_value, (uint32_t)index, description) != napi_ok) {
      is_good = throw_napi(env);
    }
    napi_close_handle_scope(env, scope);
    if (!is_good) return false;
  }
  return true;
}

/* ---- createCollection(id, engine, tenant, database, name, configuration, metadata, getOrCreate,
 *                       schema) -> [description] ----------------------------------------------- */

static chroma_status create_run(call *call, handles handles) {
  collection_call *self = (collection_call *)call;
  chroma_collection *collection;
  chroma_status status =
      chroma_collection_create(handles.engine, &self->options, &collection, &call->error);
  return status == CHROMA_OK ? describe(self, collection) : status;
}

static const operation create_operation = {.name = "chroma.createCollection",
                                           .run = create_run,
                                           .finish = descriptions_to,
                                           .release = collection_release};

static bool create_parse(napi_env env, collection_call *self, const napi_value *arguments) {
  memory *memory = &self->call.memory;
  bool get_or_create;
  if (!place_from(env, self, arguments) ||
      !optional_text_from(env, memory, arguments[3], "'configuration'",
                          &self->options.configuration_json) ||
      !metadata_from(env, memory, arguments[4], NULLS_ARE_SKIPPED, &self->options.metadata) ||
      !optional_text_from(env, memory, arguments[6], "'schema'", &self->options.schema_json)) {
    return false;
  }
  if (napi_get_value_bool(env, arguments[5], &get_or_create) != napi_ok) {
    return throw_value(env, "Expected getOrCreate to be a boolean, but got %s",
                       kind_of(env, arguments[5]));
  }
  self->options.get_or_create = get_or_create;
  return true;
}

napi_value collection_create(napi_env env, napi_callback_info info) {
  napi_value arguments[9];
  collection_call *self = call_begin(env, info, &create_operation, sizeof *self, arguments, 9);
  if (self == NULL) return NULL;
  return call_start(env, &self->call, create_parse(env, self, arguments + 2));
}

/* ---- getCollection(id, engine, tenant, database, name) -> [description] ---------------------- */

static chroma_status get_run(call *call, handles handles) {
  collection_call *self = (collection_call *)call;
  chroma_collection *collection;
  chroma_status status =
      chroma_collection_open(handles.engine, self->options.tenant, self->options.database,
                             self->options.name, &collection, &call->error);
  return status == CHROMA_OK ? describe(self, collection) : status;
}

static const operation get_operation = {.name = "chroma.getCollection",
                                        .run = get_run,
                                        .finish = descriptions_to,
                                        .release = collection_release};

napi_value collection_get(napi_env env, napi_callback_info info) {
  napi_value arguments[5];
  collection_call *self = call_begin(env, info, &get_operation, sizeof *self, arguments, 5);
  if (self == NULL) return NULL;
  return call_start(env, &self->call, place_from(env, self, arguments + 2));
}

/* ---- listCollections(id, engine, tenant, database, limit, offset) -> [description] ----------- */

static chroma_status list_run(call *call, handles handles) {
  collection_call *self = (collection_call *)call;
  return chroma_collection_list_all(handles.engine, self->options.tenant, self->options.database,
                                    self->limit, self->offset, &self->list, &call->error);
}

static const operation list_operation = {.name = "chroma.listCollections",
                                         .run = list_run,
                                         .finish = descriptions_to,
                                         .release = collection_release};

static bool list_parse(napi_env env, collection_call *self, const napi_value *arguments) {
  memory *memory = &self->call.memory;
  self->options = (chroma_collection_options)CHROMA_COLLECTION_OPTIONS_INIT;
  return text_from(env, memory, arguments[0], "'tenant'", &self->options.tenant) &&
         text_from(env, memory, arguments[1], "'database'", &self->options.database) &&
         integer_from(env, arguments[2], "'limit'", UINT64_MAX, &self->limit) &&
         integer_from(env, arguments[3], "'offset'", 0, &self->offset);
}

napi_value collection_list(napi_env env, napi_callback_info info) {
  napi_value arguments[6];
  collection_call *self = call_begin(env, info, &list_operation, sizeof *self, arguments, 6);
  if (self == NULL) return NULL;
  return call_start(env, &self->call, list_parse(env, self, arguments + 2));
}

/* ---- modifyCollection(id, engine, collection, name, configuration, metadata) -> [description] */

typedef struct {
  collection_call collection_call;
  chroma_modify_options options;
} modify_call;

static chroma_status modify_run(call *call, handles handles) {
  modify_call *self = (modify_call *)call;
  chroma_status status = chroma_collection_modify(handles.collection, &self->options, &call->error);
  if (status != CHROMA_OK) return status;
  return chroma_collection_describe(handles.collection, &self->collection_call.list, &call->error);
}

static const operation modify_operation = {.name = "chroma.modifyCollection",
                                           .run = modify_run,
                                           .finish = descriptions_to,
                                           .release = collection_release};

napi_value collection_modify(napi_env env, napi_callback_info info) {
  napi_value arguments[6];
  modify_call *self = call_begin(env, info, &modify_operation, sizeof *self, arguments, 6);
  if (self == NULL) return NULL;
  call *call = &self->collection_call.call;
  self->options = (chroma_modify_options)CHROMA_MODIFY_OPTIONS_INIT;
  bool is_good =
      text_from(env, &call->memory, arguments[2], "the collection", &call->collection) &&
      optional_text_from(env, &call->memory, arguments[3], "'name'", &self->options.name) &&
      optional_text_from(env, &call->memory, arguments[4], "'configuration'",
                         &self->options.configuration_json) &&
      metadata_from(env, &call->memory, arguments[5], NULLS_REMOVE, &self->options.metadata);
  return call_start(env, call, is_good);
}

/* ---- deleteCollection(id, engine, tenant, database, name) ------------------------------------ */

static chroma_status delete_run(call *call, handles handles) {
  collection_call *self = (collection_call *)call;
  return chroma_collection_delete(handles.engine, self->options.tenant, self->options.database,
                                  self->options.name, &call->error);
}

static const operation delete_operation = {
    .name = "chroma.deleteCollection", .run = delete_run, .finish = nothing_to};

napi_value collection_delete(napi_env env, napi_callback_info info) {
  napi_value arguments[5];
  collection_call *self = call_begin(env, info, &delete_operation, sizeof *self, arguments, 5);
  if (self == NULL) return NULL;
  return call_start(env, &self->call, place_from(env, self, arguments + 2));
}
