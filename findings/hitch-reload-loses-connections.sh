#!/usr/bin/env bash
# hitch 1.7.2 (Debian 12): while it reads its configuration again, connections that are
# being made are refused or reset.
#
# Expected: none is lost.  configuration.md calls SIGHUP the "uninterrupted
# configuration reload": new children are there, and those before them "finish their
# handling of any live connections, and exit after they are done".
# Seen: with one worker, and nothing changed in the configuration, a client that
# connects again and again loses connections around a reload, in most of them: the
# port refuses for a moment, or a connection that was taken is reset in its handshake.
# Those that are established stay.  Without a reload none is lost.
# Consequence for a client: one attempt is not enough; and new certificates by a
# reload are for quiet hours.
. "$(dirname "$0")/lib.sh"

debian hitch=1.7.2-1+b1
upstream=$(free_port) port=$(free_port)
answer "$upstream" hello
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost \
	-keyout "$work/key" -out "$work/cert" 2>"$work/openssl.log"
cat "$work/key" "$work/cert" >"$work/pem"
cat >"$work/hitch.conf" <<EOF
frontend = "[127.0.0.1]:$port"
backend = "[127.0.0.1]:$upstream"
pem-file = "$work/pem"
workers = 1
EOF
user=()
[ "$(id -u)" != 0 ] || user=(--user=nobody)
run "$port" "$root/usr/sbin/hitch" "${user[@]}" --config="$work/hitch.conf"

cat >"$work/connect.mjs" <<'EOF'
import { connect } from "node:tls";

const [port, pid] = process.argv.slice(2).map(Number);
const VISITORS = 4, WINDOW = 400, RELOADS = 50;

/* One connection: whether its handshake is done. */
const visit = () => new Promise((resolve) => {
	const socket = connect({ port, host: "127.0.0.1",
		rejectUnauthorized: false });

	socket.on("secureConnect", () => {
		resolve(true);
		socket.destroy();
	});
	socket.on("error", () => resolve(false));
	socket.on("close", () => resolve(false));
});

/* Connect for a while; whether none was lost. */
async function allCome() {
	const end = Date.now() + WINDOW;
	let all = true;

	while (Date.now() < end) {
		const come = await Promise.all(Array.from({ length: VISITORS }, visit));

		all &&= come.every(Boolean);
	}
	return all;
}

let quiet = true, reloading = true;

for (let i = 0; i < 10; i++)
	quiet &&= await allCome();
for (let i = 0; i < RELOADS && reloading; i++) {
	process.kill(pid, "SIGHUP");
	reloading &&= await allCome();
}
console.log(`without reloads ${quiet ? "none" : "some"} lost`);
console.log(`with reloads ${reloading ? "none" : "some"} lost`);
EOF
seen=$(node "$work/connect.mjs" "$port" "${others[-1]}")
expect 'without reloads none lost
with reloads some lost' "$seen"
