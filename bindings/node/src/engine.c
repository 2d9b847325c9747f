/*
 * The engine behind a JavaScript object.
 *
 * It is opened by the first call that runs, on that call's thread: the object exists at once, and
 * nothing waits for the disk on the JavaScript thread. An engine that could not be opened is tried
 * again by the next call. One that was closed stays closed.
 *
 * The object's finalizer closes what was not closed. Calls in flight hold a reference to the
 * object, so that it never runs under them.
 */
#include <pthread.h>
#include <stdlib.h>

#include "addon.h"

struct engine {
  pthread_mutex_t lock; /* Guards handle and is_closed. */
  chroma_engine *handle;
  bool is_closed;
  memory memory;
  chroma_engine_options options;
};

/* Chosen at random: tells our objects from those of other addons. */
static const napi_type_tag engine_tag = {0x5d0c4e9a7b1f4263, 0x9e83c1d25f7a460b};

static void engine_free(engine *engine) {
  chroma_engine_close(engine->handle);
  pthread_mutex_destroy(&engine->lock);
  memory_free(&engine->memory);
  free(engine);
}

static void engine_finalize(napi_env env, void *data, void *hint) {
  (void)env;
  (void)hint;
  engine_free(data);
}

static bool engine_fill(napi_env env, engine *engine, const napi_value *arguments,
                        napi_value *out_object) {
  bool is_read_only;
  uint64_t thread_count;
  engine->options = (chroma_engine_options)CHROMA_ENGINE_OPTIONS_INIT;
  if (!optional_text_from(env, &engine->memory, arguments[0], "'path'", &engine->options.path) ||
      !flag_from(env, arguments[1], "'readOnly'", &is_read_only) ||
      !integer_from(env, arguments[2], "'memoryLimitBytes'", 0,
                    &engine->options.memory_limit_bytes) ||
      !integer_from(env, arguments[3], "'indexingThreads'", 0, &thread_count)) {
    return false;
  }
  engine->options.indexing_threads =
      thread_count < UINT32_MAX ? (uint32_t)thread_count : UINT32_MAX;
  engine->options.read_only = is_read_only;
  TRY(env, napi_create_object(env, out_object));
  TRY(env, napi_type_tag_object(env, *out_object, &engine_tag));
  TRY(env, napi_wrap(env, *out_object, engine, engine_finalize, NULL, NULL));
  return true;
}

napi_value engine_create(napi_env env, napi_callback_info info) {
  napi_value arguments[4], object;
  size_t count = 4;
  if (napi_get_cb_info(env, info, &count, arguments, NULL, NULL) != napi_ok) {
    throw_napi(env);
    return NULL;
  }
  engine *engine = calloc(1, sizeof *engine);
  if (engine == NULL || pthread_mutex_init(&engine->lock, NULL) != 0) {
    free(engine);
    throw_error(env, "CHROMA_ERROR_RESOURCE_EXHAUSTED", "There is no memory for an engine.");
    return NULL;
  }
  if (!engine_fill(env, engine, arguments, &object)) {
    engine_free(engine);
    return NULL;
  }
  return object;
}

bool engine_from(napi_env env, napi_value object, engine **out_engine) {
  bool is_engine = false;
  void *data;
  if (napi_check_object_type_tag(env, object, &engine_tag, &is_engine) != napi_ok || !is_engine) {
    return throw_value(env, "Expected an engine, but got %s", kind_of(env, object));
  }
  TRY(env, napi_unwrap(env, object, &data));
  *out_engine = data;
  return true;
}

chroma_status engine_open(engine *engine, chroma_engine **out_handle, chroma_error **out_error) {
  chroma_status status = CHROMA_OK;
  pthread_mutex_lock(&engine->lock);
  if (engine->handle == NULL && !engine->is_closed) {
    status = chroma_engine_open(&engine->options, &engine->handle, out_error);
  }
  *out_handle = engine->handle;
  pthread_mutex_unlock(&engine->lock);
  return status;
}

/* ---- close(id, engine) -> undefined ---------------------------------------------------------- */

static chroma_status close_run(call *call, handles handles) {
  engine *engine = call->engine;
  pthread_mutex_lock(&engine->lock);
  handles.engine = engine->handle;
  engine->handle = NULL;
  engine->is_closed = true;
  pthread_mutex_unlock(&engine->lock);
  chroma_engine_close(handles.engine);
  return CHROMA_OK;
}

static const operation close_operation = {
    .name = "chroma.close", .run = close_run, .needs_no_handles = true, .finish = nothing_to};

napi_value engine_close(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  call *call = call_begin(env, info, &close_operation, sizeof *call, arguments, 2);
  return call == NULL ? NULL : call_start(env, call, true);
}

/* ---- heartbeat(id, engine) -> nanoseconds ---------------------------------------------------- */

typedef struct {
  call call;
  int64_t nanoseconds;
} heartbeat_call;

static chroma_status heartbeat_run(call *call, handles handles) {
  heartbeat_call *self = (heartbeat_call *)call;
  return chroma_engine_heartbeat(handles.engine, &self->nanoseconds, &call->error);
}

static bool heartbeat_finish(napi_env env, call *call, napi_value *out_value) {
  TRY(env, napi_create_int64(env, ((heartbeat_call *)call)->nanoseconds, out_value));
  return true;
}

static const operation heartbeat_operation = {
    .name = "chroma.heartbeat", .run = heartbeat_run, .finish = heartbeat_finish};

napi_value engine_heartbeat(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  heartbeat_call *self = call_begin(env, info, &heartbeat_operation, sizeof *self, arguments, 2);
  return self == NULL ? NULL : call_start(env, &self->call, true);
}
