/*
 * A program that uses nothing but chroma.h: what a binding does, and everything that a binding may
 * get wrong. Ends with the count of its checks; the exit code says whether all held.
 */
#include "check.h"

#include <math.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

int check_count = 0;
int failure_count = 0;

chroma_engine *open_engine(const char *path, uint32_t allow_reset) {
  chroma_engine_options options = CHROMA_ENGINE_OPTIONS_INIT;
  chroma_engine *engine = NULL;
  if (path != NULL) options.path = text(path);
  options.allow_reset = allow_reset;
  CHECK_STATUS(CHROMA_OK, chroma_engine_open(&options, &engine, error));
  return engine;
}

chroma_collection *create_collection(chroma_engine *engine, const char *name) {
  chroma_collection_options options = CHROMA_COLLECTION_OPTIONS_INIT;
  chroma_collection *collection = NULL;
  options.tenant = text("default_tenant");
  options.database = text("default_database");
  options.name = text(name);
  CHECK_STATUS(CHROMA_OK, chroma_collection_create(engine, &options, &collection, error));
  return collection;
}

const float vectors[6] = {0, 0, 1, 0, 3, 0};

void add_three(chroma_collection *collection) {
  chroma_string ids[3];
  chroma_string documents[3] = {{NULL, 0}, {"", 0}, {"a\0b", 3}};
  chroma_metadata_entry entries[3];
  chroma_metadata metadatas[3];
  const int64_t years[2] = {INT64_MIN, INT64_MAX};
  chroma_records records = CHROMA_RECORDS_INIT;
  ids[0] = text("a");
  ids[1] = text("b");
  ids[2] = text("c");
  memset(entries, 0, sizeof entries);
  memset(metadatas, 0, sizeof metadatas);
  entries[0].key = text("year");
  entries[0].kind = CHROMA_METADATA_INT;
  entries[0].value.integer = 2026;
  entries[1].key = text("tag");
  entries[1].kind = CHROMA_METADATA_STRING;
  entries[1].value.string = text("x");
  entries[2].key = text("years");
  entries[2].kind = CHROMA_METADATA_INTS;
  entries[2].value.integers = years;
  entries[2].count = 2;
  metadatas[1].entries = entries;
  metadatas[1].count = 3;
  metadatas[1].present = 1;
  records.record_count = 3;
  records.ids = ids;
  records.embeddings.values = vectors;
  records.embeddings.count = 3;
  records.embeddings.dimension = 2;
  records.documents = documents;
  records.metadatas = metadatas;
  CHECK_STATUS(CHROMA_OK, chroma_collection_add(collection, &records, error));
}

uint64_t count(chroma_collection *collection) {
  uint64_t result = 0;
  CHECK_STATUS(CHROMA_OK, chroma_collection_count(collection, &result, error));
  return result;
}

static void test_records_come_back_as_they_were(void) {
  chroma_engine *engine = open_engine(NULL, 0);
  chroma_collection *collection = create_collection(engine, "records");
  chroma_get_options options = CHROMA_GET_OPTIONS_INIT;
  chroma_get_result *result = NULL;
  chroma_get_view view = CHROMA_GET_VIEW_INIT;
  size_t index, seen = 0;
  add_three(collection);
  CHECK(count(collection) == 3);
  options.include = CHROMA_INCLUDE_DOCUMENTS | CHROMA_INCLUDE_EMBEDDINGS | CHROMA_INCLUDE_METADATAS;
  CHECK_STATUS(CHROMA_OK, chroma_collection_get(collection, &options, &result, error));
  CHECK_STATUS(CHROMA_OK, chroma_get_result_view(result, &view, error));
  CHECK(view.record_count == 3 && view.dimension == 2);
  CHECK(is_text(view.ids[0], "a") && is_text(view.ids[2], "c"));
  CHECK(view.documents[0].data == NULL);
  CHECK(view.documents[1].data != NULL && view.documents[1].length == 0);
  CHECK(view.documents[2].length == 3 && memcmp(view.documents[2].data, "a\0b", 3) == 0);
  CHECK(view.uris == NULL);
  CHECK(memcmp(view.embeddings, vectors, sizeof vectors) == 0);
  CHECK(view.metadatas[0].present == 0 && view.metadatas[1].present == 1);
  CHECK(view.metadatas[1].count == 3);
  for (index = 0; index < view.metadatas[1].count; ++index) {
    const chroma_metadata_entry *entry = &view.metadatas[1].entries[index];
    if (is_text(entry->key, "year")) {
      seen += entry->kind == CHROMA_METADATA_INT && entry->value.integer == 2026;
    } else if (is_text(entry->key, "tag")) {
      seen += entry->kind == CHROMA_METADATA_STRING && is_text(entry->value.string, "x");
    } else if (is_text(entry->key, "years")) {
      seen += entry->kind == CHROMA_METADATA_INTS && entry->count == 2 &&
              entry->value.integers[0] == INT64_MIN && entry->value.integers[1] == INT64_MAX;
    }
  }
  CHECK(seen == 3);
  chroma_get_result_free(result);
  chroma_collection_close(collection);
  chroma_engine_close(engine);
}

