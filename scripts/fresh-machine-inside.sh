#!/usr/bin/env bash
# The part of fresh-machine.sh that runs inside the new root.
#
#	fresh-machine-inside.sh [TESTS]
set -eEu
cd "$(dirname "$0")/.."
log=$(mktemp)
trap 'tail -n 40 "$log" 2>/dev/null' ERR

# Start scripts/run.sh, wait for its ready line, fetch the page by each address
# that localhost has, stop it.
serve()
{
	local pid started=$SECONDS address

	: >"$log" # or the ready line of the last run would be found in it
	scripts/run.sh </dev/null >>"$log" 2>&1 &
	pid=$!
	grep -m 1 ': ready on ' < <(timeout 900 tail -n +1 -f --pid=$pid "$log")
	for address in $(getent ahosts localhost | awk '/STREAM/ { print $1 }'); do
		exec 3<>"/dev/tcp/$address/8000"
		printf 'GET / HTTP/1.1\r\nHost: localhost:8000\r\n%s\r\n\r\n' \
			'Connection: close' >&3
		timeout 10 cat <&3 | grep -aqi '<!doctype html'
		exec 3<&-
		echo "serves localhost:8000 by $address"
	done
	echo "after $((SECONDS - started)) s"
	build/pubsubd stop
	wait $pid
}

serve
serve
if grep -q installing "$log"; then
	echo 'the second run installed something again'
	exit 1
fi
trap - ERR
status=0
for ((i = 1; i <= ${1:-1}; i++)); do
	started=$SECONDS
	scripts/test.sh </dev/null || status=1
	echo "test.sh, $i of ${1:-1}: after $((SECONDS - started)) s"
done
exit $status
