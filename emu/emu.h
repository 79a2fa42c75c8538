/* The x86 emulator engine: 386 to P6, real mode, vm86, 16- and 32-bit protected
 * mode. It can switch to long mode, but not run there. The only public header of
 * emu/. */
#ifndef V2E_EMU_EMU_H
#define V2E_EMU_EMU_H

#include "shared/bus.h"
#include "shared/clock.h"
#include "shared/cpuid.h"
#include "shared/engine.h"
#include "shared/irq.h"
#include "shared/mem.h"
#include "shared/trace_cpu.h"
#include "shared/watcher.h"

/* EMU_CPU_X86_64 is the P6 with the registers of long mode. */
enum emu_cpu { EMU_CPU_386, EMU_CPU_486, EMU_CPU_PENTIUM, EMU_CPU_P6, EMU_CPU_X86_64 };

enum emu_jit { EMU_JIT_OFF, EMU_JIT_ON, EMU_JIT_ALWAYS };

/* Stages of the JIT to print on standard error. */
enum emu_dump { EMU_DUMP_IR = 1, EMU_DUMP_LIVE = 2, EMU_DUMP_ASM = 4 };

/* Memory for the code that the JIT makes. */
#define EMU_JIT_BYTES     ((size_t)32 << 20)
#define EMU_JIT_BYTES_MIN ((size_t)1 << 20)
#define EMU_JIT_BYTES_MAX ((size_t)1 << 30)

struct emu_config {
	struct mem *mem;
	struct bus *bus;
	struct clock *clock;
	struct cpu_pins *pins;
	enum emu_cpu cpu;
	bool long_mode;           /* another engine can run it: CPUID of EMU_CPU_X86_64 says so */
	enum emu_jit jit;
	size_t jit_bytes;         /* EMU_JIT_BYTES_MIN to _MAX; 0: EMU_JIT_BYTES */
	unsigned dump;            /* enum emu_dump */
	const char *emitters_off; /* operations of ops.def, joined by commas; NULL: none */
	/* For --trace: ranges whose accesses are shown, physical; and who hears of
	 * transfers. The engine frees the watcher. */
	struct trace_watch watch[TRACE_WATCHES];
	unsigned watches;
	struct watcher watcher;
	/* The SMIACT# pin: SMRAM appears or goes. May be NULL. */
	void (*set_smm)(void *owner, bool in_smm);
	void *owner;
};

/* None of the things in `config` is owned; they must outlive the engine. Freed
 * by ops->free. Returns NULL and a message (g_free) when the host lacks memory. */
struct engine *emu_new(const struct emu_config *config, char **error);

/* ECX and EDX of CPUID's leaf 1 from now on, to be like an engine that shows others
 * than those of the model. Nothing else changes. */
void emu_show_features(struct engine *engine, uint32_t ecx, uint32_t edx);

/* "386", "486", "pentium", "p6", "x86-64". */
bool emu_cpu_parse(const char *name, enum emu_cpu *cpu);

/* What EDX holds after RESET, for ctx_reset(). */
uint32_t emu_cpu_signature(enum emu_cpu cpu);

/* All that CPUID says on that model, for another engine to say the same. Returns
 * how many leaves; 0: the model has no CPUID. */
unsigned emu_cpuid(enum emu_cpu cpu, bool long_mode, struct cpuid_leaf leaf[CPUID_LEAVES]);

#endif