static void test_query_finds_the_nearest(void) {
  chroma_engine *engine = open_engine(NULL, 0);
  chroma_collection *collection = create_collection(engine, "query");
  chroma_query_options options = CHROMA_QUERY_OPTIONS_INIT;
  chroma_query_result *result = NULL;
  chroma_query_view view = CHROMA_QUERY_VIEW_INIT;
  const float queries[] = {0.9f, 0, 99, 3, 0, 99};
  add_three(collection);
  options.embeddings.values = queries;
  options.embeddings.count = 2;
  options.embeddings.dimension = 2;
  options.embeddings.row_stride = 3;
  options.result_count = 2;
  options.include = CHROMA_INCLUDE_DISTANCES;
  CHECK_STATUS(CHROMA_OK, chroma_collection_query(collection, &options, &result, error));
  CHECK_STATUS(CHROMA_OK, chroma_query_result_view(result, &view, error));
  CHECK(view.query_count == 2 && view.row_offsets[0] == 0 && view.row_offsets[2] == 4);
  CHECK(is_text(view.ids[0], "b") && is_text(view.ids[1], "a"));
  CHECK(is_text(view.ids[2], "c") && is_text(view.ids[3], "b"));
  CHECK(fabsf(view.distances[0] - 0.01f) < 1e-6f && view.distances[2] == 0);
  CHECK(view.documents == NULL && view.metadatas == NULL && view.embeddings == NULL);
  chroma_query_result_free(result);

  options.selection.where_json = text("{\"year\": {\"$gte\": 2026}}");
  CHECK_STATUS(CHROMA_OK, chroma_collection_query(collection, &options, &result, error));
  CHECK_STATUS(CHROMA_OK, chroma_query_result_view(result, &view, error));
  CHECK(view.row_offsets[2] == 2 && is_text(view.ids[0], "b"));
  chroma_query_result_free(result);

  options.selection.where_json = text("{\"year\":");
  CHECK_STATUS(CHROMA_ERROR_INVALID_ARGUMENT,
               chroma_collection_query(collection, &options, &result, error));
  CHECK(result == NULL);
  options.selection.where_json = text("");
  options.embeddings.dimension = 1;
  options.selection.where_json.data = NULL;
  CHECK_STATUS(CHROMA_ERROR_INVALID_ARGUMENT,
               chroma_collection_query(collection, &options, &result, error));
  chroma_collection_close(collection);
  chroma_engine_close(engine);
}

