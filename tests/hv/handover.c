/* What a hand-over to KVM and back costs in system calls to KVM, and what stays in the
 * vCPU on the way.
 *
 *	handover COUNT
 *
 * Status 0 if all is as it should be; what is not is printed. */
#define _GNU_SOURCE
#include <inttypes.h>
#include <linux/kvm.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <x86intrin.h>

#include <glib.h>

#include "hv/hv.h"

#define RAM_SIZE 0x100000u
#define AT_CODE  0x1000u
#define AT_WORD  0x2000u
#define AT_PAGES 0x3000u /* directory, table */
#define AT_TABLE 0x4000u
#define AT_GDT   0x7000u
#define WINDOW   0x60000u /* linear; shows one of these */
#define AT_FIRST 0x50000u
#define AT_OTHER 0x51000u
#define AT_THIRD 0x52000u

/* --- the calls, by counting them instead of libc ------------------------------------------ */

static struct {
	unsigned run, get_fpu, set_fpu, get_debug, set_tsc, set_sregs, set_slot, others;
	unsigned long other; /* the last of these */
} calls;

static void count(unsigned long request)
{
	if (request == KVM_RUN)
		calls.run++;
	else if (request == KVM_GET_XSAVE)
		calls.get_fpu++;
	else if (request == KVM_SET_XSAVE)
		calls.set_fpu++;
	else if (request == KVM_GET_DEBUGREGS)
		calls.get_debug++;
	else if (request == KVM_SET_DEVICE_ATTR)
		calls.set_tsc++;
	else if (request == KVM_SET_SREGS)
		calls.set_sregs++;
	else if (request == KVM_SET_USER_MEMORY_REGION)
		calls.set_slot++;
	else {
		calls.others++;
		calls.other = request;
	}
}

int ioctl(int fd, unsigned long request, ...)
{
	va_list list;
	va_start(list, request);
	void *argument = va_arg(list, void *);
	va_end(list);
	count(request);
	return (int)syscall(SYS_ioctl, fd, request, argument);
}

static void forget_calls(void) { memset(&calls, 0, sizeof calls); }

/* --- the engine ------------------------------------------------------------------------------ */

struct rig {
	struct mem *mem;
	struct bus *bus;
	struct clock *clock;
	struct cpu_pins pins;
	uint8_t *ram;
	struct engine *engine;
	struct ctx ctx;
	bool guards; /* MOV DR is the other engine's */
	bool quiet;  /* the debug registers need no call where the guest does not use them */
	bool shadows; /* KVM keeps copies of page tables */
	bool blind;  /* and nobody sees whether it has any */
	bool slow;   /* the TSC does, as it is slower than the emulator's */
};

/* ...; mov eax, cr0; and al, FEh; mov cr0, eax; nop; out 80h, al; jmp $: in 32-bit code.
 * A watch that sees no MOV to CR0 looks at the OUT. */
static const uint8_t leave[] = { 0x0f, 0x20, 0xc0, 0x24, 0xfe, 0x0f, 0x22, 0xc0, 0x90, 0xe6, 0x80, 0xeb, 0xfe };

static void set_code(struct rig *rig, const uint8_t *code, size_t size)
{
	memcpy(rig->ram + AT_CODE, code, size);
	memcpy(rig->ram + AT_CODE + size, leave, sizeof leave);
}
#define CODE(rig, ...) set_code(rig, (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }))

static void set_segment(struct ctx_seg *seg, uint16_t selector, uint32_t access)
{
	*seg = (struct ctx_seg){ .selector = selector, .limit = 0xffffffff, .access = access };
}

/* As the emulator gives it: at the code, in protected mode. */
static void enter(struct rig *rig)
{
	struct ctx *ctx = &rig->ctx;
	rig->engine->ops->new_epoch(rig->engine);
	ctx->cr0 = CTX_CR0_PE | CTX_CR0_ET;
	for (unsigned n = CTX_ES; n <= CTX_GS; n++)
		set_segment(&ctx->seg[n], 0x10, 0xc093);
	set_segment(&ctx->seg[CTX_CS], 0x08, 0xc09b);
	ctx->gdtr = (struct ctx_table){ .base = AT_GDT, .limit = 0x17 };
	ctx->rip = AT_CODE;
	ctx->gpr[CTX_RSP].e = 0x9ff0;
}

static enum stop_reason run(struct rig *rig)
{
	while (!rig->engine->ops->can_run(rig->engine, &rig->ctx))
		;
	return rig->engine->ops->run(rig->engine, &rig->ctx);
}

