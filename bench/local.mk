bench_files = bench/bench_boot

EXTRA_DIST += $(bench_files)
