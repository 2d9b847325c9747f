/* Safety: backup, which is Engine's, and the module's functions on directories. */
#include "module.h"

/* A long call on directories: what it needs, and what came of it. */
typedef struct {
    chroma_engine *engine; /* Of a backup. */
    chroma_string source;
    chroma_string target; /* Of a backup or a restoration. */
    chroma_copy_view copy;
    chroma_report *report; /* Of a verification or a repair. */
    chroma_error *error;
    chroma_status status;
} recovery;

/* Runs it, and returns whether it succeeded; else an exception is set. */
static bool
recover(module_state *state, void (*work)(void *argument, const chroma_long_call *long_call),
        recovery *recovery, PyObject *progress)
{
    if (!run_long_call(work, recovery, progress)) {
        chroma_error_free(recovery->error);
        chroma_report_free(recovery->report);
        return false;
    }
    if (recovery->status != CHROMA_OK) {
        raise_error(state, recovery->status, recovery->error);
        return false;
    }
    return true;
}

static void
run_backup(void *argument, const chroma_long_call *long_call)
{
    recovery *self = argument;
    self->status =
        chroma_engine_backup(self->engine, self->target, long_call, &self->copy, &self->error);
}

METHOD(backup)
{
    engine_call call;
    recovery backup = {.copy = CHROMA_COPY_VIEW_INIT};
    PyObject *progress = count > 1 ? args[1] : Py_None;

    if (!engine_enter(self, &call, "backup", count, 1, 2)
        || !string_argument(args[0], "path", &backup.target)
        || !optional_callable_argument(progress, "progress")) {
        return NULL;
    }
    backup.engine = call.engine;
    return recover(call.state, run_backup, &backup, progress) ? copy_object(&backup.copy) : NULL;
}

/* ---- Functions ---------------------------------------------------------------------------- */

static bool
check_count(const char *function, Py_ssize_t given, Py_ssize_t maximum)
{
    if (given < maximum - 1 || given > maximum) {
        PyErr_Format(PyExc_TypeError, "%s() takes up to %zd positional arguments but %zd %s given",
                     function, maximum, given, given == 1 ? "was" : "were");
        return false;
    }
    return true;
}

static void
run_restore(void *argument, const chroma_long_call *long_call)
{
    recovery *self = argument;
    self->status = chroma_restore(self->source, self->target, long_call, &self->copy, &self->error);
}

static PyObject *
directory_restore(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    recovery restore = {.copy = CHROMA_COPY_VIEW_INIT};
    PyObject *progress = count > 2 ? args[2] : Py_None;

    if (!check_count("restore", count, 3) || !string_argument(args[0], "source", &restore.source)
        || !string_argument(args[1], "target", &restore.target)
        || !optional_callable_argument(progress, "progress")
        || !recover(PyModule_GetState(module), run_restore, &restore, progress)) {
        return NULL;
    }
    return copy_object(&restore.copy);
}

static void
run_verify(void *argument, const chroma_long_call *long_call)
{
    recovery *self = argument;
    self->status = chroma_verify(self->source, long_call, &self->report, &self->error);
}

static void
run_repair(void *argument, const chroma_long_call *long_call)
{
    recovery *self = argument;
    self->status = chroma_repair(self->source, long_call, &self->report, &self->error);
}

/* Verifies or repairs, and makes an object of the report. */
static PyObject *
report_on(PyObject *module, const char *function, PyObject *const *args, Py_ssize_t count,
          void (*work)(void *argument, const chroma_long_call *long_call),
          PyObject *(*object)(module_state *state, const chroma_report *report))
{
    module_state *state = PyModule_GetState(module);
    recovery recovery = {.copy = CHROMA_COPY_VIEW_INIT};
    PyObject *progress = count > 1 ? args[1] : Py_None;

    if (!check_count(function, count, 2) || !string_argument(args[0], "path", &recovery.source)
        || !optional_callable_argument(progress, "progress")
        || !recover(state, work, &recovery, progress)) {
        return NULL;
    }
    PyObject *answer = object(state, recovery.report);
    chroma_report_free(recovery.report);
    return answer;
}

static PyObject *
directory_verify(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    return report_on(module, "verify", args, count, run_verify, findings_object);
}

static PyObject *
directory_repair(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    return report_on(module, "repair", args, count, run_repair, repair_object);
}

/* By way of void (*)(void), for which compilers do not warn that the types differ. */
#define FUNCTION(name, parameters, doc) \
    { \
#name, (PyCFunction)(void (*)(void))directory_##name, METH_FASTCALL, \
            #name "($module, " parameters ", progress=None, /)\n--\n\n" doc \
    }

PyMethodDef directory_functions[] = {
    FUNCTION(restore, "source, target", "Copies a backup into a new or empty directory."),
    FUNCTION(verify, "path", "Everything that is damaged in a directory, as a list of dicts."),
    FUNCTION(repair, "path", "Rebuilds what can be rebuilt, and says what it did as a dict."),
    {NULL, NULL, 0, NULL},
};
