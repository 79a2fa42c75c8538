/* A debugger's requests against the real emulator, one packet at a time. */
#include "tests/unit/emu_rig.h"

#include <glib.h>
#include <string.h>

#include "gdb/packet.h"
#include "gdb/target.h"

static struct rig *rig;
static struct gdb_target *target;
static GString *said, *console; /* the last packet; all O packets, decoded */

static void take(void *owner, const char *data, size_t size)
{
	(void)owner;
	if (data[0] == 'O' && data[1] != 'K') {
		g_autofree char *text = g_malloc0(size);
		ck_assert(gdb_packet_parse_hex(data + 1, size - 1, (uint8_t *)text));
		g_string_append(console, text);
		return;
	}
	g_string_truncate(said, 0);
	g_string_append_len(said, data, (gssize)size);
}

static void begin(struct rig *new_rig)
{
	rig = new_rig;
	said = g_string_new(NULL);
	console = g_string_new(NULL);
	target = gdb_target_new(rig->ctx, rig->machine->mem, take, NULL);
}

static void start(void) { begin(rig_new_real(EMU_CPU_P6)); }
static void start_protected(void) { begin(rig_new_protected(EMU_CPU_P6)); }

static void stop(void)
{
	gdb_target_free(target);
	g_string_free(said, TRUE);
	g_string_free(console, TRUE);
	rig_free(rig);
}

static enum gdb_action ask(const char *packet)
{
	return gdb_target_packet(target, packet, strlen(packet));
}

#define ck_answer(packet, text) do {                       \
	ck_assert_int_eq(ask(packet), GDB_ANSWERED);       \
	ck_assert_str_eq(said->str, text); } while (0)

/* Lets the guest run until there is something to report. */
static const char *run(const char *packet)
{
	enum stop_reason reason;
	ck_assert_int_eq(ask(packet), GDB_RESUME);
	g_string_truncate(console, 0);
	do {
		rig->ctx->halted = 0;
		reason = rig_step(rig, 20000);
		ck_assert(reason == STOP_DEBUG || reason == STOP_SHUTDOWN || reason == STOP_HALT);
	} while (!gdb_target_stopped(target, reason));
	gdb_target_report(target);
	return said->str;
}

static const char *monitor(const char *line)
{
	g_autoptr(GString) packet = g_string_new("qRcmd,");
	gdb_packet_append_hex(packet, line, strlen(line));
	g_string_truncate(console, 0);
	ck_answer(packet->str, "OK");
	return console->str;
}

static uint32_t pc(void) { return (uint32_t)(rig->ctx->seg[CTX_CS].base + rig->ctx->rip); }

START_TEST(registers_show_a_linear_pc)
{
	rig->ctx->rip = 0x1234;
	rig->ctx->gpr[CTX_RBX].e = 0x11223344;
	ck_answer("p3", "44332211");
	ck_answer("p8", "34120100");  /* 1000:1234 */
	ck_answer("pa", "00100000");
	ck_assert_int_eq(ask("g"), GDB_ANSWERED);
	ck_assert_mem_eq(said->str + 8 * 8, "34120100", 8);
	ck_answer("p63", "E14");
	ck_answer("pzz", "E14");
}
END_TEST

START_TEST(registers_are_written_as_far_as_they_can)
{
	ck_answer("P3=78563412", "OK");
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RBX].e, 0x12345678);
	ck_answer("P8=00ff0100", "OK");
	ck_assert_uint_eq(rig->ctx->rip, 0xff00);
	ck_answer("P8=00000300", "E14"); /* beyond CS */
	ck_answer("Pc=34120000", "OK");  /* DS */
	ck_assert_uint_eq(rig->ctx->seg[CTX_DS].base, 0x12340);
	ck_answer("Pc=00000100", "E14");
	ck_answer("P3=78", "E14");
	ck_answer("P3=7856341g", "E14");
	ck_answer("P9=02020200", "E14"); /* VM */
	ck_answer("P9=ffff0100", "OK");
	ck_assert_ptr_null(ctx_check(rig->ctx));
}
END_TEST

