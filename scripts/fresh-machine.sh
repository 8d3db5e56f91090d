#!/usr/bin/env bash
# Prove that a machine with nothing but git and a shell is enough: make a bare
# root of a Debian release, clone the project's last commit into it, run there
# scripts/run.sh twice, then scripts/test.sh.  Needs root; takes minutes.
#
#	fresh-machine.sh [SUITE [USER...]]	bookworm (default), trixie, ...;
#			as root and as tester, who has sudo, unless told
#	MIRROR=http://...	instead of the one this machine uses
#	BASE=FILE	keep the bare root in this tar file, and use it next time
#	TIMES=3		for each user, each time in a new root
#	TESTS=3		runs of scripts/test.sh in each root
set -eu
cd "$(dirname "$0")/.."
. scripts/lib-install.sh
. scripts/lib-root.sh

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

# Run the two commands in a new root.
try()
{
	local user=$1 root=$work/root

	fill_root "$root" "$base" "$user"
	in_root "$root" "$user" \
		"exec bash pubsubd/scripts/fresh-machine-inside.sh ${TESTS:-1}"
	rm -rf --one-file-system "$root"
}

if [ ! -e "$base" ]; then
	step 'a bare root'
	make_base "$suite" "$base" "$work"
fi
for user; do
	for ((i = 1; i <= ${TIMES:-1}; i++)); do
		step "the two commands as $user, $i of ${TIMES:-1}"
		try "$user"
	done
done
step 'both commands work'
