/*
 * chromadb_swift_bindings._chroma: what its files share.
 *
 *   module.c         the module, its state, what is imported when first needed
 *   engine.c         the type Engine: opening, closing, the table of methods
 *   collections.c    its methods on tenants, databases and collections
 *   reads.c          its methods that read records
 *   writes.c         those that write them
 *   maintenance.c    its methods on space and speed
 *   recovery.c       backup, and the functions on directories: restore, verify, repair
 *   errors.c         from a chroma_status to an exception
 *   call_memory.c    what a call's C arguments point into
 *   arguments.c      from Python arguments to C ones
 *   metadata.c       metadata, both ways
 *   results.c        from C results to Python objects
 *   interruption.c   calls that Ctrl-C ends, and that tell how far they have come
 *   cancel.c         the type Cancel, by which another thread ends them
 *
 * Invariants:
 *   * The extension converts; it decides nothing that the engine can decide.
 *   * No pointer into a Python object outlives the GIL unless the call holds a reference to the
 *     object (struct call_memory) or it is one of the call's own arguments, which the caller holds.
 *   * An engine handle is a number that libchroma looks up: a call that close() on another thread
 *     overtakes gets CHROMA_ERROR_CLOSED, never a dangling pointer.
 *   * Nothing is global but the helper threads of interruption.c, and nothing a thread's own but
 *     what cancels its calls: all else is per interpreter.
 */
#ifndef CHROMA_PYTHON_MODULE_H
#define CHROMA_PYTHON_MODULE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdbool.h>

#include "chroma.h"

/* ---- The module --------------------------------------------------------------------------- */

typedef struct {
    PyTypeObject *engine_type;
    PyTypeObject *tenant_type;
    PyTypeObject *database_type;
    PyTypeObject *collection_type;
    PyTypeObject *get_response_type;
    PyTypeObject *query_response_type;
    /* Imported when first needed, NULL until then. */
    PyObject *errors;
    PyObject *json_loads;
    PyObject *uuid_class;
    PyObject *numpy_empty;
    PyObject *numpy_bool;
} module_state;

/* The attribute of a module, borrowed from the state's field, where it is kept once imported. */
PyObject *imported(PyObject **field, const char *module, const char *attribute);

/* ---- Engine ------------------------------------------------------------------------------- */

/* Makes the type Engine. */
PyTypeObject *engine_type_create(PyObject *module);

/* What a method of Engine works with. */
typedef struct {
    module_state *state;
    chroma_engine *engine;
} engine_call;

/* Whether the method may go on: it was given as many arguments as it takes, and its engine is
 * open. Otherwise an exception is set. */
bool engine_enter(PyObject *self, engine_call *call, const char *method, Py_ssize_t given,
                  Py_ssize_t minimum, Py_ssize_t maximum);

#define METHOD(name) \
    PyObject *engine_##name(PyObject *self, PyObject *const *args, Py_ssize_t count)

METHOD(create_tenant);
METHOD(get_tenant);
METHOD(create_database);
METHOD(get_database);
METHOD(delete_database);
METHOD(list_databases);
METHOD(count_collections);
METHOD(list_collections);
METHOD(create_collection);
METHOD(get_collection);
METHOD(get_collection_by_id);
METHOD(update_collection);
METHOD(delete_collection);
METHOD(add);
METHOD(insert);
METHOD(update);
METHOD(update_selected);
METHOD(upsert);
METHOD(delete);
METHOD(count);
METHOD(get);
METHOD(distinct);
METHOD(query);
METHOD(explain);
METHOD(flush);
METHOD(compact);
METHOD(statistics);
METHOD(indexing_status);
METHOD(backup);

/* ---- Directories -------------------------------------------------------------------------- */

/* The module's functions. */
extern PyMethodDef directory_functions[];

/* ---- Errors ------------------------------------------------------------------------------- */

/* Raises the error, which it frees, as the class of its status. Returns NULL. */
PyObject *raise_error(module_state *state, chroma_status status, chroma_error *error);

/* The same as a class of chromadb.errors that only this call has for the status. */
PyObject *raise_error_as(module_state *state, const char *class_name, chroma_error *error);

/* Raises the class of the status with a sentence as of PyUnicode_FromFormat(). Returns NULL. */
PyObject *raise_status(module_state *state, chroma_status status, const char *format, ...);

/* ---- The memory of a call ----------------------------------------------------------------- */

/* What the C arguments of one call point into. Zeroed at first; ended with the GIL held. */
typedef struct {
    struct memory_block *blocks;
    struct kept_objects *objects;
    struct kept_buffer *buffers;
} call_memory;

/* Room for count elements, zeroed and aligned for any type; at least one byte. */
void *call_memory_allocate(call_memory *memory, size_t count, size_t size);

/* Holds a reference of its own to the object. */
bool call_memory_keep(call_memory *memory, PyObject *object);

/* Holds the object's buffer, and so its memory. */
const Py_buffer *call_memory_buffer(call_memory *memory, PyObject *object, int flags);

