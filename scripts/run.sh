#!/usr/bin/env bash
# Install what the build needs, build, and run the server in the foreground.
# Options go to the server: scripts/run.sh --workers 2
set -eu
cd "$(dirname "$0")/.."
. scripts/lib-install.sh

install_missing "${BUILD_PACKAGES[@]}"
[ $# -gt 0 ] || echo "${0##*/}: the chat will be on http://localhost:8000 (Ctrl-C stops it)"
exec make --no-print-directory -j"$(nproc)" run ARGS="$*"
