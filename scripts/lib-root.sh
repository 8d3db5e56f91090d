# shellcheck shell=bash
# Sourced by the scripts that try something in a bare Debian, beside
# lib-install.sh: makes one, and runs commands in it.

# make_base SUITE FILE FOLDER: the tar file of a bare root, made in a folder of the
# caller's that everybody may enter.  Its /etc is what Debian's packages write, with
# the line that the installer adds to /etc/hosts for the machine's name, and of this
# host only what it needs itself to reach the package servers ($MIRROR, or the one
# that this host uses).
make_base()
{
	local suite=$1 file=$2 work=$3 root=$3/base mirror

	# shellcheck disable=SC2016 # apt fills it in
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
	tar -C "$root" -cf "$file.new.$$" .
	mv "$file.new.$$" "$file"
	rm -rf --one-file-system "$root"
}

# fill_root ROOT FILE USER: make a root of that tar file, with a clone of the
# project's last commit in the user's home.
fill_root()
{
	local root=$1 file=$2 user=$3 home

	home=$([ "$user" = root ] && echo root || echo "home/$user")
	mkdir "$root"
	tar -C "$root" -xpf "$file"
	git clone -q --no-hardlinks . "$root/$home/pubsubd"
	chroot "$root" chown -R "$user:" "/$home/pubsubd"
}

# in_root ROOT USER COMMAND: run a command line as that user, in the user's home.
# The root has namespaces of its own, so that whatever is started there ends with
# it, and its sh is the init that collects orphans.  It is the root of its mount
# namespace and not only a chroot, in which no process could make a user
# namespace.  With NET=own it has a network of its own, too: loopback, and an
# address that leads nowhere.
in_root()
{
	# shellcheck disable=SC2016 # the inner sh expands them
	unshare ${NET:+--net} --mount --uts --pid --fork --kill-child sh -ec '
		hostname fresh
		if [ -n "${NET:-}" ]; then
			ip link set lo up
			ip link add outside type veth peer inside
			ip address add 203.0.113.1/24 dev outside
			ip link set outside up
			ip link set inside up
		fi
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
		runuser -l "$1" -w http_proxy,https_proxy -c "$2"
		' "$@"
}
