/* From Python arguments to C ones. The wording of the refusals is official Chroma's, whose bindings
 * name their Rust types; programs match on it. */
#include "module.h"

#include <string.h>

/* The name of the object's type, as a new reference. */
static PyObject *
type_name(PyObject *object)
{
    return PyType_GetName(Py_TYPE(object));
}

/* Raises TypeError("argument 'name': 'type' object <predicate>"). Returns false. */
static bool
refuse(const char *name, PyObject *given, const char *predicate)
{
    PyObject *type = type_name(given);
    if (type != NULL) {
        PyErr_Format(PyExc_TypeError, "argument '%s': '%U' object %s", name, type, predicate);
        Py_DECREF(type);
    }
    return false;
}

bool
refuse_type(const char *name, PyObject *given, const char *wanted)
{
    char predicate[64];
    PyOS_snprintf(predicate, sizeof predicate, "cannot be converted to '%s'", wanted);
    return refuse(name, given, predicate);
}

bool
string_argument(PyObject *given, const char *name, chroma_string *string)
{
    if (!PyUnicode_Check(given)) {
        return refuse_type(name, given, "PyString");
    }
    Py_ssize_t length;
    string->data = PyUnicode_AsUTF8AndSize(given, &length);
    if (string->data == NULL) {
        return false; /* A lone surrogate. */
    }
    string->length = (size_t)length;
    return true;
}

bool
optional_string_argument(PyObject *given, const char *name, chroma_string *string)
{
    if (given == Py_None) {
        *string = (chroma_string){NULL, 0};
        return true;
    }
    return string_argument(given, name, string);
}

bool
bool_argument(PyObject *given, const char *name, uint32_t *value)
{
    if (!PyBool_Check(given)) {
        return refuse_type(name, given, "PyBool");
    }
    *value = given == Py_True;
    return true;
}

bool
count_argument(PyObject *given, const char *name, uint64_t *value)
{
    if (!PyIndex_Check(given)) {
        return refuse(name, given, "cannot be interpreted as an integer");
    }
    PyObject *integer = PyNumber_Index(given);
    if (integer == NULL) {
        return false;
    }
    int overflow;
    long long number = PyLong_AsLongLongAndOverflow(integer, &overflow);
    Py_DECREF(integer);
    if (overflow != 0 || number < 0 || number > (long long)UINT32_MAX) {
        PyErr_SetString(PyExc_OverflowError, "out of range integral type conversion attempted");
        return false;
    }
    *value = (uint64_t)number;
    return true;
}

bool
optional_count_argument(PyObject *given, const char *name, uint64_t otherwise, uint64_t *value)
{
    if (given == Py_None) {
        *value = otherwise;
        return true;
    }
    return count_argument(given, name, value);
}

bool
optional_number_argument(PyObject *given, const char *name, uint64_t *value)
{
    *value = 0;
    if (given == Py_None) {
        return true;
    }
    if (!PyIndex_Check(given)) {
        return refuse(name, given, "cannot be interpreted as an integer");
    }
    PyObject *integer = PyNumber_Index(given);
    if (integer == NULL) {
        return false;
    }
    *value = PyLong_AsUnsignedLongLong(integer);
    Py_DECREF(integer);
    if (PyErr_Occurred() != NULL) {
        PyErr_SetString(PyExc_OverflowError, "out of range integral type conversion attempted");
        return false;
    }
    return true;
}

bool
double_argument(PyObject *given, const char *name, double *value)
{
    *value = PyFloat_AsDouble(given);
    if (PyErr_Occurred() == NULL) {
        return true;
    }
    if (!PyErr_ExceptionMatches(PyExc_TypeError)) {
        return false;
    }
    PyErr_Clear();
    return refuse(name, given, "cannot be interpreted as a float");
}

bool
optional_callable_argument(PyObject *given, const char *name)
{
    return given == Py_None || PyCallable_Check(given) || refuse(name, given, "is not callable");
}

/* ---- Columns ------------------------------------------------------------------------------ */

PyObject *
items_argument(call_memory *memory, PyObject *given, const char *name)
{
    if (PyUnicode_Check(given)) {
        PyErr_Format(PyExc_TypeError, "argument '%s': Can't extract `str` to `Vec`", name);
        return NULL;
    }
    if (!PySequence_Check(given)) {
        refuse_type(name, given, "Sequence");
        return NULL;
    }
    PyObject *items = PySequence_Tuple(given);
    if (items == NULL) {
        return NULL;
    }
    bool is_kept = call_memory_keep(memory, items);
    Py_DECREF(items);
    return is_kept ? items : NULL;
}

bool
optional_strings_argument(call_memory *memory, PyObject *given, const char *name,
                          bool items_are_optional, string_column *column)
{
    *column = (string_column){NULL, 0};
    if (given == Py_None) {
        return true;
    }
    PyObject *items = items_argument(memory, given, name);
    if (items == NULL) {
        return false;
    }
    Py_ssize_t count = PyTuple_Size(items);
    chroma_string *strings = call_memory_allocate(memory, (size_t)count, sizeof(chroma_string));
    if (strings == NULL) {
        return false;
    }
    for (Py_ssize_t index = 0; index < count; index++) {
        PyObject *item = PyTuple_GetItem(items, index);
        if (items_are_optional && item == Py_None) {
            continue;
        }
        if (!string_argument(item, name, &strings[index])) {
            return false;
        }
    }
    *column = (string_column){strings, (size_t)count};
    return true;
}

