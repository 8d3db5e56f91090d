#!/usr/bin/env bash
# Install what the tests need, and run all of them.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib-install.sh

# shellcheck disable=SC2046 # one package a word
install_missing "${BUILD_PACKAGES[@]}" "${TEST_PACKAGES[@]}" $(node_packages)
exec make --no-print-directory -j"$(nproc)" test
