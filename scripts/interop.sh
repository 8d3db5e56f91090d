#!/usr/bin/env bash
# Run clients, proxies and tools that others wrote; see tests/interop/interop.mjs.
#
#	ONLY='nginx ws'	those alone
#	KEEP=1		keep the outcomes that are seen as those that are expected
set -eu
cd "$(dirname "$0")/.."
if grep -qx 'VERSION_ID="13"' /etc/os-release; then
	export INTEROP_RELEASE=13
fi

# shellcheck disable=SC2086 # one word for each name
names=$(node tests/interop/interop.mjs --names ${ONLY:-})
# shellcheck disable=SC2086
scripts/interop-deps.sh $names
# In a network of its own, where clients can have addresses beyond loopback.
as_root=()
[ "$(id -u)" -eq 0 ] || as_root=(--map-root-user)
# shellcheck disable=SC2016,SC2086
exec unshare "${as_root[@]}" --net sh -ec 'ip link set lo up
	ip address add 203.0.113.1/32 dev lo
	ip address add 203.0.113.2/32 dev lo
	ip address add 203.0.113.3/32 dev lo
	exec "$@"' sh node tests/interop/interop.mjs ${KEEP:+--keep} $names
