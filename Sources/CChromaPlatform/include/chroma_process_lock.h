/*
 * One lock for the tables that all threads of the process share, held across fork().
 *
 * Without it a child could inherit the lock of a table from a thread that it does not have, and
 * wait for it for ever. For moments only: whoever holds it must not block or take another lock.
 */
#pragma once

void chroma_process_lock(void);
void chroma_process_unlock(void);
