#!/bin/sh
# Makes the committed build files (configure, Makefile.in, ...) anew. Needs
# autoconf, automake and pkg-config; run it after a change to configure.ac,
# Makefile.am or a local.mk, and commit what changed.
set -eu
cd "$(dirname "$0")/.."
aclocal
autoconf --force
automake --add-missing --copy --force-missing
rm -rf autom4te.cache configure~