START_TEST(all_registers_come_and_go)
{
	ck_assert_int_eq(ask("g"), GDB_ANSWERED);
	g_autofree char *old = g_strdup(said->str), *packet = g_strconcat("G", said->str, NULL);
	memset(packet + 1, 'a', 8);
	ck_answer(packet, "OK");
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RAX].e, 0xaaaaaaaa);
	ck_assert_int_eq(ask("g"), GDB_ANSWERED);
	ck_assert_str_eq(said->str + 8, old + 8);
	ck_answer("Gbb", "OK"); /* cut short */
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RAX].e, 0xaaaaaaaa);
}
END_TEST

START_TEST(memory_is_linear)
{
	rig_set(rig, RIG_DATA, 4, 0x44332211);
	ck_answer("m20000,4", "11223344");
	ck_answer("M20001,2:aabb", "OK");
	ck_assert_uint_eq(rig_get(rig, RIG_DATA, 4), 0x44bbaa11);
	ck_assert_int_eq(gdb_target_packet(target, "X20000,3:\0$#", 12), GDB_ANSWERED);
	ck_assert_str_eq(said->str, "OK");
	ck_assert_uint_eq(rig_get(rig, RIG_DATA, 4), 0x44232400);
	ck_answer("X20000,0:", "OK");
	ck_answer("m7ffffe,8", "0000");  /* the end of RAM */
	ck_answer("m800000,4", "E14");
	ck_answer("M7ffffe,4:00000000", "E14");
	ck_answer("M20000,4:0000", "E14");
	ck_answer("m20000", "E14");
	ck_answer("mffffffffff,4", "E14");
	ck_answer("m,4", "E14");
	ask("m0,ffffffff");
	ck_assert_uint_le(said->len, GDB_PACKET_MAX);
}
END_TEST

START_TEST(memory_goes_through_page_tables)
{
	rig_paging(rig);
	rig_map(rig, 0x400000, RIG_DATA | PTE_P);
	rig_map(rig, 0x401000, 0);
	rig_set(rig, RIG_DATA, 4, 0x44332211);
	rig_set(rig, RIG_DATA + 0xffe, 2, 0x6655);
	ck_answer("m400000,4", "11223344");
	ck_answer("m400ffe,4", "5566");
	ck_answer("m401000,4", "E14");
	ck_assert_ptr_nonnull(strstr(monitor("pagetable 400123"), "00400123 is physical 00020123 in a page of 4 KiB"));
	ck_assert_ptr_nonnull(strstr(monitor("pagetable 401000"), "not mapped"));
	ck_assert_ptr_nonnull(strstr(monitor("pagetable"), "00400000-00400fff -> 000020000 r- supervisor"));
}
END_TEST

START_TEST(a_breakpoint_stops_before_its_instruction)
{
	CODE(rig, 0x40, 0x40, 0x40, 0xf4); /* inc ax, three times */
	ck_answer("Z0,10001,1", "OK");
	ck_answer("Z1,10002,1", "OK");
	ck_assert_str_eq(run("c"), "T05thread:1;swbreak:;");
	ck_assert_uint_eq(pc(), 0x10001);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RAX].x, 1);
	ck_assert_str_eq(run("vCont;c:1"), "T05thread:1;hwbreak:;");
	ck_assert_uint_eq(pc(), 0x10002);
	/* A debugger that jumps to a breakpoint wants it to stop. */
	ck_answer("P8=01000100", "OK");
	ck_assert_str_eq(run("c"), "T05thread:1;swbreak:;");
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RAX].x, 2);
	ck_answer("z0,10001,1", "OK");
	ck_answer("z0,10001,1", "OK");
	ck_answer("z1,10002,1", "OK");
	ck_assert_str_eq(run("c"), "T05thread:1;");
	ck_assert_ptr_nonnull(strstr(console->str, "halted"));
	ck_answer("Z5,0,1", "");
	ck_answer("Z0,", "E14");
}
END_TEST

START_TEST(there_are_so_many_breakpoints)
{
	char packet[32];
	for (unsigned n = 0; n < 63; n++) {
		snprintf(packet, sizeof packet, "Z0,%x,1", 0x20000 + n);
		ck_answer(packet, "OK");
	}
	ck_answer("Z0,20000,1", "OK");
	ck_answer("Z0,30000,1", "E14");
	ck_answer("z0,20000,1", "OK");
	ck_answer("Z0,10001,1", "OK");
	CODE(rig, 0x40, 0x40, 0xf4);
	ck_assert_str_eq(run("c"), "T05thread:1;swbreak:;");
}
END_TEST

