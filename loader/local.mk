# What goes into a machine: firmware, images.
libv2e_a_SOURCES += $(loader_sources)

loader_sources = \
	loader/firmware.c \
	loader/firmware.h \
	loader/image.c \
	loader/image.h
