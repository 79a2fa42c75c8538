/* A stretch is what the guest runs from one exit of real mode to the next. What it
 * costs is measured from one to the other, so both ways of running it can be compared
 * though only one of them counts instructions.
 *
 * To see each exit costs a stop of the emulator. Where none of the last ones was worth
 * a hand-over, the emulator runs freely, and only a guest that is in protected mode
 * when its budget is used up is looked at again. */
#include "shared/policy.h"

#include <inttypes.h>
#include <string.h>

#include <glib.h>

#include "shared/channel.h"

#define RECORDS     256u
#define WEIGHT      8u    /* a new measurement counts for one part in so many */
#define LOOK_AGAIN  16u   /* the first time that the dearer way is tried once more */
#define LOOK_FACTOR 4u    /* and how much later each further one comes */
#define HOPELESS    16u   /* so much dearer, that it is not tried again */
#define SURPRISE    4u    /* a measurement counts for at most so many of the average */
#define QUIET_AFTER 16u   /* stretches that stayed, until the emulator runs freely */
#define SKIP_MAX    16u   /* budgets that may pass unseen in protected mode */
#define INSNS_MIN   500u
#define NS_PER_S    1000000000u

enum way { STAY, SWITCH, WAYS };

struct record {
	uint64_t key;       /* linear address and mode; 0: free */
	uint64_t ns[WAYS];  /* of a stretch; 0: never tried */
	uint64_t guess;     /* what staying would cost, by what the other engine took */
	unsigned seen[WAYS]; /* `times` when it was measured last */
	unsigned times, look_at;
};

struct policy {
	struct policy_config config;
	struct record record[RECORDS];
	/* The stretch that runs; NULL: it is not seen. */
	struct record *stretch;
	enum way way;
	uint64_t start;
	uint64_t evicted;   /* ns that the stretch had stayed before it was handed over; 0: it was not */
	uint64_t request;   /* when the emulator was asked last; 0: it was not */
	uint64_t ps_per_insn; /* of the emulator */
	bool free;          /* no exit of real mode is looked at */
	unsigned stayed;    /* stretches in a row that stayed */
	unsigned skip, skipped;
	uint64_t stretches[WAYS], looks, changes;
};

static const char *const names[] = { "v2e", "adaptive" };

const char *policy_name(enum policy_kind kind)
{
	return names[kind];
}

bool policy_parse(const char *name, enum policy_kind *kind)
{
	for (unsigned n = 0; n < G_N_ELEMENTS(names); n++)
		if (!strcmp(name, names[n])) {
			*kind = (enum policy_kind)n;
			return true;
		}
	return false;
}

static uint64_t host_now(void *owner)
{
	(void)owner;
	return channel_host_ns();
}

struct policy *policy_new(const struct policy_config *config)
{
	struct policy *policy = g_new0(struct policy, 1);
	policy->config = *config;
	if (!config->now_ns)
		policy->config.now_ns = host_now;
	policy->skip = 1;
	return policy;
}

void policy_free(struct policy *policy)
{
	g_free(policy);
}

static uint64_t now(const struct policy *policy)
{
	return policy->config.now_ns(policy->config.owner);
}

static uint64_t average(uint64_t old, uint64_t value)
{
	/* The host may have been elsewhere. */
	uint64_t fair = MIN(value, SURPRISE * old);
	return old ? MAX(old + fair / WEIGHT - old / WEIGHT, 1) : MAX(value, 1);
}

/* --- records -------------------------------------------------------------------------- */

/* Of two addresses that share a place the later one has it. */
static struct record *record_of(struct policy *policy, const struct ctx *ctx)
{
	uint64_t linear = ctx->seg[CTX_CS].base + ctx->rip;
	uint64_t mode = (ctx->cr0 & CTX_CR0_PG ? 2 : 0) | (ctx->seg[CTX_CS].access & CTX_SEG_DB ? 1 : 0);
	uint64_t key = linear << 3 | mode << 1 | 1;
	struct record *record = &policy->record[(linear ^ linear >> 8) % RECORDS];
	if (record->key != key)
		*record = (struct record){ .key = key, .look_at = LOOK_AGAIN };
	return record;
}