START_TEST(watchpoints_tell_reads_from_writes)
{
	/* mov al,[4]; mov [4],ax; inc word [4]; hlt */
	CODE(rig, 0xa0, W(4), 0xa3, W(4), 0xff, 0x06, W(4), 0xf4);
	ck_answer("Z2,20005,1", "OK");
	ck_assert_str_eq(run("c"), "T05thread:1;watch:20005;");
	ck_assert_uint_eq(pc(), 0x10006);
	ck_assert_str_eq(run("c"), "T05thread:1;watch:20005;");
	ck_assert_uint_eq(pc(), 0x1000a);
	ck_answer("z2,20005,1", "OK");
	ck_answer("Z3,20004,2", "OK");
	ck_answer("P8=00000100", "OK");
	ck_assert_str_eq(run("c"), "T05thread:1;rwatch:20004;");
	ck_assert_uint_eq(pc(), 0x10003);
	ck_assert_str_eq(run("c"), "T05thread:1;rwatch:20004;");
	ck_assert_uint_eq(pc(), 0x1000a);
	ck_answer("z3,20004,2", "OK");
	ck_answer("Z4,20004,4", "OK");
	ck_answer("P8=00000100", "OK");
	ck_assert_str_eq(run("c"), "T05thread:1;awatch:20004;");
	ck_assert_str_eq(run("c"), "T05thread:1;awatch:20004;");
	ck_assert_uint_eq(pc(), 0x10006);
}
END_TEST

START_TEST(watchpoints_see_the_stack_and_strings)
{
	CODE(rig, 0x50, 0xbf, W(0x100), 0xb9, W(8), 0xf3, 0xaa, 0xf4); /* push ax; mov di; mov cx; rep stosb */
	ck_answer("Z2,2effe,2", "OK");
	ck_answer("Z2,20104,1", "OK");
	ck_assert_str_eq(run("c"), "T05thread:1;watch:2effe;");
	ck_assert_uint_eq(pc(), 0x10001);
	ck_assert_str_eq(run("c"), "T05thread:1;watch:20104;");
}
END_TEST

START_TEST(watchpoints_see_the_stack_of_a_far_call)
{
	CODE(rig, 0x9a, D(RIG_CODE + 7), W(SEL_CODE0), 0xcb, 0xf4); /* call far; retf, to itself */
	ck_answer("Z2,2fffc,4", "OK");
	ck_assert_str_eq(run("c"), "T05thread:1;watch:2fffc;");
	ck_answer("z2,2fffc,4", "OK");
	ck_answer("Z3,2fff8,4", "OK");
	ck_assert_str_eq(run("c"), "T05thread:1;rwatch:2fff8;");
}
END_TEST

START_TEST(steps_go_into_int_or_over_it)
{
	CODE(rig, 0xcd, 0x21, 0x90, 0xf4);
	rig_set(rig, 4 * 0x21, 4, 0x20000100);           /* 2000:0100 */
	CODE_AT(rig, RIG_DATA + 0x100, 0x43, 0xcf);      /* inc bx; iret */
	ck_assert_str_eq(run("s"), "T05thread:1;");
	ck_assert_uint_eq(pc(), 0x20100);
	ck_assert_str_eq(run("vCont;s:1;c"), "T05thread:1;");
	ck_assert_uint_eq(pc(), 0x20101);
	ck_assert_str_eq(run("s"), "T05thread:1;");
	ck_assert_uint_eq(pc(), 0x10002);
	monitor("step-int over");
	ck_answer("P8=00000100", "OK");
	ck_assert_str_eq(run("s"), "T05thread:1;");
	ck_assert_uint_eq(pc(), 0x10002);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RBX].x, 2);
	ck_assert_str_eq(run("s"), "T05thread:1;");
	ck_assert_uint_eq(pc(), 0x10003);
	/* What stops on the way is told. */
	ck_answer("P8=00000100", "OK");
	ck_answer("Z0,20101,1", "OK");
	ck_assert_str_eq(run("s"), "T05thread:1;swbreak:;");
	ck_assert_uint_eq(pc(), 0x20101);
}
END_TEST

