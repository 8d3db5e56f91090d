// SPDX-License-Identifier: MIT
/*
 * client-faults.test.mjs - public/pubsub.js with servers that go away, fall
 * silent or err, exactly when a script says so.
 */

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import WebSocket from "ws";

import { backoff } from "../../public/pubsub-connection.js";
import { connect } from "../../public/pubsub.js";
import { freePort } from "./ports.mjs";
import { bounded, waitFor } from "./support.mjs";
import { Ear, open, reaches, scripted } from "./client-support.mjs";

/* A connection that answers nothing and keeps what it was asked. */
function mute(asked, more) {
	return ({ welcome }) => {
		welcome(more);
		return (request) => asked.push(request);
	};
}

/* A topic with numbers behind `seq' that acknowledges everything. */
function acking(asked, seq = 0, more = {}) {
	return ({ say, welcome }) => {
		welcome(more);
		return ({ type, id, topic, ...rest }) => {
			asked.push({ type, topic, ...rest });
			if (type === "publish")
				seq++;
			say({ type: type === "ping" ? "pong" : "ack", id, topic,
				epoch: more.epoch ?? "E", seq });
		};
	};
}

const message = (seq) =>
	({ type: "message", topic: "t", seq, time: 1, message: seq });

describe("JavaScript client, the close says what next", () => {
	test("4000: never again, and whoever waits is told", async (t) => {
		const server = await scripted(t, ({ socket, welcome }) => {
			welcome();
			return ({ type }) => type === "publish" &&
				socket.close(4003, "not you");
		});
		const client = open(t, server.port);
		const joining = assert.rejects(client.subscribe("t"),
		    { code: "closed", message: "not you" });
		const counting = assert.rejects(client.presence("t"),
		    { code: "closed" });

		await assert.rejects(client.publish("t", 1), { code: "unknown" });
		await joining;
		await counting;
		assert.equal(client.state, "closed");
		assert.equal(client.reason, "not you");
		assert.equal(server.connections, 1);
	});

	test("4200: at once, whatever else it had said", async (t) => {
		const later = { retry: { min_ms: 1e6, max_ms: 1e6 } };
		const server = await scripted(t, ({ socket, welcome }) => {
			welcome(later);
			socket.close(4200);
		}, mute([], later));
		const client = open(t, server.port);

		await waitFor("the second", () => server.connections === 2);
		await reaches(client, "open");
	});

	for (const code of [1001, 1012])
		test(`${code} after a drain: when it was told to`, async (t) => {
			const server = await scripted(t, ({ socket, say, welcome }) => {
				welcome();
				say({ type: "drain", in_ms: 9,
					retry: { min_ms: 1e6, max_ms: 2e6 } });
				socket.close(code);
			}, mute([]));
			const client = open(t, server.port);

			await reaches(client, "waiting");
			const wait = client.retryAt - Date.now();

			assert.ok(wait > 0.9e6 && wait <= 2e6, `${wait}`);
			client.wake();
			await reaches(client, "open");
		});

	for (const code of [1011, 4100])
		test(`${code}: back-off as the server would like it`, async (t) => {
			const server = await scripted(t, ({ socket, welcome }) => {
				welcome({ retry: { min_ms: 1e6, max_ms: 4e6 } });
				socket.close(code);
			});
			const client = open(t, server.port);

			for (const most of [1e6, 2e6, 4e6, 4e6]) {
				await reaches(client, "waiting");
				const wait = client.retryAt - Date.now();

				assert.ok(wait > 0.09 * most && wait <= most,
				    `${wait} of ${most}`);
				client.wake();
				assert.equal(client.state, "connecting");
			}
		});

	test("waits grow, have a ceiling and differ", () => {
		const retry = { min_ms: 500, max_ms: 15_000 };
		const waits = [0, 1, 2, 3, 4, 5, 6, 1100].map((n) =>
			[0, 0.5, 1].map((random) => backoff(n, retry, random)));

		for (const [least, middle, most] of waits)
			assert.ok(least > 0 && least < middle && middle < most);
		assert.deepEqual(waits.map((wait) => wait[2]),
		    [500, 1000, 2000, 4000, 8000, 15000, 15000, 15000]);
	});
});

