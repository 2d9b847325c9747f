/* Space and safety: flush, compact, statistics, backup, restore, verify, repair. */
#include <unistd.h>

#include "check.h"

/* What a progress callback was told. */
typedef struct {
  uint64_t call_count;
  uint64_t first;
  uint64_t done;
  uint64_t total;
  int falls;
  chroma_cancel *cancel; /* To request at the first call, or NULL. */
} told;

static void tell(void *context, uint64_t done, uint64_t total) {
  told *self = (told *)context;
  if (self->call_count++ == 0) self->first = done;
  if (done < self->done || done > total) self->falls = 1;
  self->done = done;
  self->total = total;
  chroma_cancel_request(self->cancel);
}

static void add_one(chroma_collection *collection, const char *id, const char *document) {
  chroma_records records = CHROMA_RECORDS_INIT;
  chroma_string ids[1], documents[1];
  ids[0] = text(id);
  documents[0] = text(document);
  records.record_count = 1;
  records.ids = ids;
  records.embeddings.values = vectors;
  records.embeddings.count = 1;
  records.embeddings.dimension = 2;
  records.documents = documents;
  CHECK_STATUS(CHROMA_OK, chroma_collection_upsert(collection, &records, error));
}

static void test_flush_and_compact_change_no_answer(void) {
  chroma_engine_options options = CHROMA_ENGINE_OPTIONS_INIT;
  chroma_engine *engine = NULL;
  chroma_collection *collection, *other;
  chroma_statistics statistics = CHROMA_STATISTICS_INIT;
  chroma_long_call call = CHROMA_LONG_CALL_INIT;
  told told = {0, 0, 0, 0, 0, NULL};
  uint64_t compacted;
  options.disable_background_compaction = 1;
  options.memory_limit_bytes = UINT64_MAX;
  CHECK_STATUS(CHROMA_OK, chroma_engine_open(&options, &engine, error));
  collection = create_collection(engine, "flushed");
  other = create_collection(engine, "other");
  add_three(collection);
  add_one(collection, "a", "replaced");
  CHECK_STATUS(CHROMA_OK, chroma_collection_statistics(collection, &statistics, error));
  CHECK(statistics.record_count == 3 && statistics.position == 4 && statistics.version == 0);
  CHECK(statistics.log_row_count == 2 && statistics.log_record_count == 4);
  CHECK(statistics.log_byte_count > 0 && statistics.segment_count == 0);

  call.progress = tell;
  call.progress_context = &told;
  CHECK_STATUS(CHROMA_OK, chroma_engine_flush(engine, &call, error));
  CHECK(told.first == 0 && told.done == 2000 && told.total == 2000 && !told.falls);
  CHECK_STATUS(CHROMA_OK, chroma_collection_statistics(collection, &statistics, error));
  CHECK(statistics.record_count == 3 && statistics.position == 4 && statistics.version == 1);
  CHECK(statistics.log_row_count == 0 && statistics.log_record_count == 0);
  CHECK(statistics.segment_count == 1 && statistics.segment_byte_count > 0);
  CHECK(statistics.dead_row_count == 0);
  CHECK(statistics.compacted_byte_count >= statistics.segment_byte_count);
  CHECK(count(collection) == 3 && count(other) == 0);

  /* A second segment, with a record that replaces one of the first; then both become one. */
  compacted = statistics.compacted_byte_count;
  add_one(collection, "b", "replaced");
  CHECK_STATUS(CHROMA_OK, chroma_collection_flush(collection, NULL, error));
  CHECK_STATUS(CHROMA_OK, chroma_collection_compact(collection, NULL, error));
  CHECK_STATUS(CHROMA_OK, chroma_collection_statistics(collection, &statistics, error));
  CHECK(statistics.record_count == 3 && statistics.segment_count == 1);
  CHECK(statistics.dead_row_count == 0 && statistics.compacted_byte_count > compacted);
  CHECK_STATUS(CHROMA_OK, chroma_engine_compact(engine, NULL, error));
  CHECK(count(collection) == 3);
  chroma_collection_close(other);
  chroma_collection_close(collection);
  chroma_engine_close(engine);
}

