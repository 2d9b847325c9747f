/*
 * Reads that Ctrl-C ends.
 *
 * Python runs signal handlers on the main thread only, between its own instructions; a read that
 * held that thread would put them off until its end. So a read of the main thread runs on a helper
 * thread, while the main thread sleeps, runs the handlers of signals that come in, and cancels the
 * read if one raises. A helper is kept for the next read: handing over takes about 8 microseconds,
 * a new thread for each read 27.
 *
 * Invariants:
 *   * A read has a helper of its own until it has ended, so that a signal handler may itself read.
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

typedef struct read_helper {
    struct read_helper *next;
    pthread_t thread;
    sem_t asked;
    sem_t done;
    void (*read)(void *argument, chroma_cancel *cancel); /* NULL: the thread is to end. */
    void *argument;
    chroma_cancel *cancel;
} read_helper;

/* Held by a fork, too. */
static pthread_mutex_t idle_lock = PTHREAD_MUTEX_INITIALIZER;
static read_helper *idle_helpers = NULL;

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
    read_helper *self = argument;
    for (;;) {
        wait_for(&self->asked);
        if (self->read == NULL) {
            return NULL;
        }
        self->read(self->argument, self->cancel);
        sem_post(&self->done);
    }
}

static void
before_fork(void)
{
    pthread_mutex_lock(&idle_lock);
    while (idle_helpers != NULL) {
        read_helper *idle = idle_helpers;
        idle_helpers = idle->next;
        idle->read = NULL;
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
static read_helper *
helper_create(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, watch_forks);
    read_helper *helper = calloc(1, sizeof *helper);
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

static read_helper *
helper_take(void)
{
    pthread_mutex_lock(&idle_lock);
    read_helper *helper = idle_helpers;
    if (helper != NULL) {
        idle_helpers = helper->next;
    }
    pthread_mutex_unlock(&idle_lock);
    return helper != NULL ? helper : helper_create();
}

static void
helper_give_back(read_helper *helper)
{
    pthread_mutex_lock(&idle_lock);
    helper->next = idle_helpers;
    idle_helpers = helper;
    pthread_mutex_unlock(&idle_lock);
}

/* ---- Reads -------------------------------------------------------------------------------- */

/* Whether the read ended within the time; a signal may end the sleep before. */
static bool
sleep_until_done(read_helper *busy)
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

typedef enum { READ_COMPLETE, READ_CANCELLED, READ_LOST } read_outcome;

/* Waits for the end of the read. An exception is set unless it is complete. */
static read_outcome
wait_interruptibly(read_helper *busy)
{
    const pid_t process = getpid();
    bool is_done, has_raised = false;
    do {
        Py_BEGIN_ALLOW_THREADS
        is_done = sleep_until_done(busy);
        Py_END_ALLOW_THREADS
        if (!is_done && !has_raised && PyErr_CheckSignals() != 0) {
            has_raised = true;
            chroma_cancel_request(busy->cancel);
        }
        if (process != getpid()) {
            /* A handler has forked. The helper, and with it the read, stayed in the parent. */
            if (!has_raised) {
                PyErr_SetString(PyExc_RuntimeError,
                                "A signal handler forked during this read, which goes on in the "
                                "parent process only.");
            }
            return READ_LOST;
        }
    } while (!is_done);
    return has_raised ? READ_CANCELLED : READ_COMPLETE;
}

bool
run_interruptibly(void (*read)(void *argument, chroma_cancel *cancel), void *argument)
{
    /* Python's main thread is the process's, except where a program embeds Python on another one;
     * there reads are not interrupted. */
    read_helper *helper = getpid() == gettid() ? helper_take() : NULL;
    chroma_cancel *cancel = NULL;
    if (helper != NULL && chroma_cancel_create(&cancel, NULL) != CHROMA_OK) {
        helper_give_back(helper);
        helper = NULL;
    }
    if (helper == NULL) {
        Py_BEGIN_ALLOW_THREADS
        read(argument, NULL);
        Py_END_ALLOW_THREADS
        return true;
    }
    helper->read = read;
    helper->argument = argument;
    helper->cancel = cancel;
    sem_post(&helper->asked);
    read_outcome outcome = wait_interruptibly(helper);
    chroma_cancel_free(cancel);
    if (outcome != READ_LOST) {
        helper_give_back(helper);
    }
    return outcome == READ_COMPLETE;
}
