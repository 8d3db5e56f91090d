#!/usr/bin/env bash
# Run the tests with clang's line counters (COV=1), and say how many lines of
# each file ran.  Fails if a test fails, or if less than COVERAGE_MIN percent of
# the broker's or of the worker's lines ran.  Left in build/coverage: html/ shows
# every line with its count, report.txt has the table.
#
#	SUITES='unit mp e2e'	what to run
#	COVERAGE_MIN=90		percent
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib-install.sh

build=${BUILD:-build}
out=$build/coverage
program=$build/clang-cov-testing/pubsubd

(install_missing "${BUILD_PACKAGES[@]}" "${TEST_PACKAGES[@]}" "${LINT_PACKAGES[@]}")
rm -rf "$out"
status=0
# With the stop points in the program, too: a function then is the same in it and
# in the library that the tests link, and its counts add up.
make --no-print-directory -j"$(nproc)" BUILD="$build" CC=clang COV=1 TESTING=1 \
	test SUITES="${SUITES:-unit mp e2e}" || status=$?

# Warnings here are of the tests' main(), of which there are many.
llvm-profdata merge -o "$out/all.profdata" "$out"/*.profraw 2>"$out/warnings.txt"
llvm-cov show "$program" -instr-profile="$out/all.profdata" -format=html \
	-output-dir="$out/html" 2>>"$out/warnings.txt"
llvm-cov report "$program" -instr-profile="$out/all.profdata" \
	-show-region-summary=false -show-branch-summary=false \
	2>>"$out/warnings.txt" |
	awk -v min="${COVERAGE_MIN:-90}" '
		function line(name, all, missed)
		{
			printf "%-30s %6d lines %5d missed %6.1f %%\n", name,
				all, missed, 100 * (all - missed) / all
		}
		$1 ~ /^(broker|worker|common)\// && $(NF - 2) > 0 {
			split($1, part, "/")
			lines[part[1]] += $(NF - 2)
			missed[part[1]] += $(NF - 1)
			line($1, $(NF - 2), $(NF - 1))
		}
		END {
			print ""
			split("common worker broker", names, " ")
			for (i = 1; i <= 3; i++) {
				n = lines[names[i]]
				line(names[i] "/", n, missed[names[i]])
				few = few || i > 1 && \
					100 * (n - missed[names[i]]) < min * n
			}
			if (few)
				print "FAILED: less than " min " %"
			exit few
		}' | tee "$out/report.txt" || status=1
exit $status
