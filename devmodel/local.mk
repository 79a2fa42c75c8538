# The chips and the board.
libv2e_a_SOURCES += $(devmodel_sources)

devmodel_sources =
