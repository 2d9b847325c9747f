/*
 * Calls that Ctrl-C ends, and that tell how far they have come.
 *
 * Python runs signal handlers on the main thread only, between its own instructions; a call that
 * held that thread would put them off until its end. So such a call of the main thread runs on a
 * helper thread, while the main thread sleeps, runs the handlers of signals that come in, and
 * cancels the call if one raises. A helper is kept for the next call: handing over takes about 8
 * microseconds, a new thread for each call 27.
 * A call of another thread runs on that thread, and ends early where a Cancel says so.
 *
 * A call whose progress somebody wants to know has a helper on every thread: the helper notes how
 * far it is, and the thread that waits tells it, at most twenty times a second.
 *
 * Invariants:
 *   * A call has a helper of its own until it has ended, so that a signal handler, or who is told
 *     of its progress, may itself call.
 *   * A fork finds no idle helper: they are ended before it. A process that was single-threaded but
 *     for them stays so, which Python checks, and a child has nothing to clean up.
 *   * A helper runs no Python code and takes no signal.
 */
#define _GNU_SOURCE
#include "module.h"

#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* A signal interrupts the sleep at once, except when it is handled just before the sleep begins or
 * on another thread. Then it waits for so long. */
#define SLEEP_NANOSECONDS 50000000

typedef struct call_helper {
    struct call_helper *next;
    pthread_t thread;
    sem_t asked;
    sem_t done;
    void (*work)(void *argument, chroma_cancel *cancel); /* NULL: the thread is to end. */
    void *argument;
    chroma_cancel *cancel;
} call_helper;

/* Held by a fork, too. */
static pthread_mutex_t idle_lock = PTHREAD_MUTEX_INITIALIZER;
static call_helper *idle_helpers = NULL;

/* ---- Helpers ------------------------------------------------------------------------------ */

static void
wait_for(sem_t *semaphore)
{
    while (sem_wait(semaphore) != 0) {
        /* Interrupted. */
    }
}

static void *
helper_main(void *argument)
{
    call_helper *self = argument;
    for (;;) {
        wait_for(&self->asked);
        if (self->work == NULL) {
            return NULL;
        }
        self->work(self->argument, self->cancel);
        sem_post(&self->done);
    }
}

static void
before_fork(void)
{
    pthread_mutex_lock(&idle_lock);
    while (idle_helpers != NULL) {
        call_helper *idle = idle_helpers;
        idle_helpers = idle->next;
        idle->work = NULL;
        sem_post(&idle->asked);
        pthread_join(idle->thread, NULL);
        sem_destroy(&idle->asked);
        sem_destroy(&idle->done);
        free(idle);
    }
}

static void
after_fork(void)
{
    pthread_mutex_unlock(&idle_lock);
}

static void
watch_forks(void)
{
    pthread_atfork(before_fork, after_fork, after_fork);
}

/* A new helper, or NULL where no thread can be started. */
static call_helper *
helper_create(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, watch_forks);
    call_helper *helper = calloc(1, sizeof *helper);
    if (helper == NULL) {
        return NULL;
    }
    sem_init(&helper->asked, 0, 0);
    sem_init(&helper->done, 0, 0);
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failure = pthread_create(&helper->thread, NULL, helper_main, helper);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failure != 0) {
        free(helper);
        return NULL;
    }
    return helper;
}

static call_helper *
helper_take(void)
{
    pthread_mutex_lock(&idle_lock);
    call_helper *helper = idle_helpers;
    if (helper != NULL) {
        idle_helpers = helper->next;
    }
    pthread_mutex_unlock(&idle_lock);
    return helper != NULL ? helper : helper_create();
}

static void
helper_give_back(call_helper *helper)
{
    pthread_mutex_lock(&idle_lock);
    helper->next = idle_helpers;
    idle_helpers = helper;
    pthread_mutex_unlock(&idle_lock);
}

/* ---- Progress ----------------------------------------------------------------------------- */

/* How far a call is: noted by the thread that works, told by the one that waits. */
typedef struct {
    PyObject *callback; /* Borrowed. */
    pthread_mutex_t lock;
    uint64_t done;
    uint64_t total;
    bool is_news;
} call_progress;

static void
progress_note(void *context, uint64_t done, uint64_t total)
{
    call_progress *self = context;
    pthread_mutex_lock(&self->lock);
    self->done = done;
    self->total = total;
    self->is_news = true;
    pthread_mutex_unlock(&self->lock);
}