START_TEST(a_step_waits_with_interrupts)
{
	CODE(rig, 0x90, 0x90, 0xf4);
	rig->ctx->rflags |= CTX_EFLAGS_IF;
	rig_interrupt(rig, 0x30);
	ck_assert_str_eq(run("s"), "T05thread:1;");
	ck_assert_uint_eq(pc(), 0x10001);
	monitor("break-int 30");
	ck_assert_str_eq(run("c"), "T05thread:1;");
	ck_assert_uint_eq(pc(), rig_handler(0x30));
	ck_assert_ptr_nonnull(strstr(console->str, "interrupt 30"));
}
END_TEST

START_TEST(interrupts_are_told_apart_by_ah)
{
	CODE(rig, 0xb4, 0x41, 0xcd, 0x13, 0xb4, 0x42, 0xcd, 0x13, 0xf4);
	rig_set(rig, 4 * 0x13, 4, 0x20000100);
	CODE_AT(rig, RIG_DATA + 0x100, 0xcf);
	ck_assert_ptr_nonnull(strstr(monitor("break-int 13 42"), "13 with AH = 42"));
	ck_assert_str_eq(run("c"), "T05thread:1;");
	ck_assert_uint_eq(pc(), 0x20100);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RAX].h, 0x42);
	monitor("break-int off");
	run("c");
	ck_assert_ptr_nonnull(strstr(console->str, "halted"));
}
END_TEST

START_TEST(a_mode_switch_stops_and_changes_the_description)
{
	/* mov eax, cr0; or al, 1; mov cr0, eax; hlt */
	CODE(rig, 0x0f, 0x20, 0xc0, 0x0c, 0x01, 0x0f, 0x22, 0xc0, 0xf4);
	ask("qXfer:features:read:target.xml:0,800");
	ck_assert_ptr_nonnull(strstr(said->str, "<architecture>i8086<"));
	monitor("break-mode");
	run("c");
	ck_assert_ptr_nonnull(strstr(console->str, "mode real -> pm16"));
	ck_assert_uint_eq(pc(), 0x10008);
	rig_load(rig, CTX_CS, SEL_CODE0);
	rig->ctx->seg[CTX_CS].access |= CTX_SEG_DB;
	ask("qXfer:features:read:target.xml:0,800");
	ck_assert_ptr_nonnull(strstr(said->str, "<architecture>i386<"));
	ck_assert_int_eq(said->str[0], 'm');
	ask("qXfer:features:read:target.xml:ffffff,800");
	ck_assert_str_eq(said->str, "l");
	ck_answer("qXfer:features:read:none.xml:0,800", "E00");
	ck_answer("qXfer:auxv:read::0,800", "");
	ck_answer("qXfer:memory-map:read::0", "E01");
}
END_TEST

START_TEST(monitor_breakpoints_are_seg_off)
{
	CODE(rig, 0x90, 0x90, 0x90, 0xf4);
	ck_assert_str_eq(monitor("break 0fff:0011"), "breakpoint 1 at 0fff:0011, linear 10001\n");
	ck_assert_str_eq(monitor("break 1000:2"), "breakpoint 2 at 1000:0002, linear 10002\n");
	ck_assert_str_eq(run("c"), "T05thread:1;");
	ck_assert_uint_eq(pc(), 0x10001);
	ck_assert_str_eq(console->str, "v2e: breakpoint 1, 0fff:0011\n");
	ck_assert_str_eq(monitor("delete 2"), "1: 0fff:0011 (linear 10001)\n");
	run("c");
	ck_assert_ptr_nonnull(strstr(console->str, "halted"));
	ck_assert_str_eq(monitor("delete"), "");
	ck_assert_ptr_nonnull(strstr(monitor("break 10000:0"), "SEG:OFF"));
	ck_assert_ptr_nonnull(strstr(monitor("break-int 100"), "monitor help"));
	ck_assert_ptr_nonnull(strstr(monitor("delete 7"), "no such breakpoint"));
	ck_assert_ptr_nonnull(strstr(monitor("delete x"), "wants the number"));
	ck_assert_str_eq(monitor("mode  now"), "'now' is too much; see monitor help\n");
	ck_assert_ptr_nonnull(strstr(monitor("break-int 10 4f 1"), "'1' is too much"));
	ck_assert_ptr_nonnull(strstr(monitor("frob"), "unknown command 'frob'"));
	ck_assert_ptr_nonnull(strstr(monitor(""), "break-mode"));
}
END_TEST

