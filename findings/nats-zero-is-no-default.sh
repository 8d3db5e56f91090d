#!/usr/bin/env bash
# libnats 3.4.1 (Debian 12), the C client of NATS: two sizes of which 0 does not mean
# the default.
#
# Expected: as nats.h says of both natsOptions_SetReconnectBufSize() and
# natsOptions_SetIOBufSize(): "If not specified, or the value is 0, the library will use
# a default value", 8 MB and 32 KB.
# Seen: 0 is kept, and nothing is refused when it is set.  Without a buffer for the time
# of a reconnect each message that is published then is refused with "Insufficient
# Buffer".  Without one for input and output it says that it is connected, and the
# first answer that it waits for is "Connection Disconnected", with its server alive.
# Consequence for a program: to leave a size at its default, do not call the function.
. "$(dirname "$0")/lib.sh"

debian libnats-dev=3.4.1-1+b1 nats-server=2.9.10-1+b3
cat >"$work/client.c" <<'EOF'
#include <nats/nats.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* client URL PID SIZE: kills the server in the end */
int
main(int argc, char **argv)
{
	natsConnection *nc;
	natsOptions *options;
	natsStatus status;

	(void)argc;
	natsOptions_Create(&options);
	natsOptions_SetURL(options, argv[1]);
	natsOptions_SetMaxReconnect(options, 1000);
	if (strcmp(argv[3], "reconnect 0") == 0)
		natsOptions_SetReconnectBufSize(options, 0);
	if (strcmp(argv[3], "io 0") == 0)
		natsOptions_SetIOBufSize(options, 0);
	status = natsConnection_Connect(&nc, options);
	printf("%s: connect %s", argv[3], natsStatus_GetText(status));
	status = natsConnection_FlushTimeout(nc, 10000);
	printf(", flush %s", natsStatus_GetText(status));
	if (status == NATS_OK) {
		kill(atoi(argv[2]), SIGKILL);
		while (natsConnection_Status(nc) !=
		    NATS_CONN_STATUS_RECONNECTING)
			nats_Sleep(10);
		printf(", publish while it reconnects %s",
		    natsStatus_GetText(natsConnection_PublishString(
		        nc, "topic", "hello")));
	}
	printf("\n");
	natsConnection_Destroy(nc);
	natsOptions_Destroy(options);
	nats_Close();
	return 0;
}
EOF
cc -I"$root/usr/include" -o "$work/client" "$work/client.c" \
	-L"$root/usr/lib/x86_64-linux-gnu" -lnats -Wl,--allow-shlib-undefined

seen=
for size in default 'reconnect 0' 'io 0'; do
	port=$(free_port)
	run "$port" "$root/usr/sbin/nats-server" -a 127.0.0.1 -p "$port"
	seen+=$("$work/client" "nats://127.0.0.1:$port" "${others[-1]}" "$size")$'\n'
	{ kill "${others[-1]}"; wait "${others[-1]}"; } 2>"$work/killed" || true
done
expect 'default: connect OK, flush OK, publish while it reconnects OK
reconnect 0: connect OK, flush OK, publish while it reconnects Insufficient Buffer
io 0: connect OK, flush Connection Disconnected' "${seen%$'\n'}"