bool
strings_argument(call_memory *memory, PyObject *given, const char *name, string_column *column)
{
    if (given == Py_None) {
        return refuse_type(name, given, "Sequence");
    }
    return optional_strings_argument(memory, given, name, false, column);
}

/* ---- Buffers ------------------------------------------------------------------------------ */

/* A buffer as it is, whatever its layout. Whether it may be used is for the caller to say. */
static const Py_buffer *
any_buffer(call_memory *memory, PyObject *given, const char *name)
{
    if (!PyObject_CheckBuffer(given)) {
        refuse_type(name, given, "Sequence");
        return NULL;
    }
    const Py_buffer *view = call_memory_buffer(memory, given, PyBUF_RECORDS_RO);
    if (view == NULL
        && (PyErr_ExceptionMatches(PyExc_ValueError)
            || PyErr_ExceptionMatches(PyExc_BufferError))) {
        /* numpy has types of item that no buffer can show, such as dates. */
        PyErr_Clear();
        refuse_type(name, given, "Sequence");
    }
    return view;
}

/* Whether a buffer is C-contiguous and has so many dimensions and items of the format. */
static bool
is_array_of(const Py_buffer *view, const char *format, int dimension_count)
{
    const char *found = view->format == NULL ? "B" : view->format;
    /* '@' says "native" where nothing said so already. */
    return strcmp(found + (found[0] == '@'), format) == 0 && view->ndim == dimension_count
           && PyBuffer_IsContiguous(view, 'C');
}

/* Raises TypeError. Returns false. */
static bool
refuse_array(const Py_buffer *view, const char *name, const char *wanted)
{
    PyErr_Format(PyExc_TypeError,
                 "argument '%s': expected %s, got an array of %d dimension(s) with items of the "
                 "format '%s'%s",
                 name, wanted, view->ndim, view->format == NULL ? "B" : view->format,
                 PyBuffer_IsContiguous(view, 'C') ? "" : " that is not C-contiguous");
    return false;
}

bool
vectors_argument(call_memory *memory, PyObject *given, const char *name, chroma_vectors *vectors)
{
    const Py_buffer *view = any_buffer(memory, given, name);
    if (view == NULL) {
        return false;
    }
    if (!is_array_of(view, "f", 2) || (uintptr_t)view->buf % sizeof(float) != 0) {
        return refuse_array(view, name,
                            "a C-contiguous, aligned, two-dimensional array of float32 in native "
                            "byte order");
    }
    /* An array without items may have no address; to libchroma that would be no array. */
    static const float none = 0;
    vectors->values = view->buf == NULL ? &none : view->buf;
    vectors->count = (size_t)view->shape[0];
    vectors->dimension = (size_t)view->shape[1];
    return true;
}

bool
flags_argument(call_memory *memory, PyObject *given, const char *name, const uint8_t **flags,
               size_t *count)
{
    *flags = NULL;
    *count = 0;
    if (given == Py_None) {
        return true;
    }
    const Py_buffer *view = any_buffer(memory, given, name);
    if (view == NULL) {
        return false;
    }
    if (!is_array_of(view, "?", 1)) {
        return refuse_array(view, name, "a contiguous, one-dimensional array of bool");
    }
    static const uint8_t none = 0;
    *flags = view->buf == NULL ? &none : view->buf;
    *count = (size_t)view->shape[0];
    return true;
}

/* ---- Include ------------------------------------------------------------------------------ */

static uint32_t
column_bit(PyObject *name)
{
    static const struct {
        const char *name;
        uint32_t bit;
    } columns[] = {
        {"documents", CHROMA_INCLUDE_DOCUMENTS}, {"embeddings", CHROMA_INCLUDE_EMBEDDINGS},
        {"metadatas", CHROMA_INCLUDE_METADATAS}, {"distances", CHROMA_INCLUDE_DISTANCES},
        {"uris", CHROMA_INCLUDE_URIS},           {"data", CHROMA_INCLUDE_METADATAS},
    };
    for (size_t index = 0; index < sizeof columns / sizeof columns[0]; index++) {
        if (PyUnicode_CompareWithASCIIString(name, columns[index].name) == 0) {
            return columns[index].bit;
        }
    }
    return 0;
}

bool
include_argument(module_state *state, PyObject *given, uint32_t *include)
{
    call_memory memory = {0};
    PyObject *names = items_argument(&memory, given, "include");
    bool is_valid = names != NULL;
    *include = 0;
    for (Py_ssize_t index = 0; is_valid && index < PyTuple_Size(names); index++) {
        PyObject *name = PyTuple_GetItem(names, index);
        if (!PyUnicode_Check(name)) {
            is_valid = refuse_type("include", name, "PyString");
            break;
        }
        uint32_t bit = column_bit(name);
        if (bit == 0) {
            raise_status(state, CHROMA_ERROR_INVALID_ARGUMENT, "Invalid include value: %U", name);
            is_valid = false;
        }
        *include |= bit;
    }
    call_memory_end(&memory);
    return is_valid;
}

bool
selection_argument(call_memory *memory, PyObject *ids, PyObject *where, PyObject *where_document,
                   chroma_selection *selection)
{
    string_column column;
    if (!optional_strings_argument(memory, ids, "ids", false, &column)
        || !optional_string_argument(where, "where", &selection->where_json)
        || !optional_string_argument(where_document, "where_document",
                                     &selection->where_document_json)) {
        return false;
    }
    selection->ids = column.strings;
    selection->id_count = column.count;
    return true;
}
