#!/usr/bin/env bash
# Look for bugs with clang-tidy; .clang-tidy says for which, and why not for
# others.
#
#	tidy.sh [FILE.c ...]	default: all
set -eu
cd "$(dirname "$0")/.."

files=("$@")
[ $# -gt 0 ] || mapfile -t files < <(git ls-files '*.c')
printf '%s\0' "${files[@]}" |
	xargs -0 -P "$(nproc)" -n 10 sh -c 'exec clang-tidy --quiet "$@" -- \
		-std=c11 -I. -D_GNU_SOURCE -DTESTING -DPUBSUBD_VERSION=\"\" \
		-DDATADIR=\"\"' clang-tidy
