# The emulator against recorded chips (vectors), the host's own CPU (host) and
# QEMU (tests/diff/guests).
insn_libs = libv2e.a $(CAPSTONE_LIBS) $(GLIB_LIBS)
insn_count = -Wl,--wrap=decode_insn

insn_machine = \
	tests/insn/coverage.c \
	tests/insn/coverage.h \
	tests/insn/machine.c \
	tests/insn/machine.h

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

check_PROGRAMS += tests/insn/host
tests_insn_host_SOURCES = $(insn_machine) \
	tests/insn/generate.c \
	tests/insn/generate.h \
	tests/insn/host.c \
	tests/insn/native.c \
	tests/insn/native.h \
	tests/insn/user.c \
	tests/insn/user.h
tests_insn_host_LDFLAGS = $(AM_LDFLAGS) $(insn_count)
tests_insn_host_LDADD = $(insn_libs)

dist_check_SCRIPTS += tests/insn/vectors.sh
TESTS += tests/insn/vectors.sh tests/insn/host

# Ten million cases: some minutes.
check-nightly: tests/insn/host
	tests/insn/host --cases 10000000 --seed $$(date +%Y%m%d)

.PHONY: check-nightly
