/*
 * Metadata, both ways.
 *
 *   JavaScript                               Chroma
 *   boolean                                  bool
 *   number, a safe integer                   int
 *   number, any other                        float
 *   bigint, 64 bits                          int
 *   string                                   string
 *   array of one of these, not empty         array; with one float among numbers, of floats
 *
 * JavaScript has one type of number: what is 1.0 elsewhere is 1 here, and is stored as an int. Read
 * back, an int is a number, or a bigint if it is no safe integer; an array of ints is all bigints
 * if one of them must be.
 */
#include <math.h>
#include <string.h>

#include "addon.h"

/* 2^53 - 1, Number.MAX_SAFE_INTEGER. */
#define SAFE_INTEGER_MAX ((int64_t)9007199254740991)
/* Characters of a key that a message shows. */
#define KEY_LENGTH_SHOWN_MAX 100

/* ---- In: one value -------------------------------------------------------------------------- */

static int shown_length(chroma_string key) {
  return key.length < KEY_LENGTH_SHOWN_MAX ? (int)key.length : KEY_LENGTH_SHOWN_MAX;
}

static bool bigint_from(napi_env env, napi_value value, chroma_metadata_entry *entry) {
  bool is_lossless = false;
  entry->kind = CHROMA_METADATA_INT;
  TRY(env, napi_get_value_bigint_int64(env, value, &entry->value.integer, &is_lossless));
  if (is_lossless) return true;
  return throw_value(env, "Expected the bigint for key '%.*s' to fit in 64 bits",
                     shown_length(entry->key), entry->key.data);
}

/* A boolean, number, bigint or string. Anything else leaves the kind CHROMA_METADATA_NULL. */
static bool scalar_from(napi_env env, memory *memory, napi_value value,
                        chroma_metadata_entry *entry) {
  napi_valuetype type;
  double number;
  bool boolean;
  entry->kind = CHROMA_METADATA_NULL;
  TRY(env, napi_typeof(env, value, &type));
  switch (type) {
    case napi_boolean:
      TRY(env, napi_get_value_bool(env, value, &boolean));
      entry->kind = CHROMA_METADATA_BOOL;
      entry->value.boolean = boolean;
      return true;
    case napi_number:
      TRY(env, napi_get_value_double(env, value, &number));
      if (fabs(number) <= (double)SAFE_INTEGER_MAX && floor(number) == number) {
        entry->kind = CHROMA_METADATA_INT;
        entry->value.integer = (int64_t)number;
      } else {
        entry->kind = CHROMA_METADATA_FLOAT;
        entry->value.number = number;
      }
      return true;
    case napi_bigint:
      return bigint_from(env, value, entry);
    case napi_string:
      entry->kind = CHROMA_METADATA_STRING;
      return text_from(env, memory, value, "each string of metadata", &entry->value.string);
    default:
      return true;
  }
}

/* ---- In: arrays ----------------------------------------------------------------------------- */

/* Reads the elements. An element's count is 1 if it was a bigint. */
static bool elements_from(napi_env env, memory *memory, napi_value array, chroma_string key,
                          chroma_metadata_entry *elements, uint32_t count) {
  for (uint32_t index = 0; index < count; ++index) {
    napi_handle_scope scope;
    napi_value value;
    TRY(env, napi_open_handle_scope(env, &scope));
    elements[index].key = key;
    bool is_good = napi_get_element(env, array, index, &value) == napi_ok || throw_napi(env);
    is_good = is_good && scalar_from(env, memory, value, &elements[index]);
    if (is_good && elements[index].kind == CHROMA_METADATA_NULL) {
      is_good = throw_value(env,
                            "Expected metadata list value for key '%.*s' to contain only "
                            "strings, numbers, or booleans, got %s",
                            shown_length(key), key.data, kind_of(env, value));
    }
    napi_valuetype type = napi_undefined;
    elements[index].count =
        is_good && napi_typeof(env, value, &type) == napi_ok && type == napi_bigint;
    napi_close_handle_scope(env, scope);
    if (!is_good) return false;
  }
  return true;
}

/* The one kind of the elements, or CHROMA_METADATA_NULL. Ints among floats are floats; bigints are
 * not: they would lose digits. */
static chroma_metadata_kind common_kind(const chroma_metadata_entry *elements, uint32_t count) {
  chroma_metadata_kind kind = elements[0].kind;
  bool has_bigints = false;
  for (uint32_t index = 0; index < count; ++index) {
    chroma_metadata_kind other = elements[index].kind;
    bool are_numbers = (kind == CHROMA_METADATA_INT || kind == CHROMA_METADATA_FLOAT) &&
                       (other == CHROMA_METADATA_INT || other == CHROMA_METADATA_FLOAT);
    has_bigints = has_bigints || elements[index].count != 0;
    if (are_numbers && other == CHROMA_METADATA_FLOAT) kind = other;
    if (!are_numbers && other != kind) return CHROMA_METADATA_NULL;
  }
  return kind == CHROMA_METADATA_FLOAT && has_bigints ? CHROMA_METADATA_NULL : kind;
}

