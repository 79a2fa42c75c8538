/* RFB by libvncserver, which waits where a viewer has sent half of a message or takes
 * no more of a picture. So it has a thread of its own: nobody who connects can make the
 * guest wait. The guest's devices are the other thread's, which vnc_poll() is called
 * on. */
#include "devmodel/display.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <rfb/keysym.h>
#include <rfb/rfb.h>

/* Before the guest has shown anything. */
#define FIRST_WIDTH  720
#define FIRST_HEIGHT 400

#define BUTTON_WHEEL_UP   8
#define BUTTON_WHEEL_DOWN 16

#define KEYS_MAX    1024u  /* that wait for the guest */
#define STALL_MS    5000   /* how long a viewer may keep the others waiting */
#define WAIT_US     10000  /* between two looks at what the guest shows, */
#define ALONE_US    50000  /* or where nobody would see it */
#define FIRST_US    500000 /* how long a new viewer waits for a picture of now */

struct viewer {
	struct vnc *vnc;
	int socket;
	int buttons;         /* as RFB has them */
	bool held[KEYS]; /* by enum key */
};

struct vnc {
	struct display display;
	char *password, *passwords[2];
	GThread *thread; /* NULL: not yet */

	/* The thread's. */
	rfbScreenInfoPtr screen;
	struct surface *frame; /* what the library reads */
	int x, y, buttons;     /* of the pointer, as last told; buttons of all viewers */

	/* What crosses from one to the other. */
	GMutex lock;
	GCond drawn;
	bool ends;
	bool asked;              /* somebody came, and `picture` may be an old one */
	GPtrArray *viewers;      /* struct viewer */
	struct surface *picture;
	unsigned top, bottom;    /* rows of it that changed; equal: none */
	GArray *keys;            /* struct key_event */
	GArray *moves;           /* struct display_move */
};

/* --- keys ------------------------------------------------------------------------- */

static const struct {
	rfbKeySym symbol;
	enum key key;
} symbols[] = {
	{ XK_Escape, KEY_ESCAPE }, { XK_Print, KEY_PRINT_SCREEN }, { XK_Scroll_Lock, KEY_SCROLL_LOCK },
	{ XK_Pause, KEY_PAUSE }, { XK_BackSpace, KEY_BACKSPACE }, { XK_Tab, KEY_TAB }, { XK_ISO_Left_Tab, KEY_TAB },
	{ XK_Caps_Lock, KEY_CAPS_LOCK }, { XK_Return, KEY_ENTER }, { XK_Shift_L, KEY_LEFT_SHIFT },
	{ XK_Shift_R, KEY_RIGHT_SHIFT }, { XK_Control_L, KEY_LEFT_CTRL }, { XK_Control_R, KEY_RIGHT_CTRL },
	{ XK_Alt_L, KEY_LEFT_ALT }, { XK_Meta_L, KEY_LEFT_ALT }, { XK_Alt_R, KEY_RIGHT_ALT },
	{ XK_Meta_R, KEY_RIGHT_ALT }, { XK_ISO_Level3_Shift, KEY_RIGHT_ALT }, { XK_Super_L, KEY_LEFT_META },
	{ XK_Super_R, KEY_RIGHT_META }, { XK_Menu, KEY_MENU }, { XK_Insert, KEY_INSERT }, { XK_Home, KEY_HOME },
	{ XK_Page_Up, KEY_PAGE_UP }, { XK_Delete, KEY_DELETE }, { XK_End, KEY_END }, { XK_Page_Down, KEY_PAGE_DOWN },
	{ XK_Up, KEY_UP }, { XK_Left, KEY_LEFT }, { XK_Down, KEY_DOWN }, { XK_Right, KEY_RIGHT },
	{ XK_Num_Lock, KEY_NUM_LOCK }, { XK_KP_Divide, KEY_PAD_SLASH }, { XK_KP_Multiply, KEY_PAD_ASTERISK },
	{ XK_KP_Subtract, KEY_PAD_MINUS }, { XK_KP_Add, KEY_PAD_PLUS }, { XK_KP_Enter, KEY_PAD_ENTER },
	{ XK_KP_0, KEY_PAD_0 }, { XK_KP_1, KEY_PAD_1 }, { XK_KP_2, KEY_PAD_2 }, { XK_KP_3, KEY_PAD_3 },
	{ XK_KP_4, KEY_PAD_4 }, { XK_KP_5, KEY_PAD_5 }, { XK_KP_6, KEY_PAD_6 }, { XK_KP_7, KEY_PAD_7 },
	{ XK_KP_8, KEY_PAD_8 }, { XK_KP_9, KEY_PAD_9 }, { XK_KP_Decimal, KEY_PAD_PERIOD },
	{ XK_KP_Insert, KEY_PAD_0 }, { XK_KP_End, KEY_PAD_1 }, { XK_KP_Down, KEY_PAD_2 }, { XK_KP_Page_Down, KEY_PAD_3 },
	{ XK_KP_Left, KEY_PAD_4 }, { XK_KP_Begin, KEY_PAD_5 }, { XK_KP_Right, KEY_PAD_6 }, { XK_KP_Home, KEY_PAD_7 },
	{ XK_KP_Up, KEY_PAD_8 }, { XK_KP_Page_Up, KEY_PAD_9 }, { XK_KP_Delete, KEY_PAD_PERIOD },
};