START_TEST(monitor_shows_tables)
{
	ck_assert_ptr_nonnull(strstr(monitor("gdt"), "0008 code32"));
	ck_assert_ptr_nonnull(strstr(monitor("idt"), "13 interrupt gate 32"));
	ck_assert_ptr_nonnull(strstr(monitor("regs"), "cs.selector 0008"));
	ck_assert_ptr_nonnull(strstr(monitor("mode"), "pm32 0008:00010000"));
	ck_assert_ptr_nonnull(strstr(monitor("pagetable"), "paging is off"));
	ck_assert_str_eq(monitor("ivt 13"), "13 0000:0000\n");
	/* Tables that are not there. */
	rig->ctx->gdtr.base = 0xf0000000;
	rig->ctx->idtr.base = 0xf0000000;
	ck_assert_ptr_nonnull(strstr(monitor("gdt"), "cannot be read"));
	ck_assert_ptr_nonnull(strstr(monitor("idt"), "cannot be read"));
}
END_TEST

START_TEST(a_triple_fault_is_shown_before_the_reset)
{
	CODE(rig, 0xcc);
	rig->ctx->idtr.limit = 0;
	ck_assert_str_eq(run("c"), "T0bthread:1;");
	ck_assert_uint_eq(pc(), RIG_CODE);
}
END_TEST

START_TEST(nothing_set_costs_nothing)
{
	ck_assert_int_eq(ask("c"), GDB_RESUME);
	ck_assert_uint_eq(rig->ctx->debug.armed, 0);
	ck_answer("Z0,5,1", "OK");
	ck_assert_int_eq(ask("c"), GDB_RESUME);
	ck_assert_uint_ne(rig->ctx->debug.armed, 0);
	gdb_target_reset(target);
	ck_assert_uint_eq(rig->ctx->debug.armed, 0);
	ck_answer("?", "T05thread:1;");
	ck_assert_int_eq(ask("D;1"), GDB_DETACH);
	ck_assert_int_eq(ask("k"), GDB_KILL);
	ck_assert_int_eq(ask("vKill;1"), GDB_KILL);
	ck_answer("vMustReplyEmpty", "");
	ck_answer("", "");
	ck_answer("vCont;t", "E14");
}
END_TEST

/* --- long mode ------------------------------------------------------------------- */

#define TABLES 0x30000u
#define HIGH   UINT64_C(0xffffff8000000000)

static void set_entry(uint32_t address, uint64_t value)
{
	rig_set(rig, address, 4, (uint32_t)value);
	rig_set(rig, address + 4, 4, (uint32_t)(value >> 32));
}

/* No engine here runs it; a debugger may look at it all the same. Tables of `levels`, whose
 * first and last entry map the first 2 MiB, and behind them a page of 4 KiB. */
static void enter_long(unsigned levels)
{
	struct ctx *ctx = rig->ctx;
	unsigned at = TABLES;
	for (unsigned level = levels; level > 2; level--, at += 0x1000) {
		set_entry(at, (at + 0x1000) | 3);
		set_entry(at + 0xff8, (at + 0x1000) | 3);
	}
	set_entry(at, 0x83);
	set_entry(at + 8, (at + 0x1000) | 7);
	set_entry(at + 0x1000, RIG_DATA | 7);
	ctx->cr3 = TABLES;
	ctx->cr4 = CTX_CR4_PAE | (levels == 5 ? CTX_CR4_LA57 : 0);
	ctx->cr0 |= CTX_CR0_PG;
	ctx->efer = CTX_EFER_LME | CTX_EFER_LMA;
	ctx->seg[CTX_CS].access = (ctx->seg[CTX_CS].access & ~CTX_SEG_DB) | CTX_SEG_L;
	ctx->rip = HIGH + RIG_CODE;
	ctx->gpr[CTX_RAX].r = UINT64_C(0x1122334455667788);
	ctx->gpr[CTX_RBX].r = 0x99;
	ctx->gpr[CTX_R8 + 7].r = UINT64_C(0xffffffff00000001);
}

