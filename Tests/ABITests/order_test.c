/* Counts by filters, records in the order of a key, pages, the values under a key. */
#include <stddef.h>

#include "check.h"

/* Five records: a float, an array, an integer, a string, nothing. */
static void add_five(chroma_collection *collection) {
  static const float values[10] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
  static const int64_t elements[2] = {7, 7};
  chroma_string ids[5];
  chroma_metadata metadatas[5];
  chroma_metadata_entry entries[4];
  chroma_records records = CHROMA_RECORDS_INIT;
  size_t index;
  const char *names[5] = {"a", "b", "c", "d", "e"};
  memset(metadatas, 0, sizeof metadatas);
  memset(entries, 0, sizeof entries);
  for (index = 0; index < 4; ++index) {
    entries[index].key = text("key");
    metadatas[index].entries = &entries[index];
    metadatas[index].count = 1;
    metadatas[index].present = 1;
  }
  entries[0].kind = CHROMA_METADATA_FLOAT;
  entries[0].value.number = 7;
  entries[1].kind = CHROMA_METADATA_INTS;
  entries[1].value.integers = elements;
  entries[1].count = 2;
  entries[2].kind = CHROMA_METADATA_INT;
  entries[2].value.integer = -3;
  entries[3].kind = CHROMA_METADATA_STRING;
  entries[3].value.string = text("word");
  for (index = 0; index < 5; ++index) ids[index] = text(names[index]);
  records.record_count = 5;
  records.ids = ids;
  records.embeddings.values = values;
  records.embeddings.count = 5;
  records.embeddings.dimension = 2;
  records.metadatas = metadatas;
  CHECK_STATUS(CHROMA_OK, chroma_collection_add(collection, &records, error));
}

/* Whether a get returns the ids, of one letter each. */
static void check_ids(chroma_collection *collection, const chroma_get_options *options,
                      const char *letters) {
  chroma_get_result *result = NULL;
  chroma_get_view view = CHROMA_GET_VIEW_INIT;
  size_t index;
  CHECK_STATUS(CHROMA_OK, chroma_collection_get(collection, options, &result, error));
  CHECK_STATUS(CHROMA_OK, chroma_get_result_view(result, &view, error));
  CHECK(view.record_count == strlen(letters));
  for (index = 0; index < view.record_count && index < strlen(letters); ++index) {
    CHECK(view.ids[index].length == 1 && view.ids[index].data[0] == letters[index]);
  }
  chroma_get_result_free(result);
}

static void test_records_in_the_order_of_a_key(chroma_collection *collection) {
  chroma_get_options options = CHROMA_GET_OPTIONS_INIT;
  chroma_get_result *result = NULL;
  check_ids(collection, &options, "abcde");
  options.after = text("b");
  check_ids(collection, &options, "cde");
  options.order_by = text("key");
  check_ids(collection, &options, "e");
  options.after = text("c");
  check_ids(collection, &options, "adbe");
  options.limit = 2;
  options.offset = 1;
  check_ids(collection, &options, "db");
  options = (chroma_get_options)CHROMA_GET_OPTIONS_INIT;
  options.order_by = text("key");
  check_ids(collection, &options, "cadbe");
  options.descending = 1;
  check_ids(collection, &options, "dacbe");
  options.selection.where_json = text("{\"key\": {\"$lt\": 8}}");
  check_ids(collection, &options, "ac");
  options.order_by = text("");
  /* No record has metadata under it. */
  CHECK_STATUS(CHROMA_ERROR_INVALID_ARGUMENT,
               chroma_collection_get(collection, &options, &result, error));
  options.order_by.data = NULL;
  CHECK_STATUS(CHROMA_ERROR_INVALID_ARGUMENT,
               chroma_collection_get(collection, &options, &result, error));
  options.descending = 0;
  options.after = text("absent");
  CHECK_STATUS(CHROMA_ERROR_NOT_FOUND, chroma_collection_get(collection, &options, &result, error));
  options.after = text("\xFF");
  CHECK_STATUS(CHROMA_ERROR_INVALID_ARGUMENT,
               chroma_collection_get(collection, &options, &result, error));
  options.after.data = NULL;
  CHECK_STATUS(CHROMA_ERROR_INVALID_ARGUMENT,
               chroma_collection_get(collection, &options, &result, error));
  /* A caller from before these fields existed: what stands behind its struct is not looked at. */
  options = (chroma_get_options)CHROMA_GET_OPTIONS_INIT;
  options.struct_size = offsetof(chroma_get_options, after);
  options.after = text("absent");
  options.order_by = text("key");
  check_ids(collection, &options, "abcde");
}

