// SPDX-License-Identifier: MIT
import WebSocket from "ws";

/* It is made for browsers, and takes these from there. */
globalThis.WebSocket = WebSocket;
globalThis.window = globalThis;
globalThis.addEventListener = () => {};
globalThis.removeEventListener = () => {};
globalThis.navigator = { onLine: true };
globalThis.CustomEvent ??= Event;

const { default: RobustWebSocket } = await import("robust-websocket");
const { talk } = await import("./standard.mjs");

talk(RobustWebSocket, process.argv.slice(2));
