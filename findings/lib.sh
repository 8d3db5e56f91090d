# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034 # url is for those who source it
# lib.sh - what the scripts of this folder share.  A script sources it, calls
# debian once, starts a server with serve, runs a client of the package against
# it, and ends with expect, which fails when the package behaves differently.
#
#	work	a temporary folder, removed at the end
#	root	where the packages of debian() are unpacked
set -eu -o pipefail

work=$(mktemp -d)
root=$work/root
server=
handshake=$'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade'
others=()
trap 'kill $server "${others[@]}" 2>/dev/null || true; wait; rm -rf "$work"' EXIT

# Download packages (NAME=VERSION) and all they depend on, of a Debian 12, and
# unpack them into $root; nothing is installed and root's rights are not needed.
debian()
{
	local apt=(apt-get -qq -y -o Dir::State::status="$work/status"
		-o Dir::Cache::archives="$work/debs" -o Debug::NoLocking=1
		-o APT::Install-Recommends=0 -o APT::Sandbox::User=)
	local deb

	grep -q '^VERSION_ID="12"' /etc/os-release || {
		echo "the packages are those of a Debian 12" >&2
		exit 2
	}
	mkdir -p "$work/debs/partial" "$root"
	: >"$work/status"
	"${apt[@]}" --download-only install "$@" >/dev/null
	for deb in "$work"/debs/*.deb; do
		dpkg -x "$deb" "$root"
	done
	export PATH=$root/usr/bin:$PATH
	export LD_LIBRARY_PATH=$root/usr/lib/x86_64-linux-gnu:$root/lib/x86_64-linux-gnu
}

# Install packages of npm (NAME@VERSION) into $work/node_modules, for scripts that
# lie in $work.
packages_of_npm()
{
	npm install --prefix "$work" --no-save --ignore-scripts --loglevel=error \
		--no-audit --no-fund "$@" >/dev/null
}

# Start a WebSocket server that completes one handshake after the other and
# then writes the given bytes (hexadecimal), each argument in a TCP segment of
# its own; what the client sends is in $work/heard, one unmasked frame a line as
# "opcode length payload".  Ends an earlier server; sets url.  $handshake is what
# it answers, but for Sec-WebSocket-Accept.
serve()
{
	[ -z "$server" ] || kill "$server"
	rm -f "$work/port"
	HANDSHAKE=$handshake node - "$@" >"$work/port" 2>"$work/heard" <<'EOF' &
const { createHash } = require("node:crypto");
const segments = process.argv.slice(2).map((hex) => Buffer.from(hex, "hex"));
const later = () => new Promise((resolve) => setTimeout(resolve, 50));

async function greet(socket, head) {
	const key = /^sec-websocket-key: *(\S+)/imu.exec(head)[1];
	const accept = createHash("sha1").update(
	    `${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");

	socket.write(`${process.env.HANDSHAKE}\r\n` +
	    `Sec-WebSocket-Accept: ${accept}\r\n\r\n`);
	for (const segment of segments) {
		await later();
		socket.write(segment);
	}
}

require("node:net").createServer((socket) => {
	let input = Buffer.alloc(0), greeted = false;

	socket.setNoDelay(true);
	socket.on("error", () => {});
	socket.on("data", (bytes) => {
		input = Buffer.concat([input, bytes]);
		const end = input.indexOf("\r\n\r\n");

		if (!greeted && end >= 0) {
			greeted = true;
			greet(socket, input.toString("latin1", 0, end));
			input = input.subarray(end + 4);
		}
		/* frames of a client: masked, here never above 65,535 bytes */
		while (greeted && input.length >= 6) {
			const long = (input[1] & 127) === 126;
			const at = long ? 8 : 6;
			const length = long ? input.readUInt16BE(2) : input[1] & 127;

			if (input.length < at + length)
				break;
			const mask = input.subarray(at - 4, at);
			const text = input.subarray(at, at + length)
			    .map((byte, i) => byte ^ mask[i % 4]);

			console.error(input[0] & 15, length,
			    JSON.stringify(Buffer.from(text).toString("latin1")));
			input = input.subarray(at + length);
		}
	});
}).listen(0, "127.0.0.1", function () { console.log(this.address().port); });
EOF
	server=$!
	while ! [ -s "$work/port" ]; do sleep 0.05; done
	url=ws://127.0.0.1:$(cat "$work/port")/
}

# A port that is free.
free_port()
{
	node -e 'require("node:net").createServer().listen(0, "127.0.0.1",
		function () { console.log(this.address().port); this.close(); })'
}

# Start an HTTP server on $1 that answers each request with the other arguments,
# each in a TCP segment of its own, and then closes if it was asked to.
answer()
{
	node - "$@" <<'EOF' &
const [port, ...segments] = process.argv.slice(2);

require("node:net").createServer((socket) => {
	socket.setNoDelay(true);
	socket.on("error", () => {});
	socket.on("data", async (request) => {
		for (const segment of segments) {
			socket.write(segment);
			await new Promise((resolve) => setTimeout(resolve, 50));
		}
		if (/^connection: close/imu.test(request))
			socket.end();
	});
}).listen(port, "127.0.0.1");
EOF
	others+=($!)
	listening "$1"
}

# Wait until something listens on a port.
listening()
{
	local i

	for ((i = 0; i < 200; i++)); do
		(: >"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return
		sleep 0.05
	done
	echo "nothing listens on port $1" >&2
	exit 1
}

# Run a proxy, or another program, that listens on $1.
run()
{
	local port=$1

	shift
	"$@" >"$work/run.log" 2>&1 &
	others+=($!)
	listening "$port"
}

# Ask on a port for / and print all that comes, as it is, within five seconds.  $2, with
# escapes as printf's %b has them, goes before the request, in the same segment.
ask()
{
	{
		printf %b "${2-}"
		printf 'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'
	} >"$work/request"
	exec 3<>"/dev/tcp/127.0.0.1/$1"
	cat "$work/request" >&3
	timeout 5 cat <&3 || true
	exec 3>&-
}

# Compare what was seen with what was seen when this was written.
expect()
{
	if [ "$1" = "$2" ]; then
		printf '%s\n' "$2"
	else
		printf 'this has changed; expected:\n%s\nseen:\n%s\n' "$1" "$2" >&2
		exit 1
	fi
}