/* Puts the elements into an array of their kind. */
static bool array_pack(napi_env env, memory *memory, const chroma_metadata_entry *elements,
                       uint32_t count, chroma_metadata_kind kind, chroma_metadata_entry *entry) {
  static const size_t sizes[] = {[CHROMA_METADATA_BOOL] = sizeof(uint8_t),
                                 [CHROMA_METADATA_INT] = sizeof(int64_t),
                                 [CHROMA_METADATA_FLOAT] = sizeof(double),
                                 [CHROMA_METADATA_STRING] = sizeof(chroma_string)};
  void *packed = memory_allocate(env, memory, count, sizes[kind]);
  if (packed == NULL) return false;
  for (uint32_t index = 0; index < count; ++index) {
    const chroma_metadata_entry *element = &elements[index];
    if (kind == CHROMA_METADATA_BOOL) {
      ((uint8_t *)packed)[index] = element->value.boolean;
    } else if (kind == CHROMA_METADATA_INT) {
      ((int64_t *)packed)[index] = element->value.integer;
    } else if (kind == CHROMA_METADATA_STRING) {
      ((chroma_string *)packed)[index] = element->value.string;
    } else {
      bool is_int = element->kind == CHROMA_METADATA_INT;
      ((double *)packed)[index] = is_int ? (double)element->value.integer : element->value.number;
    }
  }
  entry->kind = kind + (CHROMA_METADATA_BOOLS - CHROMA_METADATA_BOOL);
  entry->value.booleans = packed; // A union of pointers: any of them.
  entry->count = count;
  return true;
}

static bool array_from(napi_env env, memory *memory, napi_value array,
                       chroma_metadata_entry *entry) {
  uint32_t count;
  TRY(env, napi_get_array_length(env, array, &count));
  if (count == 0) {
    return throw_value(env, "Expected metadata list value for key '%.*s' to be non-empty",
                       shown_length(entry->key), entry->key.data);
  }
  chroma_metadata_entry *elements = memory_allocate(env, memory, count, sizeof *elements);
  if (elements == NULL || !elements_from(env, memory, array, entry->key, elements, count)) {
    return false;
  }
  chroma_metadata_kind kind = common_kind(elements, count);
  if (kind == CHROMA_METADATA_NULL) {
    return throw_value(env,
                       "Expected metadata list value for key '%.*s' to contain only the same "
                       "type, got mixed types",
                       shown_length(entry->key), entry->key.data);
  }
  return array_pack(env, memory, elements, count, kind, entry);
}

/* ---- In: an object -------------------------------------------------------------------------- */

static bool value_from(napi_env env, memory *memory, napi_value value,
                       chroma_metadata_entry *entry) {
  napi_valuetype type;
  bool is_array = false;
  TRY(env, napi_is_array(env, value, &is_array));
  if (is_array) return array_from(env, memory, value, entry);
  if (!scalar_from(env, memory, value, entry)) return false;
  TRY(env, napi_typeof(env, value, &type));
  if (entry->kind != CHROMA_METADATA_NULL || type == napi_null) return true;
  return throw_value(env,
                     "Expected metadata value for key '%.*s' to be a string, number, bigint, "
                     "boolean, typed array (string[], number[], bigint[], boolean[]), or null, "
                     "got %s",
                     shown_length(entry->key), entry->key.data, kind_of(env, value));
}

static bool entry_from(napi_env env, memory *memory, napi_value object, napi_value keys,
                       uint32_t index, chroma_metadata_entry *entry) {
  napi_value key, value;
  TRY(env, napi_get_element(env, keys, index, &key));
  if (!text_from(env, memory, key, "each key of metadata", &entry->key)) return false;
  TRY(env, napi_get_property(env, object, key, &value));
  return value_from(env, memory, value, entry);
}

