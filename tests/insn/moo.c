#include "tests/insn/moo.h"

#include <string.h>
#include <zlib.h>

struct span {
	const uint8_t *at, *end;
};

static bool take(struct span *span, void *to, size_t size)
{
	if ((size_t)(span->end - span->at) < size)
		return false;
	memcpy(to, span->at, size);
	span->at += size;
	return true;
}

/* The next chunk: its id in `id`, its payload in `payload`. */
static bool take_chunk(struct span *span, char id[5], struct span *payload)
{
	uint32_t length;
	id[4] = 0;
	if (!take(span, id, 4) || !take(span, &length, 4) || (size_t)(span->end - span->at) < length)
		return false;
	*payload = (struct span){ span->at, span->at + length };
	span->at += length;
	return true;
}

static bool read_regs(struct span span, struct moo_state *state)
{
	if (!take(&span, &state->present, 2))
		return false;
	for (unsigned i = 0; i < MOO_REGS; i++)
		if (state->present >> i & 1 && !take(&span, &state->reg[i], 2))
			return false;
	return true;
}

static bool read_ram(struct span span, struct moo_state *state)
{
	uint32_t count;
	if (!take(&span, &count, 4))
		return false;
	for (uint32_t i = 0; i < count; i++) {
		struct moo_byte byte;
		if (!take(&span, &byte.address, 4) || !take(&span, &byte.value, 1))
			return false;
		g_array_append_val(state->ram, byte);
	}
	return true;
}

static bool read_state(struct span span, struct moo_state *state)
{
	char id[5];
	struct span payload;
	state->ram = g_array_new(false, false, sizeof(struct moo_byte));
	while (span.at < span.end) {
		if (!take_chunk(&span, id, &payload))
			return false;
		if (!strcmp(id, "REGS") && !read_regs(payload, state))
			return false;
		if (!strcmp(id, "RAM ") && !read_ram(payload, state))
			return false;
	}
	return true;
}

static bool read_counted(struct span span, GByteArray *bytes)
{
	uint32_t length;
	if (!take(&span, &length, 4) || (size_t)(span.end - span.at) < length)
		return false;
	g_byte_array_append(bytes, span.at, length);
	return true;
}

static bool read_name(struct span span, char **name)
{
	GByteArray *bytes = g_byte_array_new();
	bool ok = read_counted(span, bytes);
	*name = g_strndup((char *)bytes->data, bytes->len);
	g_byte_array_unref(bytes);
	return ok;
}

static bool read_test_chunk(const char *id, struct span payload, struct moo_test *test)
{
	if (!strcmp(id, "NAME"))
		return read_name(payload, &test->name);
	if (!strcmp(id, "BYTS"))
		return read_counted(payload, test->bytes);
	if (!strcmp(id, "INIT"))
		return read_state(payload, &test->initial);
	if (!strcmp(id, "FINA"))
		return read_state(payload, &test->final);
	if (strcmp(id, "EXCP"))
		return true;
	test->has_exception = true;
	return take(&payload, &test->vector, 1) && take(&payload, &test->flags_address, 4);
}

static void test_free(gpointer data)
{
	struct moo_test *test = data;
	g_free(test->name);
	g_byte_array_unref(test->bytes);
	if (test->initial.ram)
		g_array_unref(test->initial.ram);
	if (test->final.ram)
		g_array_unref(test->final.ram);
	g_free(test);
}

static struct moo_test *read_test(struct span span)
{
	struct moo_test *test = g_new0(struct moo_test, 1);
	char id[5];
	struct span payload;
	test->bytes = g_byte_array_new();
	bool ok = take(&span, &test->index, 4);
	while (ok && span.at < span.end)
		ok = take_chunk(&span, id, &payload) && read_test_chunk(id, payload, test);
	if (ok && test->name && test->initial.ram && test->final.ram)
		return test;
	test_free(test);
	return NULL;
}

static bool read_file(struct span span, struct moo_file *file)
{
	char id[5];
	struct span payload;
	while (span.at < span.end) {
		if (!take_chunk(&span, id, &payload))
			return false;
		if (!strcmp(id, "MOO ") && payload.end - payload.at >= 12)
			memcpy(file->cpu, payload.at + 8, 4);
		if (strcmp(id, "TEST"))
			continue;
		struct moo_test *test = read_test(payload);
		if (!test)
			return false;
		g_ptr_array_add(file->tests, test);
	}
	return true;
}

static GByteArray *read_bytes(const char *path)
{
	GByteArray *bytes = g_byte_array_new();
	uint8_t buffer[65536];
	int got = -1;
	gzFile in = gzopen(path, "rb");
	while (in && (got = gzread(in, buffer, sizeof buffer)) > 0)
		g_byte_array_append(bytes, buffer, (guint)got);
	if (in)
		gzclose(in);
	if (got == 0)
		return bytes;
	g_byte_array_unref(bytes);
	return NULL;
}

struct moo_file *moo_load(const char *path, char **error)
{
	GByteArray *bytes = read_bytes(path);
	if (!bytes) {
		*error = g_strdup_printf("%s: cannot be read", path);
		return NULL;
	}
	struct moo_file *file = g_new0(struct moo_file, 1);
	file->tests = g_ptr_array_new_with_free_func(test_free);
	bool ok = read_file((struct span){ bytes->data, bytes->data + bytes->len }, file);
	g_byte_array_unref(bytes);
	if (ok && file->tests->len)
		return file;
	*error = g_strdup_printf("%s: no MOO file, or a damaged one", path);
	moo_free(file);
	return NULL;
}

void moo_free(struct moo_file *file)
{
	g_ptr_array_unref(file->tests);
	g_free(file);
}
