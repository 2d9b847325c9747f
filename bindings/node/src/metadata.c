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

/* Characters of a key that a message shows. */
#define KEY_LENGTH_SHOWN_MAX 100

/* ---- In: one value -------------------------------------------------------------------------- */

static int shown_length(chroma_string key) {
  return key.length < KEY_LENGTH_SHOWN_MAX ? (int)key.length : KEY_LENGTH_SHOWN_MAX;
}

static bool is_safe(int64_t integer) {
  return integer >= -SAFE_INTEGER_MAX && integer <= SAFE_INTEGER_MAX;
}

static bool is_safe_integer(double number) {
  return fabs(number) <= (double)SAFE_INTEGER_MAX && floor(number) == number;
}

/* The kind of a boolean, number, bigint or string; CHROMA_METADATA_NULL for anything else. */
static bool kind_from(napi_env env, napi_value value, chroma_metadata_kind *out_kind) {
  napi_valuetype type;
  double number;
  TRY(env, napi_typeof(env, value, &type));
  *out_kind = CHROMA_METADATA_NULL;
  if (type == napi_boolean) *out_kind = CHROMA_METADATA_BOOL;
  if (type == napi_string) *out_kind = CHROMA_METADATA_STRING;
  if (type == napi_bigint) *out_kind = CHROMA_METADATA_INT;
  if (type == napi_number) {
    TRY(env, napi_get_value_double(env, value, &number));
    *out_kind = is_safe_integer(number) ? CHROMA_METADATA_INT : CHROMA_METADATA_FLOAT;
  }
  return true;
}

static bool integer_of(napi_env env, napi_value value, chroma_string key, int64_t *out_integer) {
  double number;
  bool is_lossless = false;
  if (napi_get_value_double(env, value, &number) == napi_ok) {
    // Checked again: an array may have changed since its kind was found.
    *out_integer = is_safe_integer(number) ? (int64_t)number : 0;
    return true;
  }
  TRY(env, napi_get_value_bigint_int64(env, value, out_integer, &is_lossless));
  if (is_lossless) return true;
  return throw_value(env, "Expected the bigint for key '%.*s' to fit in 64 bits", shown_length(key),
                     key.data);
}

static bool scalar_from(napi_env env, memory *memory, napi_value value,
                        chroma_metadata_entry *entry) {
  bool boolean;
  switch (entry->kind) {
    case CHROMA_METADATA_BOOL:
      TRY(env, napi_get_value_bool(env, value, &boolean));
      entry->value.boolean = boolean;
      return true;
    case CHROMA_METADATA_INT:
      return integer_of(env, value, entry->key, &entry->value.integer);
    case CHROMA_METADATA_FLOAT:
      TRY(env, napi_get_value_double(env, value, &entry->value.number));
      return true;
    default:
      return text_from(env, memory, value, "each string of metadata", &entry->value.string);
  }
}

/* ---- In: arrays ----------------------------------------------------------------------------- */

/* Takes the next element into account. *kind is CHROMA_METADATA_NULL before the first. */
static bool kind_join(napi_env env, napi_value value, chroma_string key, chroma_metadata_kind *kind,
                      bool *has_bigints) {
  chroma_metadata_kind other;
  napi_valuetype type;
  if (!kind_from(env, value, &other)) return false;
  if (other == CHROMA_METADATA_NULL) {
    return throw_value(env,
                       "Expected metadata list value for key '%.*s' to contain only strings, "
                       "numbers, or booleans, got %s",
                       shown_length(key), key.data, kind_of(env, value));
  }
  TRY(env, napi_typeof(env, value, &type));
  *has_bigints = *has_bigints || type == napi_bigint;
  if (*kind == CHROMA_METADATA_NULL) *kind = other;
  // Ints among floats are floats. Bigints are not: they would lose digits.
  if (*kind == CHROMA_METADATA_INT && other == CHROMA_METADATA_FLOAT) *kind = other;
  bool is_int_among_floats = *kind == CHROMA_METADATA_FLOAT && other == CHROMA_METADATA_INT;
  if ((*kind == other || is_int_among_floats) &&
      !(*kind == CHROMA_METADATA_FLOAT && *has_bigints)) {
    return true;
  }
  return throw_value(env,
                     "Expected metadata list value for key '%.*s' to contain only the same type, "
                     "got mixed types",
                     shown_length(key), key.data);
}

