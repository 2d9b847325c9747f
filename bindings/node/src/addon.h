/*
 * The Node addon: what its files share.
 *
 *   addon.c        the module and its functions
 *   call.c         a call: from the JavaScript thread to a pool thread, and back to a Promise
 *   engine.c       the engine behind a JavaScript object, opened by its first call
 *   collections.c  calls on collections
 *   writes.c       calls that write records
 *   reads.c        calls that read records
 *   distinct.c     which values stand under a key
 *   explain.c      how queries are answered, and how much is indexed
 *   maintenance.c  calls on space and speed
 *   recovery.c     backup, restore, verify, repair
 *   arguments.c    from JavaScript values to C ones
 *   metadata.c     metadata, both ways
 *   results.c      from C results to JavaScript objects
 *   memory.c       what the C arguments of a call point into
 *
 * Invariants:
 *   * The addon converts; it decides nothing that the engine can decide.
 *   * Everything of a call's arguments is copied before the function returns, but for the vectors:
 *     lib/ hands over a Float32Array that nobody else has, and the call holds a reference to it.
 *   * Pool threads touch a call's own fields and libchroma, never Node-API.
 *   * Nothing is global: each environment (the main thread, each worker) has its own instance data,
 *     and a call belongs to the environment that made it.
 *   * A function that returns bool or a napi_value has left a JavaScript exception pending when it
 *     returns false or NULL.
 */
#ifndef CHROMA_NODE_ADDON_H
#define CHROMA_NODE_ADDON_H

#include <node_api.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "chroma.h"

/* ---- Exceptions ----------------------------------------------------------------------------- */

