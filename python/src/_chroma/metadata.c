/*
 * Metadata, both ways.
 *
 * In: a bool, an int, a float, a str, or a list of one of these. Values of exactly these types are
 * converted without running any Python code. What is none of them but can be an int or a float
 * (numpy's scalars, Decimal) is asked to; that runs Python code, which may even change the dict.
 */
#include "module.h"

#include <string.h>

/* What a conversion needs beside the value. */
typedef struct {
    module_state *state;
    call_memory *memory;
    const char *argument;
    PyObject *key;
} value_context;

static bool
refuse_value(const value_context *context)
{
    PyErr_Format(PyExc_TypeError, "argument '%s': Cannot convert Python object to MetadataValue",
                 context->argument);
    return false;
}

/* ---- Scalars in --------------------------------------------------------------------------- */

static bool
convert_integer(const value_context *context, PyObject *value, chroma_metadata_entry *entry)
{
    int overflow;
    entry->kind = CHROMA_METADATA_INT;
    entry->value.integer = PyLong_AsLongLongAndOverflow(value, &overflow);
    if (overflow != 0) {
        raise_status(context->state, CHROMA_ERROR_INVALID_ARGUMENT,
                     "The integer under the metadata key \"%U\" cannot be stored: it does not "
                     "fit into 64 bits. Store it as a float or as a string.",
                     context->key);
        return false;
    }
    return true;
}

static bool
is_numpy_bool(const value_context *context, PyObject *value)
{
    PyObject *type = imported(&context->state->numpy_bool, "numpy", "bool_");
    return type != NULL && (PyObject *)Py_TYPE(value) == type;
}

/* Whether the exception that is set says that a value is no number. It is cleared then. */
static bool
is_no_number(void)
{
    if (!PyErr_ExceptionMatches(PyExc_TypeError) && !PyErr_ExceptionMatches(PyExc_ValueError)) {
        return false;
    }
    PyErr_Clear();
    return true;
}

/* A value of none of the exact types, by what it can be turned into. */
static bool
convert_number_like(const value_context *context, PyObject *value, chroma_metadata_entry *entry)
{
    if (is_numpy_bool(context, value)) {
        entry->kind = CHROMA_METADATA_BOOL;
        entry->value.boolean = PyObject_IsTrue(value) == 1;
        return true;
    }
    if (PyErr_Occurred()) {
        return false;
    }
    /* An array has both methods, and refuses by an error what is no single number. */
    if (PyIndex_Check(value)) {
        PyObject *integer = PyNumber_Index(value);
        if (integer != NULL) {
            bool is_converted = convert_integer(context, integer, entry);
            Py_DECREF(integer);
            return is_converted;
        }
        if (!is_no_number()) {
            return false;
        }
    }
    if (PyType_GetSlot(Py_TYPE(value), Py_nb_float) == NULL) {
        return refuse_value(context);
    }
    entry->kind = CHROMA_METADATA_FLOAT;
    entry->value.number = PyFloat_AsDouble(value);
    if (entry->value.number == -1.0 && PyErr_Occurred()) {
        return is_no_number() && refuse_value(context);
    }
    return true;
}

static bool
convert_scalar(const value_context *context, PyObject *value, chroma_metadata_entry *entry)
{
    if (PyUnicode_Check(value)) {
        entry->kind = CHROMA_METADATA_STRING;
        return call_memory_keep(context->memory, value)
               && string_argument(value, context->argument, &entry->value.string);
    }
    if (PyBool_Check(value)) {
        entry->kind = CHROMA_METADATA_BOOL;
        entry->value.boolean = value == Py_True;
        return true;
    }
    if (PyLong_Check(value)) {
        return convert_integer(context, value, entry);
    }
    if (PyFloat_Check(value)) {
        entry->kind = CHROMA_METADATA_FLOAT;
        entry->value.number = PyFloat_AsDouble(value);
        return true;
    }
    /* Whatever runs now may drop the dict's reference. */
    return call_memory_keep(context->memory, value) && convert_number_like(context, value, entry);
}

/* ---- Lists in ----------------------------------------------------------------------------- */