/* A client sends what its own layout makes of a key, Shift included; the guest gets
 * the key that has the character on a US keyboard. */
static enum key find_key(rfbKeySym symbol)
{
	struct key_stroke stroke;
	if (symbol >= XK_F1 && symbol <= XK_F12)
		return (enum key)(KEY_F1 + (symbol - XK_F1));
	if (symbol > 0x1f && symbol < 0x7f)
		return keys_from_char((char)symbol, &stroke) ? stroke.key : KEY_NONE;
	for (unsigned i = 0; i < G_N_ELEMENTS(symbols); i++)
		if (symbols[i].symbol == symbol)
			return symbols[i].key;
	return KEY_NONE;
}

/* What a viewer may have pressed it may release: no key is left down because others
 * found no room. With the lock. */
static void press(struct viewer *viewer, enum key key, bool down)
{
	struct vnc *vnc = viewer->vnc;
	struct key_event event = { key, down };
	if (key == KEY_NONE || (down ? vnc->keys->len >= KEYS_MAX : !viewer->held[key]))
		return;
	viewer->held[key] = down;
	g_array_append_val(vnc->keys, event);
}

static void take_key(rfbBool down, rfbKeySym symbol, rfbClientPtr client)
{
	struct viewer *viewer = client->clientData;
	g_mutex_lock(&viewer->vnc->lock);
	press(viewer, find_key(symbol), down);
	g_mutex_unlock(&viewer->vnc->lock);
}

/* --- mouse -------------------------------------------------------------------------- */

static unsigned mouse_buttons(int mask)
{
	return (mask & 1 ? PS2_MOUSE_LEFT : 0u) | (mask & 2 ? PS2_MOUSE_MIDDLE : 0u) | (mask & 4 ? PS2_MOUSE_RIGHT : 0u);
}

/* A button is down as long as any viewer holds it. */
static int all_buttons(const struct vnc *vnc)
{
	int buttons = 0;
	for (guint n = 0; n < vnc->viewers->len; n++)
		buttons |= ((const struct viewer *)vnc->viewers->pdata[n])->buttons;
	return buttons;
}

