#!/usr/bin/env bash
# libnats 3.4.1 (Debian 12), the C client of NATS: natsConnection_Buffered() is 0 while
# messages wait in it.
#
# Expected: nats.h says that it "indicates if there is any data not yet transmitted to
# the server", in bytes, or is -1 for a connection that is closed; so while the library
# reconnects it counts what was published meanwhile.
# Seen: it looks at the buffer of a connection that is there only.  A hundred messages
# that are published while the server is away are taken, and it says 0; when the server
# is back they are sent, every one.
# Consequence for a program: 0 is no leave to exit; a natsConnection_Flush() that was
# done is.
. "$(dirname "$0")/lib.sh"

debian libnats-dev=3.4.1-1+b1 nats-server=2.9.10-1+b3
cat >"$work/client.c" <<'EOF'
#include <nats/nats.h>
#include <stdio.h>

static const char body[1000];

/* client URL: says "away" when it has published, and then waits for the server */
int
main(int argc, char **argv)
{
	natsConnection *nc;
	natsOptions *options;
	natsSubscription *sub;
	natsMsg *msg;
	int taken = 0, came = 0;

	(void)argc;
	natsOptions_Create(&options);
	natsOptions_SetURL(options, argv[1]);
	natsOptions_SetMaxReconnect(options, 10000);
	natsOptions_SetReconnectWait(options, 50);
	if (natsConnection_Connect(&nc, options) != NATS_OK ||
	    natsConnection_SubscribeSync(&sub, nc, "topic") != NATS_OK ||
	    natsConnection_Flush(nc) != NATS_OK)
		return 1;
	puts("connected");
	fflush(stdout);
	while (natsConnection_Status(nc) != NATS_CONN_STATUS_RECONNECTING)
		nats_Sleep(10);
	for (int i = 0; i < 100; i++)
		taken += natsConnection_Publish(nc, "topic", body,
		    sizeof(body)) == NATS_OK;
	printf("taken %d, buffered %d\n", taken, natsConnection_Buffered(nc));
	fflush(stdout);
	while (came < taken &&
	    natsSubscription_NextMsg(&msg, sub, 20000) == NATS_OK) {
		natsMsg_Destroy(msg);
		came++;
	}
	printf("came %d, buffered %d\n", came, natsConnection_Buffered(nc));
	natsSubscription_Destroy(sub);
	natsConnection_Destroy(nc);
	natsOptions_Destroy(options);
	nats_Close();
	return 0;
}
EOF
cc -I"$root/usr/include" -o "$work/client" "$work/client.c" \
	-L"$root/usr/lib/x86_64-linux-gnu" -lnats -Wl,--allow-shlib-undefined

port=$(free_port)
start_server()
{
	run "$port" "$root/usr/sbin/nats-server" -a 127.0.0.1 -p "$port"
}

# Wait until the client has said something.
says()
{
	while ! grep -q "$1" "$work/said"; do
		kill -0 "$client" || exit 1
		sleep 0.05
	done
}

start_server
: >"$work/said"
"$work/client" "nats://127.0.0.1:$port" >"$work/said" &
client=$!
away=${others[-1]}
others+=("$client")
says connected
kill -KILL "$away"
wait "$away" 2>"$work/killed" || true
says taken
start_server
wait "$client"
expect 'connected
taken 100, buffered 0
came 100, buffered 0' "$(cat "$work/said")"