static bool
convert_list(const value_context *context, PyObject *value, chroma_metadata_entry *entry)
{
    static const struct {
        chroma_metadata_kind list;
        size_t size;
    } kinds[] = {
        [CHROMA_METADATA_BOOL] = {CHROMA_METADATA_BOOLS, sizeof(uint8_t)},
        [CHROMA_METADATA_INT] = {CHROMA_METADATA_INTS, sizeof(int64_t)},
        [CHROMA_METADATA_FLOAT] = {CHROMA_METADATA_FLOATS, sizeof(double)},
        [CHROMA_METADATA_STRING] = {CHROMA_METADATA_STRINGS, sizeof(chroma_string)},
    };
    PyObject *items = items_argument(context->memory, value, context->argument);
    if (items == NULL) {
        return false;
    }
    Py_ssize_t count = PyTuple_Size(items);
    if (count == 0) {
        return refuse_value(context);
    }
    chroma_metadata_kind kind = CHROMA_METADATA_NULL;
    size_t size = 0;
    char *elements = NULL;
    for (Py_ssize_t index = 0; index < count; index++) {
        chroma_metadata_entry element;
        if (!convert_scalar(context, PyTuple_GetItem(items, index), &element)) {
            return false;
        }
        if (index == 0) {
            kind = element.kind;
            size = kinds[kind].size;
            elements = call_memory_allocate(context->memory, (size_t)count, size);
            if (elements == NULL) {
                return false;
            }
        }
        else if (element.kind != kind) {
            return refuse_value(context);
        }
        /* Every member of the union begins where the union does. */
        memcpy(elements + (size_t)index * size, &element.value, size);
    }
    entry->kind = kinds[kind].list;
    entry->value.booleans = (const uint8_t *)elements;
    entry->count = (size_t)count;
    return true;
}

/* ---- Maps in ------------------------------------------------------------------------------ */

static bool
convert_entry(value_context *context, PyObject *value, none_meaning none,
              chroma_metadata_entry *entry)
{
    if (!PyUnicode_Check(context->key)) {
        return refuse_type(context->argument, context->key, "PyString");
    }
    if (!call_memory_keep(context->memory, context->key)
        || !string_argument(context->key, context->argument, &entry->key)) {
        return false;
    }
    if (value == Py_None && none != NONE_IS_REFUSED) {
        entry->kind = CHROMA_METADATA_NULL;
        return true;
    }
    if (PyList_Check(value)) {
        return convert_list(context, value, entry);
    }
    return convert_scalar(context, value, entry);
}

bool
metadata_argument(module_state *state, call_memory *memory, PyObject *given, const char *name,
                  none_meaning none, chroma_metadata *metadata)
{
    *metadata = (chroma_metadata){NULL, 0, 0, 0};
    if (given == Py_None) {
        return true;
    }
    if (!PyDict_Check(given)) {
        return refuse_type(name, given, "PyDict");
    }
    value_context context = {state, memory, name, NULL};
    size_t capacity = (size_t)PyDict_Size(given);
    chroma_metadata_entry *entries =
        call_memory_allocate(memory, capacity, sizeof(chroma_metadata_entry));
    if (entries == NULL) {
        return false;
    }
    size_t count = 0;
    Py_ssize_t position = 0;
    PyObject *value;
    while (PyDict_Next(given, &position, &context.key, &value)) {
        if (count == capacity) {
            PyErr_SetString(PyExc_RuntimeError, "dictionary changed size during iteration");
            return false;
        }
        if (!convert_entry(&context, value, none, &entries[count])) {
            return false;
        }
        count += 1;
    }
    *metadata = (chroma_metadata){entries, count, 1, 0};
    return true;
}

bool
metadatas_argument(module_state *state, call_memory *memory, PyObject *given, none_meaning none,
                   chroma_metadata **metadatas, size_t *count)
{
    *metadatas = NULL;
    *count = 0;
    if (given == Py_None) {
        return true;
    }
    PyObject *items = items_argument(memory, given, "metadatas");
    if (items == NULL) {
        return false;
    }
    Py_ssize_t length = PyTuple_Size(items);
    chroma_metadata *maps = call_memory_allocate(memory, (size_t)length, sizeof(chroma_metadata));
    if (maps == NULL) {
        return false;
    }
    for (Py_ssize_t index = 0; index < length; index++) {
        PyObject *item = PyTuple_GetItem(items, index);
        if (!metadata_argument(state, memory, item, "metadatas", none, &maps[index])) {
            return false;
        }
    }
    *metadatas = maps;
    *count = (size_t)length;
    return true;
}

/* ---- Out ---------------------------------------------------------------------------------- */

