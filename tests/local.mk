# make check: the unit tests (one program) and the shell tests that need no
# payload. make check-boot: the tests that boot firmware and real payloads.
if TESTS_ENABLED
check_PROGRAMS += tests/unit/unit
TESTS += tests/unit/unit
endif

tests_unit_unit_SOURCES = $(unit_sources)
tests_unit_unit_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_unit_LDADD = libv2e.a $(CAPSTONE_LIBS) $(GLIB_LIBS) $(PNG_LIBS) $(CHECK_LIBS)

unit_sources = \
	tests/unit/main.c \
	tests/unit/suites.def

dist_check_SCRIPTS = $(shell_tests)
TESTS += $(shell_tests)

shell_tests = \
	tests/rules.sh

AM_TESTS_ENVIRONMENT = \
	V2E_SRC='$(abs_top_srcdir)'; V2E_BUILD='$(abs_top_builddir)'; \
	export V2E_SRC V2E_BUILD;

EXTRA_DIST += tests/lib.sh