START_TEST(long_mode_has_registers_of_its_own)
{
	enter_long(4);
	/* Until it has asked, the debugger has others: what fits, and no halves. */
	ck_answer("p0", "xxxxxxxx");
	ck_answer("p3", "99000000");
	ck_answer("p8", "00000100");
	ck_answer("P0=01000000", "E14");
	ck_assert(gdb_target_stopped(target, STOP_KICK));
	ck_assert_ptr_nonnull(strstr(console->str, "64-bit code"));
	ask("qXfer:features:read:target.xml:0,fff");
	ck_assert_ptr_nonnull(strstr(said->str, "<architecture>i386:x86-64</architecture>"));
	ck_assert_ptr_nonnull(strstr(said->str, "name=\"r15\""));
	g_string_truncate(console, 0);
	ck_assert(gdb_target_stopped(target, STOP_KICK));
	ck_assert_str_eq(console->str, "");
	ck_answer("p0", "8877665544332211");
	ck_answer("pf", "01000000ffffffff");
	ck_answer("p10", "0000010080ffffff");
	ck_answer("Pf=0807060504030201", "OK");
	ck_assert_uint_eq(rig->ctx->gpr[CTX_R8 + 7].r, UINT64_C(0x0102030405060708));
	ck_answer("P10=0000000000800000", "E14"); /* not canonical */
	ck_answer("P10=10000100ffffffff", "OK");
	ck_assert_uint_eq(rig->ctx->rip, UINT64_C(0xffffffff00010010));
	ck_assert_int_eq(ask("g"), GDB_ANSWERED);
	ck_assert_uint_eq(strspn(said->str, "0123456789abcdefx"), said->len);
	/* And back: R8 to R15 wait, the upper halves do not count. */
	rig->ctx->efer = 0;
	rig->ctx->rip = RIG_CODE;
	ck_answer("p0", "8877665500000000");
	ck_answer("pf", "0807060504030201");
	ck_answer("P0=8877665544332211", "E14");
}
END_TEST

START_TEST(long_mode_has_memory_high_up)
{
	enter_long(_i);
	rig_set(rig, RIG_DATA, 4, 0x44332211);
	ck_answer("mffffff8000020000,4", "11223344");
	ck_answer("m200000,4", "11223344");
	ck_answer("M200001,1:aa", "OK");
	ck_assert_uint_eq(rig_get(rig, RIG_DATA, 4), 0x4433aa11);
	ck_answer("m800000000000,4", "E14"); /* not canonical, or not mapped */
	ck_answer("m10000000000000000,4", "E14");
	ck_answer("mffff000000020000,4", _i == 4 ? "E14" : "11aa3344");
	ck_assert_ptr_nonnull(strstr(monitor("pagetable 200123"), "00200123 is physical 00020123 in a page of 4 KiB"));
	ck_assert_ptr_nonnull(strstr(console->str, _i == 4 ? "level 4: " : "level 5: "));
	ck_assert_ptr_nonnull(strstr(monitor("pagetable"), "00000000-001fffff -> 000000000 rw supervisor\n00200000-00200fff -> 000020000 rw supervisor\n"));
	ck_assert_ptr_nonnull(strstr(console->str, _i == 4 ? "ffffff8000000000-ffffff80001fffff" : "ffff000000000000-ffff0000001fffff"));
}
END_TEST

/* Tables that name themselves map more than anybody could walk through. */
START_TEST(page_tables_may_go_on_for_ever)
{
	enter_long(4);
	for (unsigned n = 0; n < 512; n++)
		set_entry(TABLES + 8 * n, TABLES | 3);
	ck_assert_ptr_nonnull(strstr(monitor("pagetable"), "there is more"));
}
END_TEST