describe("JavaScript client, cut off", () => {
	test("a publish is unknown, or is said again", async (t) => {
		const asked = [];
		const server = await scripted(t, ({ socket, welcome }) => {
			let n = 0;

			welcome();
			return () => ++n === 3 && socket.terminate();
		}, acking(asked));
		const client = open(t, server.port);

		await reaches(client, "open");
		const lost = client.publish("t", "once");
		const kept = client.publish("t", "again", { retry: true });

		client.presence("t").catch(() => {});
		await assert.rejects(lost, { code: "unknown" });
		assert.deepEqual(await kept, { topic: "t", epoch: "E", seq: 1 });
		await client.publish("t", "after");
		assert.deepEqual(asked.map((r) => r.message ?? r.type),
		    ["again", "presence", "after"]);
	});

	test("what was not sent yet is sent, in order", async (t) => {
		const asked = [];
		const server = await scripted(t,
		    ({ socket }) => socket.terminate(), acking(asked));
		const client = open(t, server.port);

		client.subscribe("t");
		await Promise.all([1, 2, 3].map((n) => client.publish("t", n)));
		assert.deepEqual(asked.map((r) => r.message ?? r.type),
		    ["subscribe", 1, 2, 3]);
	});

	test("a server that drains gets nothing new; what it refused goes to " +
	    "the next, in order", async (t) => {
		const first = [], second = [];
		const server = await scripted(t, ({ socket, say, welcome }) => {
			welcome();
			return ({ id, message: text }) => {
				first.push(text);
				if (text === 1)
					say({ type: "ack", id, topic: "t",
						epoch: "E", seq: 1 });
				if (text === 2)
					say({ type: "drain", in_ms: 5, retry:
						{ min_ms: 0, max_ms: 0 } });
				if (text === 2)
					say({ type: "error", id,
						code: "draining", reason: "" });
				if (text === 3) /* not even answered */
					setImmediate(() => socket.close(1001));
			};
		}, acking(second, 1));
		const client = open(t, server.port);

		await reaches(client, "open");
		const said = [1, 2, 3].map((n) => client.publish("t", n));

		await said[0];
		await waitFor("the drain", () => first.length === 3);
		said.push(client.publish("t", 4));
		assert.deepEqual((await Promise.all(said)).map((p) => p.seq),
		    [1, 2, 3, 4]);
		assert.deepEqual(first, [1, 2, 3]);
		assert.deepEqual(second.map((r) => r.message), [2, 3, 4]);
	});

	test("nor is it asked whether it lives, nor the next on its behalf",
	    async (t) => {
		    const asked = [];
		    const server = await scripted(t, ({ socket, say, welcome }) => {
			    welcome();
			    return ({ id }) => {
				    say({ type: "drain", in_ms: 5, retry:
					    { min_ms: 0, max_ms: 0 } });
				    say({ type: "pong", id });
				    setTimeout(() => socket.close(1001));
			    };
		    }, acking(asked));
		    const client = open(t, server.port);

		    await client.ping();
		    client.wake();
		    client.wake();
		    await client.publish("t", 1);
		    assert.deepEqual(asked.map((r) => r.type), ["publish"]);
	    });

	test("a subscription goes on where it was, with its options", async (t) => {
		const asked = [];
		const server = await scripted(t, ({ socket, say, welcome }) => {
			welcome();
			return ({ id }) => {
				say({ type: "ack", id, topic: "t", epoch: "E",
					seq: 7, replayed: 1, recovered: true });
				say(message(7));
				say(message(8));
				setImmediate(() => socket.terminate());
			};
		}, acking(asked, 8));
		const client = open(t, server.port);
		const ear = new Ear();

		await client.subscribe("t",
		    { ...ear.options, history: 1, echo: false });
		await waitFor("the second", () => asked.length === 1);
		assert.deepEqual(asked, [{ type: "subscribe", topic: "t",
			echo: false, since: { epoch: "E", seq: 8 } }]);
		assert.deepEqual(ear.heard, [7, 8]);
	});

	/* However few it wanted to begin with: here all is new. */
	test("at another server it takes all there is, behind a gap", async (t) => {
		const asked = [];
		const server = await scripted(t, ({ socket, say, welcome }) => {
			welcome();
			return ({ id }) => {
				say({ type: "ack", id, topic: "t", epoch: "E", seq: 7 });
				setImmediate(() => socket.terminate());
			};
		}, ({ say, welcome }) => {
			welcome({ epoch: "F" });
			return ({ id, type, ...rest }) => {
				asked.push({ type, ...rest });
				say({ type: "ack", id, topic: "t", epoch: "F",
					seq: 2, replayed: 2, recovered: true });
				for (const seq of [1, 2, 3])
					say(message(seq));
			};
		});
		const client = open(t, server.port);
		const ear = new Ear();
		const room = await client.subscribe("t",
		    { ...ear.options, history: 1 });

		assert.deepEqual(await ear.hears(4), [
			{ from: undefined, to: undefined, reason: "epoch" },
			1, 2, 3]);
		assert.deepEqual(asked, [{ type: "subscribe", topic: "t",
			history: 2 ** 32 - 1 }]);
		assert.deepEqual(room.place, { epoch: "F", seq: 3 });
	});

	test("one that is not taken up again says so and is no more", async (t) => {
		const server = await scripted(t, ({ socket, say, welcome }) => {
			welcome();
			return ({ id }) => {
				say({ type: "ack", id, topic: "t", epoch: "E", seq: 0 });
				setImmediate(() => socket.terminate());
			};
		}, ({ say, welcome }) => {
			welcome();
			return ({ id }) => say({ type: "error", id,
				code: "directory_full", reason: "full" });
		});
		const client = open(t, server.port);
		const ended = [];

		await client.subscribe("t", { onEnd: (error) => ended.push(error) });
		await waitFor("the end", () => ended.length > 0);
		assert.deepEqual(ended.map((e) => e.code), ["directory_full"]);
		await assert.rejects(client.unsubscribe("t"),
		    { code: "not_subscribed" });
	});

	test("unsubscribing while away is done at once", async (t) => {
		const asked = [];
		const server = await scripted(t, ({ socket, say, welcome }) => {
			welcome({ retry: { min_ms: 1e6, max_ms: 1e6 } });
			return ({ id }) => {
				say({ type: "ack", id, topic: "t", epoch: "E", seq: 0 });
				setImmediate(() => socket.terminate());
			};
		}, acking(asked));
		const client = open(t, server.port);
		const room = await client.subscribe("t");

		await reaches(client, "waiting");
		await room.unsubscribe();
		client.wake();
		await client.ping();
		assert.deepEqual(asked.map((r) => r.type), ["ping"]);
	});
});

