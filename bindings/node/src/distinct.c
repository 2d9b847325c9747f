/* Which values stand under a key. */
#include "addon.h"

/* ---- distinct(id, engine, collection, key, ids, where, whereDocument, limit)
 *      -> {values, counts} --------------------------------------------------------------------- */

typedef struct {
  call call;
  chroma_distinct_options options;
  chroma_distinct_result *result;
  chroma_distinct_view view;
} distinct_call;

static chroma_status distinct_run(call *call, handles handles) {
  distinct_call *self = (distinct_call *)call;
  chroma_status status =
      chroma_collection_distinct(handles.collection, &self->options, &self->result, &call->error);
  if (status != CHROMA_OK) return status;
  return chroma_distinct_result_view(self->result, &self->view, &call->error);
}

/* Sets the value and the count of an index in their arrays. */
static bool pair_to(napi_env env, const chroma_distinct_view *view, size_t index, napi_value values,
                    napi_value counts) {
  napi_value value, count;
  if (!metadata_value_to(env, &view->values[index], &value) ||
      !count_to(env, view->counts[index], &count)) {
    return false;
  }
  TRY(env, napi_set_element(env, values, (uint32_t)index, value));
  TRY(env, napi_set_element(env, counts, (uint32_t)index, count));
  return true;
}

static bool distinct_finish(napi_env env, call *call, napi_value *out_value) {
  const chroma_distinct_view *view = &((distinct_call *)call)->view;
  napi_value values, counts;
  TRY(env, napi_create_object(env, out_value));
  TRY(env, napi_create_array_with_length(env, view->value_count, &values));
  TRY(env, napi_create_array_with_length(env, view->value_count, &counts));
  for (size_t index = 0; index < view->value_count; ++index) {
    napi_handle_scope scope;
    TRY(env, napi_open_handle_scope(env, &scope));
    bool is_good = pair_to(env, view, index, values, counts);
    napi_close_handle_scope(env, scope);
    if (!is_good) return false;
  }
  TRY(env, napi_set_named_property(env, *out_value, "values", values));
  TRY(env, napi_set_named_property(env, *out_value, "counts", counts));
  return true;
}

static void distinct_release(call *call) {
  chroma_distinct_result_free(((distinct_call *)call)->result);
}

static const operation distinct_operation = {.name = "chroma.distinct",
                                             .run = distinct_run,
                                             .finish = distinct_finish,
                                             .release = distinct_release};

static bool distinct_parse(napi_env env, distinct_call *self, const napi_value *arguments) {
  memory *memory = &self->call.memory;
  self->options = (chroma_distinct_options)CHROMA_DISTINCT_OPTIONS_INIT;
  self->options.cancel = self->call.cancel;
  self->view = (chroma_distinct_view)CHROMA_DISTINCT_VIEW_INIT;
  return text_from(env, memory, arguments[0], "the collection", &self->call.collection) &&
         text_from(env, memory, arguments[1], "'key'", &self->options.key) &&
         selection_from(env, memory, arguments + 2, &self->options.selection) &&
         integer_from(env, arguments[5], "'limit'", UINT64_MAX, &self->options.limit);
}

napi_value records_distinct(napi_env env, napi_callback_info info) {
  napi_value arguments[8];
  distinct_call *self = call_begin(env, info, &distinct_operation, sizeof *self, arguments, 8);
  if (self == NULL) return NULL;
  return call_start(env, &self->call, distinct_parse(env, self, arguments + 2));
}
