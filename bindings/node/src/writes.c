/* Calls that write records. */
#include <string.h>

#include "addon.h"

/* ---- write(id, engine, operation, collection, ids, embeddings, dimension, metadatas, documents,
 *      uris, onConflict) -> {added, existing}, of an add with onConflict ----------------------- */

typedef chroma_status (*write_function)(chroma_collection *, const chroma_records *,
                                        chroma_error **);

typedef struct {
  call call;
  write_function function;
  chroma_records records;
  chroma_conflict_policy policy; /* 0: none. */
  chroma_insertion_counts counts;
} write_call;

static chroma_status write_run(call *call, handles handles) {
  write_call *self = (write_call *)call;
  if (self->policy != 0) {
    return chroma_collection_insert(handles.collection, &self->records, self->policy, &self->counts,
                                    &call->error);
  }
  return self->function(handles.collection, &self->records, &call->error);
}

static bool write_finish(napi_env env, call *call, napi_value *out_value) {
  const write_call *self = (const write_call *)call;
  if (self->policy == 0) return nothing_to(env, call, out_value);
  const named_count counts[] = {{"added", self->counts.added_count},
                                {"existing", self->counts.existing_count}};
  return counts_to(env, counts, sizeof counts / sizeof *counts, out_value);
}

static const operation write_operation = {
    .name = "chroma.write", .run = write_run, .finish = write_finish};

static bool policy_from(napi_env env, write_call *self, napi_value value) {
  static const struct {
    const char *name;
    chroma_conflict_policy policy;
  } policies[] = {{"ignore", CHROMA_ON_CONFLICT_IGNORE},
                  {"error", CHROMA_ON_CONFLICT_ERROR},
                  {"replace", CHROMA_ON_CONFLICT_REPLACE}};
  chroma_string name;
  self->policy = 0;
  self->counts = (chroma_insertion_counts)CHROMA_INSERTION_COUNTS_INIT;
  if (is_missing(env, value)) return true;
  if (!text_from(env, &self->call.memory, value, "'onConflict'", &name)) return false;
  for (size_t index = 0; index < sizeof policies / sizeof *policies; ++index) {
    if (name.length == strlen(policies[index].name) &&
        memcmp(name.data, policies[index].name, name.length) == 0) {
      self->policy = policies[index].policy;
    }
  }
  if (self->policy != 0 && self->function == chroma_collection_add) return true;
  return throw_value(env, "Expected 'onConflict' of an add to be one of ignore, error, replace");
}

static bool function_from(napi_env env, write_call *self, napi_value value) {
  chroma_string name;
  if (!text_from(env, &self->call.memory, value, "the operation", &name)) return false;
  if (name.length == 3 && memcmp(name.data, "add", 3) == 0) {
    self->function = chroma_collection_add;
  } else if (name.length == 6 && memcmp(name.data, "update", 6) == 0) {
    self->function = chroma_collection_update;
  } else if (name.length == 6 && memcmp(name.data, "upsert", 6) == 0) {
    self->function = chroma_collection_upsert;
  } else {
    return throw_value(env, "Expected the operation to be one of add, update, upsert");
  }
  return true;
}

static bool metadatas_from(napi_env env, write_call *self, napi_value value, size_t *out_count) {
  memory *memory = &self->call.memory;
  nulls nulls = self->function == chroma_collection_add ? NULLS_ARE_SKIPPED : NULLS_REMOVE;
  bool is_array = false;
  uint32_t count;
  *out_count = 0;
  if (is_missing(env, value)) return true;
  TRY(env, napi_is_array(env, value, &is_array));
  if (!is_array) {
    return throw_value(env, "Expected 'metadatas' to be an array, but got %s", kind_of(env, value));
  }
  TRY(env, napi_get_array_length(env, value, &count));
  chroma_metadata *metadatas = memory_allocate(env, memory, count, sizeof *metadatas);
  if (metadatas == NULL) return false;
  for (uint32_t index = 0; index < count; ++index) {
    napi_handle_scope scope;
    napi_value metadata;
    TRY(env, napi_open_handle_scope(env, &scope));
    bool is_good = napi_get_element(env, value, index, &metadata) == napi_ok || throw_napi(env);
    is_good = is_good && metadata_from(env, memory, metadata, nulls, &metadatas[index]);
    napi_close_handle_scope(env, scope);
    if (!is_good) return false;
  }
  self->records.metadatas = metadatas;
  *out_count = count;
  return true;
}

