/* From C results to JavaScript objects. */
#include <string.h>

#include "addon.h"

bool text_to(napi_env env, chroma_string text, napi_value *out_value) {
  if (text.data == NULL) {
    TRY(env, napi_get_null(env, out_value));
  } else {
    TRY(env, napi_create_string_utf8(env, text.data, text.length, out_value));
  }
  return true;
}

bool floats_to(napi_env env, const float *values, size_t count, napi_value *out_value) {
  napi_value buffer;
  void *bytes;
  TRY(env, napi_create_arraybuffer(env, count * sizeof *values, &bytes, &buffer));
  if (count > 0) memcpy(bytes, values, count * sizeof *values);
  TRY(env, napi_create_typedarray(env, napi_float32_array, count, buffer, 0, out_value));
  return true;
}

bool count_to(napi_env env, uint64_t count, napi_value *out_value) {
  TRY(env, napi_create_double(env, (double)count, out_value));
  return true;
}

bool counts_to(napi_env env, const named_count *counts, size_t count, napi_value *out_value) {
  TRY(env, napi_create_object(env, out_value));
  for (size_t index = 0; index < count; ++index) {
    napi_value value;
    if (!count_to(env, counts[index].count, &value)) return false;
    TRY(env, napi_set_named_property(env, *out_value, counts[index].name, value));
  }
  return true;
}

bool nothing_to(napi_env env, call *call, napi_value *out_value) {
  (void)call;
  TRY(env, napi_get_undefined(env, out_value));
  return true;
}

/* A column: strings or metadata, whichever is not NULL. */
static bool column_to(napi_env env, const chroma_string *texts, const chroma_metadata *metadatas,
                      size_t count, napi_value *out_value) {
  TRY(env, napi_create_array_with_length(env, count, out_value));
  for (size_t index = 0; index < count; ++index) {
    napi_handle_scope scope;
    napi_value element;
    TRY(env, napi_open_handle_scope(env, &scope));
    bool is_good = texts != NULL ? text_to(env, texts[index], &element)
                                 : metadata_to(env, &metadatas[index], &element);
    if (is_good && napi_set_element(env, *out_value, (uint32_t)index, element) != napi_ok) {
      is_good = throw_napi(env);
    }
    napi_close_handle_scope(env, scope);
    if (!is_good) return false;
  }
  return true;
}

static bool set_column(napi_env env, napi_value object, const char *name,
                       const chroma_string *texts, const chroma_metadata *metadatas, size_t count) {
  napi_value column;
  if (texts == NULL && metadatas == NULL) return true;
  if (!column_to(env, texts, metadatas, count, &column)) return false;
  TRY(env, napi_set_named_property(env, object, name, column));
  return true;
}

bool columns_to(napi_env env, const chroma_get_view *view, napi_value *out_value) {
  napi_value value;
  TRY(env, napi_create_object(env, out_value));
  if (!set_column(env, *out_value, "ids", view->ids, NULL, view->record_count) ||
      !set_column(env, *out_value, "documents", view->documents, NULL, view->record_count) ||
      !set_column(env, *out_value, "uris", view->uris, NULL, view->record_count) ||
      !set_column(env, *out_value, "metadatas", NULL, view->metadatas, view->record_count)) {
    return false;
  }
  if (view->embeddings != NULL) {
    if (!floats_to(env, view->embeddings, view->record_count * view->dimension, &value)) {
      return false;
    }
    TRY(env, napi_set_named_property(env, *out_value, "embeddings", value));
  }
  if (!count_to(env, view->dimension, &value)) return false;
  TRY(env, napi_set_named_property(env, *out_value, "dimension", value));
  return true;
}
