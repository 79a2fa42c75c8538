# The command. All but main.c is in the library, where unit tests reach it.
v2e_SOURCES = cli/main.c
libv2e_a_SOURCES += $(cli_sources)

cli_sources = \
	cli/bench.c \
	cli/bench.h \
	cli/bench_floor.c \
	cli/bench_guest.h \
	cli/bench_host.c \
	cli/bench_host.h \
	cli/bench_machine.c \
	cli/bench_options.c \
	cli/bench_options.h \
	cli/bench_plan.c \
	cli/bench_plan.h \
	cli/bench_plot.c \
	cli/bench_plot.h \
	cli/bench_qemu.c \
	cli/bench_report.c \
	cli/bench_report.h \
	cli/bench_sample.c \
	cli/bench_sample.h \
	cli/bench_subject.c \
	cli/bench_subject.h \
	cli/bench_worker.c \
	cli/bench_worker.h \
	cli/compare.c \
	cli/compare.h \
	cli/compare_same.c \
	cli/compare_same.h \
	cli/compare_side.c \
	cli/compare_side.h \
	cli/completion.c \
	cli/completion.h \
	cli/disassemble.c \
	cli/disassemble.h \
	cli/displays.c \
	cli/displays.h \
	cli/drives.c \
	cli/drives.h \
	cli/emulator.c \
	cli/emulator.h \
	cli/engines.c \
	cli/engines.h \
	cli/flip.c \
	cli/flip.h \
	cli/json.c \
	cli/json.h \
	cli/machine.c \
	cli/machine.h \
	cli/monitor.c \
	cli/monitor.h \
	cli/nearest.c \
	cli/nearest.h \
	cli/network.c \
	cli/network.h \
	cli/options.c \
	cli/options.h \
	cli/payload.c \
	cli/payload.h \
	cli/probe.c \
	cli/probe.h \
	cli/progress.c \
	cli/progress.h \
	cli/report.c \
	cli/report.h \
	cli/run.c \
	cli/run.h \
	cli/run_options.c \
	cli/run_options.h \
	cli/run_options_check.c \
	cli/run_options_engine.c \
	cli/run_options_internal.h \
	cli/run_options_kernel.c \
	cli/run_options_machine.c \
	cli/run_options_trace.c \
	cli/script.c \
	cli/script.h \
	cli/script_commands.c \
	cli/script_commands.def \
	cli/script_internal.h \
	cli/script_parse.c \
	cli/script_parse.h \
	cli/setup.c \
	cli/setup.h \
	cli/state.c \
	cli/state.h \
	cli/state_file.c \
	cli/state_file.h \
	cli/test.c \
	cli/test.h \
	cli/test_artefacts.c \
	cli/test_artefacts.h \
	cli/test_expect.c \
	cli/test_expect.h \
	cli/test_file.c \
	cli/test_file.h \
	cli/test_folder.c \
	cli/test_folder.h \
	cli/test_guest.c \
	cli/test_guest.h \
	cli/test_keys.c \
	cli/test_keys.h \
	cli/test_modes.c \
	cli/test_modes.h \
	cli/test_options.c \
	cli/test_options.h \
	cli/test_picture.c \
	cli/test_picture.h \
	cli/test_places.c \
	cli/test_places.h \
	cli/test_register.c \
	cli/test_register.h \
	cli/test_report.c \
	cli/test_report.h \
	cli/test_result.c \
	cli/test_result.h \
	cli/test_run.c \
	cli/test_run.h \
	cli/test_suite.c \
	cli/test_suite.h \
	cli/trace.c \
	cli/trace.h \
	cli/trace_output.c \
	cli/trace_output.h \
	cli/units.c \
	cli/units.h \
	cli/virtio.c \
	cli/virtio.h

# What was measured: git's name for it, or the version where there is no git.
cli/bench_host.$(OBJEXT): cli/revision.h
cli/revision.h: FORCE
	@$(MKDIR_P) cli
	@name=`git -C $(srcdir) describe --always --dirty 2>/dev/null || echo $(PACKAGE_VERSION)`; \
	echo "#define V2E_REVISION \"$$name\"" >$@.new; \
	if cmp -s $@.new $@; then rm -f $@.new; else mv -f $@.new $@; fi
FORCE:
.PHONY: FORCE
CLEANFILES += cli/revision.h

# Bash's completion, by the program itself.
completionsdir = $(datadir)/bash-completion/completions
if !CROSS
nodist_completions_DATA = completions/v2e
endif
completions/v2e: v2e$(EXEEXT)
	@$(MKDIR_P) completions
	@./v2e$(EXEEXT) --completion >$@.new && mv -f $@.new $@
CLEANFILES += completions/v2e