static bool leaves(struct rig *rig)
{
	enter(rig);
	return run(rig) == STOP_MODE && !(rig->ctx.cr0 & CTX_CR0_PE);
}

static void build(struct rig *rig)
{
	static const uint64_t gdt[] = { 0, 0x00cf9b000000ffff, 0x00cf93000000ffff };
	rig->mem = mem_new();
	rig->bus = bus_new();
	rig->clock = clock_new(CLOCK_KIND_REAL);
	struct mem_store *store = mem_store_new(rig->mem, "ram", RAM_SIZE);
	struct mem_region *region =
		mem_region_new(rig->mem, "ram", MEM_PRIORITY_RAM, MEM_REGION_READS | MEM_REGION_WRITES, store, 0, RAM_SIZE);
	mem_region_enable(region, 0);
	rig->ram = mem_store_data(store);
	memcpy(rig->ram + AT_GDT, gdt, sizeof gdt);
	ctx_reset(&rig->ctx, 0);
}

/* A breakpoint stops before `mov cr0`, which wants an emulator that goes on there. */
static enum hv_watch best_watch(const struct hv_probe *probe)
{
	return probe->watch[HV_WATCH_TRACE].usable ? HV_WATCH_TRACE : HV_WATCH_LAZY;
}

static bool open_engine(struct rig *rig, const struct hv_probe *probe, enum hv_watch watch)
{
	static const struct cpuid_leaf cpuid[] = {
		{ 0, 1, 0x756e6547, 0x6c65746e, 0x49656e69 }, { 1, 0x633, 0, 0, 0x0383f9ff & ~0x200u },
	};
	const struct hv_config config = {
		.mem = rig->mem, .bus = rig->bus, .clock = rig->clock, .pins = &rig->pins,
		.cpuid = cpuid, .cpuids = 2, .probe = probe, .watch = watch, .interpreted = true,
	};
	char *error = NULL;
	rig->engine = hv_new(&config, &error);
	rig->guards = probe->guards;
	rig->quiet = probe->guards || probe->witnesses;
	rig->shadows = probe->shadows && probe->mode[HV_MODE_PM32_PAGED].runs != HV_REFUSED;
	rig->blind = rig->shadows && watch != HV_WATCH_TRACE;
	if (!rig->engine)
		printf("handover: %s\n", error);
	return rig->engine;
}

/* --- checks ------------------------------------------------------------------------------------- */

static bool failed;

static void check(bool good, const char *what)
{
	printf("handover: %s: %s\n", good ? "ok" : "FAILED", what);
	if (!good)
		printf("handover: calls: %u KVM_RUN, %u and %u for the FPU, %u for debug registers, %u for the TSC, %u and %u for "
		       "page tables, %u others (%lx)\n", calls.run, calls.get_fpu, calls.set_fpu, calls.get_debug, calls.set_tsc,
		       calls.set_sregs, calls.set_slot, calls.others, calls.other);
	failed |= !good;
}

/* Nothing but KVM_RUN; the debug registers, where nothing else tells. */
static bool only_run_but_pages(const struct rig *rig, unsigned times)
{
	return calls.run >= times && calls.get_debug == (rig->quiet ? 0 : times) && !calls.get_fpu && !calls.set_fpu &&
	       (rig->slow || !calls.set_tsc) && !calls.others;
}

static bool only_run(const struct rig *rig, unsigned times)
{
	return only_run_but_pages(rig, times) && !calls.set_sregs && calls.set_slot == (rig->blind ? times : 0);
}

static void check_calls(struct rig *rig, unsigned times)
{
	bool good = true;
	uint64_t ticks = __rdtsc(), ns = clock_now(rig->clock);
	CODE(rig, 0x90);
	for (unsigned n = 0; n < 3; n++)
		good &= leaves(rig);
	forget_calls();
	for (unsigned n = 0; n < times; n++)
		good &= leaves(rig);
	rig->slow = __rdtsc() - ticks < clock_now(rig->clock) - ns;
	check(good && only_run(rig, times), "a guest without FPU costs KVM_RUN and nothing else");
	check(!rig->ctx.fpu_present, "the FPU's state has stayed in the vCPU");
}

static uint16_t control_word(const struct rig *rig)
{
	return (uint16_t)(rig->ctx.fxsave[0] | rig->ctx.fxsave[1] << 8);
}

