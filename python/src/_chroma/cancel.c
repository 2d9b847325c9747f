/*
 * The type Cancel: a wish that the calls of another thread end early.
 *
 * A thread has at most one of them at a time, from Cancel.run() until the function returns;
 * run_interruptibly() and run_long_call() hand it to the engine.
 */
#include "module.h"

#include <pthread.h>

typedef struct {
    PyObject_HEAD chroma_cancel *cancel;
} cancel_object;

/* A key, as _Thread_local would make the extension link the loader. */
static pthread_key_t thread_key;
static bool has_key = false;

chroma_cancel *
thread_cancel(void)
{
    return has_key ? pthread_getspecific(thread_key) : NULL;
}

static PyObject *
cancel_new(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    static char *names[] = {NULL};
    if (!PyArg_ParseTupleAndKeywords(args, keywords, ":Cancel", names)) {
        return NULL;
    }
    cancel_object *self = PyObject_New(cancel_object, type);
    if (self == NULL) {
        return NULL;
    }
    chroma_error *error = NULL;
    self->cancel = NULL;
    chroma_status status = chroma_cancel_create(&self->cancel, &error);
    if (status != CHROMA_OK) {
        Py_DECREF(self);
        return raise_error(PyType_GetModuleState(type), status, error);
    }
    return (PyObject *)self;
}

static void
cancel_deallocate(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    chroma_cancel_free(((cancel_object *)self)->cancel);
    PyObject_Free(self);
    Py_DECREF(type);
}

static PyObject *
cancel_request(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    chroma_cancel_request(((cancel_object *)self)->cancel);
    Py_RETURN_NONE;
}

static PyObject *
cancel_run(PyObject *self, PyObject *function)
{
    chroma_cancel *outer = thread_cancel();
    if (pthread_setspecific(thread_key, ((cancel_object *)self)->cancel) != 0) {
        return PyErr_NoMemory();
    }
    PyObject *result = PyObject_CallNoArgs(function);
    pthread_setspecific(thread_key, outer);
    return result;
}

static PyMethodDef cancel_methods[] = {
    {"request", cancel_request, METH_NOARGS,
     "request($self)\n--\n\nEnds the reads of the function that run() calls, now and later. Any "
     "thread."},
    {"run", cancel_run, METH_O,
     "run($self, function, /)\n--\n\nCalls the function on this thread, so that a request ends its "
     "reads."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot cancel_slots[] = {
    {Py_tp_doc, "Cancel()\n--\n\nA wish that the calls of another thread end early."},
    {Py_tp_new, cancel_new},
    {Py_tp_dealloc, cancel_deallocate},
    {Py_tp_methods, cancel_methods},
    {0, NULL},
};

static PyType_Spec cancel_spec = {
    .name = "chromadb_swift_bindings._chroma.Cancel",
    .basicsize = sizeof(cancel_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = cancel_slots,
};

bool
cancel_type_create(PyObject *module)
{
    /* One key for all interpreters, which hold the GIL here. */
    has_key = has_key || pthread_key_create(&thread_key, NULL) == 0;
    if (!has_key) {
        PyErr_SetString(PyExc_ImportError, "The process has no thread-specific key left.");
        return false;
    }
    PyObject *type = PyType_FromModuleAndSpec(module, &cancel_spec, NULL);
    const bool is_added = type != NULL && PyModule_AddType(module, (PyTypeObject *)type) == 0;
    Py_XDECREF(type);
    return is_added;
}
