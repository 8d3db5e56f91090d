#!/usr/bin/env bash
# Install what the tests need, and run all of them.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib-install.sh

# shellcheck disable=SC2046 # one package a word
install_missing "${BUILD_PACKAGES[@]}" "${TEST_PACKAGES[@]}" $(node_packages)
echo "${0##*/}: building"
quietly make --no-print-directory -j"$(nproc)" test-programs ||
	die 'the build failed'
exec make --no-print-directory -j"$(nproc)" test