/* Is the other engine of any use, by the speed of both? */
static bool is_worth_it(const struct policy *policy)
{
	uint64_t native = policy->config.native_insns_per_second;
	return native && (!policy->ps_per_insn || 1000u * (uint64_t)NS_PER_S / native < policy->ps_per_insn);
}

/* At first it stays, for as long as a hand-over would take; see rent_is_due(). */
static enum way choose(struct policy *policy, struct record *record)
{
	enum way best = record->ns[SWITCH] && record->ns[SWITCH] < record->ns[STAY] ? SWITCH : STAY;
	enum way other = best == STAY ? SWITCH : STAY;
	record->times++;
	if (!is_worth_it(policy))
		return STAY;
	bool shrunk = best == SWITCH && record->guess < record->ns[SWITCH] / 2 && record->times - record->seen[STAY] >= LOOK_AGAIN;
	if (record->times < record->look_at && !shrunk)
		return best;
	record->look_at = record->times * LOOK_FACTOR;
	/* A stretch that is shorter than a hand-over has nothing to gain. */
	bool may_pay = best == SWITCH ? record->guess / HOPELESS < record->ns[SWITCH]
	                              : record->ns[STAY] > policy->config.handover_ns;
	policy->looks += may_pay;
	return may_pay ? other : best;
}

/* --- stretches ---------------------------------------------------------------------------- */

static void begin(struct policy *policy, struct record *record, enum way way, uint64_t at)
{
	policy->stretch = record;
	policy->way = way;
	policy->start = at;
	policy->evicted = 0;
}

/* The cheapest stretch that was seen is what a hand-over costs at most; that it may
 * have become dearer is allowed for. */
static void learn_handover(struct policy *policy, uint64_t ns)
{
	uint64_t known = policy->config.handover_ns;
	policy->config.handover_ns = ns < known ? MAX(ns, 1) : known + known / 64;
}

/* What the other engine ran in `ns` would have taken the emulator. */
static uint64_t emulated(const struct policy *policy, uint64_t ns)
{
	uint64_t run = ns > policy->config.handover_ns ? ns - policy->config.handover_ns : 0;
	double native_ps = 1000.0 * NS_PER_S / (double)policy->config.native_insns_per_second;
	return (uint64_t)((double)run * (double)policy->ps_per_insn / native_ps);
}

static void end(struct policy *policy, uint64_t at)
{
	struct record *record = policy->stretch;
	if (!record)
		return;
	uint64_t ns = at - policy->start;
	bool stale = record->times - record->seen[policy->way] >= LOOK_AGAIN;
	record->ns[policy->way] = average(stale ? 0 : record->ns[policy->way], ns);
	record->seen[policy->way] = record->times;
	if (policy->way == SWITCH) {
		learn_handover(policy, ns);
		record->guess = average(record->guess, policy->evicted + emulated(policy, ns));
	}
	if (policy->evicted)
		record->ns[STAY] = MAX(record->ns[STAY], policy->evicted + emulated(policy, ns));
	policy->stretches[policy->way]++;
	policy->stayed = policy->way == STAY ? policy->stayed + 1 : 0;
	policy->stretch = NULL;
}

/* It has stayed for as long as a hand-over takes, or as it took when it was handed
 * over, and is still there: so it goes. That costs at most twice what knowing it
 * beforehand would have. */
static bool rent_is_due(const struct policy *policy, uint64_t at)
{
	const struct record *record = policy->stretch;
	uint64_t rent = MAX(policy->config.handover_ns, record->ns[SWITCH]);
	return policy->way == STAY && is_worth_it(policy) && at - policy->start >= rent;
}

static void evict(struct policy *policy, uint64_t at)
{
	uint64_t stayed = MAX(at - policy->start, 1);
	policy->changes++;
	policy->stayed = 0;
	begin(policy, policy->stretch, SWITCH, at);
	policy->evicted = stayed;
}

