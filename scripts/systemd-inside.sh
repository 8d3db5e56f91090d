#!/bin/sh -e
# In namespaces of its own (systemd.sh): make a root that is a copy on write of
# this host's, with the program installed, and be systemd in there.
#
#	systemd-inside.sh DIRECTORY
work=$1 root=$1/root
mount --make-rprivate /
mkdir -p "$root" "$work/layer"
mount -t tmpfs layer "$work/layer"
mkdir "$work/layer/upper" "$work/layer/work"
mount -t overlay overlay \
	-o "lowerdir=/,upperdir=$work/layer/upper,workdir=$work/layer/work" "$root"
cp -a "$work/installed/." "$root/"
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
for dir in run tmp dev; do mount -t tmpfs "$dir" "$root/$dir"; done
for node in null zero full random urandom tty; do
	touch "$root/dev/$node"
	mount --bind "/dev/$node" "$root/dev/$node"
done
mkdir "$root/dev/shm" "$root/dev/pts" "$root/run/work" "$root/run/old"
mount -t tmpfs -o mode=1777 shm "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
mount --bind "$work" "$root/run/work"
# What else is installed here does not start.
rm -rf "$root"/etc/systemd/system/*
cat >"$root/etc/systemd/system/scenario.service" <<'UNIT'
[Unit]
DefaultDependencies=no
SuccessAction=exit-force
FailureAction=exit-force
[Service]
Type=oneshot
ExecStart=/bin/bash /run/work/systemd-scenario.sh
StandardOutput=file:/run/work/said
StandardError=file:/run/work/said
UNIT
ip link set lo up
cd "$root"
pivot_root . run/old
umount -l /run/old
exec env -i container=pubsubd PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin \
	/lib/systemd/systemd --system --unit=scenario.service
