#!/usr/bin/env bash
# Run clients and proxies that others wrote; see tests/interop/interop.mjs.
#
#	ONLY='nginx ws'	those alone
#	KEEP=1		keep the outcomes that are seen as those that are expected
set -eu
cd "$(dirname "$0")/.."

# shellcheck disable=SC2086 # one word for each name
scripts/interop-deps.sh ${ONLY:-}
# shellcheck disable=SC2086
exec node tests/interop/interop.mjs ${KEEP:+--keep} ${ONLY:-}