static void test_stale_handles_are_errors(void) {
  chroma_engine *engine = open_engine(NULL, 0);
  chroma_collection *collection = create_collection(engine, "stale");
  chroma_get_options options = CHROMA_GET_OPTIONS_INIT;
  chroma_get_result *result = NULL;
  chroma_get_view view = CHROMA_GET_VIEW_INIT;
  uint64_t n = 7;
  int64_t time = 0;
  CHECK_STATUS(CHROMA_OK, chroma_collection_get(collection, &options, &result, error));
  chroma_get_result_free(result);
  chroma_get_result_free(result);
  CHECK_STATUS(CHROMA_ERROR_CLOSED, chroma_get_result_view(result, &view, error));
  /* A handle of another type is as good as none. */
  CHECK_STATUS(CHROMA_ERROR_CLOSED,
               chroma_collection_count((chroma_collection *)engine, &n, error));
  CHECK(n == 0);
  CHECK_STATUS(CHROMA_ERROR_CLOSED, chroma_collection_count(NULL, &n, error));
  CHECK_STATUS(CHROMA_ERROR_CLOSED,
               chroma_collection_count((chroma_collection *)(uintptr_t)0x1234567890, &n, error));
  CHECK_STATUS(CHROMA_ERROR_CLOSED,
               chroma_collection_count((chroma_collection *)(uintptr_t)-1, &n, error));
  chroma_engine_close(engine);
  CHECK_STATUS(CHROMA_ERROR_CLOSED, chroma_collection_count(collection, &n, error));
  CHECK_STATUS(CHROMA_ERROR_CLOSED, chroma_engine_heartbeat(engine, &time, error));
  chroma_collection_close(collection);
  chroma_collection_close(collection);
  chroma_engine_close(engine);
  chroma_engine_close(NULL);
  CHECK(chroma_error_status(NULL) == CHROMA_ERROR_CLOSED);
  CHECK(chroma_error_message(NULL).length == 0);
}

static void test_null_and_nonsense_are_refused(void) {
  chroma_engine *engine = open_engine(NULL, 0);
  chroma_engine *none = engine;
  chroma_collection *collection = create_collection(engine, "nonsense");
  chroma_collection_list *list = NULL;
  chroma_collection_view view = CHROMA_COLLECTION_VIEW_INIT;
  chroma_records records = CHROMA_RECORDS_INIT;
  chroma_string ids[1];
  chroma_string bad = {"\xff", 1};
  chroma_string missing = {NULL, 5};
  chroma_string endless = {"a", (size_t)-1};
  float values[2] = {1, NAN};
  ids[0] = text("a");
  CHECK_STATUS(CHROMA_ERROR_INVALID_ARGUMENT, chroma_engine_open(NULL, &none, error));
  CHECK(none == NULL);
  CHECK_STATUS(CHROMA_ERROR_INVALID_ARGUMENT, chroma_collection_count(collection, NULL, error));
  CHECK_STATUS(CHROMA_ERROR_INVALID_ARGUMENT, chroma_collection_add(collection, NULL, error));
  CHECK_STATUS(CHROMA_ERROR_INVALID_ARGUMENT, chroma_tenant_create(engine, bad, error));
  CHECK_STATUS(CHROMA_ERROR_INVALID_ARGUMENT, chroma_tenant_create(engine, missing, error));
  CHECK_STATUS(CHROMA_ERROR_INVALID_ARGUMENT, chroma_tenant_create(engine, endless, error));
  records.record_count = 1;
  CHECK_STATUS(CHROMA_ERROR_INVALID_ARGUMENT, chroma_collection_add(collection, &records, error));
  records.ids = ids;
  CHECK_STATUS(CHROMA_ERROR_INVALID_ARGUMENT, chroma_collection_add(collection, &records, error));
  records.embeddings.values = values;
  records.embeddings.count = 1;
  records.embeddings.dimension = 2;
  CHECK_STATUS(CHROMA_ERROR_INVALID_ARGUMENT, chroma_collection_add(collection, &records, error));
  records.embeddings.dimension = (size_t)-1;
  CHECK_STATUS(CHROMA_ERROR_INVALID_ARGUMENT, chroma_collection_add(collection, &records, error));
  records.embeddings.dimension = 0;
  CHECK_STATUS(CHROMA_ERROR_INVALID_ARGUMENT, chroma_collection_add(collection, &records, error));
  records.embeddings.dimension = 1;
  records.embeddings.row_stride = (size_t)-1 / 2;
  CHECK_STATUS(CHROMA_ERROR_INVALID_ARGUMENT, chroma_collection_add(collection, &records, error));
  records.embeddings.row_stride = 0;
  records.record_count = (size_t)-1;
  CHECK_STATUS(CHROMA_ERROR_INVALID_ARGUMENT, chroma_collection_add(collection, &records, error));
  records.record_count = 1;
  records.struct_size = 0;
  CHECK_STATUS(CHROMA_ERROR_INVALID_ARGUMENT, chroma_collection_add(collection, &records, error));
  CHECK(count(collection) == 0);
  CHECK_STATUS(CHROMA_OK, chroma_collection_describe(collection, &list, error));
  CHECK(chroma_collection_list_count(list) == 1);
  CHECK_STATUS(CHROMA_ERROR_INVALID_ARGUMENT, chroma_collection_list_view(list, 1, &view, error));
  CHECK_STATUS(CHROMA_OK, chroma_collection_list_view(list, 0, &view, error));
  CHECK(is_text(view.name, "nonsense") && is_text(view.database, "default_database"));
  chroma_collection_list_free(list);
  /* An error that nobody wants is not made. */
  CHECK(chroma_collection_count(NULL, NULL, NULL) != CHROMA_OK);
  chroma_collection_close(collection);
  chroma_engine_close(engine);
}

