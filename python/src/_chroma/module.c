/* The module: its state, its contents, and what it imports when first needed. */
#include "module.h"

PyObject *
imported(PyObject **field, const char *module, const char *attribute)
{
    if (*field != NULL) {
        return *field;
    }
    PyObject *found = PyImport_ImportModule(module);
    if (found != NULL && attribute != NULL) {
        PyObject *value = PyObject_GetAttrString(found, attribute);
        Py_DECREF(found);
        found = value;
    }
    /* Importing lets the GIL go: another thread may have been faster. */
    if (*field == NULL) {
        *field = found;
    }
    else {
        Py_XDECREF(found);
        PyErr_Clear();
    }
    return *field;
}

static int
module_execute(PyObject *module)
{
    module_state *state = PyModule_GetState(module);

    if (chroma_abi_version() != CHROMA_ABI_VERSION) {
        PyErr_Format(
            PyExc_ImportError,
            "chromadb_swift_bindings._chroma was built for version %d of libchroma's interface and "
            "found version %u (libchroma %s). Reinstall chromadb.",
            CHROMA_ABI_VERSION, (unsigned)chroma_abi_version(), chroma_version());
        return -1;
    }
    if (PyModule_AddStringConstant(module, "__version__", chroma_version()) < 0
        || !result_types_create(module, state) || !cancel_type_create(module)) {
        return -1;
    }
    state->engine_type = engine_type_create(module);
    if (state->engine_type == NULL) {
        return -1;
    }
    return PyModule_AddType(module, state->engine_type);
}

static int
module_traverse(PyObject *module, visitproc visit, void *arg)
{
    module_state *state = PyModule_GetState(module);
    if (state == NULL) {
        return 0;
    }
    Py_VISIT(state->engine_type);
    Py_VISIT(state->tenant_type);
    Py_VISIT(state->database_type);
    Py_VISIT(state->collection_type);
    Py_VISIT(state->get_response_type);
    Py_VISIT(state->query_response_type);
    Py_VISIT(state->errors);
    Py_VISIT(state->json_loads);
    Py_VISIT(state->uuid_class);
    Py_VISIT(state->numpy_empty);
    Py_VISIT(state->numpy_bool);
    return 0;
}

static int
module_clear(PyObject *module)
{
    module_state *state = PyModule_GetState(module);
    if (state == NULL) {
        return 0;
    }
    Py_CLEAR(state->engine_type);
    Py_CLEAR(state->tenant_type);
    Py_CLEAR(state->database_type);
    Py_CLEAR(state->collection_type);
    Py_CLEAR(state->get_response_type);
    Py_CLEAR(state->query_response_type);
    Py_CLEAR(state->errors);
    Py_CLEAR(state->json_loads);
    Py_CLEAR(state->uuid_class);
    Py_CLEAR(state->numpy_empty);
    Py_CLEAR(state->numpy_bool);
    return 0;
}

static void
module_free(void *module)
{
    (void)module_clear(module);
}

/* No slot about interpreters: those that share the GIL may import the module, and CPython refuses
 * it, with an ImportError, to those that have their own. */
static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, module_execute},
    {0, NULL},
};

static struct PyModuleDef module_definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "chromadb_swift_bindings._chroma",
    .m_doc = "The native engine.",
    .m_size = sizeof(module_state),
    .m_methods = directory_functions,
    .m_slots = module_slots,
    .m_traverse = module_traverse,
    .m_clear = module_clear,
    .m_free = module_free,
};

PyMODINIT_FUNC
PyInit__chroma(void)
{
    return PyModuleDef_Init(&module_definition);
}
