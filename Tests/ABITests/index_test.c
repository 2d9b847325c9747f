/* The index: exact queries, explanations, the status of indexing. */
#include <stddef.h>
#include <stdlib.h>

#include "check.h"

enum {
  RECORD_COUNT = 6000, /* Enough for an index. */
  DIMENSION = 16,
  QUERY_COUNT = 20,
  RESULT_COUNT = 10
};

/* Numbers from -1 to 1, always the same. */
static void fill(float *values, size_t count, uint64_t seed) {
  size_t index;
  for (index = 0; index < count; ++index) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    values[index] = (float)(seed >> 40) / (float)(1 << 23) - 1;
  }
}

static void add_many(chroma_collection *collection) {
  chroma_records records = CHROMA_RECORDS_INIT;
  chroma_string *ids = malloc(RECORD_COUNT * sizeof *ids);
  char(*names)[8] = malloc(RECORD_COUNT * sizeof *names);
  float *values = malloc(sizeof(float) * RECORD_COUNT * DIMENSION);
  size_t index;
  for (index = 0; index < RECORD_COUNT; ++index) {
    snprintf(names[index], sizeof names[index], "%05u", (unsigned)index);
    ids[index] = text(names[index]);
  }
  fill(values, (size_t)RECORD_COUNT * DIMENSION, 1);
  records.record_count = RECORD_COUNT;
  records.ids = ids;
  records.embeddings.values = values;
  records.embeddings.count = RECORD_COUNT;
  records.embeddings.dimension = DIMENSION;
  CHECK_STATUS(CHROMA_OK, chroma_collection_add(collection, &records, error));
  free(values);
  free(names);
  free(ids);
}

static chroma_query_options some_queries(void) {
  static float values[QUERY_COUNT * DIMENSION];
  chroma_query_options options = CHROMA_QUERY_OPTIONS_INIT;
  fill(values, sizeof values / sizeof *values, 2);
  options.embeddings.values = values;
  options.embeddings.count = QUERY_COUNT;
  options.embeddings.dimension = DIMENSION;
  options.result_count = RESULT_COUNT;
  options.include = CHROMA_INCLUDE_DISTANCES;
  return options;
}

static chroma_explain_view explain(chroma_collection *collection,
                                   const chroma_query_options *options,
                                   chroma_search_view *out_search) {
  chroma_explain_result *result = NULL;
  chroma_explain_view view = CHROMA_EXPLAIN_VIEW_INIT;
  *out_search = (chroma_search_view)CHROMA_SEARCH_VIEW_INIT;
  CHECK_STATUS(CHROMA_OK, chroma_collection_explain(collection, options, &result, error));
  CHECK_STATUS(CHROMA_OK, chroma_explain_result_view(result, &view, error));
  CHECK(view.query_count == options->embeddings.count);
  CHECK_STATUS(CHROMA_OK,
               chroma_explain_result_search(result, view.query_count - 1, out_search, error));
  chroma_explain_result_free(result);
  return view;
}

static chroma_indexing_status status_of(chroma_collection *collection) {
  chroma_indexing_status status = CHROMA_INDEXING_STATUS_INIT;
  CHECK_STATUS(CHROMA_OK, chroma_collection_indexing_status(collection, &status, error));
  CHECK(status.indexed_count + status.unindexed_count == status.total_count);
  return status;
}

static chroma_query_result *query(chroma_collection *collection,
                                  const chroma_query_options *options, chroma_query_view *view) {
  chroma_query_result *result = NULL;
  *view = (chroma_query_view)CHROMA_QUERY_VIEW_INIT;
  CHECK_STATUS(CHROMA_OK, chroma_collection_query(collection, options, &result, error));
  CHECK_STATUS(CHROMA_OK, chroma_query_result_view(result, view, error));
  return result;
}

/* How many of the true neighbors of all queries are among those found. */
static size_t shared_count(const chroma_query_view *found, const chroma_query_view *truth) {
  size_t query, row, other, count = 0;
  for (query = 0; query < truth->query_count; ++query) {
    for (row = found->row_offsets[query]; row < found->row_offsets[query + 1]; ++row) {
      for (other = truth->row_offsets[query]; other < truth->row_offsets[query + 1]; ++other) {
        if (found->ids[row].length == truth->ids[other].length &&
            memcmp(found->ids[row].data, truth->ids[other].data, found->ids[row].length) == 0) {
          count += found->distances[row] == truth->distances[other];
        }
      }
    }
  }
  return count;
}

typedef struct {
  uint64_t call_count;
  uint64_t total;
  int is_between;
} told;

static void tell(void *context, uint64_t done, uint64_t total) {
  told *self = context;
  self->call_count++;
  self->total = total;
  if (done > 0 && done < total) self->is_between = 1;
}