static void test_a_count_of_a_selection(chroma_collection *collection) {
  chroma_count_options options = CHROMA_COUNT_OPTIONS_INIT;
  chroma_cancel *cancel = NULL;
  chroma_string id = text("c");
  uint64_t found = 4711;
  CHECK_STATUS(CHROMA_OK, chroma_collection_count_selected(collection, &options, &found, error));
  CHECK(found == 5);
  options.selection.where_json = text("{\"key\": {\"$ne\": 7}}");
  CHECK_STATUS(CHROMA_OK, chroma_collection_count_selected(collection, &options, &found, error));
  CHECK(found == 4);
  options.selection.ids = &id;
  options.selection.id_count = 1;
  CHECK_STATUS(CHROMA_OK, chroma_collection_count_selected(collection, &options, &found, error));
  CHECK(found == 1);
  options.selection.where_json = text("{");
  CHECK_STATUS(CHROMA_ERROR_INVALID_ARGUMENT,
               chroma_collection_count_selected(collection, &options, &found, error));
  CHECK(found == 0);
  CHECK_STATUS(CHROMA_ERROR_INVALID_ARGUMENT,
               chroma_collection_count_selected(collection, NULL, &found, error));
  CHECK_STATUS(CHROMA_ERROR_INVALID_ARGUMENT,
               chroma_collection_count_selected(collection, &options, NULL, error));
  CHECK_STATUS(CHROMA_OK, chroma_cancel_create(&cancel, error));
  chroma_cancel_request(cancel);
  options = (chroma_count_options)CHROMA_COUNT_OPTIONS_INIT;
  options.selection.where_json = text("{\"key\": 7}");
  options.cancel = cancel;
  CHECK_STATUS(CHROMA_ERROR_CANCELLED,
               chroma_collection_count_selected(collection, &options, &found, error));
  chroma_cancel_free(cancel);
}

static void test_the_values_under_a_key(chroma_collection *collection) {
  chroma_distinct_options options = CHROMA_DISTINCT_OPTIONS_INIT;
  chroma_distinct_result *result = NULL;
  chroma_distinct_view view = CHROMA_DISTINCT_VIEW_INIT;
  CHECK_STATUS(CHROMA_ERROR_INVALID_ARGUMENT,
               chroma_collection_distinct(collection, &options, &result, error));
  options.key = text("key");
  CHECK_STATUS(CHROMA_OK, chroma_collection_distinct(collection, &options, &result, error));
  CHECK_STATUS(CHROMA_OK, chroma_distinct_result_view(result, &view, error));
  CHECK(view.value_count == 3);
  CHECK(view.values[0].kind == CHROMA_METADATA_INT && view.values[0].value.integer == -3);
  /* The float 7 and, twice in one array, the integer. */
  CHECK(view.values[1].kind == CHROMA_METADATA_INT && view.values[1].value.integer == 7);
  CHECK(view.values[2].kind == CHROMA_METADATA_STRING);
  CHECK(is_text(view.values[2].value.string, "word") && is_text(view.values[2].key, "key"));
  CHECK(view.counts[0] == 1 && view.counts[1] == 2 && view.counts[2] == 1);
  CHECK_STATUS(CHROMA_ERROR_INVALID_ARGUMENT, chroma_distinct_result_view(result, NULL, error));
  /* A caller from before half of its fields existed. */
  view.struct_size = offsetof(chroma_distinct_view, counts);
  view.counts = NULL;
  CHECK_STATUS(CHROMA_OK, chroma_distinct_result_view(result, &view, error));
  CHECK(view.counts == NULL && view.value_count == 3);
  chroma_distinct_result_free(result);
  chroma_distinct_result_free(result);
  view = (chroma_distinct_view)CHROMA_DISTINCT_VIEW_INIT;
  CHECK_STATUS(CHROMA_ERROR_CLOSED, chroma_distinct_result_view(result, &view, error));

  options.limit = 1;
  CHECK_STATUS(CHROMA_OK, chroma_collection_distinct(collection, &options, &result, error));
  CHECK_STATUS(CHROMA_OK, chroma_distinct_result_view(result, &view, error));
  CHECK(view.value_count == 1 && view.values[0].value.integer == -3);
  chroma_distinct_result_free(result);
  options.selection.where_json = text("{\"key\": \"word\"}");
  CHECK_STATUS(CHROMA_OK, chroma_collection_distinct(collection, &options, &result, error));
  CHECK_STATUS(CHROMA_OK, chroma_distinct_result_view(result, &view, error));
  CHECK(view.value_count == 1 && is_text(view.values[0].value.string, "word"));
  chroma_distinct_result_free(result);
  options.key = text("absent");
  CHECK_STATUS(CHROMA_OK, chroma_collection_distinct(collection, &options, &result, error));
  CHECK_STATUS(CHROMA_OK, chroma_distinct_result_view(result, &view, error));
  CHECK(view.value_count == 0);
  chroma_distinct_result_free(result);
  CHECK_STATUS(CHROMA_ERROR_INVALID_ARGUMENT,
               chroma_collection_distinct(collection, &options, NULL, error));
  CHECK_STATUS(CHROMA_ERROR_INVALID_ARGUMENT,
               chroma_collection_distinct(collection, NULL, &result, error));
  options.selection.where_json = text("[]");
  CHECK_STATUS(CHROMA_ERROR_INVALID_ARGUMENT,
               chroma_collection_distinct(collection, &options, &result, error));
  CHECK(result == NULL);
}

