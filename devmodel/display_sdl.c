/* A window, by SDL 2. */
#include "devmodel/display.h"

#include <SDL.h>

struct sdl {
	struct display display;
	SDL_Window *window;
	SDL_Renderer *renderer;
	SDL_Texture *texture; /* NULL: nothing was shown yet */
	bool grabs;           /* the mouse is the guest's */
	bool ended;
	unsigned buttons;     /* of enum ps2_mouse_button */
};

/* --- keys ------------------------------------------------------------------------- */

/* Scancodes name places on the keyboard, as enum key does. */
static const uint8_t keys[SDL_NUM_SCANCODES] = {
	[SDL_SCANCODE_ESCAPE] = KEY_ESCAPE,
	[SDL_SCANCODE_F1] = KEY_F1, [SDL_SCANCODE_F2] = KEY_F2, [SDL_SCANCODE_F3] = KEY_F3, [SDL_SCANCODE_F4] = KEY_F4,
	[SDL_SCANCODE_F5] = KEY_F5, [SDL_SCANCODE_F6] = KEY_F6, [SDL_SCANCODE_F7] = KEY_F7, [SDL_SCANCODE_F8] = KEY_F8,
	[SDL_SCANCODE_F9] = KEY_F9, [SDL_SCANCODE_F10] = KEY_F10, [SDL_SCANCODE_F11] = KEY_F11, [SDL_SCANCODE_F12] = KEY_F12,
	[SDL_SCANCODE_PRINTSCREEN] = KEY_PRINT_SCREEN, [SDL_SCANCODE_SCROLLLOCK] = KEY_SCROLL_LOCK,
	[SDL_SCANCODE_PAUSE] = KEY_PAUSE, [SDL_SCANCODE_GRAVE] = KEY_GRAVE,
	[SDL_SCANCODE_1] = KEY_1, [SDL_SCANCODE_2] = KEY_2, [SDL_SCANCODE_3] = KEY_3, [SDL_SCANCODE_4] = KEY_4,
	[SDL_SCANCODE_5] = KEY_5, [SDL_SCANCODE_6] = KEY_6, [SDL_SCANCODE_7] = KEY_7, [SDL_SCANCODE_8] = KEY_8,
	[SDL_SCANCODE_9] = KEY_9, [SDL_SCANCODE_0] = KEY_0, [SDL_SCANCODE_MINUS] = KEY_MINUS,
	[SDL_SCANCODE_EQUALS] = KEY_EQUAL, [SDL_SCANCODE_BACKSPACE] = KEY_BACKSPACE, [SDL_SCANCODE_TAB] = KEY_TAB,
	[SDL_SCANCODE_Q] = KEY_Q, [SDL_SCANCODE_W] = KEY_W, [SDL_SCANCODE_E] = KEY_E, [SDL_SCANCODE_R] = KEY_R,
	[SDL_SCANCODE_T] = KEY_T, [SDL_SCANCODE_Y] = KEY_Y, [SDL_SCANCODE_U] = KEY_U, [SDL_SCANCODE_I] = KEY_I,
	[SDL_SCANCODE_O] = KEY_O, [SDL_SCANCODE_P] = KEY_P, [SDL_SCANCODE_LEFTBRACKET] = KEY_LEFT_BRACKET,
	[SDL_SCANCODE_RIGHTBRACKET] = KEY_RIGHT_BRACKET, [SDL_SCANCODE_BACKSLASH] = KEY_BACKSLASH,
	[SDL_SCANCODE_NONUSHASH] = KEY_BACKSLASH, [SDL_SCANCODE_CAPSLOCK] = KEY_CAPS_LOCK,
	[SDL_SCANCODE_A] = KEY_A, [SDL_SCANCODE_S] = KEY_S, [SDL_SCANCODE_D] = KEY_D, [SDL_SCANCODE_F] = KEY_F,
	[SDL_SCANCODE_G] = KEY_G, [SDL_SCANCODE_H] = KEY_H, [SDL_SCANCODE_J] = KEY_J, [SDL_SCANCODE_K] = KEY_K,
	[SDL_SCANCODE_L] = KEY_L, [SDL_SCANCODE_SEMICOLON] = KEY_SEMICOLON, [SDL_SCANCODE_APOSTROPHE] = KEY_APOSTROPHE,
	[SDL_SCANCODE_RETURN] = KEY_ENTER, [SDL_SCANCODE_LSHIFT] = KEY_LEFT_SHIFT, [SDL_SCANCODE_NONUSBACKSLASH] = KEY_102ND,
	[SDL_SCANCODE_Z] = KEY_Z, [SDL_SCANCODE_X] = KEY_X, [SDL_SCANCODE_C] = KEY_C, [SDL_SCANCODE_V] = KEY_V,
	[SDL_SCANCODE_B] = KEY_B, [SDL_SCANCODE_N] = KEY_N, [SDL_SCANCODE_M] = KEY_M, [SDL_SCANCODE_COMMA] = KEY_COMMA,
	[SDL_SCANCODE_PERIOD] = KEY_PERIOD, [SDL_SCANCODE_SLASH] = KEY_SLASH, [SDL_SCANCODE_RSHIFT] = KEY_RIGHT_SHIFT,
	[SDL_SCANCODE_LCTRL] = KEY_LEFT_CTRL, [SDL_SCANCODE_LGUI] = KEY_LEFT_META, [SDL_SCANCODE_LALT] = KEY_LEFT_ALT,
	[SDL_SCANCODE_SPACE] = KEY_SPACE, [SDL_SCANCODE_RALT] = KEY_RIGHT_ALT, [SDL_SCANCODE_RGUI] = KEY_RIGHT_META,
	[SDL_SCANCODE_APPLICATION] = KEY_MENU, [SDL_SCANCODE_RCTRL] = KEY_RIGHT_CTRL,
	[SDL_SCANCODE_INSERT] = KEY_INSERT, [SDL_SCANCODE_HOME] = KEY_HOME, [SDL_SCANCODE_PAGEUP] = KEY_PAGE_UP,
	[SDL_SCANCODE_DELETE] = KEY_DELETE, [SDL_SCANCODE_END] = KEY_END, [SDL_SCANCODE_PAGEDOWN] = KEY_PAGE_DOWN,
	[SDL_SCANCODE_UP] = KEY_UP, [SDL_SCANCODE_LEFT] = KEY_LEFT, [SDL_SCANCODE_DOWN] = KEY_DOWN,
	[SDL_SCANCODE_RIGHT] = KEY_RIGHT, [SDL_SCANCODE_NUMLOCKCLEAR] = KEY_NUM_LOCK,
	[SDL_SCANCODE_KP_DIVIDE] = KEY_PAD_SLASH, [SDL_SCANCODE_KP_MULTIPLY] = KEY_PAD_ASTERISK,
	[SDL_SCANCODE_KP_MINUS] = KEY_PAD_MINUS, [SDL_SCANCODE_KP_PLUS] = KEY_PAD_PLUS, [SDL_SCANCODE_KP_ENTER] = KEY_PAD_ENTER,
	[SDL_SCANCODE_KP_1] = KEY_PAD_1, [SDL_SCANCODE_KP_2] = KEY_PAD_2, [SDL_SCANCODE_KP_3] = KEY_PAD_3,
	[SDL_SCANCODE_KP_4] = KEY_PAD_4, [SDL_SCANCODE_KP_5] = KEY_PAD_5, [SDL_SCANCODE_KP_6] = KEY_PAD_6,
	[SDL_SCANCODE_KP_7] = KEY_PAD_7, [SDL_SCANCODE_KP_8] = KEY_PAD_8, [SDL_SCANCODE_KP_9] = KEY_PAD_9,
	[SDL_SCANCODE_KP_0] = KEY_PAD_0, [SDL_SCANCODE_KP_PERIOD] = KEY_PAD_PERIOD,
};