/* Throws an Error with a code, which lib/ turns into a class of its own. Returns false. */
bool throw_error(napi_env env, const char *code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Throws for an argument of the wrong type or value. Returns false. */
#define throw_value(env, ...) throw_error(env, "CHROMA_ERROR_INVALID_ARGUMENT", __VA_ARGS__)

/* Throws for an operation of Node-API that failed, unless it threw. Returns false. */
bool throw_napi(napi_env env);

/* Leaves a function that returns bool when an operation of Node-API fails. */
#define TRY(env, operation) \
  do { \
    if ((operation) != napi_ok) return throw_napi(env); \
  } while (0)

/* ---- Memory --------------------------------------------------------------------------------- */

/* Blocks that are freed together. Zeroed at first. */
typedef struct {
  struct memory_block *blocks;
} memory;

/* Room for count elements, zeroed and aligned for any type; at least one byte. Throws if there is
 * none. */
void *memory_allocate(napi_env env, memory *memory, size_t count, size_t size);

void memory_free(memory *memory);

/* ---- Calls ---------------------------------------------------------------------------------- */

typedef struct engine engine;
typedef struct call call;

/* What a call works on. */
typedef struct {
  chroma_engine *engine;
  chroma_collection *collection; /* NULL unless the call names one. */
} handles;

/* A kind of call. */
typedef struct {
  const char *name;
  /* On a pool thread: calls libchroma. Returns its status, with call->error. */
  chroma_status (*run)(call *call, handles handles);
  /* Whether run does without handles, and the engine need not be opened for it. */
  bool needs_no_handles;
  /* Whether run does without an engine: the second argument is not looked at. */
  bool needs_no_engine;
  /* On the JavaScript thread, after success: makes what the Promise resolves to. */
  bool (*finish)(napi_env env, call *call, napi_value *out_value);
  /* On the JavaScript thread, at the end: frees what run made. May be NULL. */
  void (*release)(call *call);
} operation;

/* What every call has; those of an operation begin with it. */
struct call {
  const operation *operation;
  engine *engine;
  chroma_string collection; /* The identifier, for calls on records. */
  memory memory;
  chroma_status status;
  chroma_error *error;
  chroma_cancel *cancel; /* NULL unless the call has an identifier. */
  /* The rest belongs to call.c. */
  double identifier;
  napi_async_work work;
  napi_deferred deferred;
  napi_ref engine_object;
  napi_ref vectors;
  struct addon *addon;
  call *previous;
  call *next;
};

/* The instance data of an environment. */
typedef struct addon {
  call *calls; /* Those in flight. */
} addon;

/*
 * Begins a call: reads the arguments, of which the first is the identifier by which the call can be
 * cancelled, or 0, and the second the engine. Missing arguments are undefined.
 *
 * The call is byte_count bytes long, zeroed, and begins with a struct call.
 */
void *call_begin(napi_env env, napi_callback_info info, const operation *operation,
                 size_t byte_count, napi_value *arguments, size_t argument_count);

/* Queues the call if its arguments are good, else ends it. Returns its Promise, or NULL. */
napi_value call_start(napi_env env, call *call, bool arguments_are_good);

/* Keeps the array alive until the call ends. At most one for each call. */
bool call_keep_vectors(napi_env env, call *call, napi_value array);

/* cancel(identifier): ends the call early, if it is still in flight. */
napi_value call_cancel(napi_env env, napi_callback_info info);

/* ---- The engine ----------------------------------------------------------------------------- */

/* createEngine(path or null, read-only, memory limit in bytes or undefined, indexing threads or
 * undefined): an object that stands for an engine, not yet open. */
napi_value engine_create(napi_env env, napi_callback_info info);

/* The engine behind an object. */
bool engine_from(napi_env env, napi_value object, engine **out_engine);

/* On a pool thread: the handle of the engine, which is opened if it was not. */
chroma_status engine_open(engine *engine, chroma_engine **out_handle, chroma_error **out_error);

#define METHOD(name) napi_value name(napi_env env, napi_callback_info info)

METHOD(engine_close);
METHOD(engine_heartbeat);
METHOD(collection_create);
METHOD(collection_get);
METHOD(collection_list);
METHOD(collection_modify);
METHOD(collection_delete);
METHOD(records_write);
METHOD(records_delete);
METHOD(records_count);
METHOD(records_get);
METHOD(records_distinct);
METHOD(records_query);
METHOD(records_explain);
METHOD(collection_indexing_status);
METHOD(database_compact);
METHOD(collection_statistics);
METHOD(database_backup);
METHOD(directory_restore);
METHOD(directory_verify);
METHOD(directory_repair);

/* ---- Arguments ------------------------------------------------------------------------------ */

/* Number.MAX_SAFE_INTEGER, 2^53 - 1: up to it every integer is a number of its own. */
#define SAFE_INTEGER_MAX ((int64_t)9007199254740991)

/* What a value is, for messages: "string", "array", "null". */
const char *kind_of(napi_env env, napi_value value);

/* Whether the value is undefined or null. */
bool is_missing(napi_env env, napi_value value);

/* A string, as UTF-8. */
bool text_from(napi_env env, memory *memory, napi_value value, const char *what,
               chroma_string *out_text);

/* A string, or no string for undefined and null. */
bool optional_text_from(napi_env env, memory *memory, napi_value value, const char *what,
                        chroma_string *out_text);

/* Whether a list may lack elements, which are then no strings. */
typedef enum { ELEMENTS_NEEDED, ELEMENTS_OPTIONAL } elements;

/* A list of strings; NULL for undefined and null. */
bool texts_from(napi_env env, memory *memory, napi_value value, const char *list, const char *each,
                elements elements, const chroma_string **out_texts, size_t *out_count);

/* An integer from 0 to SAFE_INTEGER_MAX; the fallback for undefined and null. */
bool integer_from(napi_env env, napi_value value, const char *what, uint64_t fallback,
                  uint64_t *out_integer);

/* true or false; false for undefined and null. */
bool flag_from(napi_env env, napi_value value, const char *what, bool *out_flag);

/* A Float32Array of rows, which the call keeps; none for undefined and null. */
bool vectors_from(napi_env env, call *call, napi_value array, napi_value dimension,
                  chroma_vectors *out_vectors);

/* Three arguments from the given one on: ids, where, whereDocument. */
bool selection_from(napi_env env, memory *memory, const napi_value *arguments,
                    chroma_selection *out_selection);

/* Seven arguments from the given one on: embeddings, dimension, ids, where, whereDocument,
 * nResults, exact. */
bool query_options_from(napi_env env, call *call, const napi_value *arguments,
                        chroma_query_options *out_options);

/* ---- Metadata ------------------------------------------------------------------------------- */

/* What a null in metadata means. */
typedef enum { NULLS_ARE_SKIPPED, NULLS_REMOVE } nulls;

/* An object of metadata; not present for undefined and null. */
bool metadata_from(napi_env env, memory *memory, napi_value value, nulls nulls,
                   chroma_metadata *out_metadata);

/* The value of an entry. */
bool metadata_value_to(napi_env env, const chroma_metadata_entry *entry, napi_value *out_value);

/* An object, or null for what is not present. */
bool metadata_to(napi_env env, const chroma_metadata *metadata, napi_value *out_value);

/* ---- Results -------------------------------------------------------------------------------- */

/* A string, or null for none. */
bool text_to(napi_env env, chroma_string text, napi_value *out_value);

/* {ids, documents?, uris?, metadatas?, embeddings?, dimension}; embeddings in one Float32Array. */
bool columns_to(napi_env env, const chroma_get_view *view, napi_value *out_value);

/* A Float32Array with a copy of the values. */
bool floats_to(napi_env env, const float *values, size_t count, napi_value *out_value);

/* A number. */
bool count_to(napi_env env, uint64_t count, napi_value *out_value);

/* An object of numbers. */
typedef struct {
  const char *name;
  uint64_t count;
} named_count;
bool counts_to(napi_env env, const named_count *counts, size_t count, napi_value *out_value);

/* undefined. */
bool nothing_to(napi_env env, call *call, napi_value *out_value);

#endif
