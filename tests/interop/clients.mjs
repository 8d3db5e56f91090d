// SPDX-License-Identifier: MIT
/*
 * clients.mjs - the clients that are tried, each a small program in clients/.
 *
 * One that speaks WebSocket is called with an address, a subprotocol or "", and
 * lines.  It connects, offers the subprotocol, sends each line as a message, and
 * prints what its application is told:
 *
 *	open PROTOCOL	the subprotocol that was agreed on, or nothing
 *	message TEXT	a message; one that begins with ">" it sends back without
 *			that, and at "bye" it closes the connection with 1000
 *	raised WORDS	an exception or an error event
 *	closed CODE REASON	the end, in the words of its library
 *
 * One that speaks server-sent events is called with an address.  It prints
 * "open" at the event `ready', "message TEXT", "gap", and "closed WORDS".
 *
 *	name		of its outcome, in packages.txt, and of its program
 *	title		of its line on the page
 *	titles		the same with another release of Debian, where it is another
 *	kind		websocket or events
 *	returns		its library connects again by itself
 *	npm		its package, where it is one of npm
 *	varies		of each step whose outcome is a matter of chance, why
 *	directory	clients/
 *	build(to)	how it is compiled, where it is
 *	command(to)	how it is run
 */

import { fileURLToPath } from "node:url";

const directory = fileURLToPath(new URL("clients", import.meta.url));

/* How a program runs, by the ending of its name. */
const RUN = {
	py: ["/usr/bin/python3"],
	mjs: ["node"],
	sh: ["bash"],
	pl: ["/usr/bin/perl"],
	rb: ["/usr/bin/ruby"],
	tcl: ["/usr/bin/tclsh"],
	js: ["gjs"],
	lua: ["lua5.2"],
	java: ["java", "-cp", "/usr/share/java/*"],
	/* Its standard output is buffered, and standard error is not. */
	el: ["sh", "-c", `exec 2>&1 emacs -Q --batch "$@"`, "emacs", "-L",
		"/usr/share/emacs/site-lisp/elpa-src/websocket-1.13", "-l"],
};

/* How it is compiled first; "to" is where. */
const BUILD = {
	go: (file, to) => ["env", "GO111MODULE=off", "GOPATH=/usr/share/gocode",
		"/usr/bin/go", "build", "-o", to, file],
	hs: (file, to) => ["ghc", "-v0", "-outputdir", `${to}.objects`, "-o", to,
		file],
	c: (file, to) => ["gcc", "-O1", "-o", to, file, "-lwebsockets"],
	cpp: (file, to, libraries) => ["sh", "-c",
		`g++ -O1 -o ${to} ${file} ${libraries}`],
};

const QT = "-fPIC $(pkg-config --cflags --libs Qt6WebSockets 2>/dev/null || " +
    "pkg-config --cflags --libs Qt5WebSockets)";

function client(title, file, options = {}) {
	const [, name, ending] = /^(.*)\.([^.]*)$/u.exec(file);
	const compile = BUILD[ending];

	return { name, title, kind: "websocket", directory, ...options,
		command: (to) => RUN[ending] ? [...RUN[ending], file] : [to],
		build: compile &&
			((to) => compile(file, to, options.libraries)) };
}

const events = (title, file, options) =>
	client(title, file, { kind: "events", ...options });

const WS4PY_THREADS =
    "two threads of its take the messages that come with the handshake";

export const CLIENTS = [
	client("Python websockets", "python-websockets.py"),
	client("Python aiohttp", "python-aiohttp.py"),
	client("Python websocket-client", "python-websocket-client.py"),
	client("Python tornado", "python-tornado.py"),
	client("Python ws4py", "python-ws4py.py", { varies: {
		resume: WS4PY_THREADS, "restart, v1": WS4PY_THREADS } }),
	client("Python autobahn (asyncio)", "python-autobahn.py"),
	client("Go gorilla/websocket", "go-gorilla.go"),
	client("Go nhooyr.io/websocket", "go-nhooyr.go"),
	client("Go x/net/websocket", "go-x-net.go"),
	client("Perl Mojolicious", "perl-mojolicious.pl"),
	client("Perl AnyEvent::WebSocket::Client", "perl-anyevent.pl"),
	client("Ruby faye-websocket", "ruby-faye.rb"),
	client("Tcl tcllib", "tcl-tcllib.tcl"),
	client("libsoup 3 (gjs)", "gjs-libsoup.js"),
	client("Qt 5", "cpp-qt.cpp", { libraries: QT, titles: { 13: "Qt 6" } }),
	client("Boost.Beast", "cpp-boost-beast.cpp", { libraries: "-pthread" }),
	client("websocketpp", "cpp-websocketpp.cpp", { libraries: "-pthread" }),
	client("Poco", "cpp-poco.cpp",
	    { libraries: "-lPocoNet -lPocoFoundation" }),
	client("libwebsockets", "c-libwebsockets.c"),
	client("Java JDK", "java-jdk.java"),
	client("Java Netty", "java-netty.java"),
	client("Lua http", "lua-http.lua"),
	client("Haskell websockets", "haskell-websockets.hs"),
	client("Emacs websocket.el", "emacs-websocket.el"),
	client("Node ws", "node-ws.mjs", { npm: "ws" }),
	client("Node websocket", "node-websocket.mjs", { npm: "websocket" }),
	client("Node faye-websocket", "node-faye.mjs", { npm: "faye-websocket" }),
	client("Node undici 6", "node-undici-6.mjs", { npm: "undici-6" }),
	client("Node undici 7", "node-undici-7.mjs", { npm: "undici-7" }),
	client("Node isomorphic-ws", "node-isomorphic-ws.mjs",
	    { npm: "isomorphic-ws" }),
	client("Node reconnecting-websocket", "node-reconnecting-websocket.mjs",
	    { npm: "reconnecting-websocket", returns: true }),
	client("Node partysocket", "node-partysocket.mjs",
	    { npm: "partysocket", returns: true }),
	client("Node robust-websocket", "node-robust-websocket.mjs",
	    { npm: "robust-websocket", returns: true }),
	client("Chromium", "chromium.mjs"),
	events("Chromium", "chromium-events.mjs", { returns: true }),
	events("curl", "curl.sh"),
	events("Node eventsource 2", "node-eventsource-2.mjs",
	    { npm: "eventsource-2", returns: true }),
	events("Node eventsource 3", "node-eventsource-3.mjs",
	    { npm: "eventsource-3", returns: true }),
	events("Node eventsource 4", "node-eventsource-4.mjs",
	    { npm: "eventsource-4", returns: true }),
	events("Node event-source-polyfill", "node-event-source-polyfill.mjs",
	    { npm: "event-source-polyfill", returns: true }),
	events("Node fetch-event-source", "node-fetch-event-source.mjs",
	    { npm: "@microsoft/fetch-event-source", returns: true }),
	events("Node eventsource-client", "node-eventsource-client.mjs",
	    { npm: "eventsource-client", returns: true }),
	events("Node launchdarkly-eventsource",
	    "node-launchdarkly-eventsource.mjs",
	    { npm: "launchdarkly-eventsource", returns: true }),
];
