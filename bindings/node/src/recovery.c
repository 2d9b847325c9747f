/* Calls that copy databases, and that look for damage in directories and mend it. */
#include "addon.h"

/* What all of them have. */
typedef struct {
  call call;
  chroma_string source;
  chroma_string target;
  chroma_copy_view copy;
  chroma_report *report;
} recovery_call;

static chroma_long_call long_call_of(const call *call) {
  chroma_long_call long_call = CHROMA_LONG_CALL_INIT;
  long_call.cancel = call->cancel;
  return long_call;
}

static bool copy_finish(napi_env env, call *call, napi_value *out_value) {
  const chroma_copy_view *copy = &((recovery_call *)call)->copy;
  const named_count counts[] = {
      {"blobCount", copy->blob_count},
      {"byteCount", copy->byte_count},
      {"copiedBlobCount", copy->copied_blob_count},
      {"copiedByteCount", copy->copied_byte_count},
      {"removedBlobCount", copy->removed_blob_count},
  };
  return counts_to(env, counts, sizeof counts / sizeof *counts, out_value);
}

/* ---- backup(id, engine, path) -> copy -------------------------------------------------------- */

static chroma_status backup_run(call *call, handles handles) {
  recovery_call *self = (recovery_call *)call;
  chroma_long_call long_call = long_call_of(call);
  return chroma_engine_backup(handles.engine, self->target, &long_call, &self->copy, &call->error);
}

static const operation backup_operation = {
    .name = "chroma.backup", .run = backup_run, .finish = copy_finish};

napi_value database_backup(napi_env env, napi_callback_info info) {
  napi_value arguments[3];
  recovery_call *self = call_begin(env, info, &backup_operation, sizeof *self, arguments, 3);
  if (self == NULL) return NULL;
  self->copy = (chroma_copy_view)CHROMA_COPY_VIEW_INIT;
  bool is_good = text_from(env, &self->call.memory, arguments[2], "'path'", &self->target);
  return call_start(env, &self->call, is_good);
}

/* ---- restore(id, undefined, source, target) -> copy ------------------------------------------
 */

static chroma_status restore_run(call *call, handles handles) {
  recovery_call *self = (recovery_call *)call;
  chroma_long_call long_call = long_call_of(call);
  (void)handles;
  return chroma_restore(self->source, self->target, &long_call, &self->copy, &call->error);
}

static const operation restore_operation = {
    .name = "chroma.restore", .run = restore_run, .needs_no_engine = true, .finish = copy_finish};

napi_value directory_restore(napi_env env, napi_callback_info info) {
  napi_value arguments[4];
  recovery_call *self = call_begin(env, info, &restore_operation, sizeof *self, arguments, 4);
  if (self == NULL) return NULL;
  memory *memory = &self->call.memory;
  self->copy = (chroma_copy_view)CHROMA_COPY_VIEW_INIT;
  bool is_good = text_from(env, memory, arguments[2], "'source'", &self->source) &&
                 text_from(env, memory, arguments[3], "'target'", &self->target);
  return call_start(env, &self->call, is_good);
}

/* ---- Reports --------------------------------------------------------------------------------- */

static void report_release(call *call) {
  chroma_report_free(((recovery_call *)call)->report);
}

static bool set_text(napi_env env, napi_value object, const char *name, chroma_string text) {
  napi_value value;
  if (!text_to(env, text, &value)) return false;
  TRY(env, napi_set_named_property(env, object, name, value));
  return true;
}

/* What findings and losses have in common. */
static bool set_texts(napi_env env, napi_value object, const chroma_report_entry *entry) {
  return set_text(env, object, "what", entry->message) &&
         set_text(env, object, "collectionId", entry->collection_id) &&
         set_text(env, object, "collectionName", entry->collection_name);
}

static bool finding_to(napi_env env, const chroma_report_entry *entry, napi_value *out_value) {
  static const chroma_string severities[] = {{"damage", 6}, {"waste", 5}};
  napi_value is_repairable;
  TRY(env, napi_create_object(env, out_value));
  TRY(env, napi_get_boolean(env, entry->is_repairable != 0, &is_repairable));
  TRY(env, napi_set_named_property(env, *out_value, "isRepairable", is_repairable));
  return set_texts(env, *out_value, entry) &&
         set_text(env, *out_value, "severity", severities[entry->kind != CHROMA_REPORT_DAMAGE]) &&
         set_text(env, *out_value, "file", entry->file) &&
         set_text(env, *out_value, "place", entry->place);
}

