/* How queries are answered, and how much of a collection is indexed. */
#include "addon.h"

/* ---- explain(id, engine, collection, embeddings, dimension, ids, where, whereDocument, nResults,
 *      exact) -> {version, ..., searches, filter}, of which filter is JSON or null ------------- */

typedef struct {
  call call;
  chroma_query_options options;
  chroma_explain_result *result;
} explain_call;

static chroma_status explain_run(call *call, handles handles) {
  explain_call *self = (explain_call *)call;
  return chroma_collection_explain(handles.collection, &self->options, &self->result, &call->error);
}

static const char *strategy_name(chroma_search_strategy strategy) {
  switch (strategy) {
    case CHROMA_SEARCH_EXACT_SCAN:
      return "exact scan";
    case CHROMA_SEARCH_CODE_SCAN:
      return "code scan";
    case CHROMA_SEARCH_GRAPH:
      return "graph";
    case CHROMA_SEARCH_FILTERED_GRAPH:
      return "filtered graph";
    default:
      return "unknown";
  }
}

static bool search_to(napi_env env, const chroma_search_view *view, napi_value *out_value) {
  napi_value value;
  const named_count counts[] = {
      {"scannedCount", view->scanned_count},
      {"measuredCount", view->measured_count},
      {"rerankedCount", view->reranked_count},
  };
  if (!counts_to(env, counts, sizeof counts / sizeof *counts, out_value)) return false;
  TRY(env, napi_create_string_utf8(env, strategy_name(view->strategy), NAPI_AUTO_LENGTH, &value));
  TRY(env, napi_set_named_property(env, *out_value, "strategy", value));
  TRY(env, napi_get_boolean(env, view->has_switched != 0, &value));
  TRY(env, napi_set_named_property(env, *out_value, "hasSwitched", value));
  return true;
}

/* The views of a result that is alive are always there. */
static bool explain_finish(napi_env env, call *call, napi_value *out_value) {
  const chroma_explain_result *result = ((explain_call *)call)->result;
  chroma_explain_view view = CHROMA_EXPLAIN_VIEW_INIT;
  napi_value searches, filter;
  chroma_explain_result_view(result, &view, NULL);
  const named_count counts[] = {
      {"version", (uint64_t)view.version},
      {"generation", (uint64_t)view.generation},
      {"position", (uint64_t)view.position},
      {"indexedPosition", (uint64_t)view.indexed_position},
      {"recordCount", view.record_count},
      {"candidateCount", view.candidate_count},
      {"unindexedCount", view.unindexed_count},
      {"efSearch", view.ef_search},
  };
  if (!counts_to(env, counts, sizeof counts / sizeof *counts, out_value)) return false;
  TRY(env, napi_create_array_with_length(env, view.query_count, &searches));
  for (size_t index = 0; index < view.query_count; ++index) {
    chroma_search_view search = CHROMA_SEARCH_VIEW_INIT;
    napi_value value;
    chroma_explain_result_search(result, index, &search, NULL);
    if (!search_to(env, &search, &value)) return false;
    TRY(env, napi_set_element(env, searches, (uint32_t)index, value));
  }
  TRY(env, napi_set_named_property(env, *out_value, "searches", searches));
  if (!text_to(env, chroma_explain_result_filter_json(result), &filter)) return false;
  TRY(env, napi_set_named_property(env, *out_value, "filter", filter));
  return true;
}

static void explain_release(call *call) {
  chroma_explain_result_free(((explain_call *)call)->result);
}

static const operation explain_operation = {.name = "chroma.explain",
                                            .run = explain_run,
                                            .finish = explain_finish,
                                            .release = explain_release};

napi_value records_explain(napi_env env, napi_callback_info info) {
  napi_value arguments[10];
  explain_call *self = call_begin(env, info, &explain_operation, sizeof *self, arguments, 10);
  if (self == NULL) return NULL;
  bool is_good =
      text_from(env, &self->call.memory, arguments[2], "the collection", &self->call.collection) &&
      query_options_from(env, &self->call, arguments + 3, &self->options);
  return call_start(env, &self->call, is_good);
}

/* ---- indexingStatus(id, engine, collection) -> {num_indexed_ops, ...} ------------------------ */

typedef struct {
  call call;
  chroma_indexing_status status;
} status_call;

static chroma_status status_run(call *call, handles handles) {
  return chroma_collection_indexing_status(handles.collection, &((status_call *)call)->status,
                                           &call->error);
}

static bool status_finish(napi_env env, call *call, napi_value *out_value) {
  const chroma_indexing_status *found = &((status_call *)call)->status;
  const named_count counts[] = {
      {"num_indexed_ops", found->indexed_count},
      {"num_unindexed_ops", found->unindexed_count},
      {"total_ops", found->total_count},
  };
  napi_value progress;
  if (!counts_to(env, counts, sizeof counts / sizeof *counts, out_value)) return false;
  TRY(env, napi_create_double(env, found->progress, &progress));
  TRY(env, napi_set_named_property(env, *out_value, "op_indexing_progress", progress));
  return true;
}

static const operation status_operation = {
    .name = "chroma.indexingStatus", .run = status_run, .finish = status_finish};

napi_value collection_indexing_status(napi_env env, napi_callback_info info) {
  napi_value arguments[3];
  status_call *self = call_begin(env, info, &status_operation, sizeof *self, arguments, 3);
  if (self == NULL) return NULL;
  self->status = (chroma_indexing_status)CHROMA_INDEXING_STATUS_INIT;
  bool is_good =
      text_from(env, &self->call.memory, arguments[2], "the collection", &self->call.collection);
  return call_start(env, &self->call, is_good);
}
