// SPDX-License-Identifier: MIT
/* rows-delivery.mjs - what a delivery costs; see rows.mjs. */

import { inTurn, load, ratios, summary, values } from "./measure.mjs";
import { addPeers, CPU, divide, lineOf, median, peersOf, spread, UWEBSOCKETS,
	withAll } from "./rows.mjs";
import { floor, pubsubd } from "./servers.mjs";

export async function fanOut(bench, clock) {
	const windows = bench.quick ? [1, 16, 64] : [1, 4, 16, 64];
	const goals = { 1: [1.05, 1.0], 16: [1.25, 1.0], 64: [1.6, 0.2] };
	const names = ["floor", "pubsubd", ...Object.keys(bench.peers)];
	const measure = (window) => (contestant) => load(contestant, "window", {
		window, warm: bench.quick ? 0.1 : 0.2,
		seconds: bench.quick ? 0.3 : 0.6,
	});
	const lines = [];
	const plot = names.map((name) => ({ name, points: [] }));

	for (const [i, window] of windows.entries()) {
		const part = clock.part(1 / (windows.length - i));
		const found = await withAll([floor, pubsubd], (both) =>
			inTurn(part.part(0.75), bench.quick ? 3 : 11, both,
			    measure(window)));

		await addPeers(bench, found, part, bench.quick ? 1 : 3,
		    measure(window));
		const ratio = summary(ratios(
		    found.get("pubsubd"), found.get("floor"), CPU));
		const theirs = UWEBSOCKETS.windows[window];

		if (goals[window]) {
			bench.goal(`fan-out to 1000, window ${window}: CPU per ` +
			    "delivery against the floor", goals[window][0], ratio);
			bench.goal(`the same against uWebSockets`, goals[window][1],
			    ratio && divide(ratio, theirs[0] / theirs[1]),
			    "by way of the floor: uWebSockets was " +
			    `${(theirs[0] / theirs[1]).toFixed(2)} of it elsewhere`);
		}
		if (window === 16)
			bench.most = new Map(names.map((name) => [name,
				median(found, name, "deliveries_per_s")]));
		lines.push([`window ${window}`, ...lineOf(found, names, CPU), ratio,
			theirs ? `${theirs[0]} (floor ${theirs[1]})` : ""]);
		for (const series of plot) {
			const s = summary(values(found.get(series.name), CPU));

			if (s !== null)
				series.points.push([window, s.median, s.low, s.high]);
		}
	}
	bench.table("Fan-out: one topic, 1000 subscribers, 100 bytes; server " +
	    "CPU µs per delivery", ["", ...names, "pubsubd / floor",
		"uWebSockets, elsewhere"], lines);
	bench.plot({ title: "Cost per delivery by window", x: "messages in flight",
		y: "server CPU µs per delivery", logX: true, logY: true,
		series: plot });
}

/* The two contracts on one server, in turn. */
export async function contracts(bench, clock) {
	const windows = [1, 16];
	const forms = ["plain", "v1"];
	const lines = [];

	for (const [i, window] of windows.entries()) {
		const part = clock.part(1 / (windows.length - i));
		const found = await withAll([pubsubd], ([server]) =>
			inTurn(part, bench.quick ? 2 : 7,
			    forms.map((form) => ({ ...server, form, name: form })),
			    (one) => load(one, "window", { window, warm: 0.1,
				    seconds: bench.quick ? 0.3 : 0.6 })));

		lines.push([`window ${window}`, ...lineOf(found, forms, CPU),
			summary(ratios(found.get("v1"), found.get("plain"), CPU))]);
	}
	bench.table("The plain contract and pubsubd.v1 on the same server, 1000 " +
	    "subscribers; CPU µs per delivery", ["", "plain", "pubsubd.v1",
		"pubsubd.v1 / plain"], lines);
}

/* The same text, as it is and compressed once for all who get it: to many, and to
 * few, where compressing shows. */
export async function compression(bench, clock) {
	const sizes = bench.quick ? [114, 1024, 16_384] :
		[114, 512, 1024, 4096, 16_384];
	const crowds = [10, 1000];
	const forms = ["prose", "deflate"];
	const lines = [];

	for (const [i, size] of sizes.entries()) {
		const part = clock.part(1 / (sizes.length - i));
		const start = () => pubsubd({ args: ["--compress", "0"] });

		for (const [k, members] of crowds.entries()) {
			const found = await withAll([start], ([server]) => inTurn(
			    part.part(1 / (crowds.length - k)), bench.quick ? 2 : 5,
			    forms.map((form) => ({ ...server, form, name: form })),
			    (one) => load(one, "window", { window: 4, warm: 0.1,
				    size, members,
				    seconds: bench.quick ? 0.3 : 0.6 })));

			lines.push([`${size} bytes to ${members}`,
				...lineOf(found, forms, "bytes_per_delivery"),
				summary(ratios(found.get("deflate"),
				    found.get("prose"), "bytes_per_delivery")),
				...lineOf(found, forms, CPU),
				summary(ratios(found.get("deflate"),
				    found.get("prose"), CPU))]);
		}
	}
	bench.table("Compression (--compress 0), 4 messages in flight: bytes, " +
	    "and CPU µs, per delivery", ["", "bytes", "compressed", "ratio",
		"CPU", "compressed", "ratio"], lines);
}