static void move(struct sdl *sdl, int dx, int dy, int dz, unsigned buttons)
{
	const struct display_move move = { dx, dy, dz, buttons };
	sdl->buttons = buttons;
	display_move(&sdl->display, &move);
}

/* What is held down when the mouse goes is let go of elsewhere. */
static void set_grab(struct sdl *sdl, bool grabs)
{
	sdl->grabs = grabs;
	if (!grabs && sdl->buttons)
		move(sdl, 0, 0, 0, 0);
	SDL_SetRelativeMouseMode(grabs ? SDL_TRUE : SDL_FALSE);
	SDL_SetWindowGrab(sdl->window, grabs ? SDL_TRUE : SDL_FALSE);
	SDL_SetWindowTitle(sdl->window, grabs ? "v2e - Ctrl+Alt+G gives the mouse back" : "v2e");
}

/* The guest sees Ctrl and Alt as well, but not the G. */
static bool is_ours(const SDL_KeyboardEvent *event)
{
	return event->keysym.scancode == SDL_SCANCODE_G && event->keysym.mod & KMOD_CTRL && event->keysym.mod & KMOD_ALT;
}

static void take_key(struct sdl *sdl, const SDL_KeyboardEvent *event)
{
	bool down = event->type == SDL_KEYDOWN;
	if (!is_ours(event))
		display_key(&sdl->display, (enum key)keys[event->keysym.scancode % SDL_NUM_SCANCODES], down);
	else if (down && !event->repeat)
		set_grab(sdl, !sdl->grabs);
}

/* --- mouse -------------------------------------------------------------------------- */

static unsigned button_bit(uint8_t button)
{
	static const uint8_t bits[] = {
		[SDL_BUTTON_LEFT] = PS2_MOUSE_LEFT, [SDL_BUTTON_MIDDLE] = PS2_MOUSE_MIDDLE, [SDL_BUTTON_RIGHT] = PS2_MOUSE_RIGHT,
		[SDL_BUTTON_X1] = PS2_MOUSE_4TH, [SDL_BUTTON_X2] = PS2_MOUSE_5TH,
	};
	return button < G_N_ELEMENTS(bits) ? bits[button] : 0;
}

