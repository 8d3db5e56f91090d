#!/usr/bin/env bash
# Fail where a header does not compile alone, or not when included twice.
set -u
cd "$(dirname "$0")/.." || exit
failed=0
while read -r header; do
	printf '#include "%s"\n#include "%s"\n' "$header" "$header" |
		"${CC:-cc}" -std=c11 -D_GNU_SOURCE -I. -Wall -Wextra -Werror \
			-fsyntax-only -x c - || {
		echo "$header: does not stand alone"
		failed=1
	}
done < <(git ls-files '*.h')
exit $failed
