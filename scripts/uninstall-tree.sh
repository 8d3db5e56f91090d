#!/usr/bin/env bash
# Remove from the directory INSTALLED what was copied there from FROM, then the
# directories that this leaves empty, the one above INSTALLED included.  What
# somebody else has put there stays.
#
#	uninstall-tree.sh FROM INSTALLED
set -eu
from=$1 installed=$2
[ -d "$installed" ] || exit 0

while IFS= read -r -d '' name; do
	if [ ! -d "$from/$name" ]; then
		rm -f -- "$installed/$name"
	elif [ -d "$installed/$name" ]; then
		rmdir --ignore-fail-on-non-empty -- "$installed/$name"
	fi
done < <(cd "$from" && find . -mindepth 1 -depth -print0)

for directory in "$installed" "$(dirname "$installed")"; do
	rmdir --ignore-fail-on-non-empty -- "$directory"
done