export async function workers(bench, clock) {
	const counts = [1, 2, 4, 8];
	const goals = { 2: 1.10, 4: 1.15, 8: 1.25 };
	const starts = counts.map((n) => async () => {
		const server = await pubsubd({ workers: n });

		server.name = `${n}`;
		return server;
	});
	const found = await withAll(starts, (all) => inTurn(clock,
	    bench.quick ? 2 : 9, all, (server) => load(server, "window", {
		    window: 16, warm: 0.2, seconds: bench.quick ? 0.3 : 0.6 })));
	const points = [];
	const lines = counts.map((n) => {
		const s = summary(values(found.get(`${n}`), CPU));
		const ratio = summary(ratios(
		    found.get(`${n}`), found.get("1"), CPU));

		if (s !== null)
			points.push([n, s.median, s.low, s.high]);
		if (goals[n])
			bench.goal(`the same fan-out over ${n} workers, window ` +
			    "16: total CPU against 1 worker", goals[n], ratio);
		return [`${n} worker${n > 1 ? "s" : ""}`,
			lineOf(found, [`${n}`], CPU)[0], ratio];
	});

	bench.table("The same over several workers, window 16; CPU µs per " +
	    "delivery of all together", ["", "pubsubd", "/ 1 worker"], lines);
	bench.plot({ title: "Cost per delivery by workers", x: "workers",
		y: "server CPU µs per delivery, window 16", logX: true,
		series: [{ name: "pubsubd", points }] });
}

/* Two workers where each has a core of its own, and shares it with the generator,
 * which takes what it needs from both. */
/* How much dearer a delivery is over two processes on two cores, of the server
 * and of the floor.  The generator runs on the same two. */
export async function cores(bench, clock) {
	const windows = [1, 16, 64];
	const called = (name, start) => async () =>
		Object.assign(await start(), { name });
	const starts = [1, 2].flatMap((n) => [
		called(`floor ${n}`, () => floor({ processes: n, pin: n === 1 })),
		called(`pubsubd ${n}`, () => pubsubd({ workers: n, pin: n === 1 }))]);
	const lines = [];

	for (const [i, window] of windows.entries()) {
		const found = await withAll(starts, (all) => inTurn(
		    clock.part(1 / (windows.length - i)), bench.quick ? 2 : 9, all,
		    (server) => load(server, "window", { window, warm: 0.2,
			    seconds: bench.quick ? 0.3 : 0.6,
			    cpu: server.name.endsWith("2") ? null : undefined })));
		const growth = (of) => ratios(
		    found.get(`${of} 2`), found.get(`${of} 1`), CPU);
		const own = growth("pubsubd"), floors = growth("floor");
		const against = summary(own.map((x, j) => x / floors[j]));

		bench.goal(`2 workers on 2 cores, window ${window}: total CPU ` +
		    "against 1 on 1", 1.10, summary(own));
		bench.goal("the same against the floor's", 1.10, against);
		lines.push([`window ${window}`, ...lineOf(found, ["floor 1",
			"floor 2", "pubsubd 1", "pubsubd 2"], CPU),
		summary(floors), summary(own)]);
	}
	bench.table("1000 subscribers on one core, and on two; CPU µs per " +
	    "delivery of all processes together", ["", "floor, 1 process", "2",
		"pubsubd, 1 worker", "2", "floor 2 / 1", "pubsubd 2 / 1"], lines);
}

export async function rooms(bench, clock) {
	const names = ["floor", "pubsubd", ...Object.keys(bench.peers)];
	const shape = bench.quick ? { rooms: 300, members: 10 }
	                          : { rooms: 1000, members: 10 };
	const measure = (contestant) => load(contestant, "window", { ...shape,
		window: 1, warm: 0.3, seconds: bench.quick ? 0.5 : 1.2 });
	const found = await withAll([floor, pubsubd], (both) =>
		inTurn(clock.part(0.6), bench.quick ? 2 : 9, both, measure));

	await addPeers(bench, found, clock, bench.quick ? 1 : 3, measure);
	const ratio = summary(ratios(
	    found.get("pubsubd"), found.get("floor"), CPU));
	const theirs = median(found, "nginx+nchan", CPU);
	const own = summary(values(found.get("pubsubd"), CPU));

	bench.goal(`${shape.rooms} rooms of 10, window 1 each: CPU per delivery ` +
	    "against 0.53 × nchan's", 1.0,
	    theirs && own ? divide(own, 0.53 * theirs) : null,
	    theirs ? "" : "nginx with nchan is not installed or failed");
	bench.table(`Many rooms: ${shape.rooms} × 10 members, a message in flight ` +
	    "in each; server CPU µs per delivery",
	    ["", ...names, "pubsubd / floor", "uWebSockets, elsewhere"],
	    [["", ...lineOf(found, names, CPU), ratio, UWEBSOCKETS.rooms]]);
}

