// SPDX-License-Identifier: MIT
/*
 * operator.js - the operator's page: asks /stats once a second and draws what
 * happened between two answers.
 *
 * Nothing is kept anywhere but in this page: it shows the last two minutes that
 * it was open.  A page that is not seen does not ask.
 *
 * Where the server asks for the operator's key (--admin-key), so does the page,
 * and shows it in a header.  The browser keeps it until the tab is closed.
 */

const PERIOD_MS = 1000;
const PATIENCE_MS = 5000;
const SAMPLES = 120; /* that a plot shows */
const WIDTH = 240, HEIGHT = 60; /* of a plot's own coordinates */
const KEY = "pubsubd operator's key"; /* its name in sessionStorage */
const SVG = "http://www.w3.org/2000/svg";

const samples = []; /* the oldest first */

const byId = (id) => document.getElementById(id);

function element(name, text, className) {
	const made = document.createElement(name);

	made.textContent = text;
	if (className)
		made.className = className;
	return made;
}

/* A number in a few characters: 0, 0.4, 12345, 123k, 12.3M. */
function short(number, step = 1000, units = ["k", "M", "G", "T"]) {
	let unit = "", value = number;

	if (number < 100_000)
		return number < 10 && !Number.isInteger(number) ?
			number.toFixed(1) : Math.round(number).toString();
	for (let i = 0; value >= step && i < units.length; i++) {
		value /= step;
		unit = units[i];
	}
	return (value < 100 ? value.toFixed(1) : Math.round(value)) + unit;
}

const bytes = (number) => short(number, 1024, ["K", "M", "G", "T"]);

function duration(us) {
	if (us < 1000)
		return `${us} µs`;
	return us < 1_000_000 ? `${us / 1000} ms` : `${us / 1_000_000} s`;
}

function uptime(ms) {
	const s = Math.floor(ms / 1000), h = Math.floor(s / 3600);

	if (h >= 24)
		return `${Math.floor(h / 24)} d ${h % 24} h`;
	return h > 0 ? `${h} h ${Math.floor(s / 60) % 60} min` :
		`${Math.floor(s / 60)} min ${s % 60} s`;
}

const sum = (stats, name) =>
	stats.workers.reduce((all, worker) => all + worker[name], 0);

/* What a counter grew by per second, of the whole server or of one worker. */
function rate(sample, before, name, slot) {
	const value = (of) => slot === undefined ? sum(of.stats, name) :
		of.stats.workers[slot]?.[name] ?? 0;

	return before ? Math.max(0, value(sample) - value(before)) * 1000 /
	    (sample.at - before.at) : 0;
}

/* The figures of each kind, one list of values for each line of its plot. */
const LINES = {
	messages: [
		["in", (s, before) => rate(s, before, "messages_in")],
		["out", (s, before) => rate(s, before, "messages_out")],
	],
	connections: [
		["open", (s) => sum(s.stats, "connections")],
		["WebSockets", (s) => sum(s.stats, "websockets")],
		["event streams", (s) => sum(s.stats, "event_streams")],
	],
	drops: [
		["dropped", (s, before) => rate(s, before, "drops") +
		    rate(s, before, "drops_memory")],
		["missed", (s, before) => rate(s, before, "missed")],
		["refused", (s, before) => Object.keys(s.stats.workers[0] ?? {})
		    .filter((name) => name.startsWith("refused_"))
		    .reduce((all, name) => all + rate(s, before, name), 0)],
	],
};

const COLOURS = ["first", "second", "third"];

function svg(name, attributes) {
	const made = document.createElementNS(SVG, name);

	for (const [key, value] of Object.entries(attributes))
		made.setAttribute(key, value);
	return made;
}

/* Put a drawing into a section, with words below its ends. */
function show(section, drawing, from, to) {
	const scale = element("p", "", "scale");

	scale.append(element("span", from), element("span", to));
	for (const old of section.querySelectorAll("svg, .scale"))
		old.remove();
	section.append(drawing, scale);
}

