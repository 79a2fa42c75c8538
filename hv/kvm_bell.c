#include "hv/kvm_bell.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <glib.h>

#define BELLS 32u

/* An eventfd of its own for each, so that what rang is known. */
struct ear {
	struct mem_doorbell doorbell;
	int fd;
};

struct kvm_bell {
	const struct kvm_vm *vm;
	struct mem *mem;
	void (*served)(void *owner);
	void *owner;
	pthread_mutex_t lock; /* the devices, and `ear` */
	struct ear ear[BELLS];
	unsigned ears;
	uint32_t epoch;       /* of the map that is registered */
	bool valid;
	struct kvm_bell_stats stats;

	pthread_t thread;
	bool has_thread;
	int wake;             /* eventfd: other ears, or the end */
	atomic_bool ends;
	atomic_bool late;     /* the thread knows of something, and waits for the lock */
};

int kvm_bell_check(const struct kvm_vm *vm)
{
	return ioctl(vm->vm, KVM_CHECK_EXTENSION, KVM_CAP_IOEVENTFD) > 0 ? 0 : -ENOTSUP;
}

/* --- answering -------------------------------------------------------------------------- */

static bool rang(int fd)
{
	uint64_t count;
	return read(fd, &count, sizeof count) == sizeof count;
}

static unsigned answer(struct kvm_bell *bell, const struct pollfd *ears)
{
	unsigned answered = 0;
	for (unsigned n = 0; n < bell->ears; n++) {
		if (!(ears[n].revents & POLLIN) || !rang(bell->ear[n].fd))
			continue;
		mem_ring(&bell->ear[n].doorbell);
		answered++;
	}
	bell->stats.rung += answered;
	return answered;
}

static unsigned list_ears(const struct kvm_bell *bell, struct pollfd *ears)
{
	for (unsigned n = 0; n < bell->ears; n++)
		ears[n] = (struct pollfd){ .fd = bell->ear[n].fd, .events = POLLIN };
	return bell->ears;
}

void kvm_bell_answer(struct kvm_bell *bell)
{
	struct pollfd ears[BELLS];
	if (!bell || !bell->ears)
		return;
	atomic_store_explicit(&bell->late, false, memory_order_relaxed);
	if (poll(ears, list_ears(bell, ears), 0) > 0)
		bell->stats.stopped += answer(bell, ears);
}

/* --- the thread ---------------------------------------------------------------------------- */

static unsigned list_all(struct kvm_bell *bell, struct pollfd *ears)
{
	pthread_mutex_lock(&bell->lock);
	unsigned count = list_ears(bell, ears);
	pthread_mutex_unlock(&bell->lock);
	ears[count] = (struct pollfd){ .fd = bell->wake, .events = POLLIN };
	return count;
}

/* Whoever has the lock looks anew: the vCPU thread may have been here first, and the
 * doorbells may be others by now. */
static void take_turn(struct kvm_bell *bell)
{
	struct pollfd ears[BELLS];
	atomic_store_explicit(&bell->late, true, memory_order_relaxed);
	pthread_mutex_lock(&bell->lock);
	atomic_store_explicit(&bell->late, false, memory_order_relaxed);
	if (poll(ears, list_ears(bell, ears), 0) > 0 && answer(bell, ears))
		bell->served(bell->owner);
	pthread_mutex_unlock(&bell->lock);
}

static void *listen_all(void *data)
{
	struct kvm_bell *bell = data;
	struct pollfd ears[BELLS + 1];
	unsigned count = list_all(bell, ears);
	while (!atomic_load(&bell->ends)) {
		if (poll(ears, count + 1, -1) < 0)
			continue;
		if (ears[count].revents & POLLIN && rang(bell->wake))
			count = list_all(bell, ears);
		else
			take_turn(bell);
	}
	return NULL;
}

/* All signals are for others: the user's for the main thread, ours for the vCPU's. */
static int start_thread(struct kvm_bell *bell)
{
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int error = pthread_create(&bell->thread, NULL, listen_all, bell);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	bell->has_thread = !error;
	return -error;
}

static void wake_thread(const struct kvm_bell *bell)
{
	const uint64_t one = 1;
	while (write(bell->wake, &one, sizeof one) < 0 && errno == EINTR)
		;
}

/* --- what is registered --------------------------------------------------------------------- */

static int tell(const struct kvm_bell *bell, const struct ear *ear, uint32_t flags)
{
	struct kvm_ioeventfd event = {
		.datamatch = ear->doorbell.value, .addr = ear->doorbell.address, .len = ear->doorbell.size,
		.fd = ear->fd, .flags = KVM_IOEVENTFD_FLAG_DATAMATCH | flags,
	};
	return kvm_vm_ioctl(bell->vm->vm, KVM_IOEVENTFD, &event);
}

