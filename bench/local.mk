bench_files =

EXTRA_DIST += $(bench_files)
