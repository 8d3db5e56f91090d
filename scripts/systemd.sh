#!/usr/bin/env bash
# See the unit work under a real systemd: boot one as PID 1 in namespaces of its
# own, with a copy on write of this host's root, and in there install, start,
# reload, upgrade, hurt and stop the service (systemd-scenario.sh).  Needs root,
# util-linux, a cgroup2 mount and an installed systemd; takes a minute.  CI does not
# run it, because hardly any container may do that.
#
#	systemd.sh
set -eu
cd "$(dirname "$0")/.."
. scripts/lib-install.sh

[ "$(id -u)" -eq 0 ] || die 'only root can boot a systemd'
[ -x /lib/systemd/systemd ] || die 'there is no systemd here: apt-get install systemd'
cgroups=$(findmnt -nro TARGET -t cgroup2 | head -n 1)
[ -n "$cgroups" ] || die 'there is no cgroup2 mount'
work=$(mktemp -d /var/tmp/pubsubd-systemd.XXXXXX)
cgroup=$cgroups/${work##*/}

clean_up()
{
	# All that is left of it is in the cgroup.
	echo 1 >"$cgroup/cgroup.kill" 2>/dev/null || true
	for _ in $(seq 50); do
		find "$cgroup" -depth -type d -exec rmdir {} + 2>/dev/null && break
		sleep 0.1
	done
	rm -rf --one-file-system "$work"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

make -s installable
make -s install DESTDIR="$work/installed"
cp scripts/systemd-inside.sh scripts/systemd-scenario.sh "$work"
mkdir "$cgroup"
(
	echo "$BASHPID" >"$cgroup/cgroup.procs"
	exec timeout -k 5 180 unshare --mount --pid --fork --cgroup --ipc --net --uts \
		sh "$work/systemd-inside.sh" "$work"
) >"$work/boot" 2>&1 || true
cat "$work/said" 2>/dev/null || { cat "$work/boot"; die 'systemd did not come up'; }
[ "$(cat "$work/status" 2>/dev/null)" = 0 ] || die 'the service does not do what it should'
