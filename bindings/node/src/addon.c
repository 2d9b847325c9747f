/* The module: its functions, and the instance data of each environment that loads it. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "addon.h"

/* Bytes of a message; what is longer is cut. */
#define MESSAGE_BYTE_COUNT_MAX 512

bool throw_error(napi_env env, const char *code, const char *format, ...) {
  char message[MESSAGE_BYTE_COUNT_MAX];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(message, sizeof message, format, arguments);
  va_end(arguments);
  napi_throw_error(env, code, message);
  return false;
}

bool throw_napi(napi_env env) {
  const napi_extended_error_info *failure = NULL;
  bool is_pending = false;
  // First: any other operation would replace it.
  napi_get_last_error_info(env, &failure);
  const char *reason = failure == NULL ? NULL : failure->error_message;
  napi_is_exception_pending(env, &is_pending);
  if (is_pending) return false;
  return throw_error(env, "CHROMA_ERROR_RESOURCE_EXHAUSTED", "Node refused an operation: %s.",
                     reason == NULL ? "no reason given" : reason);
}

/* liveHandleCount(): for tests. */
static napi_value live_handle_count(napi_env env, napi_callback_info info) {
  napi_value value;
  (void)info;
  return count_to(env, chroma_debug_live_handle_count(), &value) ? value : NULL;
}

static void addon_finalize(napi_env env, void *data, void *hint) {
  (void)env;
  (void)hint;
  free(data);
}

static bool addon_fill(napi_env env, napi_value exports) {
#define FUNCTION(name, function) \
  { name, NULL, function, NULL, NULL, NULL, napi_default, NULL }
  const napi_property_descriptor functions[] = {
      FUNCTION("createEngine", engine_create),
      FUNCTION("close", engine_close),
      FUNCTION("heartbeat", engine_heartbeat),
      FUNCTION("createCollection", collection_create),
      FUNCTION("getCollection", collection_get),
      FUNCTION("listCollections", collection_list),
      FUNCTION("modifyCollection", collection_modify),
      FUNCTION("deleteCollection", collection_delete),
      FUNCTION("write", records_write),
      FUNCTION("delete", records_delete),
      FUNCTION("count", records_count),
      FUNCTION("get", records_get),
      FUNCTION("distinct", records_distinct),
      FUNCTION("query", records_query),
      FUNCTION("explain", records_explain),
      FUNCTION("indexingStatus", collection_indexing_status),
      FUNCTION("compact", database_compact),
      FUNCTION("statistics", collection_statistics),
      FUNCTION("backup", database_backup),
      FUNCTION("restore", directory_restore),
      FUNCTION("verify", directory_verify),
      FUNCTION("repair", directory_repair),
      FUNCTION("cancel", call_cancel),
      FUNCTION("liveHandleCount", live_handle_count),
  };
#undef FUNCTION
  if (chroma_abi_version() != CHROMA_ABI_VERSION) {
    return throw_error(env, "CHROMA_ERROR_UNIMPLEMENTED",
                       "libchroma has version %u of the C interface, the addon needs version %u.",
                       chroma_abi_version(), CHROMA_ABI_VERSION);
  }
  TRY(env, napi_define_properties(env, exports, sizeof functions / sizeof *functions, functions));
  addon *data = calloc(1, sizeof *data);
  if (data == NULL) {
    return throw_error(env, "CHROMA_ERROR_RESOURCE_EXHAUSTED", "There is no memory.");
  }
  if (napi_set_instance_data(env, data, addon_finalize, NULL) != napi_ok) {
    free(data);
    return throw_napi(env);
  }
  return true;
}

NAPI_MODULE_INIT() {
  return addon_fill(env, exports) ? exports : NULL;
}
