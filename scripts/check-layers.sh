#!/usr/bin/env bash
# Fail where an #include goes up or sideways, or a library leaves its home.
#
#	1 common/  2 broker/: the segment and what lives in it  3 broker/, worker/
#	4 broker/cli/  5 broker/main.c  6 tests/
set -eu
cd "$(dirname "$0")/.."

git grep -nE '^[[:space:]]*#[[:space:]]*include' -- '*.c' '*.h' | awk -F '[<">]' '
function layer(f) {
	if (f ~ /^common\//) return 1
	if (f ~ /^broker\/(shared|ring|status)\//) return 2
	if (f ~ /^broker\/cli\//) return 4
	if (f == "broker/main.c") return 5
	return f ~ /^(broker|worker)\// ? 3 : f ~ /^tests\// ? 6 : 9
}
function bad(why) { print $0 ": " why; failed = 1 }
function home(header, place) {
	if ($2 ~ header && from !~ place && from !~ /^tests\//) bad("only in " place)
}
{
	split($1, part, ":")
	from = part[1]
	if ($0 ~ /include *"/) {
		split(from, a, "/"); split($2, b, "/")
		if (layer($2) > layer(from)) bad("goes up a layer")
		if (from ~ /^broker\/cli\// && $2 ~ /^worker\//) bad("only main.c knows workers")
		if (layer($2) == 3 && layer(from) == 3 && a[1] != b[1]) bad("is a peer")
		next
	}
	if ($2 ~ /^(sys\/socket|sys\/un|netdb|netinet\/.*|arpa\/.*)\.h$/ && layer(from) == 2)
		bad("no sockets here")
	home("^wslay/", "^common/ws[._]"); home("^jsmn", "^common/json[._]")
	home("^openssl/", "^common/handshake\\."); home("^pthread\\.h", "^broker/(ring|shared)/")
	home("^(seccomp|linux/(landlock|seccomp))\\.h", "^worker/sandbox\\.")
	home("^ev(\\+\\+)?\\.h", "^worker/")
}
END { exit failed }'
