#!/usr/bin/env bash
# Have libFuzzer make up inputs for each fuzz target, some at a time; see
# tests/fuzz/fuzz.h.
#
#	fuzz.sh SECONDS FUZZER...	`make fuzz' builds them and calls this
#	JOBS=2				at a time (default: the cores)
#
# What was found to be of interest is kept in build/fuzz/corpus and gone on from
# the next time.  An input that breaks a target is written to build/fuzz/found;
# once what it shows is mended it belongs into tests/fuzz/corpus, where `make
# test' tries it for ever.  Fails if there was one.
set -u
cd "$(dirname "$0")/.." || exit

jobs_max=${JOBS:-$(nproc)}
seconds=$1
shift
out=build/fuzz
mkdir -p $out/found
trap 'kill $(jobs -p) 2>/dev/null; wait; exit 130' INT TERM

# Run one target for its time.
fuzz()
{
	local fuzzer=$1 name=$2 dictionary=tests/fuzz/$2.dict options=()

	mkdir -p "$out/corpus/$name"
	[ ! -e "$dictionary" ] || options+=("-dict=$dictionary")
	"$fuzzer" -max_total_time="$seconds" -max_len=10000 -timeout=20 \
		-rss_limit_mb=1024 -print_final_stats=1 "${options[@]}" \
		-artifact_prefix="$out/found/$name-" "$out/corpus/$name" \
		"tests/fuzz/corpus/$name" >"$out/$name.log" 2>&1
	echo $? >"$out/$name.status"
}

# A line of the closing table.
row()
{
	awk -v name="$1" -v status="$2" '
		/cov: [0-9]+ ft: [0-9]+/ {
			for (i = 1; i < NF; i++) {
				if ($i == "cov:") cov = $(i + 1)
				if ($i == "ft:") ft = $(i + 1)
				if ($i == "corp:") corpus = $(i + 1)
			}
		}
		/^#[0-9]+/ { executions = substr($1, 2) }
		/^stat::number_of_executed_units:/ { executions = $2 }
		END { sub("/.*", "", corpus)
			printf "%-13s %11d %7d %9d %7d  %s\n", name, executions,
				cov, ft, corpus, status == 0 ? "ok" : "BROKEN" }' \
		"$out/$1.log"
}

names=()
for fuzzer; do
	name=${fuzzer##*/fuzz_}
	names+=("$name")
	while [ "$(jobs -rp | wc -l)" -ge "$jobs_max" ]; do
		wait -n
	done
	fuzz "$fuzzer" "$name" &
done
wait

broken=()
printf '%-13s %11s %7s %9s %7s\n' target executions edges features inputs
for name in "${names[@]}"; do
	status=$(cat "$out/$name.status")
	row "$name" "$status"
	[ "$status" -eq 0 ] || broken+=("$name")
done
for name in "${broken[@]}"; do
	printf '\n== %s, the end of %s/%s.log:\n' "$name" "$out" "$name"
	tail -n 60 "$out/$name.log"
done
[ ${#broken[@]} -eq 0 ] && exit
printf '\nThe inputs that broke them; to see it again, build/testing/fuzz/fuzz_TARGET FILE:\n'
ls -t "$out"/found
exit 1
