# What --trace int shows, symbols, and v2e report.
libv2e_a_SOURCES += $(trace_sources)

trace_sources = \
	trace/bios_call.c \
	trace/bios_call.h \
	trace/bios_calls.def \
	trace/bios_format.c \
	trace/calls.c \
	trace/calls.h \
	trace/debug_steps.c \
	trace/debug_steps.h \
	trace/json_line.c \
	trace/json_line.h \
	trace/report.c \
	trace/report.h \
	trace/report_changes.c \
	trace/report_page.c \
	trace/report_private.h \
	trace/step_decode.c \
	trace/step_decode.h \
	trace/step_plan.c \
	trace/step_plan.h \
	trace/steps.c \
	trace/steps.h \
	trace/symbols.c \
	trace/symbols.h \
	trace/symbols_elf.c \
	trace/symbols_map.c

# The page's style and script, as strings.
trace_assets = trace/report.css trace/report.js
EXTRA_DIST += $(trace_assets)
CLEANFILES += trace/report_assets.h
trace/report_page.$(OBJEXT): trace/report_assets.h
trace/report_assets.h: $(trace_assets)
	$(AM_V_GEN)mkdir -p trace; for file in css js; do \
		echo "static const char report_$$file[] ="; \
		sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/.*/"&\\n"/' '$(srcdir)/trace/report'.$$file; \
		echo ";"; \
	done >$@.new && mv $@.new $@
