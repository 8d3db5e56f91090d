#!/usr/bin/env bash
# The part of fresh-machine.sh that runs inside the new root.
set -eEu
log=/tmp/run.log
trap 'tail -n 40 "$log" 2>/dev/null' ERR

# Start scripts/run.sh, wait for its ready line, fetch the page, stop it.
serve()
{
	local pid started=$SECONDS

	/pubsubd/scripts/run.sh </dev/null >"$log" 2>&1 &
	pid=$!
	grep -m 1 ': ready on ' < <(timeout 900 tail -n +1 -f --pid=$pid "$log")
	exec 3<>/dev/tcp/127.0.0.1/8000
	printf 'GET / HTTP/1.1\r\nHost: localhost:8000\r\nConnection: close\r\n\r\n' |
		cat >&3
	timeout 10 cat <&3 | grep -aqi '<!doctype html'
	exec 3<&-
	echo "serves http://localhost:8000 after $((SECONDS - started)) s"
	/pubsubd/build/pubsubd stop
	wait $pid
}

cd /
serve
serve
if grep -q installing "$log"; then
	echo 'the second run installed something again'
	exit 1
fi
/pubsubd/scripts/test.sh </dev/null
