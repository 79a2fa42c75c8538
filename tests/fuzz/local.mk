# The corpus is replayed in each test run. make fuzz (with clang) builds the fuzzers
# fuzz/block and fuzz/page; for AFL++ configure with CC=afl-clang-fast and run
# afl-fuzz -i tests/fuzz/corpus/block -o OUT tests/fuzz/block @@.
check_PROGRAMS += tests/fuzz/block tests/fuzz/page
TESTS += tests/fuzz/block tests/fuzz/page

fuzz_common = \
	tests/fuzz/fuzz.h \
	tests/insn/machine.c \
	tests/insn/machine.h

tests_fuzz_block_SOURCES = $(fuzz_common) tests/fuzz/fuzz_block.c tests/fuzz/replay.c
tests_fuzz_block_CPPFLAGS = $(AM_CPPFLAGS) -DV2E_FUZZ_CORPUS='"block"'
tests_fuzz_block_LDADD = $(insn_libs)
tests_fuzz_page_SOURCES = $(fuzz_common) tests/fuzz/fuzz_page.c tests/fuzz/replay.c
tests_fuzz_page_CPPFLAGS = $(AM_CPPFLAGS) -DV2E_FUZZ_CORPUS='"page"'
tests_fuzz_page_LDADD = $(insn_libs)

fuzz:
	V2E_SRC='$(abs_top_srcdir)' V2E_BUILD='$(abs_top_builddir)' $(srcdir)/tests/fuzz/build.sh

.PHONY: fuzz

EXTRA_DIST += tests/fuzz/build.sh $(fuzz_corpus)
fuzz_corpus = \
	tests/fuzz/corpus/block/code16 \
	tests/fuzz/corpus/block/code16-ring3 \
	tests/fuzz/corpus/block/code32 \
	tests/fuzz/corpus/block/code32-paging \
	tests/fuzz/corpus/block/prefixes \
	tests/fuzz/corpus/block/real-alu \
	tests/fuzz/corpus/block/real-mode-switch \
	tests/fuzz/corpus/block/real-string \
	tests/fuzz/corpus/block/ring3 \
	tests/fuzz/corpus/block/ring3-paging \
	tests/fuzz/corpus/block/smc \
	tests/fuzz/corpus/block/sse \
	tests/fuzz/corpus/block/tasks \
	tests/fuzz/corpus/block/truncated \
	tests/fuzz/corpus/block/vm86 \
	tests/fuzz/corpus/block/x87 \
	tests/fuzz/corpus/page/event \
	tests/fuzz/corpus/page/paging \
	tests/fuzz/corpus/page/protected \
	tests/fuzz/corpus/page/real \
	tests/fuzz/corpus/page/smm \
	tests/fuzz/corpus/page/vm86
