#!/usr/bin/env bash
# Install the servers that `make bench' compares with: nginx with nchan,
# nats-server and mosquitto.  None of them is left running or enabled as a service; one that
# was installed before stays as it is.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib-install.sh

install_idle "${BENCH_PACKAGES[@]}"
