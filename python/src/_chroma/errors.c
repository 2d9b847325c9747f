/* From a chroma_status to an exception. The classes are chromadb.errors', imported at the first
 * error, and each is built from one sentence. */
#include "module.h"

static const char *
class_name(chroma_status status)
{
    switch (status) {
        case CHROMA_ERROR_INVALID_ARGUMENT:
        case CHROMA_ERROR_CLOSED:
            return "InvalidArgumentError";
        case CHROMA_ERROR_NOT_FOUND:
            return "NotFoundError";
        case CHROMA_ERROR_PERMISSION_DENIED:
            return "AuthorizationError";
        default:
            return "InternalError";
    }
}

/* Takes over the reference to the message, which may be NULL with an exception set. */
static PyObject *
raise_class(module_state *state, const char *class_name, PyObject *message)
{
    if (message == NULL) {
        return NULL;
    }
    PyObject *errors = imported(&state->errors, "chromadb.errors", NULL);
    PyObject *class = errors == NULL ? NULL : PyObject_GetAttrString(errors, class_name);
    if (class != NULL) {
        PyErr_SetObject(class, message);
        Py_DECREF(class);
    }
    Py_DECREF(message);
    return NULL;
}

PyObject *
raise_error(module_state *state, chroma_status status, chroma_error *error)
{
    return raise_error_as(state, class_name(status), error);
}

PyObject *
raise_error_as(module_state *state, const char *class_name, chroma_error *error)
{
    chroma_string text = chroma_error_message(error);
    PyObject *message = PyUnicode_DecodeUTF8(text.data, (Py_ssize_t)text.length, "replace");
    chroma_error_free(error);
    return raise_class(state, class_name, message);
}

PyObject *
raise_status(module_state *state, chroma_status status, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    PyObject *message = PyUnicode_FromFormatV(format, values);
    va_end(values);
    return raise_class(state, class_name(status), message);
}
