#!/usr/bin/env bash
# What takes too long for every change: look for bugs with valgrind and with the
# analyzers of gcc and clang, hurt the server for long under the sanitizers,
# search the models' large state spaces, and see which lines the tests reach.
#
#	deep.sh [PART ...]	default: all, in the order below
#
# Each part is one check; a failing one shows the end of its log, and the rest
# goes on.
set -u
cd "$(dirname "$0")/.." || exit 1
exec </dev/null
. scripts/lib-install.sh

parts=(memcheck analyzer tidy mutants chaos upgrade model coverage)
build=(make --no-print-directory -j"$(nproc)")
seed=${SEED:-$RANDOM} # of the chaos run; the same number runs the same again
log=$(mktemp)
trap 'rm -f "$log"' EXIT
passed=0 failed=0

deep_memcheck()
{
	"${build[@]}" build/pubsubd build/openat2.so tests/node_modules/.package-lock.json &&
		OPENAT2=$PWD/build/openat2.so PUBSUBD=$PWD/build/pubsubd \
			node --test --test-reporter=tap tests/valgrind/memcheck.test.mjs
}

# The analyzer follows calls within a file, best where functions are inlined.
deep_analyzer()
{
	"${build[@]}" CC=gcc BUILD=build/analyzer WERROR=1 CFLAGS=-fanalyzer \
		build/analyzer/pubsubd
}

deep_tidy()
{
	scripts/tidy.sh
}

deep_mutants()
{
	"${build[@]}" test-programs SUITES=unit && node tests/mutants/mutants.mjs
}

deep_chaos()
{
	"${build[@]}" CC=clang SAN=address,undefined chaos SECONDS=60 SEED="$seed"
}

deep_upgrade()
{
	"${build[@]}" tests/node_modules/.package-lock.json && scripts/upgrade-from.sh
}

deep_model()
{
	"${build[@]}" model DEEP=1
}

deep_coverage()
{
	"${build[@]}" coverage
}

[ $# -eq 0 ] || parts=("$@")
for part in "${parts[@]}"; do
	declare -F "deep_$part" >/dev/null || die "$part: no such part"
done
# shellcheck disable=SC2046 # one package a word
(install_missing "${BUILD_PACKAGES[@]}" "${TEST_PACKAGES[@]}" \
	"${LINT_PACKAGES[@]}" "${MODEL_PACKAGES[@]}" $(node_packages)) || exit 1
for part in "${parts[@]}"; do
	started=$SECONDS
	if (set -e; "deep_$part") >"$log" 2>&1; then
		passed=$((passed + 1))
		echo "ok: $part ($((SECONDS - started)) s)"
	else
		failed=$((failed + 1))
		echo "FAILED: $part ($((SECONDS - started)) s)"
		tail -n 80 "$log"
	fi
done
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
