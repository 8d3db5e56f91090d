#!/usr/bin/env bash
# Prove that a machine with nothing but git and a shell is enough: make a bare
# root of a Debian release, clone the project's last commit into it, run there
# scripts/run.sh twice and scripts/test.sh once.  Needs root; takes minutes.
#
#	fresh-machine.sh [SUITE]	bookworm (default), trixie, ...
#	MIRROR=http://...		instead of the one this machine uses
set -eu
cd "$(dirname "$0")/.."
. scripts/lib-install.sh

suite=${1:-bookworm}
[ "$(id -u)" -eq 0 ] || die 'only root can make a root directory'
install_missing debootstrap git ca-certificates

# Whatever this machine needs to reach its mirror, the new one needs too.
mirror=${MIRROR:-$(apt-get indextargets --format '$(REPO_URI)' \
	'Origin: Debian' 'Created-By: Packages' | head -n 1)}
root=$(mktemp -d /var/tmp/pubsubd-fresh.XXXXXX)
chmod 755 "$root"
trap 'rm -rf --one-file-system "$root"' EXIT
trap 'exit 130' INT TERM

step()
{
	printf '\n== %s: %s\n' "$suite" "$*"
}

step 'a bare root'
debootstrap --variant=minbase --include=git "$suite" "$root" ${mirror:+"$mirror"} \
	>"$root.log" 2>&1 || {
	tail -n 20 "$root.log"
	rm -f "$root.log"
	die "debootstrap could not make $suite"
}
rm -f "$root.log"
apt-config dump | grep -E '^Acquire::(https?|Check|Retries)' \
	>"$root/etc/apt/apt.conf.d/99host" || true
cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
mkdir -p "$root/usr/local/share/ca-certificates"
cp -rL /usr/local/share/ca-certificates/. "$root/usr/local/share/ca-certificates/"
git clone -q --no-hardlinks . "$root/pubsubd"

# In namespaces of its own, so that whatever it starts ends with it.
step 'the two commands'
unshare --mount --pid --fork --kill-child sh -ec '
	mount -t proc proc "$0/proc"
	mount -t tmpfs tmpfs "$0/dev/shm"
	exec chroot "$0" env -i HOME=/root LANG=C.UTF-8 \
		PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
		${http_proxy:+"http_proxy=$http_proxy"} \
		${https_proxy:+"https_proxy=$https_proxy"} \
		bash /pubsubd/scripts/fresh-machine-inside.sh' "$root"
step 'both commands work'
