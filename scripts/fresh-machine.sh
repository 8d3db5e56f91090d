#!/usr/bin/env bash
# Prove that a machine with nothing but git and a shell is enough: make a bare
# root of a Debian release, clone the project's last commit into it, run there
# scripts/run.sh twice and scripts/test.sh once.  Needs root; takes minutes.
#
#	fresh-machine.sh [SUITE [USER...]]	bookworm (default), trixie, ...;
#			as root and as tester, who has sudo, unless told
#	MIRROR=http://...	instead of the one this machine uses
#	BASE=FILE	keep the bare root in this tar file, and use it next time
#	TIMES=3		for each user, each time in a new root
set -eu
cd "$(dirname "$0")/.."
. scripts/lib-install.sh

suite=${1:-bookworm}
[ $# -gt 0 ] && shift
[ $# -gt 0 ] || set -- root tester
[ "$(id -u)" -eq 0 ] || die 'only root can make a root directory'
install_missing debootstrap git ca-certificates

work=$(mktemp -d /var/tmp/pubsubd-fresh.XXXXXX)
chmod 755 "$work"
base=${BASE:-$work/base.tar}
trap 'rm -rf --one-file-system "$work"' EXIT
trap 'exit 130' INT TERM

step()
{
	printf '\n== %s: %s\n' "$suite" "$*"
}

# Make the tar file of a bare root.  Its /etc is what Debian's packages write,
# with the line that the installer adds to /etc/hosts for the machine's name,
# and of this host only what it needs itself to reach the package servers.
make_base()
{
	local root=$work/base mirror

	mirror=${MIRROR:-$(apt-get indextargets --format '$(REPO_URI)' \
		'Origin: Debian' 'Created-By: Packages' | head -n 1)}
	debootstrap --variant=minbase --include=git,netbase,sudo "$suite" \
		"$root" ${mirror:+"$mirror"} >"$work/log" 2>&1 || {
		tail -n 20 "$work/log"
		die "debootstrap could not make $suite"
	}
	echo fresh >"$root/etc/hostname"
	printf '127.0.1.1\tfresh\n' >>"$root/etc/hosts"
	chroot "$root" useradd --create-home --shell /bin/bash tester
	echo 'tester ALL=(ALL:ALL) NOPASSWD: ALL' >"$root/etc/sudoers.d/tester"
	apt-config dump | grep -E '^Acquire::(https?|Check|Retries)' \
		>"$root/etc/apt/apt.conf.d/99host" || true
	cp -L /etc/resolv.conf "$root/etc/"
	mkdir -p "$root/usr/local/share/ca-certificates"
	cp -rL /usr/local/share/ca-certificates/. \
		"$root/usr/local/share/ca-certificates/"
	tar -C "$root" -cf "$base.new" .
	mv "$base.new" "$base"
	rm -rf --one-file-system "$root"
}

# Run the two commands in a new root.  It has namespaces of its own, so that
# whatever is started there ends with it, and its sh is the init that collects
# orphans.  It is the root of its mount namespace and not only a chroot, in
# which no process could make a user namespace.
try()
{
	local user=$1 root=$work/root home

	home=$([ "$user" = root ] && echo root || echo "home/$user")
	mkdir "$root"
	tar -C "$root" -xpf "$base"
	git clone -q --no-hardlinks . "$root/$home/pubsubd"
	chroot "$root" chown -R "$user:" "/$home/pubsubd"
	unshare --mount --uts --pid --fork --kill-child sh -ec '
		hostname fresh
		mount --bind "$0" "$0"
		cd "$0"
		mount -t proc proc proc
		mount -t sysfs sysfs sys
		mount -t devpts -o ptmxmode=666 devpts dev/pts
		mount -t tmpfs -o mode=1777 tmpfs dev/shm
		pivot_root . mnt
		umount -l /mnt
		unset $(env | grep -o "^[A-Za-z_0-9]*=" | tr -d = |
			grep -vE "^(PATH|https?_proxy)$")
		runuser -l "$1" -w http_proxy,https_proxy \
			-c "exec bash pubsubd/scripts/fresh-machine-inside.sh"
		' "$root" "$user"
	rm -rf --one-file-system "$root"
}

if [ ! -e "$base" ]; then
	step 'a bare root'
	make_base
fi
for user; do
	for ((i = 1; i <= ${TIMES:-1}; i++)); do
		step "the two commands as $user, $i of ${TIMES:-1}"
		try "$user"
	done
done
step 'both commands work'