static void take_pointer(int buttons, int x, int y, rfbClientPtr client)
{
	struct viewer *viewer = client->clientData;
	struct vnc *vnc = viewer->vnc;
	int pressed = buttons & ~viewer->buttons;
	g_mutex_lock(&vnc->lock);
	viewer->buttons = buttons;
	vnc->buttons = all_buttons(vnc);
	struct display_move move = { x - vnc->x, y - vnc->y, 0, mouse_buttons(vnc->buttons) };
	move.dz = (pressed & BUTTON_WHEEL_DOWN ? 1 : 0) - (pressed & BUTTON_WHEEL_UP ? 1 : 0);
	display_add_move(vnc->moves, &move);
	g_mutex_unlock(&vnc->lock);
	vnc->x = x;
	vnc->y = y;
}

/* --- viewers -------------------------------------------------------------------------- */

/* What it held nobody else would let go of. */
static void lose_viewer(rfbClientPtr client)
{
	struct viewer *viewer = client->clientData;
	struct vnc *vnc = viewer->vnc;
	g_mutex_lock(&vnc->lock);
	for (unsigned key = KEY_NONE + 1; key < KEYS; key++)
		press(viewer, (enum key)key, false);
	g_ptr_array_remove_fast(vnc->viewers, viewer);
	if (viewer->buttons) {
		vnc->buttons = all_buttons(vnc);
		struct display_move move = { .buttons = mouse_buttons(vnc->buttons) };
		display_add_move(vnc->moves, &move);
	}
	g_mutex_unlock(&vnc->lock);
	client->clientData = NULL;
	g_free(viewer);
}

static enum rfbNewClientAction take_viewer(rfbClientPtr client)
{
	struct vnc *vnc = client->screen->screenData;
	g_mutex_lock(&vnc->lock);
	bool ends = vnc->ends;
	if (!ends) {
		struct viewer *viewer = g_new0(struct viewer, 1);
		*viewer = (struct viewer){ .vnc = vnc, .socket = client->sock };
		client->clientData = viewer;
		client->clientGoneHook = lose_viewer;
		g_ptr_array_add(vnc->viewers, viewer);
		vnc->asked = true;
	}
	g_mutex_unlock(&vnc->lock);
	return ends ? RFB_CLIENT_REFUSE : RFB_CLIENT_ACCEPT;
}

/* --- pictures ------------------------------------------------------------------------- */

static void set_framebuffer(struct vnc *vnc, struct surface *surface)
{
	rfbNewFramebuffer(vnc->screen, (char *)surface->pixels, (int)surface->width, (int)surface->height, 8, 3, 4);
	vnc->screen->serverFormat.redShift = 16;
	vnc->screen->serverFormat.greenShift = 8;
	vnc->screen->serverFormat.blueShift = 0;
}

static bool same_size(const struct surface *a, const struct surface *b)
{
	return a->width == b->width && a->height == b->height;
}

static void copy_rows(struct surface *to, const struct surface *from, unsigned top, unsigned bottom)
{
	memcpy(surface_row(to, top), surface_row(from, top), (size_t)(bottom - top) * from->width * sizeof(uint32_t));
}

/* The guest's thread: the picture as it is now, where there is somebody to see it. */
static void show(struct vnc *vnc)
{
	struct display *display = &vnc->display;
	unsigned first, rows;
	bool resized;
	if (!display_draw(display))
		return;
	bool changed = display->surface->width && display->surface->height && display_changes(display, &first, &rows, &resized);
	g_mutex_lock(&vnc->lock);
	if (changed) {
		bool fresh = vnc->top == vnc->bottom;
		if (!same_size(vnc->picture, display->shown))
			surface_resize(vnc->picture, display->shown->width, display->shown->height);
		copy_rows(vnc->picture, display->shown, first, first + rows);
		/* After a change of size that is all of it. */
		vnc->top = fresh || resized ? first : MIN(vnc->top, first);
		vnc->bottom = fresh || resized ? first + rows : MAX(vnc->bottom, first + rows);
	}
	vnc->asked = false;
	g_cond_signal(&vnc->drawn);
	g_mutex_unlock(&vnc->lock);
}

static void wait_for_picture(struct vnc *vnc)
{
	gint64 end = g_get_monotonic_time() + FIRST_US;
	while (vnc->asked && !vnc->ends && g_cond_wait_until(&vnc->drawn, &vnc->lock, end))
		;
}

