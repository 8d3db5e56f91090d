#!/usr/bin/env bash
# Prove that the project works with what is to come: other compilers, Node
# versions, another processor, and the next Debian with its clients and proxies.
#
#	versions.sh [PART...]	default: all, in this order
#	  clang		clang 19 in a bare root of Debian 13: -Werror, unit mp fuzz e2e
#	  gcc		gcc 14, the same
#	  node		what uses the JavaScript client, in Node 20 and Node 22
#	  aarch64	built for it, unit and mp under qemu-user; what cannot run
#			there is in tests/versions/qemu-user.txt
#	  interop	a part of `make interop', with the clients and proxies of
#			Debian 13 (tests/interop/packages-13.txt)
#
#	BASE=FILE	keep the bare root in this tar file, and use it next time
#	MIRROR=http://...	instead of the one this machine uses
#	JOBS=2		test files at a time
#	KEEP=1		keep the outcomes of interop that are seen (make interop)
#
# All but node need root, and try the last commit.  Their tests have a network of
# their own, so that nothing on this machine is in their way.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib-install.sh
. scripts/lib-root.sh

suite=trixie
jobs=${JOBS:-$(nproc)}
work=$(mktemp -d /var/tmp/pubsubd-versions.XXXXXX)
chmod 755 "$work"
base=${BASE:-$work/base.tar}
trap 'rm -rf --one-file-system "$work"' EXIT
trap 'exit 130' INT TERM
failed_parts=0

# Print what a log of tests says in the end as the counts of NAME, and what was
# skipped or has failed.  A log without counts is one failure.
tell()
{
	local name=$1 log=$2 status=$3 p f s

	read -r p f s < <(awk '/^[0-9]+ passed, [0-9]+ failed/ { line = $0 }
		END { split(line, n, /[^0-9]+/); print n[1]+0, n[2]+0, n[3]+0 }' "$log")
	if [ "$status" -ne 0 ]; then
		[ "$f" -gt 0 ] || f=1
		failed_parts=$((failed_parts + 1))
		grep -v ' passed, 0 failed, .* s$' "$log" | tail -n 300
	else
		awk '/^skipped: / { print }
			/^skipped:$/ { on = 1; next } /^[^ ]/ { on = 0 }
			on { sub(/^ */, ""); print "skipped: " $0 }' "$log"
	fi
	echo "$name: $p passed, $f failed, $s skipped"
}

# Run versions-inside.sh PART in a new root: first with the network, to install
# what is needed, then without.
inside()
{
	local name=$1 part=$2 root=$work/root status=0

	[ "$(id -u)" -eq 0 ] || die 'only root can make a root directory'
	install_missing debootstrap git ca-certificates iproute2
	[ -e "$base" ] || make_base "$suite" "$base" "$work"
	fill_root "$root" "$base" root
	{
		in_root "$root" root \
			"exec bash pubsubd/scripts/versions-inside.sh install $part" &&
			NET=own in_root "$root" root \
				"JOBS=$jobs KEEP=${KEEP:-} exec bash pubsubd/scripts/versions-inside.sh test $part"
	} >"$work/$part.log" 2>&1 || status=$?
	tell "$name" "$work/$part.log" $status
}

drop_root()
{
	rm -rf --one-file-system "$work/root"
}

part_clang()
{
	inside 'clang 19' clang
	drop_root
}

part_gcc()
{
	inside 'gcc 14' gcc
	drop_root
}

part_aarch64()
{
	inside 'aarch64' aarch64
	drop_root
}

part_interop()
{
	inside 'interop, Debian 13' interop
	if [ -n "${KEEP:-}" ]; then
		cp -R "$work/root/root/pubsubd/tests/interop/expected/13" \
			tests/interop/expected/
		cp "$work/root/root/pubsubd/tests/interop/README.md" tests/interop/
	fi
	drop_root
}

# The tests of what runs in Node: the client, by itself and as the README uses it.
part_node()
{
	local modules=tests/versions/node_modules major node status tests

	# shellcheck disable=SC2046 # one package a word
	install_missing "${BUILD_PACKAGES[@]}" "${TEST_PACKAGES[@]}" $(node_packages)
	if ! cmp -s tests/versions/package-lock.json $modules/.installed; then
		(cd tests/versions && quietly npm ci --ignore-scripts)
		cp tests/versions/package-lock.json $modules/.installed
	fi
	tests=$(grep -lE 'public/|client-support' tests/e2e/*.test.mjs)
	for major in 20 22; do
		node=$PWD/$modules/node-$major/bin
		[[ $("$node/node" --version) == v$major.* ]] ||
			die "node $major is not what it says"
		status=0
		PATH=$node:$PATH JOBS=$jobs make --no-print-directory test SUITES=e2e \
			TESTS="$(echo "$tests" | paste -sd ' ')" \
			>"$work/node.log" 2>&1 || status=$?
		tell "Node $major" "$work/node.log" $status
	done
}

parts=(clang gcc node aarch64 interop)
[ $# -eq 0 ] || parts=("$@")
for part in "${parts[@]}"; do
	declare -F "part_$part" >/dev/null || die "$part: no such part"
done
for part in "${parts[@]}"; do
	"part_$part"
done
[ $failed_parts -eq 0 ]
