#!/usr/bin/env bash
# Hold the code and the models of tests/model/ together by their steps, named
# like publish-3.  In the code a comment that begins with "publish-3:" is where
# the step is; in a model a comment behind a statement says which step that
# stands for.  Fail where
#	a step is in the code twice, or only in the code, or only in a model;
#	a statement of a model touches the shared words that its first comment
#	lists ("Shared: ...") and names no step.  Macros, declarations and init
#	are not looked at, and "truth" is a name for what only the check knows.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib-install.sh

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

git grep -hoE '(/\*|^[[:space:]]*\*)[[:space:]]+[a-z]+-[0-9]+:' -- \
	'broker/*.[ch]' 'worker/*.[ch]' | grep -oE '[a-z]+-[0-9]+' |
	sort >"$work/placed"
grep -hoE '/\* [a-z]+-[0-9]+ \*/' tests/model/*.pml |
	grep -oE '[a-z]+-[0-9]+' | sort -u >"$work/named"
if ! [ -s "$work/placed" ] || ! [ -s "$work/named" ]; then
	die 'found no steps at all'
fi

# Print what the files named say, with a reason.
complain()
{
	sed "s/\$/: $1/" >>"$work/wrong"
}

uniq -d "$work/placed" | complain 'is in the code twice'
comm -23 <(uniq "$work/placed") "$work/named" | complain 'is in no model'
comm -13 <(uniq "$work/placed") "$work/named" | complain 'is not in the code'
awk '
FNR == 1 { split("", shared); header = 1; init = 0 }
header && /^ \* Shared: / { for (i = 3; i <= NF; i++) shared[$i] }
header { if (/\*\/$/ && FNR > 1) header = 0; next }
/^init / { init = 1 }
init || /^#/ || /\\$/ || macro || /^(byte|bit|short|chan) / { macro = /\\$/; next }
/\/\* ([a-z]+-[0-9]+|truth|any) \*\// { next }
{
	line = $0
	gsub(/\/\*.*/, "", line)
	if ($0 ~ /^[ \t]*(\*|\/\*)/) next
	n = split(line, words, /[^A-Za-z0-9_]+/)
	for (i = 1; i <= n; i++)
		if (words[i] in shared) {
			print FILENAME ":" FNR ": touches " words[i] ", and names no step"
			break
		}
}' tests/model/*.pml >>"$work/wrong"

cat "$work/wrong"
[ ! -s "$work/wrong" ]
