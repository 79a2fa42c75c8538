docs_files = \
	docs/architecture.md \
	docs/building.md \
	docs/channels.md \
	docs/compare.md \
	docs/context-page.md \
	docs/display.md \
	docs/emulator.md \
	docs/gdb.md \
	docs/hybrid.md \
	docs/jit.md \
	docs/loaders.md \
	docs/network.md \
	docs/policy.md \
	docs/switch-cost.md \
	docs/state.md \
	docs/test.md \
	docs/trace.md \
	docs/transitions.md \
	docs/virtio.md

dist_doc_DATA = README.md $(docs_files)

# Shown by README.md.
EXTRA_DIST += docs/menu.png
