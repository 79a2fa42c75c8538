/* RFB by libvncserver. */
#include "devmodel/display.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include <rfb/keysym.h>
#include <rfb/rfb.h>

/* Before the guest has shown anything. */
#define FIRST_WIDTH  720
#define FIRST_HEIGHT 400

#define BUTTON_WHEEL_UP   8
#define BUTTON_WHEEL_DOWN 16

struct vnc {
	struct display display;
	rfbScreenInfoPtr screen;
	char *password, *passwords[2];
	int x, y, buttons; /* of the pointer, as last told */
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

static void take_key(rfbBool down, rfbKeySym symbol, rfbClientPtr client)
{
	display_key(client->screen->screenData, find_key(symbol), down);
}

/* --- mouse -------------------------------------------------------------------------- */

static unsigned mouse_buttons(int mask)
{
	return (mask & 1 ? PS2_MOUSE_LEFT : 0u) | (mask & 2 ? PS2_MOUSE_MIDDLE : 0u) | (mask & 4 ? PS2_MOUSE_RIGHT : 0u);
}

static void take_pointer(int buttons, int x, int y, rfbClientPtr client)
{
	struct vnc *vnc = client->screen->screenData;
	int pressed = buttons & ~vnc->buttons;
	int wheel = (pressed & BUTTON_WHEEL_DOWN ? 1 : 0) - (pressed & BUTTON_WHEEL_UP ? 1 : 0);
	ps2_mouse_move(vnc->display.guest.mouse, x - vnc->x, y - vnc->y, wheel, mouse_buttons(buttons));
	vnc->x = x;
	vnc->y = y;
	vnc->buttons = buttons;
}

/* --- pictures ------------------------------------------------------------------------- */

/* libvncserver reads `shown`, so it has to hear of a new one before the old one goes. */
static void set_framebuffer(struct vnc *vnc, struct surface *surface)
{
	rfbNewFramebuffer(vnc->screen, (char *)surface->pixels, (int)surface->width, (int)surface->height, 8, 3, 4);
	vnc->screen->serverFormat.redShift = 16;
	vnc->screen->serverFormat.greenShift = 8;
	vnc->screen->serverFormat.blueShift = 0;
}

static void show(struct vnc *vnc)
{
	struct display *display = &vnc->display;
	unsigned first, rows;
	bool resized;
	if (!display_draw(display) || !display->surface->width || !display->surface->height)
		return;
	if (display->surface->width != display->shown->width || display->surface->height != display->shown->height) {
		struct surface *old = display->shown;
		display->shown = surface_new(display->surface->width, display->surface->height);
		set_framebuffer(vnc, display->shown);
		surface_free(old);
	}
	if (display_changes(display, &first, &rows, &resized))
		rfbMarkRectAsModified(vnc->screen, 0, (int)first, (int)display->shown->width, (int)(first + rows));
}

static bool vnc_poll(struct display *display)
{
	struct vnc *vnc = (struct vnc *)display;
	if (vnc->screen->clientHead)
		show(vnc);
	rfbProcessEvents(vnc->screen, 0);
	return true;
}

/* --- beginning and end ------------------------------------------------------------------- */

static void vnc_free(struct display *display)
{
	struct vnc *vnc = (struct vnc *)display;
	if (vnc->screen) {
		rfbShutdownServer(vnc->screen, TRUE);
		vnc->screen->frameBuffer = NULL; /* not the library's */
		rfbScreenCleanup(vnc->screen);
	}
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
	struct vnc *vnc = g_new0(struct vnc, 1);
	display_init(&vnc->display, &ops, guest);
	surface_resize(vnc->display.shown, FIRST_WIDTH, FIRST_HEIGHT);
	vnc->password = g_strdup(password);
	rfbLogEnable(FALSE);
	vnc->screen = rfbGetScreen(NULL, NULL, FIRST_WIDTH, FIRST_HEIGHT, 8, 3, 4);
	if (vnc->screen) {
		vnc->screen->frameBuffer = (char *)vnc->display.shown->pixels;
		set_framebuffer(vnc, vnc->display.shown);
		if (listens(vnc, address, port))
			return &vnc->display;
	}
	*error = g_strdup_printf("%s: nobody can listen there; is the port taken, the address this host's?", where);
	display_free(&vnc->display);
	return NULL;
}