static void test_long_calls_are_cancelled_and_refuse_nonsense(void) {
  chroma_engine *engine = open_engine(NULL, 0);
  chroma_collection *collection = create_collection(engine, "long-calls");
  chroma_collection *deleted = create_collection(engine, "deleted");
  chroma_statistics statistics = CHROMA_STATISTICS_INIT;
  chroma_long_call call = CHROMA_LONG_CALL_INIT;
  told told = {0, 0, 0, 0, 0, NULL};
  add_three(collection);
  CHECK_STATUS(CHROMA_OK,
               chroma_collection_delete(engine, text("default_tenant"), text("default_database"),
                                        text("deleted"), error));
  CHECK_STATUS(CHROMA_ERROR_NOT_FOUND, chroma_collection_flush(deleted, NULL, error));
  CHECK_STATUS(CHROMA_ERROR_NOT_FOUND, chroma_collection_compact(deleted, NULL, error));
  CHECK_STATUS(CHROMA_ERROR_NOT_FOUND, chroma_collection_statistics(deleted, &statistics, error));

  CHECK_STATUS(CHROMA_OK, chroma_cancel_create(&told.cancel, error));
  call.progress = tell;
  call.progress_context = &told;
  call.cancel = told.cancel;
  /* The callback cancels its own call. */
  CHECK_STATUS(CHROMA_ERROR_CANCELLED, chroma_engine_compact(engine, &call, error));
  CHECK(told.call_count == 1);
  CHECK_STATUS(CHROMA_ERROR_CANCELLED, chroma_engine_flush(engine, &call, error));
  CHECK_STATUS(CHROMA_ERROR_CANCELLED, chroma_collection_flush(collection, &call, error));
  CHECK(count(collection) == 3);
  chroma_cancel_free(told.cancel);
  CHECK_STATUS(CHROMA_ERROR_CLOSED, chroma_engine_flush(engine, &call, error));
  call.cancel = NULL;
  call.struct_size = 0;
  CHECK_STATUS(CHROMA_ERROR_INVALID_ARGUMENT, chroma_engine_flush(engine, &call, error));
  CHECK_STATUS(CHROMA_ERROR_INVALID_ARGUMENT,
               chroma_collection_statistics(collection, NULL, error));
  statistics.struct_size = 1;
  CHECK_STATUS(CHROMA_ERROR_INVALID_ARGUMENT,
               chroma_collection_statistics(collection, &statistics, error));
  statistics.struct_size = sizeof statistics;
  chroma_engine_close(engine);
  CHECK_STATUS(CHROMA_ERROR_CLOSED, chroma_engine_flush(engine, NULL, error));
  CHECK_STATUS(CHROMA_ERROR_CLOSED, chroma_engine_compact(engine, NULL, error));
  CHECK_STATUS(CHROMA_ERROR_CLOSED, chroma_collection_flush(collection, NULL, error));
  CHECK_STATUS(CHROMA_ERROR_CLOSED, chroma_collection_compact(collection, NULL, error));
  CHECK_STATUS(CHROMA_ERROR_CLOSED, chroma_collection_statistics(collection, &statistics, error));
  chroma_collection_close(deleted);
  chroma_collection_close(collection);
}

/* path + suffix, in one of four buffers. */
static const char *beside(const char *path, const char *suffix) {
  static char buffers[4][4096];
  static int next;
  char *buffer = buffers[next++ % 4];
  snprintf(buffer, sizeof buffers[0], "%s%s", path, suffix);
  return buffer;
}

static chroma_collection *open_collection(chroma_engine *engine, const char *name) {
  chroma_collection *collection = NULL;
  CHECK_STATUS(CHROMA_OK,
               chroma_collection_open(engine, text("default_tenant"), text("default_database"),
                                      text(name), &collection, error));
  return collection;
}

