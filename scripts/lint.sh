#!/usr/bin/env bash
# Look for bugs with cppcheck; what it need not say is in
# cppcheck-suppressions.txt.  It does not search the system's headers, so those
# whose macros are code are named: without them it guesses.
set -eu
cd "$(dirname "$0")/.."

macros=()
while read -r header; do
	macros+=("--include=$header")
done < <(printf '#include <sys/queue.h>\n#include <uthash.h>\n' | cc -E -x c - |
	sed -nE 's/^# 1 "([^"]*\/(sys\/queue|uthash)\.h)".*/\1/p' | sort -u)

git ls-files '*.c' | cppcheck --file-list=- -j "$(nproc)" --quiet --std=c11 \
	--enable=warning,performance,portability --library=posix --library=gnu \
	--inline-suppr --error-exitcode=1 \
	--suppressions-list=scripts/cppcheck-suppressions.txt \
	-I. "${macros[@]}" -D_GNU_SOURCE -DTESTING -DPUBSUBD_VERSION='""' \
	-D'__builtin_expect(condition,often)=(condition)'