/* The other thread. The library has to hear of a new frame before the old one goes. */
static void take_picture(struct vnc *vnc)
{
	struct surface *old = NULL;
	g_mutex_lock(&vnc->lock);
	wait_for_picture(vnc);
	unsigned top = vnc->top, bottom = vnc->bottom;
	if (top < bottom) {
		if (!same_size(vnc->frame, vnc->picture)) {
			old = vnc->frame;
			vnc->frame = surface_new(vnc->picture->width, vnc->picture->height);
		}
		copy_rows(vnc->frame, vnc->picture, top, bottom);
		vnc->top = vnc->bottom = 0;
	}
	g_mutex_unlock(&vnc->lock);
	if (old)
		set_framebuffer(vnc, vnc->frame);
	surface_free(old);
	if (top < bottom)
		rfbMarkRectAsModified(vnc->screen, 0, (int)top, (int)vnc->frame->width, (int)bottom);
}

static bool goes_on(struct vnc *vnc)
{
	g_mutex_lock(&vnc->lock);
	bool ends = vnc->ends;
	g_mutex_unlock(&vnc->lock);
	return !ends;
}

static void *serve(void *owner)
{
	struct vnc *vnc = owner;
	while (goes_on(vnc)) {
		take_picture(vnc);
		rfbProcessEvents(vnc->screen, vnc->screen->clientHead ? WAIT_US : ALONE_US);
	}
	return NULL;
}

/* What does not fit there waits here. */
static bool take_input(struct vnc *vnc)
{
	g_mutex_lock(&vnc->lock);
	unsigned keys = MIN(vnc->keys->len, display_room(&vnc->display));
	for (unsigned n = 0; n < keys; n++) {
		const struct key_event *event = &g_array_index(vnc->keys, struct key_event, n);
		display_key(&vnc->display, event->key, event->down);
	}
	if (keys)
		g_array_remove_range(vnc->keys, 0, keys);
	for (guint n = 0; n < vnc->moves->len; n++)
		display_move(&vnc->display, &g_array_index(vnc->moves, struct display_move, n));
	g_array_set_size(vnc->moves, 0);
	bool seen = vnc->viewers->len;
	g_mutex_unlock(&vnc->lock);
	return seen;
}

static bool vnc_poll(struct display *display)
{
	struct vnc *vnc = (struct vnc *)display;
	if (take_input(vnc))
		show(vnc);
	return true;
}

/* --- beginning and end ------------------------------------------------------------------- */

/* Whom the library waits for it shall not wait for any longer. */
static void end_thread(struct vnc *vnc)
{
	g_mutex_lock(&vnc->lock);
	vnc->ends = true;
	g_cond_signal(&vnc->drawn);
	for (guint n = 0; n < vnc->viewers->len; n++)
		shutdown(((const struct viewer *)vnc->viewers->pdata[n])->socket, SHUT_RDWR);
	g_mutex_unlock(&vnc->lock);
	if (vnc->thread)
		g_thread_join(vnc->thread);
}

static void vnc_free(struct display *display)
{
	struct vnc *vnc = (struct vnc *)display;
	end_thread(vnc);
	if (vnc->screen) {
		rfbShutdownServer(vnc->screen, TRUE);
		vnc->screen->frameBuffer = NULL; /* not the library's */
		rfbScreenCleanup(vnc->screen);
	}
	surface_free(vnc->frame);
	surface_free(vnc->picture);
	g_array_unref(vnc->keys);
	g_array_unref(vnc->moves);
	g_ptr_array_unref(vnc->viewers);
	g_mutex_clear(&vnc->lock);
	g_cond_clear(&vnc->drawn);
	g_free(vnc->password);
	g_free(vnc);
}

static const struct display_ops ops = { .poll = vnc_poll, .free = vnc_free };