function canvas(label) {
	const drawing = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
		preserveAspectRatio: "none", role: "img", "aria-label": label });

	drawing.append(svg("line",
	    { x1: 0, x2: WIDTH, y1: HEIGHT - 0.5, y2: HEIGHT - 0.5 }));
	return drawing;
}

function drawLines(id) {
	const section = byId(id), lines = LINES[id];
	const values = samples.map((sample, i) =>
		lines.map(([, of]) => of(sample, samples[i - 1])));
	const shown = id === "connections" ? values : values.slice(1);
	const highest = Math.max(1, ...shown.flat());
	const drawing = canvas(section.querySelector("h2").textContent);
	const last = values.at(-1);

	lines.forEach((line, n) => drawing.append(svg("polyline", {
		class: COLOURS[n],
		points: shown.map((of, i) => [
			WIDTH - (shown.length - 1 - i) * WIDTH / (SAMPLES - 1),
			HEIGHT - 1 - of[n] / highest * (HEIGHT - 3),
		].map((x) => x.toFixed(1)).join()).join(" "),
	})));
	section.querySelector(".numbers").replaceChildren(
	    ...lines.map(([name], n) => {
		const figure = element("span", "", COLOURS[n]);

		figure.append(element("b", short(last[n])), ` ${name}`);
		return figure;
	}));
	show(section, drawing, `highest ${short(highest)}`,
	    `the last ${SAMPLES * PERIOD_MS / 1000} s`);
}

/* Deliveries in the time that is shown, by how long they took: [bound, count],
 * the last bound being null. */
function deliveries() {
	const counts = (stats) => stats.workers.reduce((all, { delay }) =>
		delay.buckets.map(([, n], i) => (all[i] ?? 0) + n), []);
	const now = samples.at(-1).stats, before = samples[0].stats;
	const [first] = now.workers;
	const earlier = counts(before);

	return first ? counts(now).map((n, i) => [first.delay.buckets[i][0],
		samples.length > 1 ? Math.max(0, n - earlier[i]) : n]) : [];
}

function drawDelivery() {
	const section = byId("delivery"), buckets = deliveries();
	const all = buckets.reduce((total, [, n]) => total + n, 0);
	const highest = Math.max(1, ...buckets.map(([, n]) => n));
	const drawing = canvas("Deliveries by the time that they took");
	const width = WIDTH / Math.max(1, buckets.length);
	const within = (part) => {
		let left = all * part;

		for (const [bound, n] of buckets)
			if ((left -= n) <= 0)
				return bound === null ? "longer" : duration(bound);
		return "-";
	};

	buckets.forEach(([bound, n], i) => {
		const height = n / highest * (HEIGHT - 3);
		const bar = svg("rect", { x: i * width + 0.5, width: width - 1,
			y: HEIGHT - 1 - height, height });
		const label = svg("title", {});

		label.textContent = `${n} within ` +
		    (bound === null ? "a longer time" : duration(bound));
		bar.append(label);
		drawing.append(bar);
	});
	section.querySelector(".numbers").replaceChildren(
	    ...[[0.5, "half"], [0.99, "99 %"]].map(([part, name]) => {
		const figure = element("span", `${name} within `);

		figure.append(element("b", all > 0 ? within(part) : "-"));
		return figure;
	}));
	show(section, drawing, buckets.length > 0 ? duration(buckets[0][0]) : "",
	    buckets.length > 1 ? `over ${duration(buckets.at(-2)[0])}` : "");
}

/* rows: lists of cells; columns: their names, those of text with a colon before
 * it. */
function drawTable(table, columns, rows) {
	const cells = (kind, values) => values.map((value, i) =>
		element(kind, value, columns[i].startsWith(":") ? "text" : ""));
	const head = element("thead", ""), body = element("tbody", "");
	const title = element("tr", "");

	title.append(...cells("th", columns.map((name) => name.replace(":", ""))));
	head.append(title);
	for (const row of rows) {
		const line = element("tr", "");

		line.append(...cells("td", row));
		body.append(line);
	}
	table.replaceChildren(head, body);
}

