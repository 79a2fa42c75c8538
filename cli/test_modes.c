#include "cli/test_modes.h"

struct test_modes {
	struct machine *machine;
	void (*entered)(void *owner, uint64_t ns);
	void *owner;
	uint64_t count;
	bool pe;
};
struct test_modes *test_modes_new(struct machine *machine, void (*entered)(void *owner, uint64_t ns), void *owner)
{
	struct test_modes *modes = g_new0(struct test_modes, 1);
	modes->machine = machine;
	modes->entered = entered;
	modes->owner = owner;
	return modes;
}
void test_modes_free(struct test_modes *modes)
{
	g_free(modes);
}
void test_modes_poll(struct test_modes *modes)
{
	bool pe = pc_ctx(modes->machine->pc)->cr0 & 1;
	if (pe != modes->pe) {
		modes->count++;
		if (pe) modes->entered(modes->owner, clock_now(modes->machine->clock));
	}
	modes->pe = pe;
}
uint64_t test_modes_count(const struct test_modes *modes)
{
	return modes->count;
}
void test_modes_print(const struct test_modes *modes, FILE *out)
{
	(void)modes; (void)out;
}