/* A WebSocket that a script ends: its `on' handlers are called by the test. */
class FakeSocket {
	static made = [];

	constructor() {
		FakeSocket.made.push(this);
	}

	send() {}
	close() {}
}

describe("JavaScript client, a socket that fails", () => {
	const url = "ws://127.0.0.1:1/ws";
	const states = (client) => {
		const seen = [];

		client.addEventListener("state", () => seen.push(client.state));
		return seen;
	};

	/* undici 6 sends no close behind it. */
	test("an error before it was open is its end", async (t) => {
		const client = connect(url, { WebSocket: FakeSocket,
			onState: () => {} });
		const socket = FakeSocket.made.at(-1);

		t.after(() => client.close());
		socket.onerror({ message: "refused" });
		assert.equal(client.state, "waiting");
		assert.equal(client.reason, "refused");
		client.wake();
		const [before, next] = FakeSocket.made.slice(-2);

		assert.notEqual(next, socket);
		before.onclose({ code: 1006, reason: "" }); /* others do */
		assert.equal(client.state, "connecting");
		const closed = client.close();

		next.onerror({});
		await bounded("the close", closed);
	});

	test("an error of an open one is not; it says why the close came", (t) => {
		const client = connect(url, { WebSocket: FakeSocket,
			onState: () => {} });
		const socket = FakeSocket.made.at(-1);

		t.after(() => socket.onclose({}));
		t.after(() => client.close());
		socket.onopen();
		socket.onmessage({ data: JSON.stringify({ type: "welcome",
			epoch: "E", ping: 0, limits: {},
			retry: { min_ms: 1e6, max_ms: 1e6 } }) });
		socket.onerror({ message: "bad frame" });
		assert.equal(client.state, "open");
		socket.onclose({ code: 1006, reason: "" });
		assert.equal(client.state, "waiting");
		assert.equal(client.reason, "bad frame");
	});

	test("a constructor that throws: at first to the caller, then it waits",
	    (t) => {
		    let broken = true;

		    class Broken extends FakeSocket {
			    constructor() {
				    super();
				    if (broken)
					    throw new Error("no sockets left");
			    }
		    }
		    assert.throws(() => connect(url, { WebSocket: Broken }),
			/no sockets left/u);
		    broken = false;
		    const client = connect(url, { WebSocket: Broken,
			    onState: () => {} });
		    const seen = states(client);

		    t.after(() => client.close());
		    FakeSocket.made.at(-1).onerror({});
		    broken = true;
		    client.wake();
		    assert.equal(client.state, "waiting");
		    assert.match(client.reason, /no sockets left/u);
		    broken = false;
		    client.wake();
		    assert.deepEqual(seen, ["waiting", "waiting", "connecting"]);
	    });

	test("a frame that is no JSON: this is another kind of server", async (t) => {
		const server = await scripted(t, ({ socket, welcome }) => {
			welcome({ retry: { min_ms: 1e6, max_ms: 1e6 } });
			socket.send("hello there");
		});
		const client = open(t, server.port);

		await reaches(client, "waiting");
		assert.match(client.reason, /does not speak pubsubd\.v1/u);
	});
});

