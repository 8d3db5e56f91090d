#!/usr/bin/env bash
# Measure the server, its floor and what else is installed; see
# tests/bench/bench.mjs and, for patterns of topics, patterns.mjs.  QUICK=1: within 90 seconds, else within 14 minutes.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib-install.sh

command -v node >/dev/null || die "this takes node (Debian: nodejs)"
ulimit -n "$(ulimit -Hn)" || true
options=()
[ -z "${QUICK:-}" ] || options+=(--quick)
[ -z "${ONLY:-}" ] || options+=(--only "$ONLY")
node tests/bench/bench.mjs "${options[@]}"
# Patterns are beside other peers, in protocols that the generator does not speak.
[ -n "${ONLY:-}" ] ||
	PATH=$PATH:/usr/sbin node tests/bench/patterns.mjs \
		${QUICK:+--messages 5000 --rounds 3}