static void check_fpu(struct rig *rig)
{
	forget_calls();
	cpu_pins_fetch_fpu(&rig->pins, &rig->ctx);
	cpu_pins_fetch_fpu(&rig->pins, &rig->ctx);
	check(calls.get_fpu == 1 && rig->ctx.fpu_present, "it is fetched once");
	check(leaves(rig) && !calls.set_fpu, "and not written back as it was");
	cpu_pins_fetch_fpu(&rig->pins, &rig->ctx);
	rig->ctx.fxsave[0] = 0x7f;
	rig->ctx.fxsave[1] = 0x02;
	CODE(rig, 0xd9, 0x3d, AT_WORD & 0xff, AT_WORD >> 8, 0, 0); /* fnstcw */
	check(leaves(rig) && calls.set_fpu == 1, "what was changed is written");
	check(rig->ram[AT_WORD] == 0x7f && rig->ram[AT_WORD + 1] == 0x02, "the guest sees it");
	CODE(rig, 0xdb, 0xe3); /* fninit */
	check(leaves(rig), "the guest changes it");
	cpu_pins_fetch_fpu(&rig->pins, &rig->ctx);
	check(control_word(rig) == 0x37f, "and that is what is fetched");
}

/* A reset or a restored state: the page's, though KVM has another. */
static void check_reset(struct rig *rig)
{
	ctx_reset(&rig->ctx, 0);
	CODE(rig, 0xdb, 0xe3);
	leaves(rig); /* KVM was given that one, and nobody has seen what became of it */
	ctx_reset(&rig->ctx, 0);
	CODE(rig, 0xd9, 0x3d, AT_WORD & 0xff, AT_WORD >> 8, 0, 0);
	check(leaves(rig) && rig->ram[AT_WORD] == 0x40 && rig->ram[AT_WORD + 1] == 0, "after a reset the guest has the page's FPU");
}

static bool leaves_by_run_only(struct rig *rig)
{
	CODE(rig, 0x90);
	forget_calls();
	return leaves(rig) && only_run(rig, 1);
}

static void check_guarded(struct rig *rig)
{
	/* mov eax, 1234h; mov dr0, eax */
	CODE(rig, 0xb8, 0x34, 0x12, 0, 0, 0x0f, 0x23, 0xc0);
	enter(rig);
	check(run(rig) == STOP_MODE && (rig->ctx.cr0 & CTX_CR0_PE) && rig->ctx.rip == AT_CODE + 5, "MOV DR is the other engine's");
}

static void check_native(struct rig *rig)
{
	CODE(rig, 0xb8, 0x34, 0x12, 0, 0, 0x0f, 0x23, 0xc0);
	check(leaves(rig) && rig->ctx.dr0 == 0x1234, "debug registers come to the page");
	check(leaves_by_run_only(rig) && rig->ctx.dr0 == 0x1234, "once");
	CODE(rig, 0x66, 0x0f, 0x23, 0xc8); /* mov dr1, eax, with a prefix that means nothing */
	rig->ctx.gpr[CTX_RAX].r = 0x2345;
	check(leaves(rig) && rig->ctx.dr1 == 0x2345, "as well behind a prefix");
	/* mov eax, dr2; mov [AT_WORD], ax */
	CODE(rig, 0x0f, 0x21, 0xd0, 0x66, 0xa3, AT_WORD & 0xff, AT_WORD >> 8, 0, 0);
	rig->ctx.dr2 = 0x3456;
	check(leaves(rig) && rig->ram[AT_WORD] == 0x56 && rig->ram[AT_WORD + 1] == 0x34, "what the page has goes to the guest");
	leaves_by_run_only(rig);
	CODE(rig, 0x0f, 0x21, 0xf0, 0x66, 0xa3, AT_WORD & 0xff, AT_WORD >> 8, 0, 0); /* dr6 */
	rig->ctx.dr6 |= 0x4000;
	check(leaves(rig) && (rig->ram[AT_WORD + 1] & 0x40), "and what was added to DR6");
	CODE(rig, 0xb8, 0x08, 0x04, 0, 0, 0x0f, 0x23, 0xf8); /* mov eax, 408h; mov dr7, eax */
	check(leaves(rig) && rig->ctx.dr7 == 0x408, "a breakpoint that the guest itself enables is known");
	rig->ctx.dr7 = 0x400;
	leaves_by_run_only(rig);
}