static void test_older_callers_get_defaults(void) {
  chroma_engine *engine = open_engine(NULL, 0);
  chroma_collection *collection = create_collection(engine, "older");
  /* A caller from before limit, offset, include and cancel existed. */
  struct {
    size_t struct_size;
    chroma_selection selection;
  } options = {0, {NULL, 0, {NULL, 0}, {NULL, 0}}};
  struct {
    size_t struct_size;
    size_t record_count;
    size_t guard;
  } view = {0, 0, 4711};
  chroma_get_result *result = NULL;
  add_three(collection);
  options.struct_size = sizeof options;
  CHECK_STATUS(CHROMA_OK, chroma_collection_get(collection, (const chroma_get_options *)&options,
                                                &result, error));
  view.struct_size = 2 * sizeof(size_t);
  CHECK_STATUS(CHROMA_OK, chroma_get_result_view(result, (chroma_get_view *)&view, error));
  CHECK(view.record_count == 3 && view.guard == 4711);
  CHECK(view.struct_size == 2 * sizeof(size_t));
  chroma_get_result_free(result);
  chroma_collection_close(collection);
  chroma_engine_close(engine);
}

static void test_delete_counts_as_chroma_does(void) {
  chroma_engine *engine = open_engine(NULL, 0);
  chroma_collection *collection = create_collection(engine, "delete");
  chroma_delete_options options = CHROMA_DELETE_OPTIONS_INIT;
  chroma_string ids[2];
  uint64_t deleted = 0;
  ids[0] = text("a");
  ids[1] = text("no such id");
  add_three(collection);
  CHECK_STATUS(CHROMA_ERROR_INVALID_ARGUMENT,
               chroma_collection_delete_records(collection, &options, &deleted, error));
  options.selection.ids = ids;
  options.selection.id_count = 2;
  CHECK_STATUS(CHROMA_OK, chroma_collection_delete_records(collection, &options, &deleted, error));
  CHECK(deleted == 2 && count(collection) == 2);
  options.selection.ids = NULL;
  options.selection.where_json = text("{\"year\": 2026}");
  CHECK_STATUS(CHROMA_OK, chroma_collection_delete_records(collection, &options, &deleted, error));
  CHECK(deleted == 1 && count(collection) == 1);
  chroma_collection_close(collection);
  chroma_engine_close(engine);
}

