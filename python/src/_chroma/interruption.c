/*
 * Reads that Ctrl-C ends.
 *
 * Python runs signal handlers on the main thread only, between its own instructions; a read that
 * held that thread would put them off until its end. So a read of the main thread runs on a helper
 * thread, while the main thread sleeps, runs the handlers of signals that come in, and cancels the
 * read if one raises.
 *
 * Invariants:
 *   * Only the main thread touches the list of idle helpers; it needs no lock.
 *   * A read has a helper of its own until it has ended, so that a signal handler may itself read.
 *   * Helpers of the parent process are not there after a fork: the list belongs to one process.
 *   * A helper runs no Python code and takes no signal.
 */
#define _GNU_SOURCE
#include "module.h"

#include <errno.h>
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
    sem_t asked;
    sem_t done;
    void (*read)(void *argument, chroma_cancel *cancel);
    void *argument;
    chroma_cancel *cancel;
} read_helper;

static read_helper *idle_helpers = NULL;
static pid_t owner = 0;

static void *
helper_main(void *argument)
{
    read_helper *self = argument;
    for (;;) {
        while (sem_wait(&self->asked) != 0) {
        }
        self->read(self->argument, self->cancel);
        sem_post(&self->done);
    }
    return NULL;
}

/* An idle helper, or NULL where no thread can be started. */
static read_helper *
helper_take(void)
{
    if (owner != getpid()) {
        /* What the parent's helpers were doing here cannot be known: they are left as they are. */
        owner = getpid();
        idle_helpers = NULL;
    }
    read_helper *found = idle_helpers;
    if (found != NULL) {
        idle_helpers = found->next;
        return found;
    }
    found = calloc(1, sizeof *found);
    if (found == NULL) {
        return NULL;
    }
    sem_init(&found->asked, 0, 0);
    sem_init(&found->done, 0, 0);
    sigset_t all, before;
    pthread_t thread;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failure = pthread_create(&thread, NULL, helper_main, found);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failure != 0) {
        free(found);
        return NULL;
    }
    pthread_detach(thread);
    return found;
}

static void
helper_give_back(read_helper *used)
{
    used->next = idle_helpers;
    idle_helpers = used;
}

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

/* Waits for the end of the read. Returns false if a signal handler raised. */
static bool
wait_interruptibly(read_helper *busy)
{
    bool is_done, has_raised = false;
    do {
        Py_BEGIN_ALLOW_THREADS
        is_done = sleep_until_done(busy);
        Py_END_ALLOW_THREADS
        if (!is_done && !has_raised && PyErr_CheckSignals() != 0) {
            has_raised = true;
            chroma_cancel_request(busy->cancel);
        }
    } while (!is_done);
    return !has_raised;
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
    bool is_complete = wait_interruptibly(helper);
    chroma_cancel_free(cancel);
    helper_give_back(helper);
    return is_complete;
}
