#!/usr/bin/env bash
# Put the blocks that MANUAL (build/pubsubd-manual) prints from the tables of
# commands and options into texts.
#
#	manual.sh MANUAL page TEMPLATE	print TEMPLATE; a line @BLOCK@ becomes the block,
#					and @version@ anywhere the version
#	manual.sh MANUAL fill FILE	print FILE; what stands between the lines
#					<!-- begin of BLOCK ... --> and
#					<!-- end of BLOCK --> becomes the block
#	manual.sh MANUAL check FILE	fail, with a diff, if that would change FILE
set -eu
manual=$1 what=$2 file=$3

# Read names of blocks in place of them.
fill()
{
	awk -v manual="$manual" '
	function block(name) {
		if (system(manual " " name) != 0) {
			print FILENAME ": no block " name >"/dev/stderr"
			exit 1
		}
	}
	BEGIN { (manual " version") | getline version }
	{ gsub(/@version@/, version) }
	!between && /^@[a-z-]+@$/ {
		fflush()
		block(substr($0, 2, length($0) - 2))
		next
	}
	between && /^<!-- end of / { skip = 0 }
	!skip { print }
	between && /^<!-- begin of / { 
		sub(/:$/, "", $4)
		fflush()
		block($4)
		skip = 1
	}
	END {
		if (skip) {
			print FILENAME ": a block has no end" >"/dev/stderr"
			exit 1
		}
	}
	' between="$1" "$file"
}

case $what in
page) fill '' ;;
fill) fill 1 ;;
check)
	fill 1 | diff -u --label "$file" --label "$file, as printed" "$file" - || {
		echo "$file: is not what the table of options says; 'make docs'" >&2
		exit 1
	}
	;;
*)
	echo "${0##*/}: $what: neither page, fill nor check" >&2
	exit 2
	;;
esac
