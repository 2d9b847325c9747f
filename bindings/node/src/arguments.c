/* From JavaScript values to C ones. */
#include <math.h>
#include <stdlib.h>

#include "addon.h"

/* UTF-16 units of a string that are read without asking for its length first. */
#define SHORT_UNIT_COUNT 256

const char *kind_of(napi_env env, napi_value value) {
  static const char *const kinds[] = {
      [napi_undefined] = "undefined", [napi_null] = "null",         [napi_boolean] = "boolean",
      [napi_number] = "number",       [napi_string] = "string",     [napi_symbol] = "symbol",
      [napi_object] = "object",       [napi_function] = "function", [napi_external] = "external",
      [napi_bigint] = "bigint"};
  napi_valuetype type = napi_undefined;
  bool is_array = false;
  if (napi_is_array(env, value, &is_array) == napi_ok && is_array) return "array";
  return napi_typeof(env, value, &type) == napi_ok ? kinds[type] : "something else";
}

bool is_missing(napi_env env, napi_value value) {
  napi_valuetype type = napi_undefined;
  return napi_typeof(env, value, &type) == napi_ok && (type == napi_undefined || type == napi_null);
}

/* ---- Strings -------------------------------------------------------------------------------- */

/*
 * The Unicode scalar value at *index, past which it moves; 0xFFFFFFFF for half a surrogate pair.
 *
 * Node-API's own UTF-8 puts U+FFFD for such a half: two ids would become one.
 */
static uint32_t scalar_at(const char16_t *units, size_t count, size_t *index) {
  uint32_t unit = units[(*index)++];
  if ((unit & 0xF800) != 0xD800) return unit;
  if (unit >= 0xDC00 || *index == count || (units[*index] & 0xFC00) != 0xDC00) return UINT32_MAX;
  return 0x10000 + ((unit & 0x3FF) << 10) + (units[(*index)++] & 0x3FF);
}

/* Writes the scalar as UTF-8 unless bytes is NULL. Returns the number of bytes. */
static size_t put_scalar(uint32_t scalar, char *bytes) {
  size_t count = scalar < 0x80 ? 1 : scalar < 0x800 ? 2 : scalar < 0x10000 ? 3 : 4;
  static const unsigned char leads[] = {0, 0, 0xC0, 0xE0, 0xF0};
  if (bytes != NULL) {
    for (size_t place = count - 1; place > 0; --place, scalar >>= 6) {
      bytes[place] = (char)(0x80 | (scalar & 0x3F));
    }
    bytes[0] = (char)(leads[count] | scalar);
  }
  return count;
}

static bool text_from_units(napi_env env, memory *memory, const char16_t *units, size_t unit_count,
                            const char *what, chroma_string *out_text) {
  size_t byte_count = 0;
  for (size_t index = 0; index < unit_count;) {
    size_t start = index;
    uint32_t scalar = scalar_at(units, unit_count, &index);
    if (scalar == UINT32_MAX) {
      return throw_value(env,
                         "Expected %s to be well-formed UTF-16, but it has half a surrogate pair "
                         "at index %zu",
                         what, start);
    }
    byte_count += put_scalar(scalar, NULL);
  }
  char *bytes = memory_allocate(env, memory, byte_count, 1);
  if (bytes == NULL) return false;
  *out_text = (chroma_string){bytes, byte_count};
  for (size_t index = 0; index < unit_count;) {
    bytes += put_scalar(scalar_at(units, unit_count, &index), bytes);
  }
  return true;
}

bool text_from(napi_env env, memory *memory, napi_value value, const char *what,
               chroma_string *out_text) {
  char16_t units[SHORT_UNIT_COUNT + 1];
  size_t count;
  napi_status status = napi_get_value_string_utf16(env, value, units, SHORT_UNIT_COUNT + 1, &count);
  if (status == napi_string_expected) {
    return throw_value(env, "Expected %s to be a string, but got %s", what, kind_of(env, value));
  }
  TRY(env, status);
  if (count < SHORT_UNIT_COUNT) {
    return text_from_units(env, memory, units, count, what, out_text);
  }
  TRY(env, napi_get_value_string_utf16(env, value, NULL, 0, &count));
  // Not the call's memory: a long document would be kept twice.
  char16_t *long_units = malloc((count + 1) * sizeof *long_units);
  if (long_units == NULL) {
    return throw_error(env, "CHROMA_ERROR_RESOURCE_EXHAUSTED",
                       "There is no memory for a string of %zu units.", count);
  }
  bool is_good = false;
  if (napi_get_value_string_utf16(env, value, long_units, count + 1, &count) == napi_ok) {
    is_good = text_from_units(env, memory, long_units, count, what, out_text);
  } else {
    throw_napi(env);
  }
  free(long_units);
  return is_good;
}

bool optional_text_from(napi_env env, memory *memory, napi_value value, const char *what,
                        chroma_string *out_text) {
  *out_text = (chroma_string){NULL, 0};
  return is_missing(env, value) || text_from(env, memory, value, what, out_text);
}

