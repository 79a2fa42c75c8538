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
#define LOOK_AGAIN  32u   /* the first time that the dearer way is tried once more */
#define LOOK_FACTOR 4u    /* and how much later each further one comes */
#define DOUBT_AFTER 8u    /* where a guess is all that speaks against staying */
#define HOPELESS    16u   /* but not where it is so much dearer */
#define SURPRISE    4u    /* a measurement counts for at most so many of the average */
#define QUIET_AFTER 16u   /* stretches that stayed, until the emulator runs freely */
#define GONE_MIN    8u    /* new addresses in a row that had to go, until they go at once */
#define GONE_LOOK   16u   /* but one in so many */
#define SHARE       64u   /* trying and looking may take one part in so many */
#define NAP_MAX     64u   /* and looking gets rarer by up to so much */
#define SKIP_MAX    16u   /* budgets that may pass unseen in protected mode */
#define INSNS_MIN   500u
#define NS_PER_S    1000000000u

enum way { STAY, SWITCH, WAYS };

struct record {
	uint64_t key;       /* linear address and mode; 0: free */
	uint64_t ns[WAYS];  /* of a stretch; 0: never tried */
	uint64_t guess;     /* what staying would have cost for ns[SWITCH] */
	bool guessed;       /* and ns[STAY] is such a guess */
	unsigned seen[WAYS]; /* `times` when it was measured last */
	unsigned count[WAYS]; /* measurements in ns[] */
	unsigned times, look_at;
};

