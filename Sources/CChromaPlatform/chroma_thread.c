#include "chroma_thread.h"

#include <pthread.h>
#include <sys/resource.h>

#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

/* A refusal is no harm: the thread is then as urgent as any. */
void chroma_thread_lower_priority(void) {
#if defined(__linux__)
  /* Linux keeps a nice value for each thread, whatever POSIX says. */
  (void)setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), 19);
#elif defined(__APPLE__)
  (void)pthread_set_qos_class_self_np(QOS_CLASS_BACKGROUND, 0);
#endif
}