/* Columns are read by row: a shorter one must not reach the engine. */
static bool same_length(napi_env env, const char *name, const void *column, size_t count,
                        size_t record_count) {
  if (column == NULL || count == record_count) return true;
  return throw_value(env, "Unequal lengths for fields ids, %s: %zu and %zu", name, record_count,
                     count);
}

static bool write_parse(napi_env env, write_call *self, const napi_value *arguments) {
  memory *memory = &self->call.memory;
  chroma_records *records = &self->records;
  size_t metadata_count, document_count, uri_count;
  *records = (chroma_records)CHROMA_RECORDS_INIT;
  return function_from(env, self, arguments[0]) && policy_from(env, self, arguments[8]) &&
         text_from(env, memory, arguments[1], "the collection", &self->call.collection) &&
         texts_from(env, memory, arguments[2], "'ids'", "each id", ELEMENTS_NEEDED, &records->ids,
                    &records->record_count) &&
         metadatas_from(env, self, arguments[5], &metadata_count) &&
         texts_from(env, memory, arguments[6], "'documents'", "each document", ELEMENTS_OPTIONAL,
                    &records->documents, &document_count) &&
         texts_from(env, memory, arguments[7], "'uris'", "each uri", ELEMENTS_OPTIONAL,
                    &records->uris, &uri_count) &&
         vectors_from(env, &self->call, arguments[3], arguments[4], &records->embeddings) &&
         same_length(env, "embeddings", records->embeddings.values, records->embeddings.count,
                     records->record_count) &&
         same_length(env, "metadatas", records->metadatas, metadata_count, records->record_count) &&
         same_length(env, "documents", records->documents, document_count, records->record_count) &&
         same_length(env, "uris", records->uris, uri_count, records->record_count);
}

napi_value records_write(napi_env env, napi_callback_info info) {
  napi_value arguments[11];
  write_call *self = call_begin(env, info, &write_operation, sizeof *self, arguments, 11);
  if (self == NULL) return NULL;
  return call_start(env, &self->call, write_parse(env, self, arguments + 2));
}

/* ---- delete(id, engine, collection, ids, where, whereDocument, limit) -> count --------------- */

typedef struct {
  call call;
  chroma_delete_options options;
  uint64_t deleted_count;
} delete_call;

static chroma_status delete_run(call *call, handles handles) {
  delete_call *self = (delete_call *)call;
  return chroma_collection_delete_records(handles.collection, &self->options, &self->deleted_count,
                                          &call->error);
}

static bool delete_finish(napi_env env, call *call, napi_value *out_value) {
  return count_to(env, ((delete_call *)call)->deleted_count, out_value);
}

static const operation delete_operation = {
    .name = "chroma.delete", .run = delete_run, .finish = delete_finish};

static bool delete_parse(napi_env env, delete_call *self, const napi_value *arguments) {
  memory *memory = &self->call.memory;
  self->options = (chroma_delete_options)CHROMA_DELETE_OPTIONS_INIT;
  return text_from(env, memory, arguments[0], "the collection", &self->call.collection) &&
         selection_from(env, memory, arguments + 1, &self->options.selection) &&
         integer_from(env, arguments[4], "'limit'", UINT64_MAX, &self->options.limit);
}

napi_value records_delete(napi_env env, napi_callback_info info) {
  napi_value arguments[7];
  delete_call *self = call_begin(env, info, &delete_operation, sizeof *self, arguments, 7);
  if (self == NULL) return NULL;
  return call_start(env, &self->call, delete_parse(env, self, arguments + 2));
}