void call_memory_end(call_memory *memory);

/* ---- Arguments ---------------------------------------------------------------------------- */

/* All return false with an exception set, naming the argument, where it cannot be converted. */

/* "argument 'name': 'int' object cannot be converted to 'PyString'". Returns false. */
bool refuse_type(const char *name, PyObject *given, const char *wanted);

bool string_argument(PyObject *given, const char *name, chroma_string *string);
/* None is no string. */
bool optional_string_argument(PyObject *given, const char *name, chroma_string *string);
bool bool_argument(PyObject *given, const char *name, uint32_t *value);
/* An integer of 32 bits without sign. */
bool count_argument(PyObject *given, const char *name, uint64_t *value);
bool optional_count_argument(PyObject *given, const char *name, uint64_t otherwise,
                             uint64_t *value);
/* An integer of 64 bits without sign; None is 0. */
bool optional_number_argument(PyObject *given, const char *name, uint64_t *value);
/* A number as a double. */
bool double_argument(PyObject *given, const char *name, double *value);
/* Whether the object can be called, or is None. */
bool optional_callable_argument(PyObject *given, const char *name);

/* The items of a sequence as a tuple, which nobody can change. A borrowed reference. */
PyObject *items_argument(call_memory *memory, PyObject *given, const char *name);

/* Strings; None is no column, and stands for no string inside where that is allowed. */
typedef struct {
    chroma_string *strings;
    size_t count;
} string_column;
bool strings_argument(call_memory *memory, PyObject *given, const char *name,
                      string_column *column);
bool optional_strings_argument(call_memory *memory, PyObject *given, const char *name,
                               bool items_are_optional, string_column *column);

bool vectors_argument(call_memory *memory, PyObject *given, const char *name,
                      chroma_vectors *vectors);
/* One bool a record; None is NULL. */
bool flags_argument(call_memory *memory, PyObject *given, const char *name, const uint8_t **flags,
                    size_t *count);
bool include_argument(module_state *state, PyObject *given, uint32_t *include);
/* Ids, and filters as JSON; None is no restriction. */
bool selection_argument(call_memory *memory, PyObject *ids, PyObject *where,
                        PyObject *where_document, chroma_selection *selection);

/* ---- Metadata ----------------------------------------------------------------------------- */

/* What a value of None means. */
typedef enum { NONE_IS_REFUSED, NONE_REMOVES_THE_KEY } none_meaning;

/* None is no metadata. */
bool metadata_argument(module_state *state, call_memory *memory, PyObject *given, const char *name,
                       none_meaning none, chroma_metadata *metadata);

/* A map for each record; None is NULL. */
bool metadatas_argument(module_state *state, call_memory *memory, PyObject *given,
                        none_meaning none, chroma_metadata **metadatas, size_t *count);

/* A new object for the value of an entry. */
PyObject *metadata_value_object(const chroma_metadata_entry *entry);

/* A new dict, or None. */
PyObject *metadata_object(const chroma_metadata *metadata);

/* A new list of such. Equal keys of neighbours share one str. */
PyObject *metadata_list(const chroma_metadata *metadatas, size_t count);

/* ---- Results ------------------------------------------------------------------------------ */

/* Makes the named tuples and adds them to the module. */
bool result_types_create(PyObject *module, module_state *state);

PyObject *string_object(chroma_string string);
PyObject *tenant_object(module_state *state, PyObject *name);
PyObject *database_object(module_state *state, const chroma_database_view *view);
PyObject *collection_object(module_state *state, const chroma_collection_view *view);
PyObject *get_response(module_state *state, const chroma_get_view *view);
/* A dict of two lists: values and counts. */
PyObject *distinct_object(const chroma_distinct_view *view);
PyObject *query_response(module_state *state, const chroma_query_view *view);
/* A dict with a list of dicts, one for each query. */
PyObject *explanation_object(module_state *state, const chroma_explain_result *result);
PyObject *copy_object(const chroma_copy_view *view);
/* A new list of dicts. */
PyObject *findings_object(module_state *state, const chroma_report *report);
PyObject *repair_object(module_state *state, const chroma_report *report);

/* ---- Interruption ------------------------------------------------------------------------- */

/*
 * Runs a read without the GIL. On the main thread Python's signal handlers run meanwhile; if one
 * raises, the read is cancelled, and once it has ended the answer is false with the exception set.
 * On other threads cancel is that of thread_cancel().
 */
bool run_interruptibly(void (*read)(void *argument, chroma_cancel *cancel), void *argument);

/*
 * The same for a long call, which tells how far it is: progress(done, total) is called on this
 * thread, now and then and at the end, unless it is None. What it raises cancels the call.
 */
bool run_long_call(void (*work)(void *argument, const chroma_long_call *long_call), void *argument,
                   PyObject *progress);

/* What ends the calls of this thread, or NULL. */
chroma_cancel *thread_cancel(void);

/* Makes the type Cancel and adds it to the module. */
bool cancel_type_create(PyObject *module);

#endif /* CHROMA_PYTHON_MODULE_H */
