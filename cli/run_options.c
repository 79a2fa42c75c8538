#include "cli/run_options.h"

#include <string.h>

#include "cli/monitor.h"
#include "cli/run_options_internal.h"
#include "cli/units.h"
#include "gdb/server.h"
#include "shared/log.h"

#define MIB (UINT64_C(1) << 20)

/* Setters, in the order of the table. */

bool run_options_set_file(char **to, const char *value, char **error)
{
	if (!*value) {
		*error = g_strdup("the file name is empty; give one");
		return false;
	}
	g_free(*to);
	*to = g_strdup(value);
	return true;
}

bool run_options_add_file(GPtrArray *to, const char *value, char **error)
{
	char *file = NULL;
	if (!run_options_set_file(&file, value, error))
		return false;
	g_ptr_array_add(to, file);
	return true;
}

static bool add_do(void *target, const char *value, char **error)
{
	struct run_options *options = target;
	return script_parse_line(options->script, "--do", ++options->dos, value, error);
}

static bool add_script(void *target, const char *value, char **error)
{
	struct run_options *options = target;
	return script_parse_file(options->script, value, error);
}

static bool set_gdb(void *target, const char *value, char **error)
{
	struct run_options *options = target;
	if (gdb_server_names_place(value))
		return run_options_set_file(&options->gdb, value, error);
	*error = g_strdup_printf("'%s' is no place for a debugger; give a port such as 1234, or unix:FILE", value);
	return false;
}

static bool set_gdb_nowait(void *target, const char *value, char **error)
{
	struct run_options *options = target;
	(void)value, (void)error;
	options->gdb_nowait = true;
	return true;
}

static bool set_monitor(void *target, const char *value, char **error)
{
	struct run_options *options = target;
	if (monitor_names_place(value))
		return run_options_set_file(&options->monitor, value, error);
	*error = g_strdup_printf("'%s' is no place for a monitor; give stdio or unix:FILE", value);
	return false;
}

static bool set_timeout(void *target, const char *value, char **error)
{
	struct run_options *options = target;
	return units_parse_time(value, &options->timeout, error);
}

static bool set_log(void *target, const char *value, char **error)
{
	struct run_options *options = target;
	return run_options_set_file(&options->log, value, error);
}

static bool set_stats(void *target, const char *value, char **error)
{
	struct run_options *options = target;
	(void)value, (void)error;
	options->stats = true;
	return true;
}

static bool set_help(void *target, const char *value, char **error)
{
	struct run_options *options = target;
	(void)value, (void)error;
	options->help = true;
	return true;
}

static bool set_man(void *target, const char *value, char **error)
{
	struct run_options *options = target;
	(void)value, (void)error;
	options->man = true;
	return true;
}