/* The one kind of all elements. */
static bool array_kind_from(napi_env env, napi_value array, uint32_t count, chroma_string key,
                            chroma_metadata_kind *out_kind) {
  bool has_bigints = false;
  *out_kind = CHROMA_METADATA_NULL;
  for (uint32_t index = 0; index < count; ++index) {
    napi_handle_scope scope;
    napi_value value;
    TRY(env, napi_open_handle_scope(env, &scope));
    bool is_good = napi_get_element(env, array, index, &value) == napi_ok || throw_napi(env);
    is_good = is_good && kind_join(env, value, key, out_kind, &has_bigints);
    napi_close_handle_scope(env, scope);
    if (!is_good) return false;
  }
  return true;
}

/* Reads an element of the kind into its place among the others. */
static bool element_from(napi_env env, memory *memory, napi_value array, uint32_t index,
                         chroma_string key, chroma_metadata_kind kind, void *elements) {
  chroma_metadata_entry element = {.key = key, .kind = kind};
  napi_value value;
  TRY(env, napi_get_element(env, array, index, &value));
  if (!scalar_from(env, memory, value, &element)) return false;
  switch (kind) {
    case CHROMA_METADATA_BOOL:
      ((uint8_t *)elements)[index] = element.value.boolean;
      break;
    case CHROMA_METADATA_INT:
      ((int64_t *)elements)[index] = element.value.integer;
      break;
    case CHROMA_METADATA_FLOAT:
      ((double *)elements)[index] = element.value.number;
      break;
    default:
      ((chroma_string *)elements)[index] = element.value.string;
  }
  return true;
}

static bool array_from(napi_env env, memory *memory, napi_value array,
                       chroma_metadata_entry *entry) {
  static const size_t sizes[] = {[CHROMA_METADATA_BOOL] = sizeof(uint8_t),
                                 [CHROMA_METADATA_INT] = sizeof(int64_t),
                                 [CHROMA_METADATA_FLOAT] = sizeof(double),
                                 [CHROMA_METADATA_STRING] = sizeof(chroma_string)};
  uint32_t count;
  chroma_metadata_kind kind;
  TRY(env, napi_get_array_length(env, array, &count));
  if (count == 0) {
    return throw_value(env, "Expected metadata list value for key '%.*s' to be non-empty",
                       shown_length(entry->key), entry->key.data);
  }
  // Before the allocation: an array may claim to be long and have few elements.
  if (!array_kind_from(env, array, count, entry->key, &kind)) return false;
  void *elements = memory_allocate(env, memory, count, sizes[kind]);
  if (elements == NULL) return false;
  for (uint32_t index = 0; index < count; ++index) {
    napi_handle_scope scope;
    TRY(env, napi_open_handle_scope(env, &scope));
    bool is_good = element_from(env, memory, array, index, entry->key, kind, elements);
    napi_close_handle_scope(env, scope);
    if (!is_good) return false;
  }
  entry->kind = kind + (CHROMA_METADATA_BOOLS - CHROMA_METADATA_BOOL);
  entry->value.booleans = elements; // A union of pointers: any of them.
  entry->count = count;
  return true;
}

/* ---- In: an object -------------------------------------------------------------------------- */

static bool value_from(napi_env env, memory *memory, napi_value value,
                       chroma_metadata_entry *entry) {
  napi_valuetype type;
  bool is_array = false;
  TRY(env, napi_is_array(env, value, &is_array));
  if (is_array) return array_from(env, memory, value, entry);
  if (!kind_from(env, value, &entry->kind)) return false;
  if (entry->kind != CHROMA_METADATA_NULL) return scalar_from(env, memory, value, entry);
  TRY(env, napi_typeof(env, value, &type));
  if (type == napi_null) return true;
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

bool metadata_value_to(napi_env env, const chroma_metadata_entry *entry, napi_value *out_value) {
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
  if (!text_to(env, entry->key, &key) || !metadata_value_to(env, entry, &value)) return false;
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