static size_t damage_count(const char *path) {
  chroma_report *report = NULL;
  chroma_report_entry entry = CHROMA_REPORT_ENTRY_INIT;
  size_t index, found = 0;
  CHECK_STATUS(CHROMA_OK, chroma_verify(text(path), NULL, &report, error));
  for (index = 0; index < chroma_report_count(report); ++index) {
    CHECK_STATUS(CHROMA_OK, chroma_report_view(report, index, &entry, error));
    CHECK(entry.kind == CHROMA_REPORT_DAMAGE || entry.kind == CHROMA_REPORT_WASTE);
    CHECK(entry.message.length > 0 && entry.file.length > 0);
    found += entry.kind == CHROMA_REPORT_DAMAGE;
  }
  CHECK(chroma_report_saved_directory(report).data == NULL);
  CHECK_STATUS(CHROMA_ERROR_INVALID_ARGUMENT,
               chroma_report_view(report, chroma_report_count(report), &entry, error));
  chroma_report_free(report);
  chroma_report_free(report);
  CHECK(chroma_report_count(report) == 0);
  CHECK_STATUS(CHROMA_ERROR_CLOSED, chroma_report_view(report, 0, &entry, error));
  return found;
}

/* How many entries a repair's report has. */
static size_t repair(const char *path) {
  chroma_report *report = NULL;
  chroma_report_entry entry = CHROMA_REPORT_ENTRY_INIT;
  size_t index, entry_count;
  CHECK_STATUS(CHROMA_OK, chroma_repair(text(path), NULL, &report, error));
  entry_count = chroma_report_count(report);
  for (index = 0; index < entry_count; ++index) {
    CHECK_STATUS(CHROMA_OK, chroma_report_view(report, index, &entry, error));
    CHECK(entry.kind == CHROMA_REPORT_ACTION || entry.kind == CHROMA_REPORT_LOSS);
    CHECK(entry.message.length > 0);
  }
  chroma_report_free(report);
  return entry_count;
}

static void test_backups_come_back(const char *path) {
  const char *backup = beside(path, "-backup");
  const char *restored = beside(path, "-restored");
  chroma_engine *engine = open_engine(path, 0);
  chroma_collection *collection = create_collection(engine, "copied");
  chroma_copy_view copy = CHROMA_COPY_VIEW_INIT;
  chroma_long_call call = CHROMA_LONG_CALL_INIT;
  told told = {0, 0, 0, 0, 0, NULL};
  add_three(collection);
  call.progress = tell;
  call.progress_context = &told;
  CHECK_STATUS(CHROMA_OK, chroma_engine_backup(engine, text(backup), &call, &copy, error));
  CHECK(copy.byte_count > 0 && copy.copied_byte_count == copy.byte_count);
  CHECK(told.call_count > 0 && told.done == told.total && !told.falls);
  add_one(collection, "d", "later");
  CHECK_STATUS(CHROMA_OK, chroma_engine_backup(engine, text(backup), NULL, NULL, error));
  add_one(collection, "e", "too late");
  CHECK_STATUS(CHROMA_OK, chroma_restore(text(backup), text(restored), NULL, &copy, error));
  CHECK(copy.byte_count > 0);
  CHECK(damage_count(path) == 0 && damage_count(backup) == 0 && damage_count(restored) == 0);
  CHECK_STATUS(CHROMA_ERROR_ALREADY_EXISTS,
               chroma_restore(text(backup), text(restored), NULL, NULL, error));
  CHECK(count(collection) == 5);
  chroma_collection_close(collection);
  chroma_engine_close(engine);

  engine = open_engine(restored, 0);
  collection = open_collection(engine, "copied");
  CHECK(count(collection) == 4);
  chroma_collection_close(collection);
  chroma_engine_close(engine);
}

