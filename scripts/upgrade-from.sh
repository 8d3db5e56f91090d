#!/usr/bin/env bash
# Upgrade from an earlier program to the present one (tests/e2e/upgrade-from.test.mjs).
#
#	upgrade-from.sh [COMMIT]
#
# COMMIT defaults to the one before the last change of what a connection's record
# has, that is, of worker/handover/conn_record_tags.h.  It is built in a directory
# of its own below build/, from what git has.  Then the same is done from the present
# program with another layout of the shared memory, which moves to another ring.
set -eu
cd "$(dirname "$0")/.."
format=worker/handover/conn_record_tags.h
changed=$(git log -1 --format=%H -- $format)
commit=$(git rev-parse --short "${1:-$changed^}")
copy=build/upgrade-from/$commit

[ -n "$changed" ] || { echo "git does not know $format"; exit 1; }
if [ ! -x "$copy/build/pubsubd" ]; then
	mkdir -p "$copy"
	git archive "$commit" | tar -x -C "$copy"
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -s -C "$copy" -j"$(nproc)" build/pubsubd >/dev/null
fi
make -s build/pubsubd
echo "from $(git log -1 --format='%h %s' "$commit")"
PUBSUBD_BEFORE=$PWD/$copy/build/pubsubd PUBSUBD=$PWD/build/pubsubd \
	node --test tests/e2e/upgrade-from.test.mjs
other=build/testing/pubsubd-other-layout
make -s $other
echo 'from this program with another layout'
PUBSUBD_BEFORE=$PWD/$other PUBSUBD=$PWD/build/pubsubd \
	node --test tests/e2e/upgrade-from.test.mjs
