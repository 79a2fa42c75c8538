/* A channel to an engine that runs in a second thread. While it has the page the
 * conductor's thread sleeps, so that devices and engine still see one thread at a
 * time. */
#ifndef V2E_SHARED_CHANNEL_THREAD_H
#define V2E_SHARED_CHANNEL_THREAD_H

#include "shared/channel.h"

/* How the two threads wake each other. */
enum channel_wake {
	CHANNEL_FUTEX,   /* a word that the kernel lets them sleep on */
	CHANNEL_EVENTFD, /* two event counters, one each way: V2E's event channel */
};

/* The engine's thread takes no signals, so an engine whose kick() is a signal to
 * its own thread has to unblock it. Returns NULL with errno set. */
struct channel *channel_new_thread(struct engine *engine, enum channel_wake wake);

#endif