/* A new list of what element() makes of each element. */
static PyObject *
list_of(const chroma_metadata_entry *entry,
        PyObject *(*element)(const chroma_metadata_entry *, size_t))
{
    PyObject *list = PyList_New((Py_ssize_t)entry->count);
    for (size_t index = 0; list != NULL && index < entry->count; index++) {
        PyObject *item = element(entry, index);
        if (item == NULL) {
            Py_CLEAR(list);
            break;
        }
        PyList_SetItem(list, (Py_ssize_t)index, item);
    }
    return list;
}

static PyObject *
bool_element(const chroma_metadata_entry *entry, size_t index)
{
    return PyBool_FromLong(entry->value.booleans[index]);
}

static PyObject *
int_element(const chroma_metadata_entry *entry, size_t index)
{
    return PyLong_FromLongLong(entry->value.integers[index]);
}

static PyObject *
float_element(const chroma_metadata_entry *entry, size_t index)
{
    return PyFloat_FromDouble(entry->value.numbers[index]);
}

static PyObject *
string_element(const chroma_metadata_entry *entry, size_t index)
{
    return string_object(entry->value.strings[index]);
}

PyObject *
metadata_value_object(const chroma_metadata_entry *entry)
{
    switch (entry->kind) {
        case CHROMA_METADATA_BOOL:
            return PyBool_FromLong(entry->value.boolean);
        case CHROMA_METADATA_INT:
            return PyLong_FromLongLong(entry->value.integer);
        case CHROMA_METADATA_FLOAT:
            return PyFloat_FromDouble(entry->value.number);
        case CHROMA_METADATA_STRING:
            return string_object(entry->value.string);
        case CHROMA_METADATA_BOOLS:
            return list_of(entry, bool_element);
        case CHROMA_METADATA_INTS:
            return list_of(entry, int_element);
        case CHROMA_METADATA_FLOATS:
            return list_of(entry, float_element);
        case CHROMA_METADATA_STRINGS:
            return list_of(entry, string_element);
        default:
            PyErr_Format(PyExc_SystemError, "metadata of the unknown kind %d", (int)entry->kind);
            return NULL;
    }
}

/* Records mostly have the keys of the record before, in its order: their strings are shared. */
#define SHARED_KEY_COUNT 16

typedef struct {
    chroma_string texts[SHARED_KEY_COUNT];
    PyObject *keys[SHARED_KEY_COUNT];
} shared_keys;

/* The key as a new reference. */
static PyObject *
key_object(shared_keys *shared, size_t position, chroma_string text)
{
    if (position >= SHARED_KEY_COUNT) {
        return string_object(text);
    }
    const chroma_string *known = &shared->texts[position];
    if (shared->keys[position] == NULL || known->length != text.length
        || memcmp(known->data, text.data, text.length) != 0) {
        PyObject *key = string_object(text);
        if (key == NULL) {
            return NULL;
        }
        Py_XDECREF(shared->keys[position]);
        shared->keys[position] = key;
        shared->texts[position] = text;
    }
    Py_INCREF(shared->keys[position]);
    return shared->keys[position];
}

static PyObject *
map_object(const chroma_metadata *metadata, shared_keys *shared)
{
    if (metadata->present == 0) {
        Py_RETURN_NONE;
    }
    PyObject *map = PyDict_New();
    for (size_t index = 0; map != NULL && index < metadata->count; index++) {
        const chroma_metadata_entry *entry = &metadata->entries[index];
        PyObject *key = key_object(shared, index, entry->key);
        PyObject *value = key == NULL ? NULL : metadata_value_object(entry);
        if (value == NULL || PyDict_SetItem(map, key, value) < 0) {
            Py_CLEAR(map);
        }
        Py_XDECREF(key);
        Py_XDECREF(value);
    }
    return map;
}

static void
shared_keys_end(shared_keys *shared)
{
    for (size_t index = 0; index < SHARED_KEY_COUNT; index++) {
        Py_CLEAR(shared->keys[index]);
    }
}

PyObject *
metadata_list(const chroma_metadata *metadatas, size_t count)
{
    shared_keys shared = {0};
    PyObject *list = PyList_New((Py_ssize_t)count);
    for (size_t index = 0; list != NULL && index < count; index++) {
        PyObject *map = map_object(&metadatas[index], &shared);
        if (map == NULL) {
            Py_CLEAR(list);
            break;
        }
        PyList_SetItem(list, (Py_ssize_t)index, map);
    }
    shared_keys_end(&shared);
    return list;
}

PyObject *
metadata_object(const chroma_metadata *metadata)
{
    shared_keys shared = {0};
    PyObject *map = map_object(metadata, &shared);
    shared_keys_end(&shared);
    return map;
}
