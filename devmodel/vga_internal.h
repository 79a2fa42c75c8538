/* The VGA's state, and what its files do for each other. Registers and bits as
 * named in the IBM VGA Technical Reference. Nobody outside vga*.c includes it. */
#ifndef V2E_DEVMODEL_VGA_INTERNAL_H
#define V2E_DEVMODEL_VGA_INTERNAL_H

#include "devmodel/vga.h"

#define VGA_SEQ_REGISTERS  0x05
#define VGA_GC_REGISTERS   0x09
#define VGA_CRTC_REGISTERS 0x19
#define VGA_ATTR_REGISTERS 0x15
#define VGA_PLANE_SIZE     0x10000u /* plane addresses of a VGA without DISPI */

enum vga_misc { MISC_COLOR = 0x01, MISC_RAM = 0x02, MISC_CLOCK = 0x0c };

enum vga_seq {
	SEQ_RESET, SEQ_CLOCKING, SEQ_MAP_MASK, SEQ_CHARACTER_MAP, SEQ_MEMORY,
	SEQ_CLOCKING_8_DOTS = 0x01,
	SEQ_CLOCKING_HALF = 0x08,
	SEQ_CLOCKING_SCREEN_OFF = 0x20,
	SEQ_MEMORY_EXTENDED = 0x02,
	SEQ_MEMORY_SEQUENTIAL = 0x04, /* 0: odd/even */
	SEQ_MEMORY_CHAIN_4 = 0x08,
};

enum vga_gc {
	GC_SET_RESET, GC_ENABLE_SET_RESET, GC_COLOR_COMPARE, GC_ROTATE, GC_READ_MAP,
	GC_MODE, GC_MISC, GC_COLOR_CARE, GC_BIT_MASK,
	GC_MODE_WRITE = 0x03,
	GC_MODE_READ_COMPARE = 0x08,
	GC_MODE_ODD_EVEN = 0x10,
	GC_MODE_SHIFT_INTERLEAVE = 0x20,
	GC_MODE_SHIFT_256 = 0x40,
	GC_MISC_GRAPHICS = 0x01,
	GC_MISC_CHAIN_ODD_EVEN = 0x02,
};

enum vga_crtc {
	CRTC_H_TOTAL = 0x00, CRTC_H_DISPLAY_END = 0x01, CRTC_V_TOTAL = 0x06,
	CRTC_OVERFLOW = 0x07, CRTC_PRESET_ROW = 0x08, CRTC_MAX_SCAN = 0x09,
	CRTC_CURSOR_START = 0x0a, CRTC_CURSOR_END = 0x0b, CRTC_START_HIGH = 0x0c,
	CRTC_START_LOW = 0x0d, CRTC_CURSOR_HIGH = 0x0e, CRTC_CURSOR_LOW = 0x0f,
	CRTC_V_RETRACE_START = 0x10, CRTC_V_RETRACE_END = 0x11,
	CRTC_V_DISPLAY_END = 0x12, CRTC_OFFSET = 0x13, CRTC_UNDERLINE = 0x14,
	CRTC_MODE = 0x17, CRTC_LINE_COMPARE = 0x18,
	CRTC_MAX_SCAN_DOUBLE = 0x80,
	CRTC_V_RETRACE_CLEAR_N = 0x10, /* 0: clears and holds the interrupt */
	CRTC_V_RETRACE_PROTECT = 0x80, /* of registers 0-7 */
	CRTC_UNDERLINE_BY_4 = 0x20,
	CRTC_UNDERLINE_DOUBLEWORD = 0x40,
	CRTC_MODE_NO_ROW_13 = 0x01, /* 0: row scan bit 0 is address bit 13 */
	CRTC_MODE_NO_ROW_14 = 0x02,
	CRTC_MODE_BY_2 = 0x08,
	CRTC_MODE_WRAP_15 = 0x20,
	CRTC_MODE_BYTE = 0x40,
	CRTC_MODE_RUN = 0x80,
};

