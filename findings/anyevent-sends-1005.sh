#!/usr/bin/env bash
# AnyEvent::WebSocket::Client 0.54 (Debian 12): the answer to a Close is a Close
# with the code 1005, on the wire.
#
# Expected: the code that was received comes back (RFC 6455, section 5.5.1), or an
# empty body.  1005 stands for "no code was there" and must never be sent (7.4.1).
# Seen: whatever the server's code is, the answer's body is 03 ED, 1005; a server
# that checks close codes strictly counts an orderly goodbye as a protocol error.
. "$(dirname "$0")/lib.sh"

debian libanyevent-websocket-client-perl=0.54-1
cat >"$work/client.pl" <<'EOF'
use AnyEvent::WebSocket::Client;
my $done = AE::cv;
my $connection;
AnyEvent::WebSocket::Client->new->connect($ARGV[0])->cb(sub {
	$connection = shift->recv;
	$connection->on(finish => sub {
		print "finished ", $connection->close_code, "\n";
		$done->send;
	});
});
$done->recv;
EOF
export PERL5LIB=$root/usr/share/perl5:$root/usr/lib/x86_64-linux-gnu/perl5/5.36
export PERL5LIB=$PERL5LIB:$root/usr/share/perl/5.36:$root/usr/lib/x86_64-linux-gnu/perl/5.36

serve 88020fa0 # Close 4000
seen=$(timeout 20 perl "$work/client.pl" "$url")
expect 'finished 4000
8 2 "\u0003í"' "$seen
$(cat "$work/heard")"
