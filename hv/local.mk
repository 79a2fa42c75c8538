# The KVM engine.
libv2e_a_SOURCES += $(hv_sources)

hv_sources = \
	hv/hv.h \
	hv/kvm_mem.h \
	hv/kvm_private.h \
	hv/kvm_vm.h \
	hv/kvm_watch.h
