#!/usr/bin/env bash
# Have a nats-server for the tests of a cluster: print the path of one of 2.10 or
# later, or fail and say why.
#
#	nats-server.sh [DIR]	default: build/nats
#
# The system's own, if it is new enough; else the package of Debian 13, which is
# downloaded into DIR beside whatever release this machine has, and unpacked
# there.  Nothing is installed, and apt's own lists and files are left alone.
set -eu
cd "$(dirname "$0")/.."
dir=${1:-build/nats}
suite=trixie

new_enough()
{
	"$1" --version 2>/dev/null |
		grep -qE 'v(2\.[1-9][0-9]|[3-9])'
}

# Print one that is there, and leave.
use_own()
{
	local own

	for own in "$(command -v nats-server || :)" \
		"$dir/root/usr/sbin/nats-server"; do
		if [ -n "$own" ] && [ -x "$own" ] && new_enough "$own"; then
			realpath "$own"
			exit
		fi
	done
}

use_own

die()
{
	echo "${0##*/}: $1" >&2
	exit 1
}

command -v apt-get >/dev/null || die 'apt-get is not there'
command -v dpkg-deb >/dev/null || die 'dpkg-deb is not there'
mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial"
dir=$(realpath "$dir")

# Several tests may ask at the same time: the first one loads it.
exec 9>"$dir/lock"
flock 9
use_own

# This machine's own source of Debian's main archive, with another suite.
source=
for file in /etc/apt/sources.list.d/*.sources; do
	[ -f "$file" ] || continue
	source=$(awk 'BEGIN { RS = ""; ORS = "\n\n" }
		/\nTypes:[^\n]*deb|^Types:[^\n]*deb/ && /\/debian/ && !/security/ {
			print; exit }' "$file" |
		sed -E "s/^Suites:.*/Suites: $suite/; s/^Components:.*/Components: main/")
	[ -z "$source" ] || break
done
if [ -n "$source" ]; then
	printf '%s\n' "$source" >"$dir/$suite.sources"
	list=$dir/$suite.sources
elif [ -f /etc/apt/sources.list ]; then
	list=$dir/$suite.list
	sed -nE "s#^deb (\[[^]]*\] )?(https?://[^ ]*/debian/?) .*#deb \1\2 $suite main#p" \
		/etc/apt/sources.list | head -1 >"$list"
	[ -s "$list" ] || die 'no source of Debian to derive from'
else
	die 'no source of Debian to derive from'
fi

apt_here()
{
	apt-get -q -o Acquire::http::Timeout=20 -o Acquire::Retries=1 \
		-o Dir::Etc::sourcelist="$list" \
		-o Dir::Etc::sourceparts=/dev/null \
		-o Dir::State::lists="$dir/lists" -o Dir::Cache="$dir/cache" \
		-o Dir::State::status=/dev/null -o APT::Sandbox::User="$(id -un)" \
		"$@"
}

cd "$dir"
apt_here update >"$dir/log" 2>&1 || die "apt-get update failed, see $dir/log"
apt_here download nats-server >>"$dir/log" 2>&1 ||
	die "nats-server cannot be downloaded, see $dir/log"
dpkg-deb -x nats-server_*.deb root
new_enough root/usr/sbin/nats-server || die "$suite has an older nats-server"
realpath root/usr/sbin/nats-server
