#!/bin/bash
# What the service of the installed unit does under systemd; run by systemd.sh in
# there.  Each step says what it saw; the first that is wrong ends it.
set -u
echo 1 >/run/work/status

fail()
{
	echo "not so: $*"
	systemctl status --no-pager --full pubsubd 2>&1 | tail -n 25
	journalctl --no-pager -u pubsubd 2>/dev/null | tail -n 25
	exit 1
}

# A property of the service.
shown()
{
	systemctl show --value -p "$1" "${2:-pubsubd.service}"
}

as_user()
{
	runuser -u pubsubd -- env HOME=/var/lib/pubsubd pubsubd "$@"
}

# until_is SECONDS TEXT COMMAND...: what the command says becomes TEXT.
until_is()
{
	local left=$(($1 * 10)) text=$2 seen
	shift 2
	while seen=$("$@" 2>&1) && [ "$seen" != "$text" ] || [ "$seen" != "$text" ]; do
		left=$((left - 1))
		[ $left -gt 0 ] || fail "$* says '$seen', not '$text'"
		sleep 0.1
	done
}

step()
{
	echo "ok: $*"
}

echo "$(systemctl --version | head -n 1), $(systemctl is-system-running)"
systemd-sysusers || fail sysusers
mkdir -p /etc/pubsubd
echo 'workers = 2' >/etc/pubsubd/main.conf
systemctl start pubsubd || fail 'start'
[ "$(shown ActiveState)/$(shown SubState)/$(shown Type)" = active/running/notify ] ||
	fail "state $(shown ActiveState)/$(shown SubState)"
main=$(shown MainPID)
[ "$(stat -c %U "/proc/$main")" = pubsubd ] || fail 'it does not run as pubsubd'
[ "$(as_user status --json | grep -c '"state": *"ready"')" = 2 ] ||
	as_user status --json | grep -q ready || fail 'workers are not ready'
step "start returns when it is ready; it is pubsubd's, pid $main"

as_user sub --url ws://localhost:8000/ws news >/run/heard 2>/run/sub &
until_is 10 1 sh -c "pubsubd topics --url ws://localhost:8000/ws | grep -c news"
pubsubd pub --url ws://localhost:8000/ws news one || fail pub

echo 'rate = 77' >>/etc/pubsubd/main.conf
systemctl reload pubsubd || fail reload
until_is 5 active shown ActiveState
[ "$(shown MainPID)" = "$main" ] || fail 'reload changed the pid'
step 'reload puts other options in force'
echo 'rate = fast' >>/etc/pubsubd/main.conf
systemctl reload pubsubd 2>/dev/null && fail 'a faulty file was reloaded'
[ "$(shown ActiveState)" = active ] || fail 'a faulty reload ended it'
sed -i '/fast/d' /etc/pubsubd/main.conf
step 'a faulty file is refused, and it serves on'

workers=$(pgrep -P "$main" | sort)
as_user upgrade || fail upgrade
[ "$(shown MainPID)" = "$main" ] || fail 'upgrade changed the pid'
[ "$(pgrep -P "$main" | sort)" != "$workers" ] || fail 'the workers are the old ones'
pubsubd pub --url ws://localhost:8000/ws news two || fail pub
until_is 5 'one two' sh -c "tr '\n' ' ' </run/heard | sed 's/ \$//'"
[ ! -s /run/sub ] || fail "the subscriber noticed: $(cat /run/sub)"
step 'upgrade keeps pid, connections and messages'

as_user restart || fail restart
[ "$(shown MainPID)/$(shown ActiveState)" = "$main/active" ] || fail 'restart'
step 'restart keeps the pid; systemd sees it active'

kill -9 "$main"
until_is 20 active shown ActiveState
until_is 20 1 shown NRestarts
[ "$(shown MainPID)" != "$main" ] || fail 'it is dead'
step 'a killed supervisor is started again'

# A supervisor that hangs says no more that all is well.
mkdir -p /run/systemd/system/pubsubd.service.d
printf '[Service]\nWatchdogSec=3\n' >/run/systemd/system/pubsubd.service.d/watchdog.conf
systemctl daemon-reload
systemctl restart pubsubd || fail 'restart by systemd'
sleep 5
until_is 1 active shown ActiveState
main=$(shown MainPID)
kill -STOP "$main"
until_is 30 1 sh -c "journalctl -u pubsubd --no-pager 2>/dev/null | grep -c 'Watchdog timeout'"
until_is 60 active shown ActiveState
[ "$(shown MainPID)" != "$main" ] || fail 'it hangs'
step 'one that hangs is replaced by the watchdog, and only then'

systemctl stop pubsubd || fail stop
[ "$(shown ActiveState)/$(shown Result)" = inactive/success ] || fail 'stop'
[ -z "$(ls /dev/shm)" ] || fail "left in /dev/shm: $(ls /dev/shm)"
step 'stop leaves nothing'

echo 'rate = fast' >/etc/pubsubd/main.conf
systemctl start pubsubd 2>/dev/null && fail 'it started with a faulty file'
[ "$(shown ActiveState)/$(shown ExecMainStatus)" = failed/2 ] || fail 'a faulty file'
systemctl reset-failed pubsubd
rm /etc/pubsubd/main.conf
step 'a faulty file fails once, with status 2'

systemctl start pubsubd.socket || fail 'socket'
[ "$(shown ActiveState)" = inactive ] || fail 'the socket started it'
pubsubd pub --url ws://localhost:8000/ws news three || fail 'pub through the socket'
until_is 10 active shown ActiveState
step 'the socket starts it, and whoever came waits'
systemctl stop pubsubd.socket pubsubd || fail 'stop of both'
echo 0 >/run/work/status
