/* Insertions that say what they met, and queries with a bound on the distance. */
#include <math.h>
#include <stddef.h>

#include "check.h"

/* Records of one letter each, all at one place. */
static chroma_records records_of(const char *letters, chroma_string *ids, float *values,
                                 float value) {
  chroma_records records = CHROMA_RECORDS_INIT;
  size_t count = strlen(letters), index;
  for (index = 0; index < count; ++index) {
    ids[index].data = letters + index;
    ids[index].length = 1;
    values[2 * index] = value;
    values[2 * index + 1] = 0;
  }
  records.record_count = count;
  records.ids = ids;
  records.embeddings.values = values;
  records.embeddings.count = count;
  records.embeddings.dimension = 2;
  return records;
}

/* Whether the insertion succeeds with these counts. */
static void check_insertion(chroma_collection *collection, const char *letters, float value,
                            chroma_conflict_policy policy, uint64_t added, uint64_t existing) {
  chroma_string ids[8];
  float values[16];
  chroma_records records = records_of(letters, ids, values, value);
  chroma_insertion_counts counts = CHROMA_INSERTION_COUNTS_INIT;
  CHECK_STATUS(CHROMA_OK, chroma_collection_insert(collection, &records, policy, &counts, error));
  CHECK(counts.added_count == added && counts.existing_count == existing);
}

static void test_counts(chroma_collection *collection) {
  check_insertion(collection, "ab", 1, CHROMA_ON_CONFLICT_ERROR, 2, 0);
  check_insertion(collection, "bcc", 2, CHROMA_ON_CONFLICT_IGNORE, 1, 2);
  check_insertion(collection, "ad", 3, CHROMA_ON_CONFLICT_REPLACE, 1, 1);
  check_insertion(collection, "", 0, CHROMA_ON_CONFLICT_ERROR, 0, 0);
}

static void test_refusals(chroma_collection *collection) {
  chroma_string ids[8];
  float values[16];
  chroma_records records = records_of("ea", ids, values, 9);
  chroma_insertion_counts counts = CHROMA_INSERTION_COUNTS_INIT;
  uint64_t count = 0;
  CHECK_STATUS(
      CHROMA_ERROR_ALREADY_EXISTS,
      chroma_collection_insert(collection, &records, CHROMA_ON_CONFLICT_ERROR, &counts, error));
  CHECK_STATUS(CHROMA_ERROR_INVALID_ARGUMENT,
               chroma_collection_insert(collection, &records, 0, &counts, error));
  CHECK_STATUS(CHROMA_ERROR_INVALID_ARGUMENT,
               chroma_collection_insert(collection, &records, 4, &counts, error));
  CHECK_STATUS(CHROMA_ERROR_INVALID_ARGUMENT,
               chroma_collection_insert(collection, NULL, 1, &counts, error));
  CHECK_STATUS(CHROMA_ERROR_INVALID_ARGUMENT,
               chroma_collection_insert(collection, &records, 1, NULL, error));
  CHECK_STATUS(CHROMA_ERROR_CLOSED, chroma_collection_insert(NULL, &records, 1, &counts, error));
  counts.struct_size = 0;
  CHECK_STATUS(CHROMA_ERROR_INVALID_ARGUMENT,
               chroma_collection_insert(collection, &records, 1, &counts, error));
  counts.struct_size = sizeof counts;
  records.request_key[3] = 1;
  CHECK_STATUS(CHROMA_ERROR_INVALID_ARGUMENT,
               chroma_collection_insert(collection, &records, 1, &counts, error));
  CHECK_STATUS(CHROMA_OK, chroma_collection_count(collection, &count, error));
  CHECK(count == 4 && counts.added_count == 0 && counts.existing_count == 0);
}

/* How many records are found by the options. */
static size_t found_count(chroma_collection *collection, const chroma_query_options *options) {
  chroma_query_result *result = NULL;
  chroma_query_view view = CHROMA_QUERY_VIEW_INIT;
  CHECK_STATUS(CHROMA_OK, chroma_collection_query(collection, options, &result, error));
  CHECK_STATUS(CHROMA_OK, chroma_query_result_view(result, &view, error));
  CHECK(view.query_count == 1);
  size_t count = view.row_offsets[1];
  chroma_query_result_free(result);
  return count;
}

/* Beside a and d at 3, b is at 1 and c at 2. */
static void test_bounds(chroma_collection *collection) {
  static const float query[2] = {1, 0};
  const double bounds[6] = {-1, 0, 0.99, 1, 4, HUGE_VAL};
  const size_t counts[6] = {0, 1, 1, 2, 4, 4};
  double bound = NAN;
  chroma_query_result *result = NULL;
  chroma_query_options options = CHROMA_QUERY_OPTIONS_INIT;
  size_t index;
  options.embeddings.values = query;
  options.embeddings.count = 1;
  options.embeddings.dimension = 2;
  CHECK(found_count(collection, &options) == 4);
  for (index = 0; index < 6; ++index) {
    options.max_distance = &bounds[index];
    CHECK(found_count(collection, &options) == counts[index]);
  }
  options.max_distance = &bound;
  CHECK_STATUS(CHROMA_ERROR_INVALID_ARGUMENT,
               chroma_collection_query(collection, &options, &result, error));
  CHECK(result == NULL);
  /* Who was compiled against an older header says nothing of a bound. */
  options.struct_size = offsetof(chroma_query_options, max_distance);
  CHECK(found_count(collection, &options) == 4);
}

void test_insertion(void) {
  chroma_engine *engine = open_engine(NULL, 0);
  chroma_collection *collection = create_collection(engine, "insertion");
  test_counts(collection);
  test_refusals(collection);
  test_bounds(collection);
  chroma_collection_close(collection);
  chroma_engine_close(engine);
}
