# The KVM engine.
libv2e_a_SOURCES += hv/hv.h hv/names.c
EXTRA_DIST += $(hv_sources) hv/none.c
if NATIVE
libv2e_a_SOURCES += $(hv_sources)
else
libv2e_a_SOURCES += hv/none.c
endif

hv_sources = \
	hv/kvm.c \
	hv/kvm_bell.c \
	hv/kvm_bell.h \
	hv/kvm_ctx.c \
	hv/kvm_deliver.c \
	hv/kvm_floor.c \
	hv/kvm_guest.c \
	hv/kvm_guest.h \
	hv/kvm_io.c \
	hv/kvm_mem.c \
	hv/kvm_mem.h \
	hv/kvm_private.h \
	hv/kvm_probe.c \
	hv/kvm_run.c \
	hv/kvm_shadow.c \
	hv/kvm_shadow.h \
	hv/kvm_sites.c \
	hv/kvm_sites.h \
	hv/kvm_smm.c \
	hv/kvm_smm.h \
	hv/kvm_speed.c \
	hv/kvm_speed.h \
	hv/kvm_state.c \
	hv/kvm_step.c \
	hv/kvm_step.h \
	hv/kvm_trace.c \
	hv/kvm_trace.h \
	hv/kvm_vm.c \
	hv/kvm_vm.h \
	hv/kvm_watch.c \
	hv/kvm_watch.h \
	hv/kvm_window.c \
	hv/kvm_window.h \
	hv/kvm_witness.c \
	hv/kvm_witness.h
