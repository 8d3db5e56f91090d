#!/usr/bin/env bash
# Hold the house together: fail where an include or a call points to a folder of
# the same or a higher rank, where files of broker/, worker/ and common/ reach
# each other in a circle, by includes or by calls, or where a library is included
# outside its home.
#
#	check-layers.sh [OBJECTS]	default: build/release
#
# OBJECTS is a directory with the compiled product: calls are read from its
# objects with nm(1), so a header that merely declares somebody else's function
# does not hide a call.  A call through a table of function pointers is none.
#
# Without OBJECTS having been built, only includes are looked at, and it says so.
set -eu
cd "$(dirname "$0")/.."
objects=${1:-build/release}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Every folder with its rank.  An include goes to a lower rank, or stays in its
# folder.
cat >"$work/ranks" <<'END'
0 common
1 broker/shared
2 broker/ring
3 broker/cluster
4 broker/bridge
3 broker/status
3 broker/host
4 worker/net
4 worker/access
5 worker/http
5 worker/delivery
6 worker/ws
6 worker/requests
7 worker/protocol
7 worker/api
7 worker/handover
8 worker
8 broker/supervisor
10 broker/cli/client
10 broker/cli/manual
9 broker/cli
11 broker
12 tests
END

# Of the peers of one rank or less, who must not know whom all the same.
cat >"$work/strangers" <<'END'
broker/host broker/shared
broker/host broker/ring
broker/cli worker
broker/supervisor worker
worker broker/host
worker broker/ring/store
END

# Libraries, and the only places that may include them.
cat >"$work/homes" <<'END'
^wslay/ ^common/ws[._]
^jsmn ^common/json[._]
^zlib\.h ^common/deflate\.
^openssl/ ^(common/(handshake|tls_certs|jwk|jwk_thumbprint|jwk_set|jwt_signature|jwt_sign|sha256)|worker/net/tls.*|broker/cli/client/tls_client)\.
^pthread\.h ^broker/(shared/lock|ring/ring_lock)\.
^(seccomp|linux/(landlock|seccomp))\.h ^worker/sandbox\.
^nats/ ^broker/bridge/
^ev(\+\+)?\.h ^worker/
^(sys/socket|sys/un|netdb|netinet/.*|arpa/.*)\.h ^(common|worker|broker/(host|supervisor|cli|bridge))/
END

git ls-files --cached --others --exclude-standard -- '*.c' '*.h' >"$work/files"

# "FROM LINE HEADER KIND" of each include of the tree; KIND is " or <.
xargs -a "$work/files" grep -nE '^[[:space:]]*#[[:space:]]*include' -- |
	sed -nE 's/^([^:]+):([0-9]+):[^<"]*([<"])([^>"]+).*/\1 \2 \4 \3/p' \
		>"$work/includes"

# Who defines a symbol, and who needs it.
if [ -d "$objects" ]; then
	while read -r file; do
		case $file in
		broker/*.c | worker/*.c | common/*.c) ;;
		*) continue ;;
		esac
		object=$objects/${file%.c}.o
		[ -f "$object" ] || continue
		nm -g "$object" | awk -v m="${file%.c}" '
			$(NF - 1) ~ /^[TDBRC]$/ { print m, "has", $NF }
			$(NF - 1) == "U" { print m, "needs", $NF }'
	done <"$work/files" >"$work/symbols"
	awk 'NR == FNR { if ($2 == "has") from[$3] = $1; next }
	$2 == "needs" && $3 in from && from[$3] != $1 { print $1, from[$3] }' \
		"$work/symbols" "$work/symbols" | sort -u >"$work/arrows-call"
else
	echo "${0##*/}: $objects is not there, so calls were not looked at"
	: >"$work/arrows-call"
fi

# The calls as lines of the same form; there is no line number.
awk '{ print $1 ".c", "-", $2 ".c", "call" }' "$work/arrows-call" >"$work/calls"

awk '
function folder(f) { sub(/\/[^\/]*$/, "", f); return f }
function rank_of(f, d) {
	for (d = folder(f); d != "" && !(d in rank); )
		if (!sub(/\/[^\/]*$/, "", d)) d = ""
	return d == "" ? 99 : rank[d]
}
function bad(why) {
	print $1 ($2 == "-" ? " calls " : ":" $2 ": ") $3 ": " why
	failed = 1
}
FILENAME ~ /ranks$/ { rank[$2] = $1; next }
FILENAME ~ /strangers$/ { stranger[++n] = $1; of[n] = $2; next }
FILENAME ~ /homes$/ { header[++h] = $1; home[h] = $2; next }
$1 ~ /^tests\// { next }
$4 == "<" {
	for (i = 1; i <= h; i++)
		if ($3 ~ header[i] && $1 !~ home[i]) bad("only in " home[i])
	next
}
folder($1) == folder($3) {
	if (!($3 ~ /^(broker|worker|common)\//)) bad("is not a path from the top")
	next
}
rank_of($3) > rank_of($1) { bad("points up"); next }
rank_of($3) == rank_of($1) { bad("points sideways"); next }
{
	for (i = 1; i <= n; i++)
		if (index($1, stranger[i] "/") == 1 && index($3, of[i]) == 1)
			bad("are strangers")
	if ($3 == "worker/state.h" && $1 !~ /^worker\/[^\/]*$/) bad("is rank 8 alone")
}
END { exit failed }' "$work/ranks" "$work/strangers" "$work/homes" \
	"$work/includes" "$work/calls" >"$work/wrong" || :

# A source and its header are one module.
awk '$4 == "\"" && $1 ~ /^(broker|worker|common)\// {
	sub(/\.[ch]$/, "", $1); sub(/\.[ch]$/, "", $3)
	if ($1 != $3) print $1, $3 }' "$work/includes" | sort -u >"$work/arrows-include"

# What tsort(1) cannot put into an order is a circle, which it names.
for kind in include call; do
	tsort "$work/arrows-$kind" 2>&1 >/dev/null |
		sed -n 's/^tsort: \([^ ]*\/[^ ]*\)$/\1/p' |
		sed "s/\$/: in a circle by ${kind}s/" >>"$work/wrong"
done

cat "$work/wrong"
[ ! -s "$work/wrong" ]
