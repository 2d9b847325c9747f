/* Calls that read records. */
#include "addon.h"

/* ---- count(id, engine, collection, where, whereDocument) -> number --------------------------- */

typedef struct {
  call call;
  chroma_count_options options;
  uint64_t count;
} count_call;

static chroma_status count_run(call *call, handles handles) {
  count_call *self = (count_call *)call;
  return chroma_collection_count_selected(handles.collection, &self->options, &self->count,
                                          &call->error);
}

static bool count_finish(napi_env env, call *call, napi_value *out_value) {
  return count_to(env, ((count_call *)call)->count, out_value);
}

static const operation count_operation = {
    .name = "chroma.count", .run = count_run, .finish = count_finish};

static bool count_parse(napi_env env, count_call *self, const napi_value *arguments) {
  memory *memory = &self->call.memory;
  chroma_selection *selection = &self->options.selection;
  self->options = (chroma_count_options)CHROMA_COUNT_OPTIONS_INIT;
  self->options.cancel = self->call.cancel;
  return text_from(env, memory, arguments[0], "the collection", &self->call.collection) &&
         optional_text_from(env, memory, arguments[1], "'where'", &selection->where_json) &&
         optional_text_from(env, memory, arguments[2], "'whereDocument'",
                            &selection->where_document_json);
}

napi_value records_count(napi_env env, napi_callback_info info) {
  napi_value arguments[5];
  count_call *self = call_begin(env, info, &count_operation, sizeof *self, arguments, 5);
  if (self == NULL) return NULL;
  return call_start(env, &self->call, count_parse(env, self, arguments + 2));
}

/* ---- get(id, engine, collection, ids, where, whereDocument, limit, offset, include, after,
 *      orderBy, descending) -> columns --------------------------------------------------------- */

typedef struct {
  call call;
  chroma_get_options options;
  chroma_get_result *result;
  chroma_get_view view;
} get_call;

static chroma_status get_run(call *call, handles handles) {
  get_call *self = (get_call *)call;
  chroma_status status =
      chroma_collection_get(handles.collection, &self->options, &self->result, &call->error);
  if (status != CHROMA_OK) return status;
  return chroma_get_result_view(self->result, &self->view, &call->error);
}

static bool get_finish(napi_env env, call *call, napi_value *out_value) {
  return columns_to(env, &((get_call *)call)->view, out_value);
}

static void get_release(call *call) {
  chroma_get_result_free(((get_call *)call)->result);
}

static const operation get_operation = {
    .name = "chroma.get", .run = get_run, .finish = get_finish, .release = get_release};

static bool include_from(napi_env env, napi_value value, uint32_t *out_include) {
  uint64_t include;
  if (!integer_from(env, value, "'include'", 0, &include)) return false;
  if (include > UINT32_MAX) return throw_value(env, "Expected 'include' to be a set of flags");
  *out_include = (uint32_t)include;
  return true;
}

static bool get_parse(napi_env env, get_call *self, const napi_value *arguments) {
  memory *memory = &self->call.memory;
  bool is_descending;
  self->options = (chroma_get_options)CHROMA_GET_OPTIONS_INIT;
  self->options.cancel = self->call.cancel;
  self->view = (chroma_get_view)CHROMA_GET_VIEW_INIT;
  if (!text_from(env, memory, arguments[0], "the collection", &self->call.collection) ||
      !selection_from(env, memory, arguments + 1, &self->options.selection) ||
      !integer_from(env, arguments[4], "'limit'", UINT64_MAX, &self->options.limit) ||
      !integer_from(env, arguments[5], "'offset'", 0, &self->options.offset) ||
      !include_from(env, arguments[6], &self->options.include) ||
      !optional_text_from(env, memory, arguments[7], "'after'", &self->options.after) ||
      !optional_text_from(env, memory, arguments[8], "'orderBy'", &self->options.order_by) ||
      !flag_from(env, arguments[9], "'descending'", &is_descending)) {
    return false;
  }
  self->options.descending = is_descending;
  return true;
}

