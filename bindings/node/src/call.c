/*
 * A call, from the JavaScript thread to a pool thread and back.
 *
 *   call_begin  ──  arguments are parsed  ──  call_start  ──  pool: execute  ──  complete
 *
 * A call is in its environment's list from call_start to complete. It ends exactly once: in
 * call_start if it cannot be queued, else in complete, which Node runs even where the environment
 * is being torn down and no JavaScript can run any more.
 */
#include <stdlib.h>

#include "addon.h"

static void call_end(napi_env env, call *call) {
  if (call->operation->release != NULL) call->operation->release(call);
  chroma_error_free(call->error);
  chroma_cancel_free(call->cancel);
  if (call->vectors != NULL) napi_delete_reference(env, call->vectors);
  if (call->engine_object != NULL) napi_delete_reference(env, call->engine_object);
  if (call->work != NULL) napi_delete_async_work(env, call->work);
  memory_free(&call->memory);
  free(call);
}

static bool call_read(napi_env env, napi_callback_info info, call *call, napi_value *arguments,
                      size_t argument_count) {
  void *data;
  TRY(env, napi_get_cb_info(env, info, &argument_count, arguments, NULL, NULL));
  TRY(env, napi_get_instance_data(env, &data));
  call->addon = data;
  if (napi_get_value_double(env, arguments[0], &call->identifier) != napi_ok) {
    return throw_value(env, "Expected the identifier of a call to be a number, but got %s",
                       kind_of(env, arguments[0]));
  }
  if (!call->operation->needs_no_engine) {
    if (!engine_from(env, arguments[1], &call->engine)) return false;
    // The object's finalizer frees the engine.
    TRY(env, napi_create_reference(env, arguments[1], 1, &call->engine_object));
  }
  if (call->identifier != 0 && chroma_cancel_create(&call->cancel, NULL) != CHROMA_OK) {
    return throw_error(env, "CHROMA_ERROR_RESOURCE_EXHAUSTED", "There is no memory for a call.");
  }
  return true;
}

void *call_begin(napi_env env, napi_callback_info info, const operation *operation,
                 size_t byte_count, napi_value *arguments, size_t argument_count) {
  call *call = calloc(1, byte_count);
  if (call == NULL) {
    throw_error(env, "CHROMA_ERROR_RESOURCE_EXHAUSTED", "There is no memory for a call.");
    return NULL;
  }
  call->operation = operation;
  if (!call_read(env, info, call, arguments, argument_count)) {
    call_end(env, call);
    return NULL;
  }
  return call;
}

/* On a pool thread. */
static void execute(napi_env env, void *data) {
  (void)env;
  call *call = data;
  handles handles = {NULL, NULL};
  if (!call->operation->needs_no_handles && !call->operation->needs_no_engine) {
    call->status = engine_open(call->engine, &handles.engine, &call->error);
  }
  // Opened for each call: it costs a look into a table, and there is no handle to keep alive.
  if (call->status == CHROMA_OK && call->collection.data != NULL) {
    call->status = chroma_collection_open_by_id(handles.engine, call->collection,
                                                &handles.collection, &call->error);
  }
  if (call->status == CHROMA_OK) call->status = call->operation->run(call, handles);
  chroma_collection_close(handles.collection);
}

/* An Error with the engine's sentence, and the name of the status as its code. */
static bool error_of(napi_env env, const call *call, napi_value *out_error) {
  napi_value code, message;
  chroma_string sentence = chroma_error_message(call->error);
  if (call->status == CHROMA_ERROR_CANCELLED) {
    sentence = (chroma_string){"The call was cancelled.", NAPI_AUTO_LENGTH};
  }
  TRY(env, napi_create_string_utf8(env, chroma_status_name(call->status), NAPI_AUTO_LENGTH, &code));
  TRY(env, napi_create_string_utf8(env, sentence.data, sentence.length, &message));
  TRY(env, napi_create_error(env, code, message, out_error));
  return true;
}

/* On the JavaScript thread. */
static void complete(napi_env env, napi_status work_status, void *data) {
  call *call = data;
  napi_value value;
  if (call->previous != NULL) {
    call->previous->next = call->next;
  } else {
    call->addon->calls = call->next;
  }
  if (call->next != NULL) call->next->previous = call->previous;

  if (work_status != napi_ok) call->status = CHROMA_ERROR_CANCELLED;
  if (call->status == CHROMA_OK && call->operation->finish(env, call, &value)) {
    napi_resolve_deferred(env, call->deferred, value);
  } else if (call->status != CHROMA_OK && error_of(env, call, &value)) {
    napi_reject_deferred(env, call->deferred, value);
  } else if (napi_get_and_clear_last_exception(env, &value) == napi_ok) {
    napi_reject_deferred(env, call->deferred, value);
  }
  call_end(env, call);
}

static bool call_queue(napi_env env, call *call, napi_value *out_promise) {
  napi_value name;
  TRY(env, napi_create_string_utf8(env, call->operation->name, NAPI_AUTO_LENGTH, &name));
  TRY(env, napi_create_async_work(env, NULL, name, execute, complete, call, &call->work));
  TRY(env, napi_create_promise(env, &call->deferred, out_promise));
  TRY(env, napi_queue_async_work(env, call->work));
  return true;
}

napi_value call_start(napi_env env, call *call, bool arguments_are_good) {
  napi_value promise;
  if (!arguments_are_good || !call_queue(env, call, &promise)) {
    call_end(env, call);
    return NULL;
  }
  call->next = call->addon->calls;
  if (call->next != NULL) call->next->previous = call;
  call->addon->calls = call;
  return promise;
}

bool call_keep_vectors(napi_env env, call *call, napi_value array) {
  TRY(env, napi_create_reference(env, array, 1, &call->vectors));
  return true;
}

napi_value call_cancel(napi_env env, napi_callback_info info) {
  napi_value argument;
  size_t count = 1;
  void *data;
  double identifier;
  if (napi_get_cb_info(env, info, &count, &argument, NULL, NULL) != napi_ok ||
      napi_get_instance_data(env, &data) != napi_ok) {
    throw_napi(env);
    return NULL;
  }
  if (napi_get_value_double(env, argument, &identifier) != napi_ok) {
    throw_value(env, "Expected the identifier of a call to be a number, but got %s",
                kind_of(env, argument));
    return NULL;
  }
  for (call *call = ((addon *)data)->calls; call != NULL; call = call->next) {
    if (call->identifier != identifier || identifier == 0) continue;
    chroma_cancel_request(call->cancel);
    // A call that still waits for a thread never begins; one that runs ends at its next look.
    napi_cancel_async_work(env, call->work);
    break;
  }
  return NULL;
}