static const struct option_row rows[] = {
	{ .heading = "Images", .name = "type", .argument = "KIND",
	  .values = "auto cdrom disk floppy boot-sector bios linux multiboot multiboot2 elf flat",
	  .help = "what IMAGE or the kernel is (default: auto, detected)",
	  .manual = "auto, cdrom, disk, floppy, boot-sector, bios, linux, multiboot, multiboot2, elf or flat. The last five "
	            "are kernels.", .set = run_options_set_type },
	{ .name = "cdrom", .argument = "FILE", .help = "ISO image in a CD-ROM drive",
	  .manual = "May be repeated. Disks and CD-ROM drives share four IDE connectors.",
	  .set = run_options_add_cdrom, .repeats = true },
	{ .name = "disk", .argument = "FILE", .help = "raw image of a hard disk, or a block device",
	  .manual = "May be repeated. The guest writes to FILE unless --snapshot is given.",
	  .set = run_options_add_disk, .repeats = true },
	{ .name = "floppy", .argument = "FILE", .help = "image of a floppy disk, or a boot sector",
	  .manual = "May be repeated: drive A, then drive B. A boot sector is put onto a blank 1.44M floppy in memory.",
	  .set = run_options_add_floppy, .repeats = true },
	{ .name = "snapshot", .help = "keep what the guest writes in memory; leave the files alone", .set = run_options_set_snapshot },
	{ .name = "restore", .argument = "FILE", .help = "go on from a machine that the command save has saved",
	  .manual = "Memory, CPU, firmware and ports are those of the saved machine. Its images are looked for where they "
	            "were, or can be given again; they must not have changed since. One that the guest may write to has to be "
	            "given again, or --snapshot. Engine and clock are this run's own.", .set = run_options_set_restore },
	{ .heading = "Kernel", .name = "kernel", .argument = "FILE", .help = "start a kernel: Linux, multiboot, multiboot2, ELF, flat",
	  .manual = "IMAGE may be a kernel as well. See loaders.md for how each kind is started.", .set = run_options_set_kernel },
	{ .name = "initrd", .argument = "FILE", .help = "initial RAM disk of a Linux kernel, or the first module",
	  .set = run_options_set_initrd },
	{ .name = "append", .argument = "TEXT", .help = "command line of the kernel", .set = run_options_set_append },
	{ .name = "module", .argument = "FILE", .help = "module of a multiboot kernel; may be repeated",
	  .manual = "The file's name ends at the first space; words behind it are for the kernel.",
	  .set = run_options_add_module, .repeats = true },
	{ .name = "load-at", .argument = "ADDRESS", .help = "the kernel is a flat binary for this address, and starts there",
	  .manual = "Below 0x100000 in real mode, from there on in flat 32-bit protected mode.", .set = run_options_set_load_at },
	{ .heading = "Machine", .name = "bios", .argument = "FILE", .help = "BIOS (default: SeaBIOS's bios.bin)", .set = run_options_set_bios },
	{ .name = "vgabios", .argument = "FILE", .help = "VGA BIOS (default: SeaBIOS's vgabios-stdvga.bin)", .set = run_options_set_vgabios },
	{ .name = "option-rom", .argument = "FILE", .help = "option ROM for the firmware to run, such as iPXE; may be repeated",
	  .set = run_options_add_option_rom, .repeats = true },
	{ .name = "boot", .argument = "LIST", .values = "floppy disk cdrom network menu", .help = "what to boot from: floppy, disk, cdrom, network, joined by commas",
	  .manual = "What is left out is not tried first but may come later. The word menu among them makes the firmware "
	            "offer its boot menu. By default the kind of IMAGE comes first, then disk, CD-ROM and floppy; the network is last.",
	  .set = run_options_set_boot },
	{ .name = "memory", .letter = 'm', .argument = "SIZE", .help = "RAM, 1M to 3584M (default: 64M)",
	  .manual = "A number with K, M or G; without a letter it counts MiB.", .set = run_options_set_memory },
	{ .name = "cpu", .argument = "MODEL", .values = "386 486 pentium p6 x86-64", .help = "386, 486, pentium, p6 or x86-64 (default: p6)",
	  .manual = "Where KVM takes part and 64-bit code runs on the CPU, x86-64 is the default. Where nothing runs it, CPUID of "
	            "x86-64 does not show long mode, and a run ends with status 2 when the guest switches to it.", .set = run_options_set_cpu },
	{ .name = "engine", .argument = "NAME", .values = "auto emu kvm hybrid", .help = "what runs the guest: auto (default), emu, kvm or hybrid",
	  .manual = "emu is the emulator, kvm the CPU by KVM; hybrid runs real mode and vm86 in the emulator and the rest "
	            "by KVM. auto is hybrid where v2e probe finds that the CPU runs protected mode, else emu.",
	  .set = run_options_set_engine },
	{ .name = "threshold", .argument = "N", .help = "hybrid: blocks to emulate after real mode was left (default: 1000)",
	  .manual = "0 hands over at once, inf never.", .set = run_options_set_threshold },
	{ .name = "policy", .argument = "NAME", .values = "v2e adaptive", .help = "hybrid: when the guest is handed to KVM: v2e (default), adaptive",
	  .manual = "v2e is the rule of --threshold. adaptive measures what it costs on this host and learns, for each "
	            "address where the guest leaves real mode, whether to hand it over; see hybrid.md.", .set = run_options_set_policy },
	{ .name = "watch", .argument = "NAME", .values = "auto trace breakpoint lazy", .help = "hybrid: how the end of protected mode is seen (default: auto)",
	  .manual = "trace is exact and wants privileges; breakpoint is exact for code that it has learned; lazy looks "
	            "whenever the guest stops for another reason. auto is the first that works.", .set = run_options_set_watch },
	{ .name = "channel", .argument = "NAME", .values = "inline futex eventfd process", .help = "how the emulator is called: inline (default), futex, eventfd, process",
	  .manual = "Inline is a function call; futex and eventfd wake a second thread; process is a process of its own that "
	            "may do nothing but compute.", .set = run_options_set_channel },
	{ .heading = "Screen and ports", .name = "display", .argument = "WHERE", .help = "show the screen: none (default), term, sdl or vnc=[HOST:]PORT",
	  .manual = "term draws in this terminal, text as text, graphics in half blocks, and Ctrl-] ends the run. sdl is a "
	            "window: a click or Ctrl+Alt+G gives it the mouse, Ctrl+Alt+G takes it back, closing it ends the run. vnc "
	            "serves VNC viewers; without HOST only those of this host. vnc=...,password=FILE wants a password, 1 to 8 "
	            "characters in the first line of FILE; other hosts are served only with one, and what they see and type "
	            "is not encrypted.", .set = run_options_set_display },
	{ .name = "serial", .argument = "WHERE", .help = "serial port: stdio, file:FILE, unix:SOCKET or none (default)",
	  .manual = "May be given twice: COM1, then COM2. unix:SOCKET listens there, one client at a time.",
	  .set = run_options_add_serial, .repeats = true },
	{ .name = "debugcon", .argument = "PORT:FILE", .help = "write what the guest sends to PORT into FILE; - is standard output",
	  .manual = "SeaBIOS logs to port 0x402.", .set = run_options_set_debugcon },
	{ .name = "exit-port", .argument = "PORT", .help = "a byte V written there ends the run with status (V << 1) | 1",
	  .set = run_options_set_exit_port },
	{ .heading = "Network", .name = "net", .argument = "KIND", .values = "user none", .help = "fit a network card: user, or none (default)",
	  .manual = "An Intel 82540EM (e1000) in a network of its own, 10.0.2.0/24, with DHCP and, from a folder, TFTP; no "
	            "packet leaves this process unless another option lets it.", .set = network_set_kind },
	{ .name = "net-model", .argument = "NAME", .values = "e1000 virtio", .help = "which card: e1000 (default) or virtio",
	  .manual = "The firmware boots from an e1000 only.", .set = network_set_model },
	{ .name = "net-tftp", .argument = "DIR", .help = "show the files in DIR by TFTP, read-only", .set = network_set_tftp },
	{ .name = "net-bootfile", .argument = "NAME", .help = "what DHCP tells the firmware to load and start",
	  .manual = "A name in the folder of --net-tftp, such as pxelinux.0.", .set = network_set_bootfile },
	{ .name = "net-rom", .argument = "FILE", .help = "option ROM of the card (default: iPXE's pxe-e1000.rom); none: without",
	  .set = network_set_rom },
	{ .name = "net-mac", .argument = "ADDRESS", .help = "address of the card (default: 52:54:00:12:34:56)", .set = network_set_mac },
	{ .name = "net-forward", .argument = "SPEC", .help = "PROTOCOL:PORT:GUEST-PORT, connects a port of this host to one of the guest",
	  .manual = "PROTOCOL is tcp or udp; PORT is one of the loopback address 127.0.0.1, GUEST-PORT one of 10.0.2.15, the "
	            "first address that DHCP gives.", .set = network_add_forward, .repeats = true },
	{ .name = "net-outbound", .help = "let the guest reach whatever this host reaches", .set = network_set_outbound },
	{ .heading = "Virtio", .name = "virtio-disk", .argument = "FILE", .help = "raw image behind a virtio block device; up to four",
	  .manual = "The devices of this group are found by ACPI, start_info, or at the addresses that virtio.md lists; the "
	            "firmware does not boot from them. The guest writes to FILE unless --snapshot is given.",
	  .set = virtio_add_disk, .repeats = true },
	{ .name = "virtio-console", .argument = "WHERE", .help = "virtio console: stdio, file:FILE, unix:SOCKET or none",
	  .set = virtio_set_console },
	{ .name = "virtio-rng", .help = "virtio entropy device",
	  .manual = "The host's random numbers; with --clock virtual the same ones in each run.", .set = virtio_set_rng },
	{ .name = "virtio-legacy", .help = "virtio devices with the interface before 1.0", .set = virtio_set_legacy },
	{ .name = "virtio-notify", .argument = "HOW", .values = "auto bus ioeventfd", .help = "how KVM tells of notifications: auto (default), bus or ioeventfd",
	  .manual = "By the bus the guest waits until its request is carried out; by ioeventfd it goes on meanwhile. See virtio.md.",
	  .set = virtio_set_notify },
	{ .heading = "Commands", .name = "do", .argument = "COMMAND", .help = "do this while the guest runs; may be repeated",
	  .manual = "All --do and --script are carried out in the order in which they are given; see COMMANDS.",
	  .set = add_do, .repeats = true, .names_place = true },
	{ .name = "script", .argument = "FILE", .help = "do the commands in FILE, one a line; may be repeated",
	  .set = add_script, .repeats = true, .names_place = true },
	{ .heading = "Debugging", .name = "gdb", .argument = "WHERE", .help = "serve GDB at a TCP port of this host, or at unix:FILE",
	  .manual = "The guest stands still until the debugger lets it run: in gdb, target remote :1234. Breakpoints and $pc "
	            "are linear addresses in every mode; monitor help shows what else there is. While a breakpoint is set "
	            "the emulator alone runs the guest, or KVM stops it where --engine kvm leaves it no other.", .set = set_gdb },
	{ .name = "gdb-nowait", .help = "with --gdb: run at once, a debugger may come later", .set = set_gdb_nowait },
	{ .name = "monitor", .argument = "WHERE", .help = "take commands while the guest runs: stdio or unix:FILE",
	  .manual = "A line is a command: those of --do, and registers, disassemble, dump, json and help. Each is answered "
	            "with what it shows and a line ok or error: WHY; after json on, with one line of JSON.", .set = set_monitor },
	{ .heading = "Run", .name = "timeout", .argument = "TIME", .help = "fail if the run takes longer than this guest time",
	  .manual = "Such as 500ms, 10s or 2m.", .set = set_timeout },
	{ .name = "clock", .argument = "KIND", .values = "real virtual", .help = "guest time: real (default), or virtual, counted in instructions",
	  .manual = "In virtual time the date is fixed as well, and two runs with the same input are the same to the last "
	            "instruction and pixel.", .set = run_options_set_clock },
	{ .name = "jit", .argument = "MODE", .values = "off on always", .help = "host code for guest code: off, on (default: what is hot), always",
	  .manual = "All three give the same run, to the last instruction of virtual time.", .set = run_options_set_jit },
	{ .name = "jit-cache", .argument = "SIZE", .help = "memory for host code: 1M to 1G (default 32M)",
	  .manual = "When it is full, the oldest eighth of the code makes room.", .set = run_options_set_jit_cache },
	{ .name = "dump", .argument = "LIST", .values = "ir live asm", .help = "print what the JIT makes of each block: ir, live, asm",
	  .manual = "On standard error: instructions, the flags that are live behind each, host code.", .set = run_options_set_dump },
	{ .name = "no-emit", .argument = "LIST", .help = "have the JIT call the interpreter for these operations",
	  .manual = "Names as --dump ir prints them, joined by commas.", .set = run_options_set_no_emit },
	{ .name = "trace", .argument = "LIST", .values = "switch int io irq block insn guest-error", .help = "show: switch, int, io, irq, block, insn, mem:A+N, guest-error",
	  .manual = "switch: changes of mode and engine; int: calls of BIOS and DOS with arguments and results; io: ports; irq: "
	            "interrupts and exceptions; block, insn: code; mem:A+N: accesses to N bytes at physical address A, both "
	            "hexadecimal; guest-error: what no sane guest does. Where KVM has to show int, block, insn or mem "
	            "it is stopped each time, which is slow. See trace.md.", .set = run_options_set_trace },
	{ .name = "trace-file", .letter = 'o', .argument = "FILE", .help = "write traces into FILE, - is standard output, not into the log",
	  .manual = "Each line has the guest's time. A name that ends in .json or .jsonl gets JSON lines, one that ends in .html "
	            "a page as v2e report makes it.", .set = run_options_set_trace_file },
	{ .name = "trace-format", .argument = "FORMAT", .values = "text json html", .help = "what goes into --trace-file: text, json or html",
	  .set = run_options_set_trace_format },
	{ .name = "symbols", .argument = "FILE[@BASE]", .help = "name addresses by an ELF file or a linker's map; may be repeated",
	  .manual = "An ELF file with a symbol table, or a map of GNU ld, NASM or nm. BASE, as SEG:OFF in hexadecimal or as a "
	            "number, is added to the addresses in FILE.", .set = run_options_add_symbols, .repeats = true },
	{ .name = "log", .argument = "FILE", .help = "write log and traces into FILE instead of standard error", .set = set_log },
	{ .name = "transitions", .argument = "FILE", .help = "write the hand-overs between engines into FILE, .json or .csv",
	  .manual = "The last 65,536 are kept.", .set = run_options_set_transitions },
	{ .name = "compare", .argument = "A,B", .help = "run on two engines in step, and stop where they differ",
	  .manual = "A and B are engines, each with options behind colons where it is to have others, such as "
	            "emu:jit=off,emu:jit=on. Images are not written to. See compare.md.", .set = run_options_set_compare },
	{ .name = "stats", .help = "print counters at the end", .set = set_stats },
	{ .heading = "Help", .name = "help", .letter = 'h', .help = "show this help", .set = set_help },
	{ .name = "man", .help = "print options and commands as man(7) source", .set = set_man },
};