napi_value records_get(napi_env env, napi_callback_info info) {
  napi_value arguments[12];
  get_call *self = call_begin(env, info, &get_operation, sizeof *self, arguments, 12);
  if (self == NULL) return NULL;
  return call_start(env, &self->call, get_parse(env, self, arguments + 2));
}

/* ---- query(id, engine, collection, embeddings, dimension, ids, where, whereDocument, nResults,
 *      exact, include, maxDistance) -> columns of all queries, with rowOffsets and distances --- */

typedef struct {
  call call;
  chroma_query_options options;
  double max_distance;
  chroma_query_result *result;
  chroma_query_view view;
} query_call;

static chroma_status query_run(call *call, handles handles) {
  query_call *self = (query_call *)call;
  chroma_status status =
      chroma_collection_query(handles.collection, &self->options, &self->result, &call->error);
  if (status != CHROMA_OK) return status;
  return chroma_query_result_view(self->result, &self->view, &call->error);
}

static bool row_offsets_to(napi_env env, const chroma_query_view *view, napi_value *out_value) {
  TRY(env, napi_create_array_with_length(env, view->query_count + 1, out_value));
  for (size_t index = 0; index <= view->query_count; ++index) {
    napi_value offset;
    if (!count_to(env, view->row_offsets[index], &offset)) return false;
    TRY(env, napi_set_element(env, *out_value, (uint32_t)index, offset));
  }
  return true;
}

static bool query_finish(napi_env env, call *call, napi_value *out_value) {
  const chroma_query_view *view = &((query_call *)call)->view;
  chroma_get_view columns = CHROMA_GET_VIEW_INIT;
  napi_value value;
  columns.record_count = view->row_offsets[view->query_count];
  columns.ids = view->ids;
  columns.embeddings = view->embeddings;
  columns.dimension = view->dimension;
  columns.documents = view->documents;
  columns.uris = view->uris;
  columns.metadatas = view->metadatas;
  if (!columns_to(env, &columns, out_value) || !row_offsets_to(env, view, &value)) return false;
  TRY(env, napi_set_named_property(env, *out_value, "rowOffsets", value));
  if (view->distances == NULL) return true;
  if (!floats_to(env, view->distances, columns.record_count, &value)) return false;
  TRY(env, napi_set_named_property(env, *out_value, "distances", value));
  return true;
}

static void query_release(call *call) {
  chroma_query_result_free(((query_call *)call)->result);
}

static const operation query_operation = {
    .name = "chroma.query", .run = query_run, .finish = query_finish, .release = query_release};

static bool max_distance_from(napi_env env, query_call *self, napi_value value) {
  if (is_missing(env, value)) return true;
  napi_status status = napi_get_value_double(env, value, &self->max_distance);
  if (status == napi_number_expected) {
    return throw_value(env, "Expected 'maxDistance' to be a number, but got %s",
                       kind_of(env, value));
  }
  TRY(env, status);
  self->options.max_distance = &self->max_distance;
  return true;
}

static bool query_parse(napi_env env, query_call *self, const napi_value *arguments) {
  self->view = (chroma_query_view)CHROMA_QUERY_VIEW_INIT;
  return text_from(env, &self->call.memory, arguments[0], "the collection",
                   &self->call.collection) &&
         query_options_from(env, &self->call, arguments + 1, &self->options) &&
         include_from(env, arguments[8], &self->options.include) &&
         max_distance_from(env, self, arguments[9]);
}

napi_value records_query(napi_env env, napi_callback_info info) {
  napi_value arguments[12];
  query_call *self = call_begin(env, info, &query_operation, sizeof *self, arguments, 12);
  if (self == NULL) return NULL;
  return call_start(env, &self->call, query_parse(env, self, arguments + 2));
}