static void test_damage_is_found_and_repaired(const char *path) {
  chroma_engine *engine = open_engine(path, 0);
  chroma_collection *collection = create_collection(engine, "damaged");
  chroma_report *report = NULL;
  FILE *file;
  add_three(collection);
  CHECK_STATUS(CHROMA_ERROR_LOCKED, chroma_repair(text(path), NULL, &report, error));
  CHECK(report == NULL);
  chroma_collection_close(collection);
  chroma_engine_close(engine);
  CHECK(damage_count(path) == 0);
  CHECK(repair(path) == 0);

  file = fopen(beside(path, "/chroma.db"), "r+b");
  CHECK(file != NULL && fseek(file, 3 * 4096 + 100, SEEK_SET) == 0);
  CHECK(fwrite("damage", 6, 1, file) == 1);
  CHECK(fclose(file) == 0);
  CHECK(damage_count(path) > 0);
  CHECK(repair(path) > 0);
  CHECK(damage_count(path) == 0);
  CHECK(repair(path) == 0);
  engine = open_engine(path, 0);
  CHECK_STATUS(CHROMA_OK, chroma_tenant_get(engine, text("default_tenant"), error));
  chroma_engine_close(engine);
}

static void test_recovery_refuses_nonsense(const char *path) {
  const char *absent = beside(path, "-absent");
  chroma_engine *memory = open_engine(NULL, 0);
  chroma_engine *engine = open_engine(path, 0);
  chroma_report *report = NULL;
  chroma_copy_view copy = CHROMA_COPY_VIEW_INIT;
  chroma_long_call call = CHROMA_LONG_CALL_INIT;
  chroma_string none = {NULL, 0};
  chroma_string bad = {"\xff", 1};
  CHECK_STATUS(CHROMA_ERROR_INVALID_ARGUMENT,
               chroma_engine_backup(memory, text(absent), NULL, NULL, error));
  CHECK_STATUS(CHROMA_ERROR_INVALID_ARGUMENT,
               chroma_engine_backup(engine, text(path), NULL, NULL, error));
  CHECK_STATUS(CHROMA_ERROR_INVALID_ARGUMENT,
               chroma_engine_backup(engine, none, NULL, NULL, error));
  CHECK_STATUS(CHROMA_ERROR_INVALID_ARGUMENT,
               chroma_engine_backup(engine, text(""), NULL, NULL, error));
  copy.struct_size = 0;
  CHECK_STATUS(CHROMA_ERROR_INVALID_ARGUMENT,
               chroma_engine_backup(engine, text(absent), NULL, &copy, error));
  CHECK_STATUS(CHROMA_ERROR_INVALID_ARGUMENT,
               chroma_restore(text(absent), text(absent), NULL, &copy, error));
  CHECK_STATUS(CHROMA_ERROR_INVALID_ARGUMENT, chroma_verify(bad, NULL, &report, error));
  CHECK_STATUS(CHROMA_ERROR_INVALID_ARGUMENT, chroma_verify(text(path), NULL, NULL, error));
  CHECK_STATUS(CHROMA_ERROR_INVALID_ARGUMENT, chroma_repair(text(path), NULL, NULL, error));
  CHECK_STATUS(CHROMA_ERROR_NOT_FOUND, chroma_verify(text(absent), NULL, &report, error));
  CHECK_STATUS(CHROMA_ERROR_NOT_FOUND, chroma_repair(text(absent), NULL, &report, error));
  CHECK(report == NULL && access(absent, F_OK) != 0);

  CHECK_STATUS(CHROMA_OK, chroma_cancel_create(&call.cancel, error));
  chroma_cancel_request(call.cancel);
  CHECK_STATUS(CHROMA_ERROR_CANCELLED, chroma_verify(text(path), &call, &report, error));
  CHECK_STATUS(CHROMA_ERROR_CANCELLED,
               chroma_engine_backup(engine, text(absent), &call, NULL, error));
  chroma_cancel_free(call.cancel);
  CHECK_STATUS(CHROMA_ERROR_CLOSED, chroma_verify(text(path), &call, &report, error));
  chroma_engine_close(engine);
  chroma_engine_close(memory);
  CHECK_STATUS(CHROMA_ERROR_CLOSED, chroma_engine_backup(engine, text(absent), NULL, NULL, error));
}

void test_maintenance(const char *path) {
  test_flush_and_compact_change_no_answer();
  test_long_calls_are_cancelled_and_refuse_nonsense();
  test_backups_come_back(path);
  test_damage_is_found_and_repaired(path);
  test_recovery_refuses_nonsense(path);
}