struct policy {
	struct policy_config config;
	uint64_t first_guess; /* of a hand-over */
	struct record record[RECORDS];
	/* The stretch that runs; NULL: it is not seen. */
	struct record *stretch;
	enum way way;
	bool looks;         /* the dearer way, to see */
	uint64_t start;
	uint64_t paused;    /* since when; 0: it runs */
	bool due;           /* it is to be handed over as soon as virtual-8086 mode is left */
	uint64_t evicted;   /* ns that the stretch had stayed before it was handed over; 0: it was not */
	uint64_t emulated;  /* ns of the stretch in the emulator, since the hand-over */
	uint64_t crossed;   /* and in the channel */
	uint64_t looking;   /* ns in the channel that it would not have taken if left alone */
	uint64_t exits;     /* of the other engine when it got the stretch */
	uint64_t request;   /* when the emulator was asked last; 0: it was not */
	uint64_t limit;     /* instructions that it might have run then */
	uint64_t ps_per_insn; /* of the emulator */
	uint64_t crossing;  /* ns of the channel, there and back */
	uint64_t busy;      /* ns of the emulator, in all */
	uint64_t look_at;   /* `busy`, before which no hand-over is tried */
	bool free;          /* no exit of real mode is looked at */
	uint64_t wake_at;   /* `busy`, when they are again */
	unsigned nap;       /* times what a nap takes at least */
	unsigned stayed;    /* stretches in a row that stayed */
	unsigned gone;      /* of new addresses in a row, that went */
	unsigned skip, skipped;
	uint64_t stretches[WAYS], tries, changes;
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
	policy->first_guess = config->handover_ns;
	if (!config->now_ns)
		policy->config.now_ns = host_now;
	policy->skip = policy->nap = 1;
	policy->look_at = config->handover_ns * LOOK_AGAIN;
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

static uint64_t exits(const struct policy *policy)
{
	return policy->config.exits ? policy->config.exits(policy->config.owner) : 0;
}

/* There and back, the channel's part included. */
static uint64_t handover_ns(const struct policy *policy)
{
	return policy->config.handover_ns + policy->crossing;
}

static uint64_t average_by(uint64_t old, uint64_t value, unsigned weight)
{
	/* The host may have been elsewhere, but in less time than it takes it was not here. */
	uint64_t fair = MIN(value, SURPRISE * old), was = MIN(old, SURPRISE * value);
	return old ? MAX(was + fair / weight - was / weight, 1) : MAX(value, 1);
}

static uint64_t average(uint64_t old, uint64_t value)
{
	return average_by(old, value, WEIGHT);
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

static enum way best_way(const struct record *record)
{
	return record->ns[SWITCH] && record->ns[SWITCH] < record->ns[STAY] ? SWITCH : STAY;
}

/* Is the other way to be tried again? Staying costs what the hand-over does at most,
 * see rent_is_due(); a hand-over may cost anything, so what it did cost is saved up
 * before the next one. */
static bool is_time_to_look(const struct policy *policy, const struct record *record, enum way best)
{
	if (best == STAY)
		return record->times >= record->look_at && policy->busy >= policy->look_at;
	unsigned ago = record->times - record->seen[STAY];
	bool shrunk = record->guess < record->ns[SWITCH] / 2 && ago >= LOOK_AGAIN;
	bool hopeless = record->guess / HOPELESS >= record->ns[SWITCH];
	return shrunk || record->times >= record->look_at || (record->guessed && ago >= DOUBT_AFTER && !hopeless);
}

/* There are more addresses than places, or all are new: if the last ones had to go, this
 * one goes at once, but not each of them. */
static enum way choose_unseen(struct policy *policy)
{
	if (policy->gone < GONE_MIN || policy->gone % GONE_LOOK == 0)
		return STAY;
	policy->gone++;
	return SWITCH;
}

/* At first it stays, for as long as a hand-over would take; see rent_is_due(). */
static enum way choose(struct policy *policy, struct record *record)
{
	enum way best = best_way(record);
	record->times++;
	policy->looks = false;
	if (!is_worth_it(policy))
		return STAY;
	if (record->times == 1)
		return choose_unseen(policy);
	if (!is_time_to_look(policy, record, best))
		return best;
	record->look_at = record->times * LOOK_FACTOR;
	policy->looks = true;
	policy->tries++;
	return best == STAY ? SWITCH : STAY;
}

/* --- stretches ---------------------------------------------------------------------------- */

static void begin(struct policy *policy, struct record *record, enum way way, uint64_t at)
{
	policy->stretch = record;
	policy->way = way;
	policy->start = at;
	policy->due = false;
	policy->evicted = policy->emulated = policy->crossed = policy->looking = 0;
	policy->exits = way == SWITCH ? exits(policy) : 0;
}

/* The cheapest stretch that was seen is what a hand-over costs at most. It may become
 * dearer, but where all stretches are long they do not tell. */
static void learn_handover(struct policy *policy, uint64_t ns)
{
	uint64_t known = policy->config.handover_ns, most = policy->first_guess + policy->first_guess / 2;
	policy->config.handover_ns = ns < known ? MAX(ns, 1) : MAX(known, MIN(known + known / WEIGHT, most));
}

/* What the stretch, handed over for `ns`, would have taken the emulator. */
static uint64_t guess_stay(const struct policy *policy, uint64_t ns)
{
	uint64_t other = policy->emulated + policy->config.handover_ns + (exits(policy) - policy->exits) * policy->config.exit_ns;
	uint64_t run = ns > other ? ns - other : 0;
	double native_ps = 1000.0 * NS_PER_S / (double)policy->config.native_insns_per_second;
	uint64_t emulated = policy->emulated - MIN(policy->looking, policy->emulated);
	return policy->evicted + emulated + (uint64_t)((double)run * (double)policy->ps_per_insn / native_ps);
}

/* A hand-over that was tried and did not pay. It may have run more than the emulator
 * would have until the next exit of real mode. */
static void save_up(struct policy *policy, const struct record *record, uint64_t ns, uint64_t guess)
{
	uint64_t stay = MAX(record->ns[STAY], guess);
	if (policy->looks && !policy->evicted && ns > stay)
		policy->look_at = policy->busy + SHARE * (ns - stay);
}

/* The first one is for the second to replace: what runs for the first time is slow. The
 * next ones count evenly, until there are enough. */
static unsigned weight_of(const struct record *record, enum way way)
{
	return CLAMP(record->count[way], 1, WEIGHT);
}

static void learn(struct record *record, enum way way, uint64_t ns, bool anew)
{
	bool stale = record->times - record->seen[way] >= LOOK_AGAIN / 2;
	if (anew || stale)
		record->ns[way] = record->count[way] = 0;
	record->ns[way] = average_by(record->ns[way], ns, weight_of(record, way));
	record->count[way]++;
	record->seen[way] = record->times;
}

static void learn_stay(struct policy *policy, struct record *record, uint64_t ns)
{
	learn(record, STAY, ns, record->guessed);
	record->guessed = false;
	if (record->times == 1)
		policy->gone = 0;
}

/* Having stayed for longer than the hand-over used to take tells more than a guess. */
static void learn_switch(struct policy *policy, struct record *record, uint64_t ns)
{
	uint64_t guess = guess_stay(policy, ns);
	bool first = !record->ns[SWITCH];
	save_up(policy, record, ns, guess);
	learn_handover(policy, ns - MIN(policy->crossed, ns));
	record->guess = average_by(record->guess, guess, weight_of(record, SWITCH));
	learn(record, SWITCH, ns, false);
	if (!policy->evicted)
		return;
	record->seen[STAY] = record->times;
	record->guessed = first;
	record->ns[STAY] = MAX(record->ns[STAY], guess);
}

/* As long as nobody looks. */
static uint64_t stayed_ns(const struct policy *policy, uint64_t at)
{
	uint64_t ns = at - policy->start;
	return ns - MIN(policy->looking, ns);
}

static void end(struct policy *policy, uint64_t at)
{
	struct record *record = policy->stretch;
	if (!record)
		return;
	if (policy->way == STAY)
		learn_stay(policy, record, stayed_ns(policy, at));
	else
		learn_switch(policy, record, at - policy->start);
	policy->stretches[policy->way]++;
	policy->stayed = policy->way == STAY ? policy->stayed + 1 : 0;
	policy->stretch = NULL;
}

/* It has stayed for as long as a hand-over takes, or as it took when it was handed
 * over, and is still there: so it goes. That costs at most twice what knowing it
 * beforehand would have. ns until then. */
static uint64_t rent_left(const struct policy *policy, uint64_t at)
{
	uint64_t rent = MAX(handover_ns(policy), policy->stretch->ns[SWITCH]), paid = stayed_ns(policy, at);
	return rent > paid ? rent - paid : 0;
}

static bool rent_is_due(const struct policy *policy, uint64_t at)
{
	return policy->way == STAY && is_worth_it(policy) && !rent_left(policy, at);
}

static void evict(struct policy *policy, uint64_t at)
{
	uint64_t stayed = MAX(stayed_ns(policy, at), 1);
	policy->changes++;
	policy->stayed = 0;
	policy->gone += policy->stretch->times == 1;
	begin(policy, policy->stretch, SWITCH, at);
	policy->evicted = stayed;
}

/* --- the emulator's requests ---------------------------------------------------------------- */

/* Of the time that the request took to reach the emulator and to come back. Left alone,
 * it would come back when its limit is reached. */
static uint64_t cost_of_looking(const struct policy *policy, const struct ctx *ctx, uint64_t crossing)
{
	uint64_t early = policy->limit - MIN(ctx->insns_run, policy->limit);
	return (uint64_t)((double)crossing * (double)early / (double)MAX(policy->limit, 1));
}

static void measure(struct policy *policy, const struct ctx *ctx, uint64_t at)
{
	uint64_t took = at - policy->request, crossing = ctx->ns_run ? took - MIN(ctx->ns_run, took) : 0;
	policy->busy += took;
	policy->emulated += took;
	policy->crossing = average(policy->crossing, crossing);
	policy->crossed += crossing;
	policy->looking += cost_of_looking(policy, ctx, crossing);
	if (ctx->insns_run >= INSNS_MIN)
		policy->ps_per_insn = average(policy->ps_per_insn, (took - crossing) * 1000 / ctx->insns_run);
}

static bool is_vm86(const struct ctx *ctx)
{
	return (ctx->cr0 & CTX_CR0_PE) && (ctx->rflags & CTX_EFLAGS_VM);
}

static uint64_t insns_in(const struct policy *policy, uint64_t ns)
{
	return policy->ps_per_insn ? MAX(ns * 1000 / policy->ps_per_insn, INSNS_MIN) : INSNS_MIN;
}

bool policy_is_timed(const struct policy *policy)
{
	return policy->config.kind == POLICY_ADAPTIVE;
}

void policy_before(struct policy *policy, struct ctx *ctx)
{
	ctx->stays = 0;
	ctx->limit_blocks = policy->config.threshold;
	if (policy->config.kind == POLICY_V2E)
		return;
	policy->request = now(policy);
	policy->limit = ctx->limit_insns;
	ctx->limit_blocks = policy->free && !policy->stretch ? UINT64_MAX : 0;
	/* A virtual-8086 monitor has not left protected mode: the other engine would not come
	 * back for it. */
	bool inside = !ctx_is_real(ctx) || is_vm86(ctx);
	ctx->stays = policy->stretch && policy->way == STAY && inside && !policy->due;
	/* A stretch that is watched is looked at in time. */
	if (ctx->stays && is_worth_it(policy))
		ctx->limit_insns = MIN(ctx->limit_insns, insns_in(policy, rent_left(policy, policy->request)));
}

/* The emulator runs freely and happens to be in protected mode. */
static void look_from_here(struct policy *policy, const struct ctx *ctx, uint64_t at)
{
	if (++policy->skipped < policy->skip || !is_worth_it(policy))
		return;
	policy->skipped = 0;
	policy->skip = MIN(policy->skip * 2, SKIP_MAX);
	policy->looks = false;
	begin(policy, record_of(policy, ctx), STAY, at);
}

static void watch(struct policy *policy)
{
	policy->free = false;
	policy->skip = policy->nap = 1;
	policy->skipped = 0;
}

/* For a while that grows. */
static void be_free(struct policy *policy)
{
	if (!policy->free)
		policy->wake_at = policy->busy + SHARE * MAX(handover_ns(policy), QUIET_AFTER * policy->crossing) * policy->nap;
	policy->free = true;
}

/* What nothing was gained by may pay now, or may never have been tried. */
static void wake(struct policy *policy)
{
	if (!policy->free || policy->busy < policy->wake_at || !is_worth_it(policy))
		return;
	policy->free = false;
	policy->stayed = 0;
	policy->nap = MIN(policy->nap * 2, NAP_MAX);
}

/* Real mode was left. */
static bool leave_real(struct policy *policy, const struct ctx *ctx, uint64_t at)
{
	end(policy, at);
	struct record *record = record_of(policy, ctx);
	enum way way = choose(policy, record);
	if (way == SWITCH && !policy->looks)
		watch(policy);
	else if (way == STAY && (policy->stayed >= QUIET_AFTER || !is_worth_it(policy)))
		be_free(policy);
	if (way == STAY && policy->free)
		return false;
	begin(policy, record, way, at);
	return way == SWITCH;
}

static bool hand_over(struct policy *policy, uint64_t at)
{
	evict(policy, at);
	watch(policy);
	return true;
}

/* The emulator's budget is used up. */
static bool look_in_between(struct policy *policy, const struct ctx *ctx, uint64_t at)
{
	wake(policy);
	if (policy->stretch && rent_is_due(policy, at)) {
		policy->due = is_vm86(ctx);
		return !ctx_is_real(ctx) && hand_over(policy, at);
	}
	if (!policy->stretch && !ctx_is_real(ctx))
		look_from_here(policy, ctx, at);
	return false;
}

static bool adapt(struct policy *policy, const struct ctx *ctx, enum stop_reason reason)
{
	uint64_t at = now(policy);
	measure(policy, ctx, at);
	if (ctx->efer & CTX_EFER_LMA) {
		policy->stretch = NULL;
		return true;
	}
	if (reason == STOP_MODE)
		return policy->stretch && policy->due ? hand_over(policy, at) : leave_real(policy, ctx, at);
	if (reason == STOP_BUDGET)
		return look_in_between(policy, ctx, at);
	if (reason != STOP_HALT && reason != STOP_KICK)
		policy_forget(policy);
	return false;
}

bool policy_after(struct policy *policy, const struct ctx *ctx, enum stop_reason reason)
{
	return policy->config.kind == POLICY_V2E ? reason == STOP_MODE : adapt(policy, ctx, reason);
}

void policy_forget(struct policy *policy)
{
	policy->stretch = NULL;
}

void policy_pause(struct policy *policy)
{
	if (policy->stretch && !policy->paused)
		policy->paused = now(policy);
}

void policy_resume(struct policy *policy)
{
	if (policy->stretch && policy->paused)
		policy->start += now(policy) - policy->paused;
	policy->paused = 0;
}

void policy_print_stats(const struct policy *policy, FILE *out)
{
	fprintf(out, "policy %s\n", policy_name(policy->config.kind));
	if (policy->config.kind == POLICY_V2E)
		return;
	fprintf(out, "policy.stayed %" PRIu64 "\npolicy.switched %" PRIu64 "\npolicy.evicted %" PRIu64
	        "\npolicy.looks %" PRIu64 "\npolicy.handover_ns %" PRIu64 "\npolicy.emulator_ps_per_insn %" PRIu64 "\n",
	        policy->stretches[STAY], policy->stretches[SWITCH], policy->changes, policy->tries, policy->config.handover_ns,
	        policy->ps_per_insn);
}