static void test_a_selection_is_explained_without_a_query(chroma_collection *collection) {
  chroma_query_options options = CHROMA_QUERY_OPTIONS_INIT;
  chroma_explain_result *result = NULL;
  chroma_explain_view view = CHROMA_EXPLAIN_VIEW_INIT;
  chroma_search_view search = CHROMA_SEARCH_VIEW_INIT;
  chroma_string filter;
  CHECK_STATUS(CHROMA_OK, chroma_collection_explain(collection, &options, &result, error));
  CHECK(chroma_explain_result_filter_json(result).data == NULL);
  chroma_explain_result_free(result);
  options.selection.where_json = text("{\"key\": {\"$gt\": 0}}");
  CHECK_STATUS(CHROMA_OK, chroma_collection_explain(collection, &options, &result, error));
  CHECK_STATUS(CHROMA_OK, chroma_explain_result_view(result, &view, error));
  CHECK(view.query_count == 0 && view.record_count == 5 && view.candidate_count == 1);
  CHECK_STATUS(CHROMA_ERROR_INVALID_ARGUMENT,
               chroma_explain_result_search(result, 0, &search, error));
  filter = chroma_explain_result_filter_json(result);
  CHECK(filter.length > 2 && filter.data[0] == '{' && filter.data[filter.length - 1] == '}');
  chroma_explain_result_free(result);
  CHECK(chroma_explain_result_filter_json(result).data == NULL);
  CHECK(chroma_explain_result_filter_json(NULL).data == NULL);
  options.selection.where_json = text("{");
  CHECK_STATUS(CHROMA_ERROR_INVALID_ARGUMENT,
               chroma_collection_explain(collection, &options, &result, error));
}

/* The last, as it changes the records. */
static void test_an_update_of_a_selection(chroma_collection *collection) {
  chroma_update_options options = CHROMA_UPDATE_OPTIONS_INIT;
  chroma_count_options counted = CHROMA_COUNT_OPTIONS_INIT;
  chroma_metadata_entry entries[2];
  uint64_t found = 4711;
  memset(entries, 0, sizeof entries);
  entries[0].key = text("key");
  entries[0].kind = CHROMA_METADATA_NULL;
  entries[1].key = text("seen");
  entries[1].kind = CHROMA_METADATA_BOOL;
  entries[1].value.boolean = 1;
  options.metadata.entries = entries;
  options.metadata.count = 2;
  CHECK_STATUS(CHROMA_ERROR_INVALID_ARGUMENT,
               chroma_collection_update_selected(collection, &options, &found, error));
  CHECK(found == 0);
  options.selection.where_json = text("{\"key\": {\"$gte\": -3}}");
  CHECK_STATUS(CHROMA_ERROR_INVALID_ARGUMENT,
               chroma_collection_update_selected(collection, &options, &found, error));
  options.metadata.present = 1;
  CHECK_STATUS(CHROMA_OK, chroma_collection_update_selected(collection, &options, &found, error));
  CHECK(found == 2);
  CHECK_STATUS(CHROMA_OK, chroma_collection_update_selected(collection, &options, &found, error));
  CHECK(found == 0);
  counted.selection.where_json = text("{\"seen\": true}");
  CHECK_STATUS(CHROMA_OK, chroma_collection_count_selected(collection, &counted, &found, error));
  CHECK(found == 2);
  CHECK_STATUS(CHROMA_ERROR_INVALID_ARGUMENT,
               chroma_collection_update_selected(collection, NULL, &found, error));
  CHECK_STATUS(CHROMA_ERROR_INVALID_ARGUMENT,
               chroma_collection_update_selected(collection, &options, NULL, error));
}

void test_order(void) {
  chroma_engine *engine = open_engine(NULL, 0);
  chroma_collection *collection = create_collection(engine, "ordered");
  chroma_count_options counted = CHROMA_COUNT_OPTIONS_INIT;
  chroma_distinct_options options = CHROMA_DISTINCT_OPTIONS_INIT;
  chroma_distinct_result *result = NULL;
  uint64_t found;
  int round;
  add_five(collection);
  for (round = 0; round < 2; ++round) {
    test_records_in_the_order_of_a_key(collection);
    test_a_count_of_a_selection(collection);
    test_the_values_under_a_key(collection);
    test_a_selection_is_explained_without_a_query(collection);
    CHECK_STATUS(CHROMA_OK, chroma_collection_compact(collection, NULL, error));
  }
  test_an_update_of_a_selection(collection);
  chroma_engine_close(engine);
  options.key = text("key");
  CHECK_STATUS(CHROMA_ERROR_CLOSED,
               chroma_collection_distinct(collection, &options, &result, error));
  CHECK_STATUS(CHROMA_ERROR_CLOSED,
               chroma_collection_count_selected(collection, &counted, &found, error));
  chroma_collection_close(collection);
}
