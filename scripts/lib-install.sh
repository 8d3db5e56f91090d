# shellcheck shell=bash disable=SC2034 # the lists are for those who source it
# Sourced by the scripts that need Debian packages: says what is needed, and
# installs only what is not there yet.

BUILD_PACKAGES=(build-essential libev-dev libwslay-dev libjsmn-dev uthash-dev
	libseccomp-dev libssl-dev zlib1g-dev)
# libnats-dev is for the tests of a cluster
TEST_PACKAGES=(libcmocka-dev libnats-dev ca-certificates curl openssl gnutls-bin
	man-db strace)
# libclang-rt-dev has the sanitizers' and libFuzzer's runtime
LINT_PACKAGES=(clang libclang-rt-dev llvm clang-format clang-tidy cppcheck
	valgrind)
DEB_PACKAGES=(debhelper lintian)
MODEL_PACKAGES=(spin)
BENCH_PACKAGES=(nginx libnginx-mod-nchan nats-server mosquitto)

die()
{
	echo "${0##*/}: $*" >&2
	exit 1
}

# Print what the JavaScript tests need.  A node that somebody put here by other
# means stays: Debian's npm would replace it.  Ubuntu's chromium is a snap.
node_packages()
{
	local major

	major=$(node -p 'process.versions.node.split(".")[0]' 2>/dev/null) ||
		major=0
	if [ "$major" -lt 18 ] || ! command -v npm >/dev/null; then
		echo nodejs npm
	fi
	if ! grep -qx 'ID=ubuntu' /etc/os-release; then
		echo chromium
	fi
}

# Run a command, and print what it says only if it fails.
quietly()
{
	local said status=0

	said=$("$@" 2>&1 </dev/null) || status=$?
	[ $status -eq 0 ] || printf '%s\n' "$said" | tail -n 100 >&2
	return $status
}

# Whether a package is installed: NAME, or NAME=VERSION for no other version.
is_installed()
{
	local state='' version=''

	read -r state version < <(dpkg-query -W \
		-f '${db:Status-Status} ${Version}\n' "${1%%=*}" 2>/dev/null)
	[ "$state" = installed ] &&
		{ [[ $1 != *=* ]] || [ "$version" = "${1#*=}" ]; }
}

# Install those of the packages named (NAME or NAME=VERSION) that are missing.
install_missing()
{
	local package missing=() as_root=()

	command -v dpkg-query >/dev/null ||
		die "no dpkg here; please install the likes of: $*"
	for package; do
		is_installed "$package" || missing+=("$package")
	done
	[ ${#missing[@]} -gt 0 ] || return 0
	if [ "$(id -u)" -ne 0 ]; then
		command -v sudo >/dev/null ||
			die "neither root nor sudo, to install: ${missing[*]}"
		as_root=(sudo)
	fi
	echo "${0##*/}: installing ${missing[*]}"
	as_root+=(env DEBIAN_FRONTEND=noninteractive apt-get -qq
		-o DPkg::Lock::Timeout=300)
	if ! quietly "${as_root[@]}" update ||
		! quietly "${as_root[@]}" install -y --no-install-recommends \
			-o Dpkg::Use-Pty=0 "${missing[@]}"; then
		die "apt-get could not install: ${missing[*]}"
	fi
}

# The same for servers: none of them is left running or enabled as a service, and
# what was installed before stays as it is.
install_idle()
{
	local as_root=() policy=/usr/sbin/policy-rc.d ours='' before unit name

	[ "$(id -u)" -eq 0 ] || as_root=(sudo)
	before=$(dpkg-query -W -f '${Package}\n')
	# Debian starts what it installs unless this says no.  Where there is one
	# already, the machine's owner has decided.
	if [ ! -e $policy ]; then
		printf '#!/bin/sh\nexit 101\n' |
			"${as_root[@]}" install -m 0755 /dev/stdin $policy
		ours=$policy
	fi
	(install_missing "$@") || {
		[ -z "$ours" ] || "${as_root[@]}" rm -f "$ours"
		return 1
	}
	[ -z "$ours" ] || "${as_root[@]}" rm -f "$ours"
	for name in $(comm -13 <(sort <<<"$before") \
		<(dpkg-query -W -f '${Package}\n' | sort)); do
		for unit in $(dpkg -L "$name" | sed -n \
			's|.*/systemd/system/\([^@/]*\.service\)$|\1|p'); do
			if command -v systemctl >/dev/null; then
				"${as_root[@]}" systemctl disable -q "$unit" || true
			fi
			if [ -d /run/systemd/system ]; then
				"${as_root[@]}" systemctl stop "$unit"
			fi
		done
	done
}