export async function sizes(bench, clock) {
	const kinds = [[1024, 16], [16384, 1]];
	const names = ["floor", "pubsubd", ...peersOf(bench)];
	const lines = [];

	for (const [i, [size, window]] of kinds.entries()) {
		const part = clock.part(1 / (kinds.length - i));
		const measure = (contestant) => load(contestant, "window", {
			size, window, warm: 0.1, seconds: bench.quick ? 0.3 : 0.6 });
		const found = await withAll([() => floor({ size }), pubsubd],
		    (both) => inTurn(part.part(0.7), bench.quick ? 2 : 9, both,
			measure));

		if (!bench.quick)
			await addPeers(bench, found, part, 3, measure);
		lines.push([`${size} bytes, window ${window}`,
			...lineOf(found, names, CPU), summary(ratios(
			    found.get("pubsubd"), found.get("floor"), CPU)),
			UWEBSOCKETS[size]]);
		bench.goal(`${size}-byte messages, window ${window}: CPU per ` +
		    "delivery, µs, against uWebSockets' elsewhere",
		    Number(UWEBSOCKETS[size]),
		    summary(values(found.get("pubsubd"), CPU)),
		    "an absolute figure of another run: a hint, no judgement",
		    { judged: false });
	}
	bench.table("Larger messages: one topic, 1000 subscribers; server CPU µs " +
	    "per delivery", ["", ...names, "pubsubd / floor",
		"uWebSockets, elsewhere"], lines);
}

export async function subscribers(bench, clock) {
	const counts = bench.quick ? [10, 100, 1000] : [10, 100, 1000, 10000];
	const lines = [];
	const points = { floor: [], pubsubd: [] };
	const each = [];

	for (const [i, members] of counts.entries()) {
		const found = await withAll([floor, pubsubd], (both) => inTurn(
		    clock.part(1 / (counts.length - i)), bench.quick ? 2 : 9, both,
		    (one) => load(one, "window", { members, window: 16,
			    warm: 0.2, seconds: bench.quick ? 0.3 : 0.6 })));
		const ratio = summary(ratios(
		    found.get("pubsubd"), found.get("floor"), CPU));

		for (const [name, list] of Object.entries(points)) {
			const s = summary(values(found.get(name), CPU));

			if (s !== null)
				list.push([members, s.median, s.low, s.high]);
		}
		each.push(ratio);
		lines.push([`${members}`,
			...lineOf(found, ["floor", "pubsubd"], CPU), ratio]);
	}
	bench.goal(`growth over ${counts[0]} to ${counts.at(-1)} subscribers: ` +
	    "worst ratio to the floor against the best", 1.15, spread(each));
	bench.table("By subscribers of one topic, window 16; server CPU µs per " +
	    "delivery", ["subscribers", "floor", "pubsubd", "ratio"], lines);
	bench.plot({ title: "Cost per delivery by subscribers", x: "subscribers",
		y: "server CPU µs per delivery, window 16", logX: true,
		logY: true, series: Object.entries(points).map(
		    ([name, list]) => ({ name, points: list })) });
}

/* The one topic has many members: with ten and one message in flight the machine
 * would sleep most of the time, and what it takes to wake up be the figure. */
export async function topics(bench, clock) {
	const rooms = bench.quick ? 300 : 1000;
	const kinds = [[1, 1, 1000], [rooms, 1, 10], [rooms, 100, 10]];
	const lines = [];
	const points = { floor: [], pubsubd: [] };
	const each = [];

	for (const [i, [count, per, members]] of kinds.entries()) {
		const found = await withAll([floor, pubsubd], (both) => inTurn(
		    clock.part(1 / (kinds.length - i)), bench.quick ? 1 : 7, both,
		    (one) => load(one, "window", { rooms: count, members,
			    topics: one.name === "floor" ? 1 : per, window: 1,
			    warm: 0.3, seconds: bench.quick ? 0.4 : 0.8 })));
		const ratio = summary(ratios(
		    found.get("pubsubd"), found.get("floor"), CPU));

		for (const [name, list] of Object.entries(points)) {
			const s = summary(values(found.get(name), CPU));

			if (s !== null)
				list.push([count * per, s.median, s.low, s.high]);
		}
		each.push(ratio);
		lines.push([`${count * per}`, `${count} × ${members}`,
			...lineOf(found, ["floor", "pubsubd"], CPU), ratio]);
		for (const rounds of found.values())
			if (rounds.error !== undefined)
				bench.note(rounds.error);
	}
	bench.goal(`growth over 1 to ${rooms * 100} topics: worst ratio to the ` +
	    "floor against the best", 1.15, spread(each));
	bench.table("By topics, one message in flight per room; server CPU µs per " +
	    "delivery", ["topics", "connections", "floor", "pubsubd", "ratio"], lines);
	bench.plot({ title: "Cost per delivery by topics", x: "topics",
		y: "server CPU µs per delivery, window 1", logX: true,
		series: Object.entries(points).map(
		    ([name, list]) => ({ name, points: list })) });
}
