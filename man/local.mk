man_pages = \
	man/v2e-bench.1 \
	man/v2e-probe.1 \
	man/v2e-report.1 \
	man/v2e-run.1 \
	man/v2e-test.1 \
	man/v2e-trace.1 \
	man/v2e.1

dist_man_MANS = $(man_pages)
EXTRA_DIST += man/update.sh
