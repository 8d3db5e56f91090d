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
 *	name		of its outcome, and in packages.txt
 *	title		of its line on the page
 *	kind		websocket or events
 *	returns		its library connects again by itself
 *	npm		its package, where it is one of npm
 *	command		how it is run, from clients/
 */

export const CLIENTS = [
	{ name: "python-websockets", title: "Python websockets", kind: "websocket",
		command: ["/usr/bin/python3", "python-websockets.py"] },
	{ name: "ws", title: "Node ws", kind: "websocket", npm: "ws",
		command: ["node", "ws.mjs"] },
	{ name: "curl", title: "curl", kind: "events",
		command: ["bash", "curl.sh"] },
];