static bool parse_port(const char *text, int *port)
{
	char *end;
	errno = 0;
	long value = strtol(text, &end, 10);
	*port = (int)value;
	return g_ascii_isdigit(*text) && !*end && !errno && value >= 1 && value <= 65535;
}

static bool parse_where(const char *where, in_addr_t *address, int *port, char **error)
{
	const char *colon = strrchr(where, ':');
	g_autofree char *host = g_strndup(where, colon ? (size_t)(colon - where) : 0);
	struct in_addr found;
	if (!parse_port(colon ? colon + 1 : where, port)) {
		*error = g_strdup_printf("'%s' is no [HOST:]PORT; give such as 5900 or 127.0.0.1:5900", where);
		return false;
	}
	if (!*host || !strcmp(host, "localhost"))
		found.s_addr = htonl(INADDR_LOOPBACK);
	else if (!inet_pton(AF_INET, host, &found)) {
		*error = g_strdup_printf("'%s' is no IPv4 address of this host; give such as 127.0.0.1", host);
		return false;
	}
	*address = found.s_addr;
	return true;
}

static bool listens(struct vnc *vnc, in_addr_t address, int port)
{
	rfbScreenInfoPtr screen = vnc->screen;
	screen->desktopName = "v2e";
	screen->screenData = vnc;
	screen->listenInterface = address;
	screen->port = port;
	screen->ipv6port = 0;
	screen->alwaysShared = TRUE;
	screen->cursor = NULL; /* the guest draws its own */
	screen->maxClientWait = STALL_MS;
	screen->newClientHook = take_viewer;
	screen->kbdAddEvent = take_key;
	screen->ptrAddEvent = take_pointer;
	if (vnc->password) {
		vnc->passwords[0] = vnc->password;
		screen->authPasswdData = vnc->passwords;
		screen->passwordCheck = rfbCheckPasswordByList;
	}
	rfbInitServer(screen);
	return screen->listenSock != RFB_INVALID_SOCKET;
}

/* All signals are for other threads. */
static void start_thread(struct vnc *vnc)
{
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	vnc->thread = g_thread_new("vnc", serve, vnc);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static struct vnc *make_vnc(const struct display_guest *guest, const char *password)
{
	struct vnc *vnc = g_new0(struct vnc, 1);
	display_init(&vnc->display, &ops, guest);
	g_mutex_init(&vnc->lock);
	g_cond_init(&vnc->drawn);
	vnc->frame = surface_new(FIRST_WIDTH, FIRST_HEIGHT);
	vnc->picture = surface_new(FIRST_WIDTH, FIRST_HEIGHT);
	vnc->keys = g_array_new(FALSE, FALSE, sizeof(struct key_event));
	vnc->moves = g_array_new(FALSE, FALSE, sizeof(struct display_move));
	vnc->viewers = g_ptr_array_new();
	vnc->password = g_strdup(password);
	return vnc;
}

struct display *display_vnc_new(const struct display_guest *guest, const char *where, const char *password, char **error)
{
	in_addr_t address;
	int port;
	if (!parse_where(where, &address, &port, error))
		return NULL;
	if (!password && ntohl(address) >> 24 != 127) {
		*error = g_strdup_printf("%s can be reached from outside; give a password (vnc=%s,password=FILE) or 127.0.0.1", where, where);
		return NULL;
	}
	struct vnc *vnc = make_vnc(guest, password);
	rfbLogEnable(FALSE);
	vnc->screen = rfbGetScreen(NULL, NULL, FIRST_WIDTH, FIRST_HEIGHT, 8, 3, 4);
	if (vnc->screen) {
		vnc->screen->frameBuffer = (char *)vnc->frame->pixels;
		set_framebuffer(vnc, vnc->frame);
		if (listens(vnc, address, port)) {
			start_thread(vnc);
			return &vnc->display;
		}
	}
	*error = g_strdup_printf("%s: nobody can listen there; is the port taken, the address this host's?", where);
	display_free(&vnc->display);
	return NULL;
}
