/* The code at places that events name, each place once: `code` holds bytes from
 * linear address `code_at` on, `bits` is 16 or 32. */
#ifndef V2E_SHARED_TRACE_SITE_H
#define V2E_SHARED_TRACE_SITE_H

#include "shared/mem.h"
#include "shared/trace.h"

#define TRACE_SITES      4096u /* past so many, places have no code */
#define TRACE_SITE_BYTES 32u

struct trace_sites;

struct trace_sites *trace_sites_new(void);
void trace_sites_free(struct trace_sites *sites); /* NULL is fine */

/* For an instruction at `ip` in the context's code segment. A change of CR0 right
 * before it is shown as well. As text: nothing. */
void trace_site_code(struct trace_sites *sites, struct trace_event *event, const struct ctx *ctx, struct mem *mem, uint64_t ip);

#endif
