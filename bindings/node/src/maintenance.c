/* Calls on space and speed. */
#include "addon.h"

/* ---- compact(id, engine, collection or undefined for all, is it a flush only) -> undefined ----
 */

typedef struct {
  call call;
  bool is_flush;
} compact_call;

static chroma_status compact_run(call *call, handles handles) {
  bool is_flush = ((compact_call *)call)->is_flush;
  chroma_long_call long_call = CHROMA_LONG_CALL_INIT;
  long_call.cancel = call->cancel;
  if (handles.collection != NULL) {
    return is_flush ? chroma_collection_flush(handles.collection, &long_call, &call->error)
                    : chroma_collection_compact(handles.collection, &long_call, &call->error);
  }
  return is_flush ? chroma_engine_flush(handles.engine, &long_call, &call->error)
                  : chroma_engine_compact(handles.engine, &long_call, &call->error);
}

static const operation compact_operation = {
    .name = "chroma.compact", .run = compact_run, .finish = nothing_to};

napi_value database_compact(napi_env env, napi_callback_info info) {
  napi_value arguments[4];
  compact_call *self = call_begin(env, info, &compact_operation, sizeof *self, arguments, 4);
  if (self == NULL) return NULL;
  bool is_good = optional_text_from(env, &self->call.memory, arguments[2], "the collection",
                                    &self->call.collection) &&
                 flag_from(env, arguments[3], "'isFlush'", &self->is_flush);
  return call_start(env, &self->call, is_good);
}

/* ---- statistics(id, engine, collection) -> {recordCount, ...} --------------------------------
 */

typedef struct {
  call call;
  chroma_statistics statistics;
} statistics_call;

static chroma_status statistics_run(call *call, handles handles) {
  return chroma_collection_statistics(handles.collection, &((statistics_call *)call)->statistics,
                                      &call->error);
}

static bool statistics_finish(napi_env env, call *call, napi_value *out_value) {
  const chroma_statistics *found = &((statistics_call *)call)->statistics;
  const named_count counts[] = {
      {"recordCount", found->record_count},
      {"version", (uint64_t)found->version},
      {"position", (uint64_t)found->position},
      {"logRowCount", found->log_row_count},
      {"logRecordCount", found->log_record_count},
      {"logByteCount", found->log_byte_count},
      {"segmentCount", found->segment_count},
      {"segmentByteCount", found->segment_byte_count},
      {"deadRowCount", found->dead_row_count},
      {"compactedByteCount", found->compacted_byte_count},
  };
  return counts_to(env, counts, sizeof counts / sizeof *counts, out_value);
}

static const operation statistics_operation = {
    .name = "chroma.statistics", .run = statistics_run, .finish = statistics_finish};

napi_value collection_statistics(napi_env env, napi_callback_info info) {
  napi_value arguments[3];
  statistics_call *self = call_begin(env, info, &statistics_operation, sizeof *self, arguments, 3);
  if (self == NULL) return NULL;
  self->statistics = (chroma_statistics)CHROMA_STATISTICS_INIT;
  bool is_good =
      text_from(env, &self->call.memory, arguments[2], "the collection", &self->call.collection);
  return call_start(env, &self->call, is_good);
}