static void take_button(struct sdl *sdl, const SDL_MouseButtonEvent *event)
{
	unsigned bit = button_bit(event->button);
	if (!sdl->grabs) {
		if (event->type == SDL_MOUSEBUTTONDOWN)
			set_grab(sdl, true);
		return;
	}
	move(sdl, 0, 0, 0, event->type == SDL_MOUSEBUTTONDOWN ? sdl->buttons | bit : sdl->buttons & ~bit);
}

static void take_event(struct sdl *sdl, const SDL_Event *event)
{
	switch (event->type) {
	case SDL_QUIT:
		sdl->ended = true;
		break;
	case SDL_KEYDOWN:
	case SDL_KEYUP:
		take_key(sdl, &event->key);
		break;
	case SDL_MOUSEBUTTONDOWN:
	case SDL_MOUSEBUTTONUP:
		take_button(sdl, &event->button);
		break;
	case SDL_MOUSEMOTION:
		if (sdl->grabs)
			move(sdl, event->motion.xrel, event->motion.yrel, 0, sdl->buttons);
		break;
	case SDL_MOUSEWHEEL:
		if (sdl->grabs)
			move(sdl, 0, 0, -event->wheel.y, sdl->buttons);
		break;
	case SDL_WINDOWEVENT:
		if (event->window.event == SDL_WINDOWEVENT_FOCUS_LOST && sdl->grabs)
			set_grab(sdl, false);
		break;
	default:
		break;
	}
}

/* --- pictures ------------------------------------------------------------------------- */

/* The window follows the guest's mode, unless somebody has made it another size. */
static void follow_size(struct sdl *sdl, unsigned old_width, unsigned old_height)
{
	const struct surface *surface = sdl->display.surface;
	int width, height;
	SDL_GetWindowSize(sdl->window, &width, &height);
	if (!sdl->texture || (width == (int)old_width && height == (int)old_height))
		SDL_SetWindowSize(sdl->window, (int)surface->width, (int)surface->height);
	if (sdl->texture)
		SDL_DestroyTexture(sdl->texture);
	sdl->texture = SDL_CreateTexture(sdl->renderer, SDL_PIXELFORMAT_XRGB8888, SDL_TEXTUREACCESS_STREAMING,
	                                 (int)surface->width, (int)surface->height);
	SDL_RenderSetLogicalSize(sdl->renderer, (int)surface->width, (int)surface->height);
}

static void show(struct sdl *sdl)
{
	struct display *display = &sdl->display;
	unsigned width = display->shown->width, height = display->shown->height, first, rows;
	bool resized;
	if (!display_draw(display) || !display->surface->width || !display->surface->height)
		return;
	bool changed = display_changes(display, &first, &rows, &resized);
	if (resized)
		follow_size(sdl, width, height);
	if (!sdl->texture)
		return;
	if (changed) {
		SDL_Rect band = { 0, (int)first, (int)display->shown->width, (int)rows };
		SDL_UpdateTexture(sdl->texture, &band, surface_row(display->shown, first), (int)(display->shown->width * sizeof(uint32_t)));
	}
	/* Also when nothing changed: the window may have been covered. */
	SDL_RenderClear(sdl->renderer);
	SDL_RenderCopy(sdl->renderer, sdl->texture, NULL, NULL);
	SDL_RenderPresent(sdl->renderer);
}

static bool sdl_poll(struct display *display)
{
	struct sdl *sdl = (struct sdl *)display;
	SDL_Event event;
	while (SDL_PollEvent(&event))
		take_event(sdl, &event);
	show(sdl);
	return !sdl->ended;
}

/* --- beginning and end ------------------------------------------------------------------- */

static void sdl_free(struct display *display)
{
	struct sdl *sdl = (struct sdl *)display;
	if (sdl->texture)
		SDL_DestroyTexture(sdl->texture);
	if (sdl->renderer)
		SDL_DestroyRenderer(sdl->renderer);
	if (sdl->window)
		SDL_DestroyWindow(sdl->window);
	SDL_Quit();
	g_free(sdl);
}

static const struct display_ops ops = { .poll = sdl_poll, .free = sdl_free };

struct display *display_sdl_new(const struct display_guest *guest, char **error)
{
	struct sdl *sdl = g_new0(struct sdl, 1);
	display_init(&sdl->display, &ops, guest);
	/* Signals are the run's, and the run has no main loop of SDL's. */
	SDL_SetHint(SDL_HINT_NO_SIGNAL_HANDLERS, "1");
	SDL_SetHint(SDL_HINT_RENDER_SCALE_QUALITY, "linear");
	SDL_SetMainReady();
	if (!SDL_Init(SDL_INIT_VIDEO) &&
	    (sdl->window = SDL_CreateWindow("v2e", SDL_WINDOWPOS_UNDEFINED, SDL_WINDOWPOS_UNDEFINED, 720, 400, SDL_WINDOW_RESIZABLE)) &&
	    (sdl->renderer = SDL_CreateRenderer(sdl->window, -1, SDL_RENDERER_SOFTWARE)))
		return &sdl->display;
	*error = g_strdup_printf("no window can be opened (%s); start v2e in a graphical session, or give --display vnc=5900", SDL_GetError());
	display_free(&sdl->display);
	return NULL;
}