/* --- the emulator's requests ---------------------------------------------------------------- */

static void measure_speed(struct policy *policy, const struct ctx *ctx, uint64_t at)
{
	if (ctx->insns_run >= INSNS_MIN)
		policy->ps_per_insn = average(policy->ps_per_insn, (at - policy->request) * 1000 / ctx->insns_run);
}

static uint64_t insns_in(const struct policy *policy, uint64_t ns)
{
	return policy->ps_per_insn ? MAX(ns * 1000 / policy->ps_per_insn, INSNS_MIN) : UINT64_MAX;
}

void policy_before(struct policy *policy, struct ctx *ctx)
{
	ctx->stays = 0;
	ctx->limit_blocks = policy->config.threshold;
	if (policy->config.kind == POLICY_V2E)
		return;
	policy->request = now(policy);
	ctx->limit_blocks = policy->free && !policy->stretch ? UINT64_MAX : 0;
	ctx->stays = policy->stretch && policy->way == STAY;
	/* A stretch that is watched is looked at in time. */
	if (ctx->stays && is_worth_it(policy))
		ctx->limit_insns = MIN(ctx->limit_insns, insns_in(policy, policy->config.handover_ns));
}

/* The emulator runs freely and happens to be in protected mode. */
static void look_from_here(struct policy *policy, const struct ctx *ctx, uint64_t at)
{
	if (++policy->skipped < policy->skip || !is_worth_it(policy))
		return;
	policy->skipped = 0;
	policy->skip = MIN(policy->skip * 2, SKIP_MAX);
	begin(policy, record_of(policy, ctx), STAY, at);
}

static void be_free(struct policy *policy, bool free)
{
	policy->free = free;
	policy->skipped = 0;
	if (!free)
		policy->skip = 1;
}

/* Real mode was left. */
static bool leave_real(struct policy *policy, const struct ctx *ctx, uint64_t at)
{
	end(policy, at);
	struct record *record = record_of(policy, ctx);
	enum way way = choose(policy, record);
	if (way == SWITCH)
		be_free(policy, false);
	else if (policy->stayed >= QUIET_AFTER || !is_worth_it(policy))
		be_free(policy, true);
	if (way == STAY && policy->free)
		return false;
	begin(policy, record, way, at);
	return way == SWITCH;
}

static bool adapt(struct policy *policy, const struct ctx *ctx, enum stop_reason reason)
{
	uint64_t at = now(policy);
	measure_speed(policy, ctx, at);
	if (ctx->efer & CTX_EFER_LMA) {
		policy->stretch = NULL;
		return true;
	}
	if (reason == STOP_MODE)
		return leave_real(policy, ctx, at);
	if (reason != STOP_BUDGET) { /* it slept, or was stopped: no time that counts */
		policy->stretch = NULL;
		return false;
	}
	if (ctx_is_real(ctx))
		return false;
	if (!policy->stretch) {
		look_from_here(policy, ctx, at);
		return false;
	}
	if (!rent_is_due(policy, at))
		return false;
	evict(policy, at);
	be_free(policy, false);
	return true;
}

bool policy_after(struct policy *policy, const struct ctx *ctx, enum stop_reason reason)
{
	return policy->config.kind == POLICY_V2E ? reason == STOP_MODE : adapt(policy, ctx, reason);
}

void policy_forget(struct policy *policy)
{
	policy->stretch = NULL;
}

void policy_print_stats(const struct policy *policy, FILE *out)
{
	fprintf(out, "policy %s\n", policy_name(policy->config.kind));
	if (policy->config.kind == POLICY_V2E)
		return;
	fprintf(out, "policy.stayed %" PRIu64 "\npolicy.switched %" PRIu64 "\npolicy.evicted %" PRIu64
	        "\npolicy.looks %" PRIu64 "\npolicy.handover_ns %" PRIu64 "\npolicy.emulator_ps_per_insn %" PRIu64 "\n",
	        policy->stretches[STAY], policy->stretches[SWITCH], policy->changes, policy->looks, policy->config.handover_ns,
	        policy->ps_per_insn);
}