/* Tells what was noted since the last time. Returns false if that raised. */
static bool
progress_tell(call_progress *self)
{
    pthread_mutex_lock(&self->lock);
    const bool is_news = self->is_news;
    const unsigned long long done = self->done, total = self->total;
    self->is_news = false;
    pthread_mutex_unlock(&self->lock);
    if (!is_news) {
        return true;
    }
    PyObject *answer = PyObject_CallFunction(self->callback, "KK", done, total);
    Py_XDECREF(answer);
    return answer != NULL;
}

/* ---- Calls -------------------------------------------------------------------------------- */

/* Whether the call ended within the time; a signal may end the sleep before. */
static bool
sleep_until_done(call_helper *busy)
{
    struct timespec deadline;
    clock_gettime(CLOCK_MONOTONIC, &deadline);
    deadline.tv_nsec += SLEEP_NANOSECONDS;
    if (deadline.tv_nsec >= 1000000000) {
        deadline.tv_sec += 1;
        deadline.tv_nsec -= 1000000000;
    }
    return sem_clockwait(&busy->done, CLOCK_MONOTONIC, &deadline) == 0;
}

typedef enum { CALL_COMPLETE, CALL_CANCELLED, CALL_LOST } call_outcome;

/* Waits for the end of the call. An exception is set unless it is complete. */
static call_outcome
wait_interruptibly(call_helper *busy, call_progress *progress)
{
    const pid_t process = getpid();
    bool is_done, has_raised = false;
    do {
        Py_BEGIN_ALLOW_THREADS
        is_done = sleep_until_done(busy);
        Py_END_ALLOW_THREADS
        if (!is_done && !has_raised) {
            has_raised = PyErr_CheckSignals() != 0;
            /* In a child, the lock on the progress may be the parent's for ever. */
            if (!has_raised && progress != NULL && process == getpid()) {
                has_raised = !progress_tell(progress);
            }
            if (has_raised && process == getpid()) {
                chroma_cancel_request(busy->cancel);
            }
        }
        if (process != getpid()) {
            /* A handler has forked. The helper, and with it the call, stayed in the parent. */
            if (!has_raised) {
                PyErr_SetString(PyExc_RuntimeError,
                                "A signal handler or a progress callback forked during this call, "
                                "which goes on in the parent process only.");
            }
            return CALL_LOST;
        }
    } while (!is_done);
    return has_raised ? CALL_CANCELLED : CALL_COMPLETE;
}

static bool
run(void (*work)(void *argument, chroma_cancel *cancel), void *argument, call_progress *progress)
{
    /* Python's main thread is the process's, except where a program embeds Python on another one;
     * there calls are not interrupted. */
    const bool needs_helper = progress != NULL || getpid() == gettid();
    call_helper *helper = needs_helper ? helper_take() : NULL;
    chroma_cancel *cancel = thread_cancel(), *own = NULL;
    if (helper != NULL && cancel == NULL) {
        if (chroma_cancel_create(&own, NULL) != CHROMA_OK) {
            helper_give_back(helper);
            helper = NULL;
        }
        cancel = own;
    }
    if (helper == NULL) {
        Py_BEGIN_ALLOW_THREADS
        work(argument, cancel);
        Py_END_ALLOW_THREADS
        return true;
    }
    helper->work = work;
    helper->argument = argument;
    helper->cancel = cancel;
    sem_post(&helper->asked);
    call_outcome outcome = wait_interruptibly(helper, progress);
    chroma_cancel_free(own);
    if (outcome != CALL_LOST) {
        helper_give_back(helper);
    }
    return outcome == CALL_COMPLETE;
}

bool
run_interruptibly(void (*read)(void *argument, chroma_cancel *cancel), void *argument)
{
    return run(read, argument, NULL);
}

/* A long call, as a helper runs it. */
typedef struct {
    void (*work)(void *argument, const chroma_long_call *long_call);
    void *argument;
    call_progress progress;
} long_work;

static void
run_long_work(void *argument, chroma_cancel *cancel)
{
    long_work *self = argument;
    chroma_long_call long_call = CHROMA_LONG_CALL_INIT;
    if (self->progress.callback != NULL) {
        long_call.progress = progress_note;
        long_call.progress_context = &self->progress;
    }
    long_call.cancel = cancel;
    self->work(self->argument, &long_call);
}

bool
run_long_call(void (*work)(void *argument, const chroma_long_call *long_call), void *argument,
              PyObject *progress)
{
    long_work long_work = {work, argument, {.lock = PTHREAD_MUTEX_INITIALIZER}};
    if (progress == Py_None) {
        return run(run_long_work, &long_work, NULL);
    }
    long_work.progress.callback = progress;
    return run(run_long_work, &long_work, &long_work.progress)
           && progress_tell(&long_work.progress);
}