static void test_request_keys_and_reset(void) {
  chroma_engine *engine = open_engine(NULL, 0);
  chroma_engine *resettable = open_engine(NULL, 1);
  chroma_collection *collection = create_collection(engine, "keys");
  chroma_records records = CHROMA_RECORDS_INIT;
  chroma_string id = {"a", 1};
  const float other[] = {9, 9};
  chroma_get_options options = CHROMA_GET_OPTIONS_INIT;
  chroma_get_result *result = NULL;
  chroma_get_view view = CHROMA_GET_VIEW_INIT;
  records.record_count = 1;
  records.ids = &id;
  records.embeddings.values = vectors;
  records.embeddings.count = 1;
  records.embeddings.dimension = 2;
  records.request_key[15] = 1;
  CHECK_STATUS(CHROMA_OK, chroma_collection_upsert(collection, &records, error));
  records.embeddings.values = other;
  CHECK_STATUS(CHROMA_OK, chroma_collection_upsert(collection, &records, error));
  options.include = CHROMA_INCLUDE_EMBEDDINGS;
  CHECK_STATUS(CHROMA_OK, chroma_collection_get(collection, &options, &result, error));
  CHECK_STATUS(CHROMA_OK, chroma_get_result_view(result, &view, error));
  CHECK(view.record_count == 1 && view.embeddings[0] == 0);
  chroma_get_result_free(result);
  CHECK_STATUS(CHROMA_ERROR_PERMISSION_DENIED, chroma_engine_reset(engine, error));
  chroma_collection_close(create_collection(resettable, "gone"));
  CHECK_STATUS(CHROMA_OK, chroma_engine_reset(resettable, error));
  CHECK_STATUS(CHROMA_ERROR_NOT_FOUND,
               chroma_collection_delete(resettable, text("default_tenant"),
                                        text("default_database"), text("gone"), error));
  chroma_collection_close(collection);
  chroma_engine_close(resettable);
  chroma_engine_close(engine);
}

static void test_cancelled_reads_end(void) {
  chroma_engine *engine = open_engine(NULL, 0);
  chroma_collection *collection = create_collection(engine, "cancel");
  chroma_cancel *cancel = NULL;
  chroma_query_options options = CHROMA_QUERY_OPTIONS_INIT;
  chroma_query_result *result = NULL;
  add_three(collection);
  CHECK_STATUS(CHROMA_OK, chroma_cancel_create(&cancel, error));
  options.embeddings.values = vectors;
  options.embeddings.count = 1;
  options.embeddings.dimension = 2;
  options.cancel = cancel;
  CHECK_STATUS(CHROMA_OK, chroma_collection_query(collection, &options, &result, error));
  chroma_query_result_free(result);
  chroma_cancel_request(cancel);
  CHECK_STATUS(CHROMA_ERROR_CANCELLED,
               chroma_collection_query(collection, &options, &result, error));
  chroma_cancel_free(cancel);
  CHECK_STATUS(CHROMA_ERROR_CLOSED, chroma_collection_query(collection, &options, &result, error));
  chroma_cancel_request(cancel);
  chroma_collection_close(collection);
  chroma_engine_close(engine);
}

static void *write_and_read(void *argument) {
  chroma_collection *collection = (chroma_collection *)argument;
  int round;
  for (round = 0; round < 50; ++round) {
    chroma_records records = CHROMA_RECORDS_INIT;
    char name[64];
    chroma_string id;
    uint64_t n = 0;
    snprintf(name, sizeof name, "%p-%d", (void *)&round, round);
    id = text(name);
    records.record_count = 1;
    records.ids = &id;
    records.embeddings.values = vectors;
    records.embeddings.count = 1;
    records.embeddings.dimension = 2;
    if (chroma_collection_add(collection, &records, NULL) != CHROMA_OK) return "add failed";
    if (chroma_collection_count(collection, &n, NULL) != CHROMA_OK) return "count failed";
    if (n == 0) return "an acknowledged record is missing";
  }
  return NULL;
}

static void test_many_threads_share_a_collection(void) {
  chroma_engine *engine = open_engine(NULL, 0);
  chroma_collection *collection = create_collection(engine, "threads");
  pthread_t threads[8];
  int index;
  for (index = 0; index < 8; ++index) {
    pthread_create(&threads[index], NULL, write_and_read, collection);
  }
  for (index = 0; index < 8; ++index) {
    void *failure = NULL;
    pthread_join(threads[index], &failure);
    CHECK(failure == NULL);
  }
  CHECK(count(collection) == 8 * 50);
  chroma_collection_close(collection);
  chroma_engine_close(engine);
}