/* Run with a console.warn of the test's own; what it was told. */
async function warnings(work) {
	const { warn } = console;
	const said = [];

	console.warn = (text) => said.push(text);
	try {
		await work();
	} finally {
		console.warn = warn;
	}
	return said;
}

/* That of "ws" says why in its words. */
describe("JavaScript client, no server", () => {
	async function fails(client, times) {
		for (let i = 0; i < times; i++) {
			await reaches(client, "waiting");
			client.wake();
		}
		await reaches(client, "waiting");
	}

	test("one warning, however often it fails", async (t) => {
		const port = await freePort();
		const said = await warnings(() => fails(open(t, port, { WebSocket }), 3));

		assert.equal(said.length, 1);
		assert.match(said[0], new RegExp("no connection to " +
		    `ws://127\\.0\\.0\\.1:${port}/ws \\(.*ECONNREFUSED.*\\)`, "u"));
	});

	test("one of a server that closes it for good", async (t) => {
		const server = await scripted(t, ({ socket, welcome }) => {
			welcome();
			socket.close(4003, "not you");
		});
		const client = open(t, server.port);
		const said = await warnings(() => reaches(client, "closed"));

		assert.equal(said.length, 1);
		assert.match(said[0], /closed by ws:.* \(not you\); it does not/u);
	});

	test("none of one's own close", async (t) => {
		const server = await scripted(t, ({ welcome }) => welcome());
		const client = open(t, server.port);
		const said = await warnings(async () => {
			await reaches(client, "open");
			await client.close();
		});

		assert.deepEqual(said, []);
	});

	test("none where onState tells, of every change and why", async (t) => {
		const port = await freePort();
		const told = [];
		const onState = ({ state, reason }) => told.push([state, reason]);
		const said = await warnings(
		    () => fails(open(t, port, { WebSocket, onState }), 1));
		const why = `connect ECONNREFUSED 127.0.0.1:${port}`;

		assert.deepEqual(said, []);
		assert.deepEqual(told, [["connecting", ""], ["waiting", why],
			["connecting", why], ["waiting", why]]);
	});

	test("none where one was there, until it is not there again", async (t) => {
		const server = await scripted(t, ({ socket, welcome }) => {
			welcome();
			socket.close(1011);
		}, mute([]));
		const client = open(t, server.port);
		const said = await warnings(async () => {
			await waitFor("a second", () => server.connections === 2);
			await reaches(client, "open");
		});

		assert.deepEqual(said, []);
	});
});

