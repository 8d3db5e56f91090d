#!/usr/bin/env bash
# Fail where a header does not compile alone, or not when included twice.  Those of
# the bridge need libnats, and are left out where it is not installed.
set -u
cd "$(dirname "$0")/.." || exit
read -ra cc <<<"${CC:-cc}" # as make takes it: ccache gcc
failed=0
without=()
echo '#include <nats/nats.h>' | "${cc[@]}" -E -x c - >/dev/null 2>&1 ||
	without=(':!broker/bridge/')
while read -r header; do
	printf '#include "%s"\n#include "%s"\n' "$header" "$header" |
		"${cc[@]}" -std=c11 -D_GNU_SOURCE -I. -Wall -Wextra -Werror \
			-fsyntax-only -x c - || {
		echo "$header: does not stand alone"
		failed=1
	}
done < <(git ls-files '*.h' "${without[@]}")
exit $failed