/* More instructions than a witness looks at, then MOV DR. */
static void check_long_stretch(struct rig *rig)
{
	/* again: add ebx, 1000h; dec ecx; jnz again; mov dr3, ebx */
	CODE(rig, 0x81, 0xc3, 0, 0x10, 0, 0, 0x49, 0x75, 0xf7, 0x0f, 0x23, 0xdb);
	rig->ctx.gpr[CTX_RBX].r = 0;
	rig->ctx.gpr[CTX_RCX].r = 1000;
	check(leaves(rig) && rig->ctx.dr3 == 1000 * 0x1000, "behind a long stretch too");
	CODE(rig, 0x0f, 0x23, 0xd3); /* mov dr2, ebx */
	rig->ctx.gpr[CTX_RBX].r = 0x4567;
	check(leaves(rig) && rig->ctx.dr2 == 0x4567, "and in the one after it");
	unsigned more = 0;
	while (!leaves_by_run_only(rig) && more < 100)
		more++;
	check(more < 20, "behind which nothing is moved soon");
}

static void check_debug(struct rig *rig)
{
	if (rig->guards) {
		check_guarded(rig);
	} else {
		check_native(rig);
		check_long_stretch(rig);
	}
	/* mov eax, dr1; mov [AT_WORD], ax; with a breakpoint, which makes them the guest's own */
	CODE(rig, 0x0f, 0x21, 0xc8, 0x66, 0xa3, AT_WORD & 0xff, AT_WORD >> 8, 0, 0);
	rig->ctx.dr1 = 0x5678;
	rig->ctx.dr7 = 0x408;
	check(leaves(rig) && rig->ram[AT_WORD] == 0x78 && rig->ram[AT_WORD + 1] == 0x56, "with a breakpoint they go to the guest");
	check(rig->ctx.dr1 == 0x5678 && rig->ctx.dr7 == 0x408 && !rig->ctx.dr6_kept, "and come back");
	rig->ctx.dr7 = 0x400;
	CODE(rig, 0x90);
	leaves(rig);
	check(leaves_by_run_only(rig), "without one, nothing is moved");
}

/* --- page tables --------------------------------------------------------------------------------- */

static void set_word(struct rig *rig, uint32_t at, uint32_t value)
{
	memcpy(rig->ram + at, &value, sizeof value);
}

static uint32_t word(const struct rig *rig, uint32_t at)
{
	uint32_t value;
	memcpy(&value, rig->ram + at, sizeof value);
	return value;
}

/* By the emulator, or a device: KVM has no part in it. */
static void show(struct rig *rig, uint32_t page)
{
	set_word(rig, AT_TABLE + (WINDOW >> 12) * 4, page | 0x67); /* accessed, dirty, user, writable, present */
}

static void build_tables(struct rig *rig)
{
	set_word(rig, AT_PAGES, AT_TABLE | 0x27);
	for (uint32_t page = 0; page < RAM_SIZE >> 12; page++)
		set_word(rig, AT_TABLE + page * 4, page << 12 | 0x67);
	for (uint32_t page = AT_FIRST; page <= AT_THIRD; page += 0x1000)
		set_word(rig, page, page);
	show(rig, AT_FIRST);
}

#define STOP_PORT 0x81

static void on_stop_port(void *owner, uint16_t port, unsigned size, uint32_t value)
{
	struct cpu_pins *pins = owner;
	(void)port, (void)size, (void)value;
	__atomic_store_n(&pins->stop, true, __ATOMIC_RELEASE);
	cpu_pins_attend(pins);
}

/* mov eax, [WINDOW]; mov [AT_WORD], eax; out STOP_PORT, al; jmp $ */
static const uint8_t look[] = {
	0xa1, 0, 0, WINDOW >> 16, 0, 0xa3, AT_WORD & 0xff, AT_WORD >> 8, 0, 0, 0xe6, STOP_PORT, 0xeb, 0xfe,
};

/* With paging on when it is handed over, and still when it comes back. */
static bool sees(struct rig *rig, uint32_t page)
{
	enter(rig);
	rig->ctx.cr0 |= CTX_CR0_PG;
	rig->ctx.cr3 = AT_PAGES;
	set_word(rig, AT_WORD, 0);
	bool stopped = run(rig) == STOP_KICK && (rig->ctx.cr0 & CTX_CR0_PG);
	rig->pins.stop = false;
	return stopped && word(rig, AT_WORD) == page;
}