static bool element_text_from(napi_env env, memory *memory, napi_value array, uint32_t index,
                              const char *what, elements elements, chroma_string *out_text) {
  napi_value element;
  TRY(env, napi_get_element(env, array, index, &element));
  if (elements == ELEMENTS_OPTIONAL) {
    return optional_text_from(env, memory, element, what, out_text);
  }
  return text_from(env, memory, element, what, out_text);
}

bool texts_from(napi_env env, memory *memory, napi_value value, const char *list, const char *each,
                elements elements, const chroma_string **out_texts, size_t *out_count) {
  bool is_array = false;
  uint32_t count;
  *out_texts = NULL;
  *out_count = 0;
  if (is_missing(env, value)) return true;
  TRY(env, napi_is_array(env, value, &is_array));
  if (!is_array) {
    return throw_value(env, "Expected %s to be an array, but got %s", list, kind_of(env, value));
  }
  TRY(env, napi_get_array_length(env, value, &count));
  chroma_string *texts = memory_allocate(env, memory, count, sizeof *texts);
  if (texts == NULL) return false;
  for (uint32_t index = 0; index < count; ++index) {
    napi_handle_scope scope;
    TRY(env, napi_open_handle_scope(env, &scope));
    bool is_good = element_text_from(env, memory, value, index, each, elements, &texts[index]);
    napi_close_handle_scope(env, scope);
    if (!is_good) return false;
  }
  *out_texts = texts;
  *out_count = count;
  return true;
}

/* ---- Numbers and vectors -------------------------------------------------------------------- */

bool integer_from(napi_env env, napi_value value, const char *what, uint64_t fallback,
                  uint64_t *out_integer) {
  double number;
  *out_integer = fallback;
  if (is_missing(env, value)) return true;
  napi_status status = napi_get_value_double(env, value, &number);
  if (status == napi_number_expected) {
    return throw_value(env, "Expected %s to be a number, but got %s", what, kind_of(env, value));
  }
  TRY(env, status);
  if (!(number >= 0 && number <= (double)SAFE_INTEGER_MAX && floor(number) == number)) {
    return throw_value(env, "Expected %s to be a non-negative integer, but got %.17g", what,
                       number);
  }
  *out_integer = (uint64_t)number;
  return true;
}

bool flag_from(napi_env env, napi_value value, const char *what, bool *out_flag) {
  *out_flag = false;
  if (is_missing(env, value)) return true;
  napi_status status = napi_get_value_bool(env, value, out_flag);
  if (status == napi_boolean_expected) {
    return throw_value(env, "Expected %s to be a boolean, but got %s", what, kind_of(env, value));
  }
  TRY(env, status);
  return true;
}

bool vectors_from(napi_env env, call *call, napi_value array, napi_value dimension,
                  chroma_vectors *out_vectors) {
  napi_typedarray_type type = napi_int8_array;
  bool is_typed_array = false;
  size_t count;
  void *values;
  uint64_t element_count;
  if (is_missing(env, array)) return true;
  if (!integer_from(env, dimension, "the dimension", 0, &element_count)) return false;
  TRY(env, napi_is_typedarray(env, array, &is_typed_array));
  if (is_typed_array) {
    TRY(env, napi_get_typedarray_info(env, array, &type, &count, &values, NULL, NULL));
  }
  if (type != napi_float32_array) {
    return throw_value(env, "Expected the embeddings as a Float32Array, but got %s",
                       kind_of(env, array));
  }
  if (element_count == 0 || count % element_count != 0 || count == 0 || values == NULL) {
    return throw_value(env, "Expected the embeddings as rows of %llu numbers, but got %zu numbers",
                       (unsigned long long)element_count, count);
  }
  out_vectors->values = values;
  out_vectors->dimension = element_count;
  out_vectors->count = count / element_count;
  return call_keep_vectors(env, call, array);
}

bool selection_from(napi_env env, memory *memory, const napi_value *arguments,
                    chroma_selection *out_selection) {
  return texts_from(env, memory, arguments[0], "'ids'", "each id", ELEMENTS_NEEDED,
                    &out_selection->ids, &out_selection->id_count) &&
         optional_text_from(env, memory, arguments[1], "'where'", &out_selection->where_json) &&
         optional_text_from(env, memory, arguments[2], "'whereDocument'",
                            &out_selection->where_document_json);
}

bool query_options_from(napi_env env, call *call, const napi_value *arguments,
                        chroma_query_options *out_options) {
  bool is_exact;
  *out_options = (chroma_query_options)CHROMA_QUERY_OPTIONS_INIT;
  out_options->cancel = call->cancel;
  if (!selection_from(env, &call->memory, arguments + 2, &out_options->selection) ||
      !integer_from(env, arguments[5], "'nResults'", 10, &out_options->result_count) ||
      !flag_from(env, arguments[6], "'exact'", &is_exact) ||
      !vectors_from(env, call, arguments[0], arguments[1], &out_options->embeddings)) {
    return false;
  }
  out_options->exact = is_exact;
  return true;
}
