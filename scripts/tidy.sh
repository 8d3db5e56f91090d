#!/usr/bin/env bash
# Look for bugs with clang-tidy; .clang-tidy says for which, and why not for
# others.
#
#	tidy.sh [FILE.c ...]	default: all
set -euo pipefail
cd "$(dirname "$0")/.."

# Look at the files that come as input, with options of the compiler.
tidy()
{
	# shellcheck disable=SC2016 # the inner sh expands them
	xargs -0 -r -P "$(nproc)" -n 10 sh -c '
		options=$1; shift
		exec clang-tidy --quiet "$@" -- -std=c11 -I. -D_GNU_SOURCE \
			-DPUBSUBD_VERSION=\"\" $options' \
		clang-tidy "$1" 2>&1 |
		sed '/^[0-9]* warnings\? generated\.$/d'
}

files=("$@")
[ $# -gt 0 ] || mapfile -t files < <(git ls-files '*.c')
# With the stop points, but where these would be fences that are not there.
printf '%s\0' "${files[@]}" | { grep -zv '^tests/model/' || :; } | tidy -DTESTING
printf '%s\0' "${files[@]}" | { grep -z '^tests/model/' || :; } | tidy ''
