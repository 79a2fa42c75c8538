/* There is no static libslirp, and no network is wanted here: what v2e would call of it. */
#include <stdlib.h>

#define ABSENT(name)          \
	void name(void);      \
	void name(void)       \
	{                     \
		abort();      \
	}
ABSENT(slirp_add_hostfwd)
ABSENT(slirp_cleanup)
ABSENT(slirp_input)
ABSENT(slirp_new)
ABSENT(slirp_pollfds_fill)
ABSENT(slirp_pollfds_poll)
