/* The server for a debugger, over a socket pair. */
#include "tests/unit/emu_rig.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gdb/server.h"

static struct rig *rig;

static void start(void) { rig = rig_new_real(EMU_CPU_P6); }
static void stop(void) { rig_free(rig); }

static unsigned kills;

static bool give_up(void *owner) { (void)owner; return false; }
static void count_kill(void *owner) { (void)owner; kills++; }

START_TEST(the_server_serves_until_the_guest_is_to_run)
{
	static const char input[] = "+$?#3f$bad#00$QStartNoAckMode#b0$Z0,10001,1#05$c#63";
	int fd[2];
	char output[256] = "";
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	const struct gdb_server_config config = {
		.ctx = rig->ctx, .mem = rig->machine->mem, .clock = rig->machine->clock, .give_up = give_up, .kill = count_kill,
	};
	struct gdb_server *server = gdb_server_new_connected(fd[0], &config);
	ck_assert_int_eq(write(fd[1], input, strlen(input)), strlen(input));
	gdb_server_wait(server);
	ck_assert_int_gt(recv(fd[1], output, sizeof output - 1, MSG_DONTWAIT), 0);
	ck_assert_str_eq(output, "+$T05thread:1;#d7-+$OK#9a$OK#9a");
	/* It runs; the breakpoint is told, and what comes next kills. */
	CODE(rig, 0x90, 0x90);
	ck_assert_int_eq(rig_step(rig, 100), STOP_DEBUG);
	ck_assert_int_eq(write(fd[1], "$k#6b", 5), 5);
	kills = 0;
	gdb_server_stopped(server, STOP_DEBUG);
	memset(output, 0, sizeof output);
	ck_assert_int_gt(recv(fd[1], output, sizeof output - 1, 0), 0);
	ck_assert_str_eq(output, "$T05thread:1;swbreak:;#3b");
	ck_assert_uint_eq(kills, 1);
	ck_assert(!gdb_server_has_client(server));
	ck_assert_uint_eq(rig->ctx->debug.armed, 0);
	gdb_server_free(server);
	close(fd[1]);
}
END_TEST

START_TEST(a_client_that_leaves_lets_the_guest_run)
{
	int fd[2];
	char output[256] = "";
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	const struct gdb_server_config config = {
		.ctx = rig->ctx, .mem = rig->machine->mem, .clock = rig->machine->clock, .give_up = give_up, .kill = count_kill,
	};
	struct gdb_server *server = gdb_server_new_connected(fd[0], &config);
	ck_assert_int_eq(write(fd[1], "$c#63", 5), 5);
	gdb_server_wait(server);
	ck_assert_int_eq(write(fd[1], "\003$Z0,5,1#48", 11), 11);
	shutdown(fd[1], SHUT_WR);
	gdb_server_poll(server);
	ck_assert_int_gt(recv(fd[1], output, sizeof output - 1, 0), 0);
	ck_assert_ptr_nonnull(strstr(output, "$T02thread:1;"));
	ck_assert_ptr_nonnull(strstr(output, "$OK"));
	ck_assert(!gdb_server_has_client(server));
	ck_assert_uint_eq(rig->ctx->debug.armed, 0);
	gdb_server_free(server);
	close(fd[1]);
}
END_TEST

Suite *suite_gdb_server(void);
Suite *suite_gdb_server(void)
{
	return RIG_SUITE("gdb server", start, stop, the_server_serves_until_the_guest_is_to_run,
	                 a_client_that_leaves_lets_the_guest_run);
}