static void test_a_directory_keeps_its_records(const char *path) {
  chroma_engine *first = open_engine(path, 0);
  chroma_engine *second = open_engine(path, 0);
  chroma_collection *collection = create_collection(first, "kept");
  chroma_collection *again = NULL;
  add_three(collection);
  CHECK_STATUS(CHROMA_OK,
               chroma_collection_open(second, text("default_tenant"), text("default_database"),
                                      text("kept"), &again, error));
  CHECK(count(again) == 3);
  chroma_collection_close(again);
  chroma_collection_close(collection);
  chroma_engine_close(first);
  chroma_engine_close(second);

  first = open_engine(path, 0);
  CHECK_STATUS(CHROMA_OK,
               chroma_collection_open(first, text("default_tenant"), text("default_database"),
                                      text("kept"), &again, error));
  CHECK(count(again) == 3);
  chroma_collection_close(again);
  chroma_engine_close(first);
}

static void test_a_read_only_directory_takes_no_writes(const char *path) {
  chroma_engine_options options = CHROMA_ENGINE_OPTIONS_INIT;
  chroma_engine *reader = NULL;
  chroma_engine *older = NULL;
  chroma_collection *kept = NULL;
  options.path = text(path);
  options.read_only = 1;
  CHECK_STATUS(CHROMA_OK, chroma_engine_open(&options, &reader, error));
  CHECK_STATUS(CHROMA_OK,
               chroma_collection_open(reader, text("default_tenant"), text("default_database"),
                                      text("kept"), &kept, error));
  CHECK(count(kept) == 3);
  CHECK_STATUS(CHROMA_ERROR_PERMISSION_DENIED, chroma_tenant_create(reader, text("tenant"), error));
  /* A caller from before read_only existed opens for writing, whatever lies behind its struct. */
  options.struct_size = offsetof(chroma_engine_options, read_only);
  CHECK_STATUS(CHROMA_OK, chroma_engine_open(&options, &older, error));
  CHECK_STATUS(CHROMA_OK, chroma_tenant_create(older, text("tenant"), error));
  CHECK_STATUS(CHROMA_OK, chroma_tenant_get(reader, text("tenant"), error));
  chroma_engine_close(older);
  chroma_collection_close(kept);
  chroma_engine_close(reader);
  options.struct_size = sizeof options;
  options.path = text("/absent");
  CHECK_STATUS(CHROMA_ERROR_NOT_FOUND, chroma_engine_open(&options, &reader, error));
  options.path = (chroma_string){NULL, 0};
  CHECK_STATUS(CHROMA_ERROR_INVALID_ARGUMENT, chroma_engine_open(&options, &reader, error));
}

int main(int argument_count, char **arguments) {
  uint64_t live = chroma_debug_live_handle_count();
  CHECK(chroma_abi_version() == CHROMA_ABI_VERSION);
  CHECK(strlen(chroma_version()) > 0 && strlen(chroma_cpu_features()) > 0);
  CHECK(strcmp(chroma_status_name(CHROMA_ERROR_LOCKED), "CHROMA_ERROR_LOCKED") == 0);
  CHECK(strcmp(chroma_status_name(4711), "CHROMA_ERROR_UNKNOWN") == 0);
  test_records_come_back_as_they_were();
  test_query_finds_the_nearest();
  test_stale_handles_are_errors();
  test_null_and_nonsense_are_refused();
  test_older_callers_get_defaults();
  test_delete_counts_as_chroma_does();
  test_request_keys_and_reset();
  test_cancelled_reads_end();
  test_many_threads_share_a_collection();
  test_index();
  test_order();
  test_insertion();
  if (argument_count > 1) {
    test_a_directory_keeps_its_records(arguments[1]);
    test_a_read_only_directory_takes_no_writes(arguments[1]);
    test_maintenance(arguments[1]);
  }
  CHECK(chroma_debug_live_handle_count() == live);
  printf("%d passed, %d failed\n", check_count - failure_count, failure_count);
  return failure_count != 0;
}
