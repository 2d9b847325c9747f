/* What Swift cannot say about threads. */
#ifndef CHROMA_THREAD_H
#define CHROMA_THREAD_H

/* Lets every other thread of the machine that has something to do go before the calling one. */
void chroma_thread_lower_priority(void);

#endif
