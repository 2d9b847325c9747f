#include "chroma_process_lock.h"

#include <pthread.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

void chroma_process_lock(void) {
  pthread_mutex_lock(&lock);
}

void chroma_process_unlock(void) {
  pthread_mutex_unlock(&lock);
}

/* The forking thread takes the lock before and gives it back on both sides after. */
__attribute__((constructor)) static void hold_across_fork(void) {
  pthread_atfork(chroma_process_lock, chroma_process_unlock, chroma_process_unlock);
}
