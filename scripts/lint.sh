#!/usr/bin/env bash
# Look for bugs with cppcheck; what it may say is in cppcheck-suppressions.txt.
set -eu
cd "$(dirname "$0")/.."
git ls-files '*.c' | cppcheck --file-list=- -j "$(nproc)" --quiet --std=c11 \
	--enable=warning,performance,portability --inline-suppr \
	--suppressions-list=scripts/cppcheck-suppressions.txt \
	--error-exitcode=1 -D_GNU_SOURCE -DPUBSUBD_VERSION='""' -DDATADIR='""' -I.
