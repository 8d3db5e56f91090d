#!/usr/bin/env bash
# Fail where a C file is not as clang-format would have it; -i formats instead.
# And where one of the product's is longer than 400 lines, unless it is a table.
# The rules were set with clang-format 14, which is taken where it is there.
set -u
cd "$(dirname "$0")/.." || exit
formatter=$(command -v clang-format-14 || command -v clang-format) || {
	echo "${0##*/}: there is no clang-format here" >&2
	exit 1
}
if [ "${1:-}" = -i ]; then
	git ls-files -z '*.c' '*.h' | xargs -0r "$formatter" -i
	exit
fi
failed=0
while read -r file; do
	"$formatter" "$file" | diff -u --label "$file" --label "$file, formatted" \
		"$file" - || failed=1
done < <(git ls-files '*.c' '*.h')
while read -r file; do
	lines=$(wc -l <"$file")
	[ "$lines" -le 400 ] || {
		echo "$file: $lines lines, at most 400: split it by subject"
		failed=1
	}
done < <(git ls-files 'broker/*.c' 'worker/*.c' 'common/*.c' ':!broker/cli/option_table.c')
exit $failed