bool metadata_from(napi_env env, memory *memory, napi_value value, nulls nulls,
                   chroma_metadata *out_metadata) {
  napi_valuetype type;
  napi_value keys;
  uint32_t count;
  bool is_array = false;
  *out_metadata = (chroma_metadata){NULL, 0, 0, 0};
  if (is_missing(env, value)) return true;
  TRY(env, napi_typeof(env, value, &type));
  TRY(env, napi_is_array(env, value, &is_array));
  if (type != napi_object || is_array) {
    return throw_value(env, "Expected metadata to be an object, but got %s", kind_of(env, value));
  }
  TRY(env, napi_get_all_property_names(env, value, napi_key_own_only,
                                       napi_key_enumerable | napi_key_skip_symbols,
                                       napi_key_numbers_to_strings, &keys));
  TRY(env, napi_get_array_length(env, keys, &count));
  if (count == 0) return throw_value(env, "Expected metadata to be non-empty");
  chroma_metadata_entry *entries = memory_allocate(env, memory, count, sizeof *entries);
  if (entries == NULL) return false;
  size_t kept_count = 0;
  for (uint32_t index = 0; index < count; ++index) {
    napi_handle_scope scope;
    TRY(env, napi_open_handle_scope(env, &scope));
    bool is_good = entry_from(env, memory, value, keys, index, &entries[kept_count]);
    napi_close_handle_scope(env, scope);
    if (!is_good) return false;
    if (entries[kept_count].kind != CHROMA_METADATA_NULL || nulls == NULLS_REMOVE) ++kept_count;
  }
  *out_metadata = (chroma_metadata){entries, kept_count, kept_count > 0, 0};
  return true;
}

/* ---- Out ------------------------------------------------------------------------------------ */

static bool is_safe(int64_t integer) {
  return integer >= -SAFE_INTEGER_MAX && integer <= SAFE_INTEGER_MAX;
}

static bool integer_to(napi_env env, int64_t integer, bool as_bigint, napi_value *out_value) {
  if (as_bigint) {
    TRY(env, napi_create_bigint_int64(env, integer, out_value));
  } else {
    TRY(env, napi_create_int64(env, integer, out_value));
  }
  return true;
}

static bool element_to(napi_env env, const chroma_metadata_entry *entry, size_t index,
                       bool as_bigint, napi_value *out_value) {
  switch (entry->kind) {
    case CHROMA_METADATA_BOOLS:
      TRY(env, napi_get_boolean(env, entry->value.booleans[index] != 0, out_value));
      return true;
    case CHROMA_METADATA_INTS:
      return integer_to(env, entry->value.integers[index], as_bigint, out_value);
    case CHROMA_METADATA_FLOATS:
      TRY(env, napi_create_double(env, entry->value.numbers[index], out_value));
      return true;
    default:
      return text_to(env, entry->value.strings[index], out_value);
  }
}

static bool array_to(napi_env env, const chroma_metadata_entry *entry, napi_value *out_value) {
  bool as_bigint = false;
  if (entry->kind == CHROMA_METADATA_INTS) {
    for (size_t index = 0; index < entry->count; ++index) {
      as_bigint = as_bigint || !is_safe(entry->value.integers[index]);
    }
  }
  TRY(env, napi_create_array_with_length(env, entry->count, out_value));
  for (size_t index = 0; index < entry->count; ++index) {
    napi_value element;
    if (!element_to(env, entry, index, as_bigint, &element)) return false;
    TRY(env, napi_set_element(env, *out_value, (uint32_t)index, element));
  }
  return true;
}

static bool value_to(napi_env env, const chroma_metadata_entry *entry, napi_value *out_value) {
  switch (entry->kind) {
    case CHROMA_METADATA_NULL:
      TRY(env, napi_get_null(env, out_value));
      return true;
    case CHROMA_METADATA_BOOL:
      TRY(env, napi_get_boolean(env, entry->value.boolean != 0, out_value));
      return true;
    case CHROMA_METADATA_INT:
      return integer_to(env, entry->value.integer, !is_safe(entry->value.integer), out_value);
    case CHROMA_METADATA_FLOAT:
      TRY(env, napi_create_double(env, entry->value.number, out_value));
      return true;
    case CHROMA_METADATA_STRING:
      return text_to(env, entry->value.string, out_value);
    default:
      return array_to(env, entry, out_value);
  }
}

static bool is_prototype_key(chroma_string key) {
  return key.length == 9 && memcmp(key.data, "__proto__", 9) == 0;
}

static bool entry_to(napi_env env, const chroma_metadata_entry *entry, napi_value object) {
  napi_value key, value;
  if (!text_to(env, entry->key, &key) || !value_to(env, entry, &value)) return false;
  if (is_prototype_key(entry->key)) {
    // Setting it would change the object's prototype instead.
    napi_property_descriptor own = {
        .name = key, .value = value, .attributes = napi_default_jsproperty};
    TRY(env, napi_define_properties(env, object, 1, &own));
  } else {
    TRY(env, napi_set_property(env, object, key, value));
  }
  return true;
}

bool metadata_to(napi_env env, const chroma_metadata *metadata, napi_value *out_value) {
  if (!metadata->present) {
    TRY(env, napi_get_null(env, out_value));
    return true;
  }
  TRY(env, napi_create_object(env, out_value));
  for (size_t index = 0; index < metadata->count; ++index) {
    if (!entry_to(env, &metadata->entries[index], *out_value)) return false;
  }
  return true;
}