describe("JavaScript client, silence", () => {
	test("no welcome: another connection is tried", async (t) => {
		const server = await scripted(t, () => null, mute([]));
		const client = open(t, server.port, { timeout: 500 });

		client.addEventListener("state",
		    () => client.state === "waiting" && client.wake());
		await reaches(client, "open");
		assert.equal(server.connections, 2);
	});

	test("no answer: another connection answers", async (t) => {
		const asked = [];
		const server = await scripted(t, mute(asked), acking([]));
		const client = open(t, server.port, { timeout: 500 });

		await client.ping();
		assert.deepEqual(asked.map((r) => r.type), ["ping"]);
		assert.equal(server.connections, 2);
	});

	test("no answer, and a clock that was put back", async (t) => {
		const asked = [];
		const server = await scripted(t, mute(asked), acking([]));
		const client = open(t, server.port, { timeout: 500 });
		const { now } = Date;

		const answered = client.ping();

		await waitFor("the question", () => asked.length > 0);
		t.after(() => {
			Date.now = now;
		});
		Date.now = () => now() - 3600 * 1000;
		await bounded("the answer", answered);
		assert.equal(server.connections, 2);
	});

	test("nothing for long: it asks, and stays with who answers", async (t) => {
		const asked = [];
		const server = await scripted(t, acking(asked, 0, { ping: 0.02 }));
		const client = open(t, server.port);

		await waitFor("three pings", () => asked.length >= 3);
		assert.ok(asked.every(({ type }) => type === "ping"));
		assert.equal(client.state, "open");
		assert.equal(server.connections, 1);
	});

	/*
	 * It once asked at once, and twice with the same id, so that it waited
	 * in vain for a second answer, and so on with every connection.
	 */
	test("a server that does not ask is not asked", async (t) => {
		const asked = [];
		const server = await scripted(t, acking(asked, 0, { ping: 0 }));
		const client = open(t, server.port);

		await reaches(client, "open");
		await client.publish("t", 1);
		await client.presence("t");
		assert.deepEqual(asked.map((r) => r.type),
		    ["publish", "presence"]);
	});

	test("a close that is not answered: waited for in every call, not long",
	    async (t) => {
		    const server = await scripted(t, ({ socket, welcome }) => {
			    welcome();
			    socket.pause();
		    });
		    const client = open(t, server.port, { timeout: 300 });
		    const order = [];

		    await reaches(client, "open");
		    await bounded("the close", Promise.all([
			    client.close().then(() => order.push("first")),
			    client.close().then(() => order.push("second"))]));
		    assert.deepEqual(order, ["first", "second"]);
	    });

	test("a drain that does not end is not waited for", async (t) => {
		const server = await scripted(t, ({ say, welcome }) => {
			welcome();
			say({ type: "drain", in_ms: 1,
				retry: { min_ms: 0, max_ms: 0 } });
		}, acking([]));
		const client = open(t, server.port, { timeout: 500 });

		await client.ping();
		assert.equal(server.connections, 2);
	});

	/* The answer once put the idle timer in the drain's place. */
	test("nor where it still answered what it had been asked", async (t) => {
		const server = await scripted(t, ({ say, welcome }) => {
			welcome({ ping: 0.1 });
			return ({ id }) => {
				say({ type: "drain", in_ms: 1,
					retry: { min_ms: 0, max_ms: 0 } });
				say({ type: "ack", id, topic: "t", epoch: "E",
					seq: 1 });
			};
		}, acking([]));
		const client = open(t, server.port, { timeout: 500 });

		await client.publish("t", 1);
		await bounded("the next", client.ping());
		assert.equal(server.connections, 2);
	});
});