static bool same(const struct mem_doorbell *a, const struct mem_doorbell *b)
{
	return a->region == b->region && a->address == b->address && a->size == b->size && a->value == b->value;
}

static bool is_among(const GArray *wanted, const struct mem_doorbell *doorbell)
{
	for (guint n = 0; n < wanted->len; n++)
		if (same(&g_array_index(wanted, struct mem_doorbell, n), doorbell))
			return true;
	return false;
}

static bool is_heard(const struct kvm_bell *bell, const struct mem_doorbell *doorbell)
{
	for (unsigned n = 0; n < bell->ears; n++)
		if (same(&bell->ear[n].doorbell, doorbell))
			return true;
	return false;
}

/* What rang there before is not forgotten. */
static int remove_unwanted(struct kvm_bell *bell, const GArray *wanted)
{
	for (unsigned n = bell->ears; n-- > 0;) {
		struct ear *ear = &bell->ear[n];
		if (is_among(wanted, &ear->doorbell))
			continue;
		int result = tell(bell, ear, KVM_IOEVENTFD_FLAG_DEASSIGN);
		if (result)
			return result;
		if (rang(ear->fd))
			mem_ring(&ear->doorbell);
		close(ear->fd);
		*ear = bell->ear[--bell->ears];
	}
	return 0;
}

/* More than there is room for are written as any register is. */
static int add_missing(struct kvm_bell *bell, const GArray *wanted)
{
	for (guint n = 0; n < wanted->len && bell->ears < BELLS; n++) {
		struct ear ear = { g_array_index(wanted, struct mem_doorbell, n), -1 };
		if (is_heard(bell, &ear.doorbell))
			continue;
		ear.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		int result = ear.fd < 0 ? -errno : tell(bell, &ear, 0);
		if (result) {
			if (ear.fd >= 0)
				close(ear.fd);
			return result;
		}
		bell->ear[bell->ears++] = ear;
	}
	return 0;
}

static void collect(void *owner, const struct mem_doorbell *doorbell)
{
	g_array_append_val((GArray *)owner, *doorbell);
}

static int change(struct kvm_bell *bell, const GArray *wanted)
{
	int result = remove_unwanted(bell, wanted);
	if (!result)
		result = add_missing(bell, wanted);
	if (result || !bell->ears)
		return result;
	if (!bell->has_thread)
		return start_thread(bell);
	wake_thread(bell);
	return 0;
}

int kvm_bell_update(struct kvm_bell *bell)
{
	if (!bell || (bell->valid && bell->epoch == bell->mem->epoch))
		return 0;
	g_autoptr(GArray) wanted = g_array_new(FALSE, FALSE, sizeof(struct mem_doorbell));
	mem_for_each_doorbell(bell->mem, collect, wanted);
	bell->valid = false;
	int result = change(bell, wanted);
	if (result)
		return result;
	bell->epoch = bell->mem->epoch;
	bell->valid = true;
	return 0;
}

bool kvm_bell_is_at(const struct kvm_bell *bell, uint64_t address)
{
	for (unsigned n = 0; bell && n < bell->ears; n++)
		if ((bell->ear[n].doorbell.address ^ address) < MEM_PAGE_SIZE)
			return true;
	return false;
}

/* --- whose the devices are ---------------------------------------------------------------------- */

void kvm_bell_take(struct kvm_bell *bell)
{
	if (bell)
		pthread_mutex_lock(&bell->lock);
}

void kvm_bell_give(struct kvm_bell *bell)
{
	if (bell)
		pthread_mutex_unlock(&bell->lock);
}

bool kvm_bell_is_late(const struct kvm_bell *bell)
{
	return bell && atomic_load_explicit(&bell->late, memory_order_relaxed);
}

struct kvm_bell_stats kvm_bell_stats(const struct kvm_bell *bell)
{
	return bell ? bell->stats : (struct kvm_bell_stats){ 0, 0 };
}

/* --- all of it ------------------------------------------------------------------------------------ */

struct kvm_bell *kvm_bell_new(const struct kvm_vm *vm, struct mem *mem, void (*served)(void *owner), void *owner)
{
	int wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (wake < 0)
		return NULL;
	struct kvm_bell *bell = g_new0(struct kvm_bell, 1);
	bell->vm = vm;
	bell->mem = mem;
	bell->served = served;
	bell->owner = owner;
	bell->wake = wake;
	pthread_mutex_init(&bell->lock, NULL);
	return bell;
}

void kvm_bell_free(struct kvm_bell *bell)
{
	if (!bell)
		return;
	atomic_store(&bell->ends, true);
	if (bell->has_thread) {
		wake_thread(bell);
		pthread_join(bell->thread, NULL);
	}
	for (unsigned n = 0; n < bell->ears; n++)
		close(bell->ear[n].fd);
	close(bell->wake);
	pthread_mutex_destroy(&bell->lock);
	g_free(bell);
}
