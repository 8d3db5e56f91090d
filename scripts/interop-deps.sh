#!/usr/bin/env bash
# Install the clients and proxies that `make interop' runs, all or those that are
# named, in the versions that tests/interop/packages.txt (of Debian 12),
# packages-13.txt and package-lock.json pin.  No proxy is left running or enabled as a service.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib-install.sh

case $(. /etc/os-release && echo "$ID $VERSION_ID") in
'debian 12') packages=tests/interop/packages.txt ;;
'debian 13') packages=tests/interop/packages-13.txt ;;
*) die "the versions are those of a Debian 12 or 13" ;;
esac
wanted=$(awk -v names=" $* " '/^#/ { next }
	names == "  " || index(names, " " $1 " ") {
		for (i = 2; i <= NF; i++)
			print $i
	}' "$packages" | sort -u)
# shellcheck disable=SC2086 # one word for each package
install_idle $wanted iproute2
if ! cmp -s tests/interop/package-lock.json \
	tests/interop/node_modules/.installed; then
	(cd tests/interop && quietly npm ci --ignore-scripts)
	cp tests/interop/package-lock.json tests/interop/node_modules/.installed
fi
