#include "loader/loader_file.h"

#include <errno.h>
#include <stdarg.h>
#include <sys/stat.h>

bool loader_refuse(const char *path, char **error, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	g_autofree char *what = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	*error = g_strdup_printf("%s: %s", path, what);
	return false;
}

bool loader_file_open(struct loader_file *file, const char *path, char **error)
{
	struct stat status;
	*file = (struct loader_file){ .path = path };
	if (stat(path, &status) < 0)
		return loader_refuse(path, error, "%s; check the name and who may read it", g_strerror(errno));
	if (!S_ISREG(status.st_mode))
		return loader_refuse(path, error, "is not a regular file; give a file");
	if (!status.st_size)
		return loader_refuse(path, error, "is empty; build or download it again");
	g_autoptr(GError) problem = NULL;
	file->map = g_mapped_file_new(path, FALSE, &problem);
	if (!file->map)
		return loader_refuse(path, error, "cannot be read (%s); make it readable for this user", problem->message);
	file->data = (const uint8_t *)g_mapped_file_get_contents(file->map);
	file->size = g_mapped_file_get_length(file->map);
	return true;
}

void loader_file_close(struct loader_file *file)
{
	if (file->map)
		g_mapped_file_unref(file->map);
	*file = (struct loader_file){ .path = NULL };
}