START_TEST(long_mode_has_tables_of_its_own)
{
	enter_long(4);
	rig->ctx->gdtr = (struct ctx_table){ .base = RIG_DATA, .limit = 0x27 };
	rig->ctx->idtr = (struct ctx_table){ .base = RIG_DATA + 0x100, .limit = 0x1f };
	set_entry(RIG_DATA + 8, UINT64_C(0x00209b0000000000));
	set_entry(RIG_DATA + 16, UINT64_C(0x12008b5678900067));
	set_entry(RIG_DATA + 24, 0xffffff80);
	set_entry(RIG_DATA + 0x110, UINT64_C(0x89ab8e000008cdef));
	set_entry(RIG_DATA + 0x118, 0xffffffff);
	monitor("gdt");
	ck_assert_ptr_nonnull(strstr(console->str, "0008 code64 "));
	ck_assert_ptr_nonnull(strstr(console->str, "0010 busy TSS64         base ffffff8012567890 limit 00000067"));
	ck_assert_ptr_null(strstr(console->str, "0018 "));
	ck_assert_str_eq(monitor("idt"), "01 interrupt gate 64  0008:ffffffff89abcdef dpl 0\n");
}
END_TEST

/* What runs there does not stop, so nobody is to believe that it did. */
START_TEST(long_mode_says_that_it_does_not_stop)
{
	enter_long(4);
	ck_assert_int_eq(ask("vCont;s:1"), GDB_ANSWERED);
	ck_assert_str_eq(said->str, "T05thread:1;");
	ck_assert_ptr_nonnull(strstr(console->str, "no steps in long mode"));
	g_string_truncate(console, 0);
	ck_assert_int_eq(ask("c"), GDB_RESUME);
	ck_assert_str_eq(console->str, "");
	ck_answer("Z0,10001,1", "OK");
	ck_answer("Z0,ffffffff80000000,1", "E14");
	ck_assert_int_eq(ask("c"), GDB_RESUME);
	ck_assert_ptr_nonnull(strstr(console->str, "not seen in long mode"));
	/* A change of mode there is told when an engine sees it. */
	ck_assert_str_eq(monitor("break-mode long"), "break on mode switch: long\n");
	ck_assert_int_eq(ask("c"), GDB_RESUME);
	rig->ctx->efer = 0;
	rig->ctx->cr0 &= ~(uint64_t)CTX_CR0_PG;
	debug_note_mode(&rig->ctx->debug, rig->ctx);
	g_string_truncate(console, 0);
	ck_assert(gdb_target_stopped(target, STOP_DEBUG));
	ck_assert_ptr_nonnull(strstr(console->str, "mode long -> pm16, next is"));
}
END_TEST

Suite *suite_gdb_target(void)
{
	Suite *suite = RIG_SUITE("gdb target", start, stop, registers_show_a_linear_pc, registers_are_written_as_far_as_they_can,
	                         all_registers_come_and_go, memory_is_linear, a_breakpoint_stops_before_its_instruction,
	                         there_are_so_many_breakpoints, watchpoints_tell_reads_from_writes,
	                         watchpoints_see_the_stack_and_strings, steps_go_into_int_or_over_it, a_step_waits_with_interrupts,
	                         interrupts_are_told_apart_by_ah, a_mode_switch_stops_and_changes_the_description,
	                         monitor_breakpoints_are_seg_off, nothing_set_costs_nothing);
	TCase *tcase = tcase_create("protected");
	tcase_add_checked_fixture(tcase, start_protected, stop);
	tcase_add_test(tcase, memory_goes_through_page_tables);
	tcase_add_test(tcase, watchpoints_see_the_stack_of_a_far_call);
	tcase_add_test(tcase, monitor_shows_tables);
	tcase_add_test(tcase, long_mode_has_registers_of_its_own);
	tcase_add_loop_test(tcase, long_mode_has_memory_high_up, 4, 6);
	tcase_add_test(tcase, page_tables_may_go_on_for_ever);
	tcase_add_test(tcase, long_mode_has_tables_of_its_own);
	tcase_add_test(tcase, long_mode_says_that_it_does_not_stop);
	tcase_add_test(tcase, a_triple_fault_is_shown_before_the_reset);
	suite_add_tcase(suite, tcase);
	return suite;
}
