#!/usr/bin/env bash
# Install the servers that `make bench' compares with: nginx with nchan, and
# nats-server.  None of them is left running or enabled as a service; one that
# was installed before stays as it is.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib-install.sh

is_installed()
{
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

as_root=()
[ "$(id -u)" -eq 0 ] || as_root=(sudo)
policy=/usr/sbin/policy-rc.d
new=()
for service in nginx nats-server; do
	is_installed $service || new+=("$service")
done

# Debian starts what it installs unless this says no.  Where there is one
# already, the machine's owner has decided.
if [ ! -e $policy ]; then
	printf '#!/bin/sh\nexit 101\n' |
		"${as_root[@]}" install -m 0755 /dev/stdin $policy
	trap '"${as_root[@]}" rm -f $policy' EXIT
fi
install_missing "${BENCH_PACKAGES[@]}"
for service in "${new[@]}"; do
	if command -v systemctl >/dev/null; then
		"${as_root[@]}" systemctl disable $service
	fi
	if [ -d /run/systemd/system ]; then
		"${as_root[@]}" systemctl stop $service
	elif [ -x /etc/init.d/$service ]; then
		"${as_root[@]}" /etc/init.d/$service stop
	fi
done
