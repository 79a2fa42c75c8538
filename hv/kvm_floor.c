/* What a hand-over contains that is KVM's or the page's own: the least it can cost. */
#include <errno.h>
#include <string.h>

#include <glib.h>

#include "hv/kvm_guest.h"
#include "hv/kvm_private.h"

/* out PORT, al; jmp back */
static const uint8_t exit_code[] = { 0xe6, KVM_GUEST_PORT, 0xeb, 0xfc };
/* mov eax, cr0; and al, FEh; mov cr0, eax; nop; out PORT, al. The stop is at the MOV,
 * behind it or, where KVM interprets, behind the NOP. */
static const uint8_t stop_code[] = { 0x0f, 0x20, 0xc0, 0x24, 0xfe, 0x0f, 0x22, 0xc0, 0x90, 0xe6, KVM_GUEST_PORT };
#define AT_MOVE (KVM_GUEST_CODE + 5)

struct hv_floor {
	enum hv_floor_kind kind;
	struct kvm_guest guest;
	bool open;
	struct kvm_watch *watch;
	struct kvm_regs regs;   /* the state to load */
	struct kvm_sregs sregs;
	uint32_t move;          /* where its `mov cr0` is */
	struct ctx ctx;         /* HV_FLOOR_PAGE */
	struct kvm_sync_regs page;
};

static bool stops(const struct hv_floor *floor)
{
	return floor->kind == HV_FLOOR_STOP || floor->kind == HV_FLOOR_TRIP;
}

static int begin(struct hv_floor *floor)
{
	int vcpu = floor->guest.vm.vcpu;
	bool leaves = stops(floor);
	kvm_guest_set_code(&floor->guest, leaves ? stop_code : exit_code, leaves ? sizeof stop_code : sizeof exit_code);
	int result = kvm_guest_set_mode(&floor->guest, HV_MODE_PM32, 0);
	if (!result)
		result = kvm_vm_ioctl(vcpu, KVM_GET_REGS, &floor->regs);
	if (!result)
		result = kvm_vm_ioctl(vcpu, KVM_GET_SREGS, &floor->sregs);
	floor->sregs.tr.type = floor->guest.tr_not_busy ? 9 : 11;
	floor->move = AT_MOVE;
	return result;
}

#define MOV_CR0_SIZE 3

/* The first `mov cr0, eax` from there on. */
static uint32_t find_move(const struct hv_floor *floor, uint64_t linear)
{
	static const uint8_t move[MOV_CR0_SIZE] = { 0x0f, 0x22, 0xc0 };
	for (uint64_t at = linear; at + MOV_CR0_SIZE <= KVM_GUEST_MEMORY; at++)
		if (!memcmp(floor->guest.memory + at, move, sizeof move))
			return (uint32_t)at;
	return 0;
}

static void take_guest(struct hv_floor *floor, const struct hv_floor_guest *guest)
{
	const struct kvm_ctx_quirks quirks = { .tr_not_busy = floor->guest.tr_not_busy };
	memcpy(floor->guest.memory, guest->memory, MIN(guest->size, KVM_GUEST_MEMORY));
	kvm_ctx_to_regs(guest->ctx, &floor->regs);
	kvm_ctx_to_sregs(guest->ctx, &floor->sregs, &quirks);
	floor->move = find_move(floor, guest->ctx->seg[CTX_CS].base + guest->ctx->rip);
}

static bool open_watch(struct hv_floor *floor, enum hv_watch watch, char **error)
{
	if (!stops(floor))
		return true;
	if (!(floor->watch = kvm_watch_new(&floor->guest.vm, watch, NULL, error)))
		return false;
	kvm_watch_add_site(floor->watch, floor->move);
	return true;
}

static bool open_guest(struct hv_floor *floor, enum hv_watch watch, const struct hv_floor_guest *guest, char **error)
{
	if (kvm_guest_open(&floor->guest, error))
		return false;
	floor->open = true;
	int result = begin(floor);
	if (result)
		*error = g_strdup_printf("/dev/kvm takes no guest: %s; see the kernel's log", g_strerror(-result));
	if (!result && floor->kind == HV_FLOOR_TRIP)
		take_guest(floor, guest);
	return !result && open_watch(floor, watch, error);
}

struct hv_floor *hv_floor_new(enum hv_floor_kind kind, enum hv_watch watch, const struct hv_floor_guest *guest, char **error)
{
	struct hv_floor *floor = g_new0(struct hv_floor, 1);
	floor->kind = kind;
	if (kind == HV_FLOOR_PAGE) {
		ctx_reset(&floor->ctx, 0);
		return floor;
	}
	if (open_guest(floor, watch, guest, error))
		return floor;
	hv_floor_free(floor);
	return NULL;
}

void hv_floor_free(struct hv_floor *floor)
{
	if (!floor)
		return;
	kvm_watch_free(floor->watch);
	if (floor->open)
		kvm_guest_close(&floor->guest);
	g_free(floor);
}

static bool stop_once(struct hv_floor *floor)
{
	struct kvm_run *run = floor->guest.vm.run;
	run->s.regs.regs = floor->regs;
	run->s.regs.sregs = floor->sregs;
	run->kvm_dirty_regs = KVM_SYNC_X86_REGS | KVM_SYNC_X86_SREGS;
	if (kvm_watch_arm(floor->watch))
		return false;
	run->immediate_exit = 0;
	/* KVM may come back for a signal of somebody else's. */
	for (unsigned tries = 0; tries < 16; tries++) {
		int result = kvm_guest_run(&floor->guest);
		if (result && result != -EINTR)
			return false;
		run->immediate_exit = 0;
		if (kvm_watch_look(floor->watch, result == -EINTR) != KVM_WATCH_GO_ON)
			return true;
	}
	return false;
}

/* What kvm_run.c moves when a context comes and goes. */
static void page_once(struct hv_floor *floor)
{
	const struct kvm_ctx_quirks quirks = { .tr_not_busy = false };
	struct kvm_sync_regs *page = &floor->page;
	kvm_ctx_to_regs(&floor->ctx, &page->regs);
	page->sregs = floor->sregs;
	kvm_ctx_to_sregs(&floor->ctx, &page->sregs, &quirks);
	kvm_ctx_to_events(&floor->ctx, &page->events);
	/* The compiler is to think that somebody looks. */
	__asm__ volatile("" : : "r"(page) : "memory");
	kvm_ctx_from_regs(&floor->ctx, &page->regs);
	kvm_ctx_from_sregs(&floor->ctx, &page->sregs);
	kvm_ctx_from_events(&floor->ctx, &page->events);
	floor->sregs = page->sregs;
}

bool hv_floor_run(struct hv_floor *floor, unsigned times)
{
	bool good = true;
	kvm_watch_set_thread_run(stops(floor) ? floor->guest.vm.run : NULL);
	for (unsigned n = 0; good && n < times; n++) {
		if (floor->kind == HV_FLOOR_EXIT)
			good = kvm_guest_run_to_port(&floor->guest);
		else if (stops(floor))
			good = stop_once(floor);
		else
			page_once(floor);
	}
	kvm_watch_set_thread_run(NULL);
	return good;
}