static bool loss_to(napi_env env, const chroma_report_entry *entry, napi_value *out_value) {
  napi_value count, ids;
  TRY(env, napi_create_object(env, out_value));
  TRY(env, napi_get_null(env, &count));
  if (entry->lost_record_count != UINT64_MAX && !count_to(env, entry->lost_record_count, &count)) {
    return false;
  }
  TRY(env, napi_set_named_property(env, *out_value, "recordCount", count));
  TRY(env, napi_create_array_with_length(env, entry->lost_id_count, &ids));
  for (size_t index = 0; index < entry->lost_id_count; ++index) {
    napi_value id;
    if (!text_to(env, entry->lost_ids[index], &id)) return false;
    TRY(env, napi_set_element(env, ids, (uint32_t)index, id));
  }
  TRY(env, napi_set_named_property(env, *out_value, "ids", ids));
  return set_texts(env, *out_value, entry);
}

static bool entry_to(napi_env env, const chroma_report_entry *entry, napi_value *out_value) {
  switch (entry->kind) {
    case CHROMA_REPORT_LOSS:
      return loss_to(env, entry, out_value);
    case CHROMA_REPORT_ACTION:
      return text_to(env, entry->message, out_value);
    default:
      return finding_to(env, entry, out_value);
  }
}

/* The entries of one kind, or, if the kind is 0, all entries, as an array. */
static bool entries_to(napi_env env, const chroma_report *report, chroma_report_kind kind,
                       napi_value *out_value) {
  uint32_t length = 0;
  TRY(env, napi_create_array(env, out_value));
  for (size_t index = 0; index < chroma_report_count(report); ++index) {
    chroma_report_entry entry = CHROMA_REPORT_ENTRY_INIT;
    napi_handle_scope scope;
    napi_value value;
    if (chroma_report_view(report, index, &entry, NULL) != CHROMA_OK) break;
    if (kind != 0 && entry.kind != kind) continue;
    TRY(env, napi_open_handle_scope(env, &scope));
    bool is_good = entry_to(env, &entry, &value);
    if (is_good && napi_set_element(env, *out_value, length++, value) != napi_ok) {
      is_good = throw_napi(env);
    }
    napi_close_handle_scope(env, scope);
    if (!is_good) return false;
  }
  return true;
}

static napi_value directory_report(napi_env env, napi_callback_info info,
                                   const operation *operation) {
  napi_value arguments[3];
  recovery_call *self = call_begin(env, info, operation, sizeof *self, arguments, 3);
  if (self == NULL) return NULL;
  bool is_good = text_from(env, &self->call.memory, arguments[2], "'path'", &self->source);
  return call_start(env, &self->call, is_good);
}

/* ---- verify(id, undefined, path) -> findings ------------------------------------------------- */

static chroma_status verify_run(call *call, handles handles) {
  recovery_call *self = (recovery_call *)call;
  chroma_long_call long_call = long_call_of(call);
  (void)handles;
  return chroma_verify(self->source, &long_call, &self->report, &call->error);
}

static bool verify_finish(napi_env env, call *call, napi_value *out_value) {
  return entries_to(env, ((recovery_call *)call)->report, 0, out_value);
}

static const operation verify_operation = {.name = "chroma.verify",
                                           .run = verify_run,
                                           .needs_no_engine = true,
                                           .finish = verify_finish,
                                           .release = report_release};

napi_value directory_verify(napi_env env, napi_callback_info info) {
  return directory_report(env, info, &verify_operation);
}

/* ---- repair(id, undefined, path) -> report --------------------------------------------------- */

static chroma_status repair_run(call *call, handles handles) {
  recovery_call *self = (recovery_call *)call;
  chroma_long_call long_call = long_call_of(call);
  (void)handles;
  return chroma_repair(self->source, &long_call, &self->report, &call->error);
}

static bool repair_finish(napi_env env, call *call, napi_value *out_value) {
  const chroma_report *report = ((recovery_call *)call)->report;
  napi_value actions, losses;
  TRY(env, napi_create_object(env, out_value));
  if (!entries_to(env, report, CHROMA_REPORT_ACTION, &actions) ||
      !entries_to(env, report, CHROMA_REPORT_LOSS, &losses)) {
    return false;
  }
  TRY(env, napi_set_named_property(env, *out_value, "actions", actions));
  TRY(env, napi_set_named_property(env, *out_value, "losses", losses));
  return set_text(env, *out_value, "savedDirectory", chroma_report_saved_directory(report));
}

static const operation repair_operation = {.name = "chroma.repair",
                                           .run = repair_run,
                                           .needs_no_engine = true,
                                           .finish = repair_finish,
                                           .release = report_release};

napi_value directory_repair(napi_env env, napi_callback_info info) {
  return directory_report(env, info, &repair_operation);
}
