#!/usr/bin/env bash
# Run the test files named and add up what they say.
#
#	run-tests.sh build/testing/unit/ring/test_ring tests/e2e/chat.test.mjs ...
#
# A *.mjs file runs under node's test runner, anything else is a cmocka program;
# both speak TAP.  The directory below tests/ or build/*testing/ names the suite.
# Suites run one after another, the files of a suite side by side.  A file that
# crashes, hangs, leaves tests out, makes a sanitizer speak or leaves something
# in its TMPDIR counts as one failure more, whatever it says.  At the end it
# names what was skipped and why, and what failed.
#
#	JOBS=2			files at a time (default: the cores)
#	TEST_TIMEOUT=240	seconds for a file
#	RUN='qemu-aarch64'	what runs the programs of another processor
set -u
jobs_max=${JOBS:-$(nproc)}
work=$(mktemp -d)
chmod 711 "$work" # some tests have processes of another user
trap 'rm -rf "$work"' EXIT
trap 'kill $(jobs -p) 2>/dev/null; wait; exit 130' INT TERM

# Print "passed failed skipped" from TAP, and fail unless all planned tests ran.
count_cmocka()
{
	awk '/^1\.\.[0-9]+/ { plan += substr($0, 4) }
	/^(not )?ok [0-9]+ .*# SKIP/ { skipped++; next }
	/^ok [0-9]/ { passed++ }
	/^not ok [0-9]/ { failed++ }
	END { print passed + 0, failed + 0, skipped + 0
		exit plan == 0 || plan != passed + failed + skipped }' "$1"
}

# The same of FILE, from the totals that node prints last.  Two things are not in
# them as they are.  A suite that was skipped is in none: node never learns what
# tests are in it, so it counts as one.  And a file without a test is to node a
# test with the file's name, which has passed.
count_node()
{
	awk -v name="${2##*/}" '
	/^# (tests|pass|fail|cancelled) [0-9]+$/ { n[$2] = $3 }
	/^ *ok [0-9]+ .* # SKIP/ { skipped++ }
	/^ok [0-9]+ - / { sub(/.*[\/ ]/, ""); empty += $0 == name }
	END { print n["pass"] - empty, n["fail"] + n["cancelled"], skipped + 0
		exit n["tests"] - empty + skipped == 0 }' "$1"
}

# Print "failed NAME" or "skipped NAME: why" for each test of a TAP output that
# did or was.  A suite of tests is named when it failed by itself.  node gives a
# reason behind "# SKIP", a cmocka program on a line before (suite.h).
name_results()
{
	awk '
	{ depth = match($0, /[^ ]/) > 0 ? int((RSTART - 1) / 4) : 0 }
	/^# skipped: / { why = substr($0, 12) }
	/^ *# Subtest: / {
		sub(/^ *# Subtest: /, "")
		path[depth] = $0
		inner_failed[depth] = 0
	}
	/^ *(not )?ok [0-9]/ {
		ok = $1 == "ok"
		sub(/^ *(not )?ok [0-9]+ (- )?/, "")
		skipped = sub(/(^| +)# SKIP */, " # ")
		split($0, part, " # ")
		name = part[1] != "" ? part[1] : part[2]
		if (part[1] != "" && part[2] != "")
			why = part[2]
		for (i = depth - 1; i >= 0; i--)
			name = path[i] " > " name
		gsub(/\\#/, "#", name)
		if (skipped)
			print "skipped " name (why != "" ? ": " why : "")
		else if (!ok && !inner_failed[depth])
			print "failed " name
		if (!ok && !skipped)
			for (i = 0; i < depth; i++)
				inner_failed[i] = 1
		why = ""
	}' "$1"
}

# What makes a sanitizer's report more than a note: ASan also says there when an
# allocation was refused, as a test of running out of memory has it.
findings='ERROR: \|runtime error: \|WARNING: ThreadSanitizer'

# Run one file.  Its output goes to $work, its verdict to $work/N.count.
run_file()
{
	local out=$work/$1 file=$2 status why='' passed failed skipped child kind=cmocka
	local started=$SECONDS report=log_path=$work/$1.report
	# shellcheck disable=SC2206 # a program and its options
	local command=(${RUN:-} "$file")

	mkdir -m 755 "$out.tmp"
	if [[ $file == *.mjs ]]; then
		kind=node
		command=(node --test --test-reporter=tap "$file")
	fi
	CMOCKA_MESSAGE_OUTPUT=TAP TMPDIR=$out.tmp \
	ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}$report \
	UBSAN_OPTIONS=${UBSAN_OPTIONS:+$UBSAN_OPTIONS:}print_stacktrace=1:$report \
	TSAN_OPTIONS=${TSAN_OPTIONS:+$TSAN_OPTIONS:}$report \
	timeout -k 10 "${TEST_TIMEOUT:-240}" "${command[@]}" \
		</dev/null >"$out.tap" 2>"$out.err" &
	child=$!
	trap 'kill $child 2>/dev/null' TERM
	wait $child 2>/dev/null
	status=$?

	read -r passed failed skipped < <(count_$kind "$out.tap" "$file")
	if [ $status -eq 124 ] || [ $status -eq 137 ]; then
		why='timed out'
	elif cat "$out".report* 2>/dev/null | grep -q "$findings"; then
		why='sanitizer report'
	elif [ "$failed" -eq 0 ] && [ $status -ne 0 ]; then
		why="exit status $status"
	elif ! count_$kind "$out.tap" "$file" >/dev/null; then
		why='tests are missing'
	elif ! rmdir "$out.tmp" 2>/dev/null; then
		why="left behind: $(find "$out.tmp" -mindepth 1 -maxdepth 1 \
			-printf '%f\n' | sort | paste -sd ' ' | head -c 200)"
	fi
	[ -z "$why" ] || failed=$((failed + 1))
	echo "$passed $failed $skipped" >"$out.count"
	{
		name_results "$out.tap"
		[ -z "$why" ] || echo "failed ($why)"
	} | awk -v file="$file" '{ print $1, file ": " substr($0, length($1) + 2) }' \
		>"$out.names"
	show_file "$out" "$file: $passed passed, $failed failed, $skipped skipped$(
		)${why:+ ($why)}, $((SECONDS - started)) s"
}

