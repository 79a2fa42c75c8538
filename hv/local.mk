# The KVM engine.
libv2e_a_SOURCES += $(hv_sources)

hv_sources =
