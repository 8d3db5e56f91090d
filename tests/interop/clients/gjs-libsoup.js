// SPDX-License-Identifier: MIT
imports.gi.versions.Soup = "3.0";
const { GLib, Soup } = imports.gi;
const [url, protocol, ...lines] = ARGV;
const loop = GLib.MainLoop.new(null, false);

function talk(socket) {
	print(`open ${socket.get_protocol() ?? ""}`);
	lines.forEach((line) => socket.send_text(line));
	socket.connect("message", (_, type, bytes) => {
		const text = new TextDecoder().decode(bytes.toArray());

		print(`message ${text}`);
		if (text.startsWith(">"))
			socket.send_text(text.slice(1));
		if (text === "bye")
			socket.close(1000, null);
	});
	socket.connect("error", (_, error) => print(`raised ${error.message}`));
	socket.connect("closed", () => {
		print(`closed ${socket.get_close_code()} ` +
		    `${socket.get_close_data() ?? ""}`);
		loop.quit();
	});
}

const session = new Soup.Session();
const message = Soup.Message.new("GET", url);

session.websocket_connect_async(message, null, protocol ? [protocol] : [],
    GLib.PRIORITY_DEFAULT, null, (_, result) => {
	    try {
		    globalThis.socket = session.websocket_connect_finish(result);
		    talk(globalThis.socket);
	    } catch (error) {
		    print(`raised ${error.message}`);
		    loop.quit();
	    }
    });
loop.run();
