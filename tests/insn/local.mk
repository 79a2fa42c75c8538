# The emulator against recorded chips (vectors), the host's own CPU (host) and
# QEMU (tests/diff/guests).
insn_libs = libv2e.a $(CAPSTONE_LIBS) $(GLIB_LIBS)
insn_count = -Wl,--wrap=decode_insn

insn_machine = \
	tests/insn/coverage.c \
	tests/insn/coverage.h \
	tests/insn/machine.c \
	tests/insn/machine.h

insn_random = \
	tests/insn/random.c \
	tests/insn/random.h

if VECTORS_ENABLED
check_PROGRAMS += tests/insn/vectors
endif
tests_insn_vectors_SOURCES = $(insn_machine) \
	tests/insn/moo.c \
	tests/insn/moo.h \
	tests/insn/vector.h \
	tests/insn/vector_data.c \
	tests/insn/vector_data.h \
	tests/insn/vector_parse.c \
	tests/insn/vector_rules.c \
	tests/insn/vector_rules.h \
	tests/insn/vector_run.c \
	tests/insn/vectors.c
tests_insn_vectors_CFLAGS = $(AM_CFLAGS) $(VECTORS_CFLAGS)
tests_insn_vectors_LDFLAGS = $(AM_LDFLAGS) $(insn_count)
tests_insn_vectors_LDADD = $(insn_libs) $(VECTORS_LIBS)

# It asks the host's own processor.
if NATIVE
check_PROGRAMS += tests/insn/host
endif
tests_insn_host_SOURCES = $(insn_machine) \
	$(insn_random) \
	tests/insn/fpu_state.c \
	tests/insn/fpu_state.h \
	tests/insn/generate.c \
	tests/insn/generate.h \
	tests/insn/host.c \
	tests/insn/host_compare.c \
	tests/insn/host_compare.h \
	tests/insn/host_rules.c \
	tests/insn/host_rules.h \
	tests/insn/native.c \
	tests/insn/native.h \
	tests/insn/user.c \
	tests/insn/user.h
tests_insn_host_LDFLAGS = $(AM_LDFLAGS) $(insn_count)
tests_insn_host_LDADD = $(insn_libs)

check_PROGRAMS += tests/diff/guests
tests_diff_guests_SOURCES = $(insn_machine) \
	tests/diff/guest_cases.c \
	tests/diff/guest_cases.h \
	tests/diff/guest_rules.c \
	tests/diff/guest_rules.h \
	tests/diff/guests.c \
	$(insn_random)
tests_diff_guests_LDFLAGS = $(AM_LDFLAGS) $(insn_count)
tests_diff_guests_LDADD = $(insn_libs)
EXTRA_DIST += tests/diff/guest.asm

insn_scripts = tests/insn/vectors.sh tests/insn/jit.sh tests/insn/coverage.sh tests/diff/guests.sh
dist_check_SCRIPTS += $(insn_scripts)
TESTS += $(insn_scripts)
if NATIVE
TESTS += tests/insn/host
endif

# Lines covered, from a build configured with CFLAGS='-O0 --coverage'.
coverage: check
	lcov --quiet --capture --directory . --base-directory '$(abs_top_builddir)' --output-file coverage.all
	lcov --quiet --extract coverage.all "$$(cd '$(top_srcdir)' && pwd)/*" --output-file coverage.info
	genhtml --quiet --output-directory coverage coverage.info
	lcov --summary coverage.info
CLEANFILES += coverage.all coverage.info

# Ten million cases: some minutes.
check-nightly: tests/insn/host
	tests/insn/host --cases 10000000 --seed $$(date +%Y%m%d)

.PHONY: check-nightly coverage
