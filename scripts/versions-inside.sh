#!/usr/bin/env bash
# The part of versions.sh that runs inside the new root.
#
#	versions-inside.sh install|test clang|gcc|aarch64|interop
set -eu
cd "$(dirname "$0")/.."
. scripts/lib-install.sh

# Install a compiler for the other processor, libraries of it, and the emulator.
install_aarch64()
{
	local package foreign=()

	dpkg --add-architecture arm64
	for package in "${BUILD_PACKAGES[@]}" libcmocka-dev libnats-dev; do
		case $package in
		build-essential) ;;
		libjsmn-dev | uthash-dev) foreign+=("$package") ;; # for all
		*) foreign+=("$package:arm64") ;;
		esac
	done
	install_missing make gcc-aarch64-linux-gnu libc6-dev-arm64-cross \
		qemu-user "${foreign[@]}"
}

do_install()
{
	local more=()

	case $1 in
	clang) more=(clang-19) ;;
	gcc) more=(gcc-14) ;;
	aarch64)
		install_aarch64
		return
		;;
	esac
	install_missing "${BUILD_PACKAGES[@]}" "${TEST_PACKAGES[@]}" nodejs npm \
		iproute2 "${more[@]}"
	(cd tests && quietly npm ci)
	[ "$1" != interop ] || scripts/interop-deps.sh
}

# Print what `make interop' does, and its sums as those of tests.
test_interop()
{
	local log status

	log=$(mktemp)
	set +e
	make --no-print-directory interop KEEP="${KEEP:-}" 2>&1 | tee "$log"
	status=${PIPESTATUS[0]}
	sed -nE 's/^([0-9]+) as expected, ([0-9]+) differ, /\1 passed, \2 failed, /p' \
		"$log"
	rm "$log"
	return "$status"
}

do_test()
{
	local make=(make --no-print-directory -j"${JOBS:-$(nproc)}" WERROR=1)

	case $1 in
	clang) make+=(CC=clang-19) ;;
	gcc) make+=(CC=gcc-14) ;;
	aarch64)
		# Its tests are programs alone; there is no npm here.
		make+=(CC=aarch64-linux-gnu-gcc AR=aarch64-linux-gnu-ar
			-o tests/node_modules/.package-lock.json)
		export RUN='qemu-aarch64 -L /' SUITE_SKIPS=$PWD/tests/versions/qemu-user.txt
		quietly "${make[@]}" build/aarch64-linux-gnu-gcc/pubsubd \
			build/aarch64-linux-gnu-gcc/pubsubd-bridge
		"${make[@]}" test SUITES='unit mp'
		return
		;;
	interop)
		test_interop
		return
		;;
	esac
	quietly "${make[@]}" everything
	"${make[@]}" test SUITES='unit mp fuzz e2e'
}

"do_$1" "$2"
