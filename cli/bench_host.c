#include "cli/bench_host.h"

#include <string.h>
#include <sys/utsname.h>

#include <glib.h>

#include "cli/revision.h"

static char *processor(void)
{
	g_autofree char *text = NULL;
	char *name = NULL;
	if (g_file_get_contents("/proc/cpuinfo", &text, NULL, NULL))
		name = strstr(text, "model name");
	if (!name || !(name = strchr(name, ':')))
		return g_strdup("unknown");
	return g_strstrip(g_strndup(name + 1, strcspn(name + 1, "\n")));
}

void bench_host_get(struct bench_host *host)
{
	struct utsname names;
	g_autofree char *name = processor();
	g_autoptr(GDateTime) now = g_date_time_new_now_utc();
	host->machine = g_strdelimit(g_strdup_printf("%s x%u", name, g_get_num_processors()), ",", ' ');
	host->kernel = g_strdup(uname(&names) ? "unknown" : names.release);
	host->date = g_date_time_format(now, "%Y-%m-%dT%H:%M:%SZ");
	host->revision = V2E_REVISION;
}

void bench_host_clear(struct bench_host *host)
{
	g_free(host->machine);
	g_free(host->kernel);
	g_free(host->date);
}
