/* The options of `v2e run`: one table for parser, help and manual page. */
#ifndef V2E_CLI_RUN_OPTIONS_H
#define V2E_CLI_RUN_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

#include "cli/network.h"
#include "cli/options.h"
#include "cli/script_parse.h"
#include "cli/virtio.h"
#include "devmodel/pc.h"
#include "emu/emu.h"
#include "hv/hv.h"
#include "shared/clock.h"
#include "shared/policy.h"

enum run_engine { RUN_ENGINE_AUTO, RUN_ENGINE_EMU, RUN_ENGINE_KVM, RUN_ENGINE_HYBRID };

/* How requests reach the emulator. */
enum run_channel { RUN_CHANNEL_INLINE, RUN_CHANNEL_FUTEX, RUN_CHANNEL_EVENTFD, RUN_CHANNEL_PROCESS };

/* What the user says that IMAGE or the kernel is. */
enum run_type {
	RUN_TYPE_AUTO, RUN_TYPE_CDROM, RUN_TYPE_DISK, RUN_TYPE_FLOPPY, RUN_TYPE_BOOT_SECTOR, RUN_TYPE_BIOS,
	RUN_TYPE_LINUX, RUN_TYPE_MULTIBOOT, RUN_TYPE_MULTIBOOT2, RUN_TYPE_ELF, RUN_TYPE_FLAT,
};

/* Of --trace-file; by default as its name ends. */
enum run_trace_format { RUN_TRACE_BY_NAME, RUN_TRACE_TEXT, RUN_TRACE_JSON, RUN_TRACE_HTML };

struct run_options {
	const char *command; /* who speaks in messages; static */
	char *image;                  /* what it is gets detected; NULL: none */
	enum run_type type;
	char *kernel, *initrd, *append; /* NULL: none */
	GPtrArray *modules;           /* "FILE WORDS" */
	uint64_t load_at;             /* of RUN_TYPE_FLAT; UINT64_MAX: not given */
	GPtrArray *option_roms;       /* file names */
	GPtrArray *cdroms, *disks, *floppies; /* file names */
	bool snapshot;
	char *restore;                /* a saved machine; NULL: none */
	const char *built_in;         /* an option that was given and that a saved machine has of its own */
	char *bios, *vgabios;         /* NULL: the default */
	enum pc_boot boot[5];         /* ends with PC_BOOT_END; empty: by the images */
	bool boot_menu;
	struct network_options network;
	struct virtio_options virtio;
	uint64_t memory;              /* bytes */
	enum emu_cpu cpu;
	bool cpu_given;               /* else a 64-bit one may be taken, see engines.c */
	enum run_engine engine;
	uint64_t threshold;           /* blocks; UINT64_MAX: inf */
	enum policy_kind policy;
	enum hv_watch watch;
	enum run_channel channel;
	GPtrArray *serials;           /* chardev specs, COM1 first */
	uint16_t debug_port;
	char *debug_file;             /* "-": standard output; NULL: no port */
	uint16_t exit_port;           /* 0: none */
	char *gdb;                    /* port or unix:FILE; NULL: none */
	bool gdb_nowait;
	char *display;                /* see displays.h; NULL: none */
	char *monitor;                /* stdio or unix:FILE; NULL: none */
	struct script *script;        /* all --do and --script */
	unsigned dos;                 /* how many --do */
	uint64_t timeout;             /* ns; 0: none */
	enum clock_kind clock;
	enum emu_jit jit;
	uint64_t jit_cache;           /* bytes */
	unsigned dump;                /* enum emu_dump */
	char *no_emit;                /* operations, joined by commas; NULL: none */
	uint32_t trace;               /* enum log_trace */
	struct trace_watch trace_watch[TRACE_WATCHES]; /* of LOG_TRACE_MEM */
	unsigned trace_watches;
	char *trace_file;             /* "-": standard output; NULL: the log */
	enum run_trace_format trace_format;
	GPtrArray *symbols;           /* FILE[@BASE], for symbols_add() */
	char *log;
	bool stats;
	char *transitions;            /* file name; NULL: none */
	char *compare;                /* two engines with options; NULL: no */
	bool help, man;
};

extern const struct option_table run_options_table;
/* The same for `v2e trace`, which has other defaults. */
extern const struct option_table trace_options_table;

/* Sets the defaults. */
void run_options_init(struct run_options *options);
void run_options_clear(struct run_options *options);

/* Parses argv[0] .. argv[argc - 1] into `options` (initialized) and refuses what
 * contradicts. Looks at no file but those of --script. Returns false with *error
 * (g_free): one line with the remedy. */
bool run_options_parse(struct run_options *options, int argc, char *const *argv, char **error);
/* Refuses what contradicts: for who has called options_parse() by another table of
 * these rows. Returns false with *error (g_free). */
bool run_options_check(const struct run_options *options, char **error);

#endif
