/* Waiting for a word that another thread or process changes. */
#ifndef V2E_SHARED_FUTEX_H
#define V2E_SHARED_FUTEX_H

#include <stdbool.h>
#include <stdint.h>

/* Returns true as soon as *word is not `value`, false after `ms` (-1: never)
 * with the word as it was. What the other side wrote before it changed the word
 * is to be seen then. */
bool futex_wait_while(const uint32_t *word, uint32_t value, int ms);

/* Stores `value` with release semantics and wakes who waits for it. */
void futex_set(uint32_t *word, uint32_t value);

#endif
