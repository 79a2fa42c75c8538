#include "cli/displays.h"

#include <string.h>

#define PASSWORD_MAX 8u /* what VNC looks at */

bool displays_names_one(const char *spec)
{
	return !strcmp(spec, "none") || !strcmp(spec, "term") || !strcmp(spec, "sdl") ||
	       (g_str_has_prefix(spec, "vnc=") && spec[4] && spec[4] != ',');
}

#ifdef V2E_VNC
/* The first line. */
static char *read_password(const char *path, char **error)
{
	g_autoptr(GError) problem = NULL;
	g_autofree char *text = NULL;
	if (!g_file_get_contents(path, &text, NULL, &problem)) {
		*error = g_strdup_printf("password: %s; give a file with the password in its first line", problem->message);
		return NULL;
	}
	text[strcspn(text, "\r\n")] = '\0';
	if (*text && strlen(text) <= PASSWORD_MAX)
		return g_steal_pointer(&text);
	*error = g_strdup_printf("password: the first line of %s has %zu characters; VNC takes 1 to %u", path, strlen(text), PASSWORD_MAX);
	return NULL;
}

static struct display *open_vnc(const char *where, const struct display_guest *guest, char **error)
{
	static const char option[] = ",password=";
	const char *comma = strchr(where, ',');
	g_autofree char *place = g_strndup(where, comma ? (size_t)(comma - where) : strlen(where)), *password = NULL;
	if (comma && !g_str_has_prefix(comma, option)) {
		*error = g_strdup_printf("'%s' is no setting of vnc; there is password=FILE", comma + 1);
		return NULL;
	}
	if (comma && !(password = read_password(comma + sizeof option - 1, error)))
		return NULL;
	return display_vnc_new(guest, place, password, error);
}
#else
static struct display *open_vnc(const char *where, const struct display_guest *guest, char **error)
{
	(void)where, (void)guest;
	*error = g_strdup("this v2e was built without libvncserver; install libvncserver-dev and build it anew");
	return NULL;
}
#endif

static struct display *open_sdl(const struct display_guest *guest, char **error)
{
#ifdef V2E_SDL
	return display_sdl_new(guest, error);
#else
	(void)guest;
	*error = g_strdup("this v2e was built without SDL 2; install libsdl2-dev and build it anew");
	return NULL;
#endif
}

bool displays_open(const char *spec, struct machine *machine, struct display **display, char **error)
{
	const struct display_guest guest = { pc_vga(machine->pc), pc_keyboard(machine->pc), pc_mouse(machine->pc) };
	*display = NULL;
	if (!strcmp(spec, "none"))
		return true;
	if (!strcmp(spec, "term"))
		*display = display_term_new(&guest, error);
	else if (!strcmp(spec, "sdl"))
		*display = open_sdl(&guest, error);
	else
		*display = open_vnc(spec + strlen("vnc="), &guest, error);
	return *display;
}