enum vga_attr {
	ATTR_MODE = 0x10, ATTR_OVERSCAN, ATTR_PLANES, ATTR_PAN, ATTR_COLOR_SELECT,
	ATTR_INDEX_PAS = 0x20, /* in the index register: the screen is on */
	ATTR_MODE_LINE_GRAPHICS = 0x04,
	ATTR_MODE_BLINK = 0x08,
	ATTR_MODE_PAN_SPLIT = 0x20, /* panning ends at the line compare */
	ATTR_MODE_256 = 0x40,
	ATTR_MODE_P54_SELECT = 0x80,
};

enum vga_dispi_index {
	DISPI_ID, DISPI_XRES, DISPI_YRES, DISPI_BPP, DISPI_ENABLE, DISPI_BANK,
	DISPI_VIRT_WIDTH, DISPI_VIRT_HEIGHT, DISPI_X_OFFSET, DISPI_Y_OFFSET,
	DISPI_VIDEO_MEMORY_64K, DISPI_REGISTERS,
	DISPI_ENABLED = 0x01,
	DISPI_GETCAPS = 0x02,
	DISPI_8BIT_DAC = 0x20,
	DISPI_LFB_ENABLED = 0x40,
	DISPI_NOCLEARMEM = 0x80,
};

struct vga_registers {
	uint8_t misc, feature, enable;
	uint8_t seq_index, gc_index, crtc_index, attr_index; /* attr: with PAS */
	bool attr_is_data; /* flip-flop: the next write to 3C0 goes to a register */
	uint8_t seq[VGA_SEQ_REGISTERS];
	uint8_t gc[VGA_GC_REGISTERS];
	uint8_t crtc[VGA_CRTC_REGISTERS];
	uint8_t attr[VGA_ATTR_REGISTERS];
	uint64_t retrace_cleared; /* ns: when the interrupt was last held clear */
};

struct vga_dac {
	uint8_t mask, index, component;
	bool reading;
	uint8_t pending[3];    /* of the colour on its way */
	uint8_t color[256][3]; /* as written: 6 or 8 bits by DISPI_8BIT_DAC */
};

struct vga_dispi {
	uint16_t index;
	uint16_t reg[DISPI_REGISTERS];
	bool big_endian; /* framebuffer byte order, by the MMIO register 604h */
};

/* How the CPU's addresses meet the planes. */
enum vga_path { VGA_PATH_LINEAR, VGA_PATH_CHAIN_4, VGA_PATH_ODD_EVEN, VGA_PATH_PLANAR };

/* What an access to A0000-BFFFF needs, worked out when a register changes.
 * Words that combine planes hold plane p in byte p. */
struct vga_window {
	uint32_t base, size;     /* within the 128 KiB; size 0: closed */
	enum vga_path read_path, write_path;
	uint32_t bank;           /* added to the offset: bytes if linear, else plane addresses */
	uint32_t wrap;           /* mask of plane addresses */
	bool read_a0, write_a0;  /* odd/even: A0 reaches the planes */
	bool compare;            /* read mode 1 */
	uint8_t write_mode, rotate, function, read_map;
	uint32_t map_mask, bit_mask, set_reset, enable_set_reset;
	uint32_t color_compare, color_care;
	uint32_t latch;          /* the only field that is state, not derived */
};

/* All in ns from the start of the frame, by the clock. */
struct vga_timing {
	uint64_t frame, line;
	uint64_t line_display; /* within a line */
	uint64_t display, retrace_start, retrace_end;
};

struct vga {
	struct bus *bus;
	struct clock *clock;
	struct mem_region *window_region, *lfb_region, *mmio_region;
	struct mem_store *store;
	uint8_t *vram; /* its bytes */
	struct vga_registers regs;
	struct vga_dac dac;
	struct vga_dispi dispi;
	struct vga_window window;
	struct vga_timing timing;
};

/* vga_regs.c: ports 3B4-3DF. Both blocks of the colour/mono pair are decoded
 * here, by Miscellaneous Output. */
int vga_regs_claim(struct vga *vga);
void vga_regs_release(struct vga *vga);
void vga_regs_reset(struct vga *vga);
void vga_regs_state(struct vga *vga, struct snap *snap);
uint8_t vga_regs_read(struct vga *vga, uint16_t port);
void vga_regs_write(struct vga *vga, uint16_t port, uint8_t value);