# Print a file's line, and where something failed what it said of that, in one
# go: the files of a suite end in any order.
show_file()
{
	local out=$1 line=$2 failed

	read -r _ failed _ <"$out.count"
	(
		flock 9
		echo "$line"
		[ "$failed" -eq 0 ] && exit
		awk '/^ *ok [0-9]/ { hide = 1; next }
		/^ *(# Subtest:|[0-9]+\.\.[0-9])/ { next }
		hide && /^ *---$/ { hide = 2 }
		hide < 2
		hide == 2 && /^ *\.\.\.$/ { hide = 0 }' "$out.tap" | tail -n 150
		tail -qn 100 "$out.err" "$out".report* 2>/dev/null
	) 9>"$work/lock"
}

declare -A passed failed skipped
suites=()
n=0
for file; do
	suite=${file##*testing/} suite=${suite##*tests/} suite=${suite%%/*}
	if [ -z "${passed[$suite]:-}" ]; then
		wait
		suites+=("$suite")
		passed[$suite]=0 failed[$suite]=0 skipped[$suite]=0
	fi
	if [ "$suite" = browser ] && ! command -v chromium >/dev/null; then
		echo "$file: skipped, there is no chromium here"
		skipped[$suite]=$((skipped[$suite] + 1))
		echo "skipped $file: there is no chromium here" \
			>>"$work/browser.names"
		continue
	fi
	while [ "$(jobs -rp | wc -l)" -ge "$jobs_max" ]; do
		wait -n
	done
	n=$((n + 1))
	echo "$suite" >"$work/$n.suite"
	run_file $n "$file" &
done
wait

for ((i = 1; i <= n; i++)); do
	suite=$(cat "$work/$i.suite")
	read -r p f s <"$work/$i.count" || { p=0; f=1; s=0; }
	passed[$suite]=$((passed[$suite] + p))
	failed[$suite]=$((failed[$suite] + f))
	skipped[$suite]=$((skipped[$suite] + s))
done
echo
p=0 f=0 s=0
for suite in "${suites[@]}"; do
	echo "$suite: ${passed[$suite]} passed, ${failed[$suite]} failed,$(
		) ${skipped[$suite]} skipped"
	p=$((p + passed[$suite])) f=$((f + failed[$suite]))
	s=$((s + skipped[$suite]))
done
for what in skipped failed; do
	sed -n "s/^$what /  /p" "$work"/*.names 2>/dev/null | sort >"$work/names"
	if [ -s "$work/names" ]; then
		echo "$what:"
		cat "$work/names"
	fi
done
[ $s -gt 0 ] && rest=", $s skipped" || rest=
echo "$p passed, $f failed$rest"
[ $f -eq 0 ] && [ $p -gt 0 ]
