#!/usr/bin/env bash
# Where a worker spends its time under the fan-out load (one topic, 1000
# subscribers): build/bench/profile.svg, a flame graph, and profile.txt, the
# functions by their own share.  Where perf may not be used, callgrind counts
# instructions instead, for the list alone.
#
#	WINDOW=16	messages in flight
#	LOAD='--form v1'	more options of pubsub-load
#	WHEN=5		seconds
set -eu
cd "$(dirname "$0")/.."
. scripts/lib-install.sh

bin=${BUILD:-build}
out=$bin/bench
work=$(mktemp -d)
name=profile-$$
server=
server_on=() generator_on=()
unconfined=() # what valgrind does in a worker is what its sandbox forbids
if [ "$(nproc)" -gt 1 ]; then
	server_on=(taskset -c 0) generator_on=(--cpu 1)
fi
mkdir -p "$out"
ulimit -n "$(ulimit -Hn)" || true

end()
{
	[ -z "$server" ] || { kill "$server" && wait "$server"; } 2>/dev/null || true
	rm -rf "$work"
}
trap end EXIT
trap 'exit 130' INT TERM

# Start the server under a command; sets server, worker and url.
start()
{
	"${server_on[@]}" "$@" "$bin/pubsubd" run --name "$name" --pidfile "$work/pid" --workers 1 \
		--root public --listen 127.0.0.1:0 --admin none --rate 0 \
		--watchdog 0 "${unconfined[@]}" >"$work/out" 2>"$work/log" &
	server=$!
	for ((i = 0; i < 300; i++)); do
		grep -qs ready "$work/out" && break
		kill -0 "$server" 2>/dev/null || break
		sleep 0.1
	done
	url=$(sed -n 's/.*ready on http:\([^ ]*\) .*/ws:\1\/ws/p' "$work/out")
	[ -n "$url" ] || die "the server does not start: $(tail -n 3 "$work/log")"
	worker=$("$bin/pubsubd" status --json --name "$name" \
		--pidfile "$work/pid" | node -p \
		'JSON.parse(require("fs").readFileSync(0)).workers[0].pid')
}

load()
{
	# shellcheck disable=SC2086 # several options
	"$bin/pubsub-load" --mode window --url "$url" --window "${WINDOW:-16}" \
		--seconds "$1" --server-pid "$server" "${generator_on[@]}" ${LOAD:-}
}

if command -v perf >/dev/null &&
	perf record -q -o "$work/try" -g true >/dev/null 2>&1; then
	start env
	load $((${WHEN:-5} + 2)) >"$work/load" &
	generator=$!
	sleep 1
	perf record -q -F 1999 -g -p "$worker" -o "$work/perf" -- \
		sleep "${WHEN:-5}"
	wait $generator
	perf script -i "$work/perf" -F comm,ip,sym 2>/dev/null >"$work/stacks"
	node tests/bench/flame.mjs "a worker, window ${WINDOW:-16} ${LOAD:-}" \
		"$out/profile.txt" <"$work/stacks" >"$out/profile.svg"
	echo "$out/profile.svg"
else
	command -v valgrind >/dev/null ||
		die 'neither perf is permitted nor valgrind installed'
	unconfined=(--no-sandbox)
	start valgrind -q --tool=callgrind --trace-children=yes \
		--callgrind-out-file="$work/callgrind.%p" \
		env LD_PRELOAD="$(realpath "$bin/openat2.so")"
	load "${WHEN:-5}" >"$work/load"
	kill "$server" || true
	wait "$server" || true
	server=
	callgrind_annotate --auto=no "$work/callgrind.$worker" >"$out/profile.txt"
fi
cat "$work/load"
head -n 40 "$out/profile.txt"
echo "$out/profile.txt"