describe("JavaScript client, numbers", () => {
	/* What is heard of frames that come behind an ack with seq 10. */
	async function hear(t, n, frames, options = {}) {
		const server = await scripted(t, ({ say, welcome }) => {
			welcome();
			return ({ id, type }) => {
				say({ type: "ack", id, topic: "t", epoch: "E",
					seq: type === "publish" ? 12 : 10 });
				if (type === (options.echo === false ? "publish" :
				    "subscribe"))
					frames.forEach(say);
			};
		});
		const client = open(t, server.port);
		const ear = new Ear();
		const room = await client.subscribe("t",
		    { ...ear.options, ...options });

		if (options.echo === false)
			await client.publish("t", "own");
		await ear.hears(n);
		return { heard: ear.heard, place: room.place };
	}

	test("a second copy is not heard", async (t) => {
		const { heard } = await hear(t, 3,
		    [11, 12, 11, 12, 9, 13].map(message));

		assert.deepEqual(heard, [11, 12, 13]);
	});

	test("a hole that nobody told of is told", async (t) => {
		const { heard } = await hear(t, 3, [11, 14].map(message));

		assert.deepEqual(heard,
		    [11, { from: 12, to: 13, reason: "lost" }, 14]);
	});

	test("a gap counts as dealt with, and only what is new of it", async (t) => {
		const gap = (from, to) =>
			({ type: "gap", topic: "t", from, to, reason: "slow" });
		const { heard, place } = await hear(t, 4,
		    [message(11), gap(11, 12), gap(12, 12), message(13),
			    gap(14, 20)]);

		assert.deepEqual(heard, [11, { from: 12, to: 12, reason: "slow" },
			13, { from: 14, to: 20, reason: "slow" }]);
		assert.deepEqual(place, { epoch: "E", seq: 20 });
	});

	test("own numbers are no hole where echo is off", async (t) => {
		const { heard, place } = await hear(t, 2, [11, 13].map(message),
		    { echo: false });

		assert.deepEqual(heard, [11, 13]);
		assert.deepEqual(place, { epoch: "E", seq: 13 });
	});

	test("own numbers that a replay brings are not heard", async (t) => {
		const { heard } = await hear(t, 2, [11, 12, 13].map(message),
		    { echo: false });

		assert.deepEqual(heard, [11, 13]);
	});

	test("unsubscribed: not even a gap that was under way", async (t) => {
		const server = await scripted(t, acking([]));
		const client = open(t, server.port);
		const ear = new Ear();

		await reaches(client, "open");
		const joining = client.subscribe("t", { ...ear.options,
			since: { epoch: "before", seq: 4 } });

		client.unsubscribe("t");
		await assert.rejects(joining, { code: "unsubscribed" });
		await client.ping();
		assert.deepEqual(ear.heard, []);
	});

	for (const leave of ["unsubscribe", "close"])
		test(`${leave} at a gap: not the message behind it`, async (t) => {
			const server = await scripted(t, ({ say, welcome }) => {
				welcome();
				return ({ id }) => {
					say({ type: "ack", id, topic: "t",
						epoch: "E", seq: 10 });
					say(message(12));
				};
			});
			const client = open(t, server.port);
			const ear = new Ear();

			await client.subscribe("t", { ...ear.options,
				onGap: (gap) => {
					ear.options.onGap(gap);
					client[leave]("t");
				} });
			assert.deepEqual(await ear.hears(1),
			    [{ from: 11, to: 11, reason: "lost" }]);
		});

	test("another topic's messages and answers to nobody are left alone",
	    async (t) => {
		    const { heard } = await hear(t, 1, [
			    { ...message(11), topic: "u" },
			    { type: "ack", id: 99, topic: "t", seq: 50 },
			    { type: "error", code: "bad_json", reason: "" },
			    { type: "news" }, message(11)]);

		    assert.deepEqual(heard, [11]);
	    });
});