/* vga_dac.c: ports 3C6-3C9. */
void vga_dac_reset(struct vga *vga);
void vga_dac_state(struct vga *vga, struct snap *snap);
uint8_t vga_dac_read(struct vga *vga, uint16_t port);
void vga_dac_write(struct vga *vga, uint16_t port, uint8_t value);
/* 00RRGGBB of a colour number, through the PEL mask. */
uint32_t vga_dac_color(const struct vga *vga, uint8_t index);

/* vga_timing.c */
void vga_timing_update(struct vga *vga);
/* Input Status 1, bits 0 and 3. */
uint8_t vga_timing_status(struct vga *vga);
/* Has a vertical retrace begun after `since` ns? */
bool vga_timing_retraced(struct vga *vga, uint64_t since);
/* Frames since power-on, at the present timing. */
uint64_t vga_timing_frames(struct vga *vga);

/* vga_dispi.c: ports 1CE, 1CF, 1D0. */
int vga_dispi_claim(struct vga *vga);
void vga_dispi_release(struct vga *vga);
void vga_dispi_reset(struct vga *vga);
void vga_dispi_state(struct vga *vga, struct snap *snap);
uint16_t vga_dispi_read(struct vga *vga, unsigned index);
void vga_dispi_write(struct vga *vga, unsigned index, uint16_t value);
/* Bytes of VRAM from one line to the next; 4 bpp: over all four planes. */
uint32_t vga_dispi_pitch(const struct vga *vga);

static inline bool vga_dispi_enabled(const struct vga *vga)
{
	return vga->dispi.reg[DISPI_ENABLE] & DISPI_ENABLED;
}

/* Does VRAM hold pixels in a row, not planes? */
static inline bool vga_dispi_is_packed(const struct vga *vga)
{
	return vga_dispi_enabled(vga) && vga->dispi.reg[DISPI_BPP] > 4;
}

/* vga_mem.c: the window. */
extern const struct mem_mmio_ops vga_mem_ops; /* owner: struct vga */
/* After a change of any register that has a say in it. */
void vga_mem_update(struct vga *vga);

/* vga_mmio.c: BAR 2. */
extern const struct mem_mmio_ops vga_mmio_ops; /* owner: struct vga */

/* vga_edid.c: one EDID 1.3 block. */
#define VGA_EDID_SIZE 128u
extern const uint8_t vga_edid[VGA_EDID_SIZE];

/* vga_scan.c: the CRTC's way through memory, one scan line at a time; not for
 * packed DISPI modes. */
#define VGA_MAX_COLUMNS 256u
struct vga_scan {
	unsigned lines;   /* of the screen */
	unsigned repeat;  /* so many in a row look alike */
	unsigned columns; /* characters of a line, 8 or 9 dots each; 1-256 */
	unsigned line;
	unsigned row;     /* scan line within the character row */
	uint32_t counter; /* address counter at the left edge */
	unsigned shift;   /* the counter moves once in 2^shift characters */
	bool doubled;     /* this is the second of two equal lines */
	bool split;       /* the line compare has been passed */
};
bool vga_scan_is_text(const struct vga *vga);
void vga_scan_start(const struct vga *vga, struct vga_scan *scan);
void vga_scan_next(const struct vga *vga, struct vga_scan *scan);
/* Bytes 0-3 are what planes 0-3 give for a character of the present line. */
const uint8_t *vga_scan_fetch(const struct vga *vga, const struct vga_scan *scan, unsigned column);

static inline const uint8_t *vga_planes(const struct vga *vga, uint32_t address)
{
	return vga->vram + (size_t)(address % (VGA_VRAM_SIZE / 4)) * 4;
}

/* vga_render.c: is nothing shown, not even the overscan? */
bool vga_is_dark(const struct vga *vga);

/* vga_text.c: dots of text lines. */
struct vga_blinking {
	bool text, cursor; /* shown at the moment */
};
/* Attribute indices (0-15) of one scan line, `columns` + 1 characters long;
 * returns dots per character, 8 or 9. */
unsigned vga_text_line(const struct vga *vga, const struct vga_scan *scan,
                       const struct vga_blinking *blinking, uint8_t *dots);

#endif