function drawWorkers() {
	const sample = samples.at(-1), before = samples.at(-2);
	const perSecond = (slot, ...names) => short(names.reduce(
	    (all, name) => all + rate(sample, before, name, slot), 0));

	drawTable(byId("workers"), ["worker", "pid", ":state", "connections",
		"subscriptions", "in/s", "out/s", "drops/s", "buffered", "behind",
		"starts"],
	sample.stats.workers.map((worker) => [worker.slot, worker.pid,
		worker.state, short(worker.connections),
		short(worker.subscriptions),
		perSecond(worker.slot, "messages_in"),
		perSecond(worker.slot, "messages_out"),
		perSecond(worker.slot, "drops", "drops_memory"),
		bytes(worker.buffered_bytes), bytes(worker.lag), worker.starts]));
}

function drawTopics({ seconds, topics }) {
	byId("silence").hidden = seconds === 0 || topics.length > 0;
	if (seconds > 0)
		drawTable(byId("topics"),
		    [":topic", "messages/s", "subscribers", "last number"],
		    topics.map(({ topic, rate: perSecond, subscribers, seq }) =>
			[topic, short(perSecond), short(subscribers), seq]));
}

function draw(stats, busiest) {
	const last = samples.at(-1)?.stats;

	/* Another run counts anew. */
	if (last && (last.run !== stats.run || last.epoch !== stats.epoch))
		samples.length = 0;
	samples.push({ at: performance.now(), stats });
	if (samples.length > SAMPLES)
		samples.shift();
	document.title = `${stats.instance} - pubsubd`;
	byId("instance").textContent = `pubsubd ${stats.instance}`;
	byId("state").textContent = `${stats.state}, up ` +
	    `${uptime(stats.uptime_ms)}, version ${stats.version}, ` +
	    `${stats.topics.used} of ${stats.topics.max} topics, ` +
	    `${stats.deaths} worker death${stats.deaths === 1 ? "" : "s"}`;
	for (const id of Object.keys(LINES))
		drawLines(id);
	drawDelivery();
	drawWorkers();
	drawTopics(busiest);
}

class KeyNeeded extends Error {}

async function ask(path) {
	const key = sessionStorage.getItem(KEY);
	const response = await fetch(path, {
		headers: key === null ? {} : { Authorization: `Bearer ${key}` },
		signal: AbortSignal.timeout(PATIENCE_MS),
	});

	if (response.status === 401)
		throw new KeyNeeded(key === null ? "" : "That is not the key.");
	if (!response.ok)
		throw new Error(`${path}: ${response.status}`);
	return response.json();
}

/* Ask for the key.  A link cannot show it, so those that need it go. */
function openDoor(why) {
	const door = byId("door");

	sessionStorage.removeItem(KEY);
	samples.length = 0;
	byId("state").textContent = "the server wants to know who asks";
	byId("links").hidden = byId("main").hidden = true;
	door.querySelector("p").textContent = why;
	door.hidden = false;
	door.querySelector("input").focus();
}

byId("door").addEventListener("submit", (event) => {
	const input = byId("door").querySelector("input");

	event.preventDefault();
	/* A header has bytes: those of its UTF-8. */
	sessionStorage.setItem(KEY, String.fromCharCode(
	    ...new TextEncoder().encode(input.value.trim())));
	input.value = "";
	byId("door").hidden = true;
	turn();
});

async function turn() {
	try {
		if (!document.hidden)
			draw(await ask("stats"), await ask("busiest"));
		byId("main").hidden = false;
		document.body.classList.remove("lost");
	} catch (error) {
		if (error instanceof KeyNeeded) {
			openDoor(error.message);
			return;
		}
		document.body.classList.add("lost");
		byId("state").textContent =
		    `no answer, trying again (${error.message})`;
	}
	setTimeout(turn, PERIOD_MS);
}

turn();