_Static_assert(G_N_ELEMENTS(rows) <= OPTIONS_MAX, "options_parse() counts to OPTIONS_MAX");

const struct option_table trace_options_table = {
	.command = "v2e trace",
	.arguments = "[IMAGE]",
	.summary = "Run as v2e run does, and show what the guest does: --trace switch,int --trace-file -.",
	.rows = rows,
	.count = G_N_ELEMENTS(rows),
	.operand = run_options_set_image,
};

const struct option_table run_options_table = {
	.command = "v2e run",
	.arguments = "[IMAGE]",
	.summary = "Start a PC and boot IMAGE: an ISO, a disk, a floppy, a boot sector, a BIOS or a kernel.",
	.rows = rows,
	.count = G_N_ELEMENTS(rows),
	.operand = run_options_set_image,
};

void run_options_init(struct run_options *options)
{
	*options = (struct run_options){
		.cdroms = g_ptr_array_new_with_free_func(g_free),
		.disks = g_ptr_array_new_with_free_func(g_free),
		.floppies = g_ptr_array_new_with_free_func(g_free),
		.modules = g_ptr_array_new_with_free_func(g_free),
		.option_roms = g_ptr_array_new_with_free_func(g_free),
		.load_at = UINT64_MAX,
		.serials = g_ptr_array_new_with_free_func(g_free),
		.symbols = g_ptr_array_new_with_free_func(g_free),
		.memory = 64 * MIB,
		.cpu = EMU_CPU_P6,
		.engine = RUN_ENGINE_AUTO,
		.jit = EMU_JIT_ON,
		.jit_cache = EMU_JIT_BYTES,
		.threshold = 1000,
		.script = script_new(),
		.clock = CLOCK_KIND_REAL,
	};
	network_options_init(&options->network);
	virtio_options_init(&options->virtio);
}

void run_options_clear(struct run_options *options)
{
	g_free(options->image);
	g_free(options->kernel);
	g_free(options->initrd);
	g_free(options->append);
	g_ptr_array_unref(options->modules);
	g_ptr_array_unref(options->option_roms);
	g_ptr_array_unref(options->cdroms);
	g_ptr_array_unref(options->disks);
	g_ptr_array_unref(options->floppies);
	g_ptr_array_unref(options->serials);
	g_free(options->restore);
	g_free(options->bios);
	g_free(options->vgabios);
	network_options_clear(&options->network);
	virtio_options_clear(&options->virtio);
	g_free(options->debug_file);
	g_free(options->gdb);
	g_free(options->display);
	g_free(options->monitor);
	script_free(options->script);
	g_free(options->log);
	g_free(options->trace_file);
	g_ptr_array_unref(options->symbols);
	g_free(options->no_emit);
	g_free(options->transitions);
	g_free(options->compare);
}

bool run_options_parse(struct run_options *options, int argc, char *const *argv, char **error)
{
	return options_parse(&run_options_table, argc, argv, options, error) && run_options_check(options, error);
}