static bool sees_by(struct rig *rig, uint32_t page, unsigned set_sregs)
{
	forget_calls();
	bool good = sees(rig, page) && only_run_but_pages(rig, 1);
	return good && calls.set_sregs == (rig->shadows ? 0 : set_sregs) && calls.set_slot == rig->shadows;
}

static void check_pages(struct rig *rig)
{
	build_tables(rig);
	set_code(rig, look, sizeof look);
	check(sees(rig, AT_FIRST) && sees(rig, AT_FIRST), "paging is on");
	check(rig->ctx.tlb_kept, "what KVM has cached is kept");
	check(sees_by(rig, AT_FIRST, 0), "page tables that nobody changed cost nothing but KVM's copies of them");
	show(rig, AT_OTHER);
	rig->ctx.tlb_kept = 0;
	check(sees_by(rig, AT_OTHER, 1), "an invalidated page is another one, for one call");
	check(sees_by(rig, AT_OTHER, 0), "once");
	show(rig, AT_THIRD);
	rig->ctx.cr3 = AT_PAGES;
	rig->ctx.tlb_kept = 0;
	check(sees_by(rig, AT_THIRD, 1), "and so it is with the same CR3 loaded anew");
	CODE(rig, 0x90);
	leaves(rig);
	check(leaves_by_run_only(rig), "without paging, nothing is moved");
}

/* The guest itself switches paging on and off in KVM. */
static bool pages_natively(struct rig *rig, uint32_t page)
{
	/* mov eax, AT_PAGES; mov cr3, eax; mov eax, cr0; bts eax, 31; mov cr0, eax; mov ebx, [WINDOW]; btr eax, 31; mov cr0, eax */
	CODE(rig, 0xb8, AT_PAGES & 0xff, AT_PAGES >> 8, 0, 0, 0x0f, 0x22, 0xd8, 0x0f, 0x20, 0xc0, 0x0f, 0xba, 0xe8, 31, 0x0f, 0x22, 0xc0,
	     0x8b, 0x1d, 0, 0, WINDOW >> 16, 0, 0x0f, 0xba, 0xf0, 31, 0x0f, 0x22, 0xc0);
	return leaves(rig) && rig->ctx.gpr[CTX_RBX].e == page;
}

static void check_native_pages(struct rig *rig)
{
	show(rig, AT_FIRST);
	check(pages_natively(rig, AT_FIRST), "the guest switches paging on and off in KVM");
	show(rig, AT_OTHER);
	check(pages_natively(rig, AT_OTHER), "and sees what was changed between");
}

/* --- each way ------------------------------------------------------------------------------------ */

static const struct bus_ops stop_port = { .name = "stop", .max_size = 1, .write = on_stop_port };

static bool check_way(const char *way, const struct hv_probe *probe, enum hv_watch watch, unsigned times)
{
	struct rig *rig = g_new0(struct rig, 1);
	printf("handover: debug registers: %s\n", way);
	build(rig);
	bus_claim(rig->bus, STOP_PORT, STOP_PORT, &stop_port, &rig->pins);
	bool opened = open_engine(rig, probe, watch);
	if (opened) {
		check_calls(rig, times);
		check_fpu(rig);
		check_reset(rig);
		check_debug(rig);
		if (probe->mode[HV_MODE_PM32_PAGED].runs == HV_REFUSED) {
			printf("handover: KVM refuses paging: it is not checked\n");
		} else {
			check_pages(rig);
			check_native_pages(rig);
		}
		rig->engine->ops->free(rig->engine);
	}
	mem_free(rig->mem);
	bus_free(rig->bus);
	clock_free(rig->clock);
	g_free(rig);
	return opened;
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return 2;
	unsigned times = (unsigned)atoi(argv[1]);
	struct hv_probe *probe = hv_probe();
	bool opened = !probe->error;
	enum hv_watch best = best_watch(probe);
	if (opened && probe->guards)
		opened = check_way("guarded", probe, best, times);
	probe->guards = false;
	/* Where they can be guarded this was not tried. */
	probe->witnesses = probe->watch[HV_WATCH_TRACE].usable;
	if (opened && probe->witnesses)
		opened = check_way("read where tracepoints tell of MOV DR", probe, best, times) &&
		         check_way("the same, and no tracepoint stops the guest", probe, HV_WATCH_LAZY, times);
	else
		printf("handover: no tracepoints: that they tell of MOV DR is not checked\n");
	probe->witnesses = false;
	opened = opened && check_way("read each time", probe, best, times);
	hv_probe_free(probe);
	return opened ? failed : 2;
}