static void test_an_index_answers_like_a_scan(void) {
  chroma_engine_options options = CHROMA_ENGINE_OPTIONS_INIT;
  chroma_engine *engine = NULL;
  chroma_collection *collection;
  chroma_query_options queries = some_queries();
  chroma_query_result *exact, *found;
  chroma_query_view exact_view, found_view;
  chroma_explain_view state;
  chroma_search_view search;
  chroma_long_call call = CHROMA_LONG_CALL_INIT;
  told told = {0, 0, 0};
  options.disable_background_compaction = 1;
  options.indexing_threads = 2;
  CHECK_STATUS(CHROMA_OK, chroma_engine_open(&options, &engine, error));
  collection = create_collection(engine, "indexed");
  CHECK(status_of(collection).total_count == 0 && status_of(collection).progress == 1);
  add_many(collection);
  CHECK(status_of(collection).total_count == RECORD_COUNT);
  state = explain(collection, &queries, &search);
  CHECK(state.generation == 0 && state.position == RECORD_COUNT && state.indexed_position == 0);
  CHECK(state.record_count == RECORD_COUNT && state.candidate_count == RECORD_COUNT);
  CHECK(state.unindexed_count == RECORD_COUNT && state.ef_search == 100);
  CHECK(search.strategy == CHROMA_SEARCH_EXACT_SCAN && search.scanned_count == RECORD_COUNT);
  exact = query(collection, &queries, &exact_view);

  call.progress = tell;
  call.progress_context = &told;
  CHECK_STATUS(CHROMA_OK, chroma_collection_flush(collection, &call, error));
  CHECK(told.total == 1000 && told.call_count > 2 && told.is_between);
  CHECK(status_of(collection).progress == 1 && status_of(collection).unindexed_count == 0);
  state = explain(collection, &queries, &search);
  CHECK(state.generation > 0 && state.version > 0 && state.unindexed_count == 0);
  CHECK(state.indexed_position == RECORD_COUNT);
  CHECK(search.scanned_count == 0 && search.measured_count > 0 && search.reranked_count > 0);
  found = query(collection, &queries, &found_view);
  CHECK(found_view.row_offsets[QUERY_COUNT] == QUERY_COUNT * RESULT_COUNT);
  CHECK(shared_count(&found_view, &exact_view) >= QUERY_COUNT * RESULT_COUNT * 97 / 100);
  chroma_query_result_free(found);

  queries.exact = 1;
  state = explain(collection, &queries, &search);
  CHECK(search.strategy == CHROMA_SEARCH_EXACT_SCAN || search.strategy == CHROMA_SEARCH_CODE_SCAN);
  found = query(collection, &queries, &found_view);
  CHECK(shared_count(&found_view, &exact_view) == QUERY_COUNT * RESULT_COUNT);
  chroma_query_result_free(found);
  chroma_query_result_free(exact);
  chroma_collection_close(collection);
  chroma_engine_close(engine);
}

static void test_explanations_refuse_nonsense(void) {
  chroma_engine *engine = open_engine(NULL, 0);
  chroma_collection *collection = create_collection(engine, "explained");
  chroma_query_options options = CHROMA_QUERY_OPTIONS_INIT;
  chroma_explain_result *result = NULL;
  chroma_explain_view view = CHROMA_EXPLAIN_VIEW_INIT;
  chroma_search_view search = CHROMA_SEARCH_VIEW_INIT;
  chroma_indexing_status status = CHROMA_INDEXING_STATUS_INIT;
  add_three(collection);
  options.embeddings.count = 3;
  CHECK_STATUS(CHROMA_ERROR_INVALID_ARGUMENT,
               chroma_collection_explain(collection, &options, &result, error));
  options.embeddings.values = vectors;
  options.embeddings.dimension = 1;
  CHECK_STATUS(CHROMA_ERROR_INVALID_ARGUMENT,
               chroma_collection_explain(collection, &options, &result, error));
  options.embeddings.dimension = 2;
  CHECK_STATUS(CHROMA_ERROR_INVALID_ARGUMENT,
               chroma_collection_explain(collection, NULL, &result, error));
  CHECK_STATUS(CHROMA_ERROR_INVALID_ARGUMENT,
               chroma_collection_explain(collection, &options, NULL, error));
  options.selection.where_json = text("{\"year\": 2026}");
  CHECK_STATUS(CHROMA_OK, chroma_collection_explain(collection, &options, &result, error));
  CHECK_STATUS(CHROMA_OK, chroma_explain_result_view(result, &view, error));
  CHECK(view.query_count == 3 && view.record_count == 3 && view.candidate_count == 1);
  CHECK_STATUS(CHROMA_ERROR_INVALID_ARGUMENT, chroma_explain_result_view(result, NULL, error));
  CHECK_STATUS(CHROMA_OK, chroma_explain_result_search(result, 2, &search, error));
  CHECK(search.strategy == CHROMA_SEARCH_EXACT_SCAN && search.scanned_count == 1);
  CHECK_STATUS(CHROMA_ERROR_INVALID_ARGUMENT,
               chroma_explain_result_search(result, 3, &search, error));
  CHECK_STATUS(CHROMA_ERROR_INVALID_ARGUMENT,
               chroma_explain_result_search(result, SIZE_MAX, &search, error));
  /* A caller from before half of its fields existed. */
  search.struct_size = offsetof(chroma_search_view, scanned_count);
  search.scanned_count = 4711;
  CHECK_STATUS(CHROMA_OK, chroma_explain_result_search(result, 0, &search, error));
  CHECK(search.scanned_count == 4711);
  chroma_explain_result_free(result);
  CHECK_STATUS(CHROMA_ERROR_CLOSED, chroma_explain_result_view(result, &view, error));
  CHECK_STATUS(CHROMA_ERROR_CLOSED, chroma_explain_result_search(result, 0, &search, error));
  chroma_explain_result_free(result);
  CHECK_STATUS(CHROMA_ERROR_INVALID_ARGUMENT,
               chroma_collection_indexing_status(collection, NULL, error));
  CHECK(status_of(collection).total_count == 3 && status_of(collection).progress == 1);
  chroma_engine_close(engine);
  CHECK_STATUS(CHROMA_ERROR_CLOSED, chroma_collection_indexing_status(collection, &status, error));
  CHECK_STATUS(CHROMA_ERROR_CLOSED,
               chroma_collection_explain(collection, &options, &result, error));
  chroma_collection_close(collection);
}

void test_index(void) {
  test_an_index_answers_like_a_scan();
  test_explanations_refuse_nonsense();
}
