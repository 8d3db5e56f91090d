#!/usr/bin/env bash
# Chat with a running server as many clients, and measure it: a thin front of
# build/pubsub-load, for those who like to say it by environment variables.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib-install.sh

help()
{
	cat <<-'END'
	usage: [VARIABLE=value ...] scripts/load.sh [options]

	variables, each the same as an option (the option counts):
	  CLIENTS    connections (10000)                        --clients
	  INTERVAL   seconds between a client's messages (1)    --interval
	  ROOM_SIZE  clients in a room (10)                     --room-size
	  SECONDS    how long messages are sent (10)            --seconds
	  URL        of the server (ws://localhost:8000/ws)     --url

	All options go to build/pubsub-load:

	END
	build/pubsub-load --help
}

# The value that a variable had when this script was started: in bash SECONDS
# is a clock.
given()
{
	sed -zn "s/^$1=//p" /proc/$$/environ | tr -d '\0'
}

if [ ! -x build/pubsub-load ]; then
	install_missing "${BUILD_PACKAGES[@]}"
	make --no-print-directory -j"$(nproc)" build/pubsub-load
fi

options=()
for variable in CLIENTS INTERVAL ROOM_SIZE SECONDS URL; do
	value=$(given "$variable")
	[ -z "$value" ] || options+=("--$(tr A-Z_ a-z- <<<"$variable")" "$value")
done
for option; do
	if [ "$option" = --help ]; then
		help
		exit
	fi
done

# Fewer files mean more processes, not fewer clients.
ulimit -n "$(ulimit -Hn)" || true
exec build/pubsub-load "${options[@]}" "$@"
