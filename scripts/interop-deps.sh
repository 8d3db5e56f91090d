#!/usr/bin/env bash
# Install the clients and proxies that `make interop' runs, all or those that are
# named, in the versions that tests/interop/packages.txt (of Debian 12),
# packages-13.txt and package-lock.json pin.  No proxy is left running or enabled
# as a service.  What cannot be had is told and left out.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib-install.sh

case $(. /etc/os-release && echo "$ID $VERSION_ID") in
'debian 12') packages=tests/interop/packages.txt ;;
'debian 13') packages=tests/interop/packages-13.txt ;;
*) die "the versions are those of a Debian 12 or 13" ;;
esac
# Print the packages of these names, or of all.
packages_of()
{
	awk -v names=" $* " '/^#/ { next }
		names == "  " || index(names, " " $1 " ") {
			for (i = 2; i <= NF; i++)
				print $i
		}' "$packages" | sort -u
}

install_missing iproute2
# shellcheck disable=SC2046 # one word for each package
(install_idle $(packages_of "$@")) || {
	# One of them cannot be had: all others, one name after the other.
	mapfile -t all < <(awk '!/^#/ { print $1 }' "$packages")
	for name in "${all[@]}"; do
		[[ $# -eq 0 || " $* " == *" $name "* ]] || continue
		# shellcheck disable=SC2046
		(install_idle $(packages_of "$name")) 2>/dev/null ||
			echo "${0##*/}: $name: its packages cannot be had"
	done
}
if ! cmp -s tests/interop/package-lock.json \
	tests/interop/node_modules/.installed; then
	if (cd tests/interop && quietly npm ci --ignore-scripts); then
		cp tests/interop/package-lock.json tests/interop/node_modules/.installed
	else
		echo "${0##*/}: the packages of npm cannot be had"
	fi
fi
