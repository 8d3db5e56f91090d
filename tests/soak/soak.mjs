// SPDX-License-Identifier: MIT
/*
 * soak.mjs - the same load for a long time: does the server stay as it is?
 *
 *	node tests/soak/soak.mjs --minutes 10
 *
 * A crowd chats all the time.  Beside it, again and again, a wave of others comes,
 * chats in rooms of its own and leaves, while strangers come to topics that nobody
 * ever used, some leaving as one should and some by a reset.  When a wave is over
 * the figures are taken: memory and descriptors of each process, and the latency
 * and the CPU time of that wave.  trend.mjs judges whether any has grown.  Every
 * message of crowd and waves must have come once and in order.
 *
 * Prints a table, writes build/soak/soak.svg; exit status 0 if all stays flat.
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";

import { svg } from "../bench/svg.mjs";
import { Strangers } from "../chaos/strangers.mjs";
import { countDescriptors, isSanitized } from "../chaos/world.mjs";
import { PUBSUBD, ROOT, Server } from "../e2e/server.mjs";
import { waitFor } from "../e2e/wait.mjs";
import { trend } from "./trend.mjs";

const LOAD = join(dirname(PUBSUBD), "pubsub-load");
const OUT = join(ROOT, "build/soak");

/* A small ring and directory, so that both have been filled, and everything in
 * them used again, before anything counts. */
const ARGS = ["--workers", "2", "--ring-size", "1M", "--max-message", "16384",
	"--max-topics", "256"];

const CROWD = ["--clients", "200", "--interval", "0.5"];
const WAVE = ["--clients", "100", "--interval", "0.2"];
const STRANGERS = 20; /* of each sort in a wave */

/* A wave, with what comes before and after its messages, and how many there
 * are: short ones while there are few. */
const WAVES = 40;
const WAVE_SECONDS = [1, 20];

/* What may be added to each figure from the first third to the last.  Latency is
 * also the machine's, which others use, too. */
const BOUNDS = {
	"supervisor, KiB": { share: 0.02, amount: 128 },
	"workers, KiB": { share: 0.05, amount: 256 },
	"descriptors": { share: 0, amount: 2 },
	"p50, ms": { share: 2, amount: 1 },
	"p99, ms": { share: 3, amount: 20 },
	"µs per delivery": { share: 1, amount: 5 },
};

/* Figures of which a sanitizer is a part: it keeps what has been freed. */
const NOT_SANITIZED = ["supervisor, KiB", "workers, KiB"];

function minutes() {
	const { values } = parseArgs({ options: {
		minutes: { type: "string", default: "10" } } });
	const value = Number(values.minutes);

	if (!(value >= 0.5 && value <= 7 * 24 * 60))
		throw new Error(`--minutes: 0.5 to 10080, not ${values.minutes}`);
	return value;
}

/* Memory of a process, in KiB: its own, and its share of the segment.  What it
 * maps of files does not grow, and its share of that depends on who else on this
 * machine runs the same program. */
function memory(pid) {
	const text = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");

	return sum([...text.matchAll(/^Pss_(?:Anon|Shmem):\s+(\d+)/gmu)]
	    .map(([, kib]) => Number(kib)));
}

/* Have clients chat.  Returns {child, figures}, the latter a promise. */
function load(server, seconds, options) {
	const child = spawn(LOAD, ["--json", "--url",
		`ws://127.0.0.1:${server.port}/ws`, "--seconds",
		String(seconds), ...options],
	{ stdio: ["ignore", "pipe", "ignore"] });

	return { child, figures: finish(child) };
}

async function finish(child) {
	let text = "";

	child.stdout.setEncoding("utf8").on("data", (more) => {
		text += more;
	});
	const [status, signal] = await once(child, "close");

	if (text === "")
		throw new Error(`pubsub-load: ${signal ?? status}, no figures`);
	return { status, ...JSON.parse(text) };
}

const sum = (list) => list.reduce((a, b) => a + b, 0);

/* One wave, and what the server is like when it has gone. */
async function wave({ server, strangers }, seconds, connections) {
	const { figures } = load(server, seconds, WAVE);
	const topic = `load/strangers/${Date.now()}`;
	const found = (await Promise.all([figures,
		strangers.churn(STRANGERS),
		strangers.vanish(topic, STRANGERS)]))[0];

	await waitFor("the wave to be gone", async () =>
		await server.total("connections") === connections);
	const { pid, workers } = await server.status();

	return { failed: found.status !== 0,
		"supervisor, KiB": memory(pid),
		"workers, KiB": sum(workers.map((one) => memory(one.pid))),
		"descriptors": countDescriptors(pid) +
		    sum(workers.map((one) => countDescriptors(one.pid))),
		"p50, ms": found.latency.p50_us / 1000,
		"p99, ms": found.latency.p99_us / 1000,
		"µs per delivery": found.server.cpu_us_per_delivery };
}

const show = (value) => value.toFixed(value < 100 ? 2 : 0);

/* One of each tenth of all looks is enough to read. */
function printLooks(looks) {
	const step = Math.ceil(looks.length / 12);
	const names = ["seconds", ...Object.keys(BOUNDS)];

	console.log(names.map((name) => name.padStart(16)).join(""));
	looks.filter((_, i) => i % step === 0).forEach((look) =>
		console.log(names.map((name) => show(look[name]).padStart(16))
		    .join("")));
}

/* Judge each figure.  Returns whether all are flat. */
function judge(looks, sanitized) {
	const verdicts = Object.entries(BOUNDS)
	    .filter(([name]) => !sanitized || !NOT_SANITIZED.includes(name))
	    .map(([name, bound]) => ({ name,
		    ...trend(looks.map((look) => look[name]), bound) }));

	console.log(`\n${"".padEnd(18)}${["first third", "last third", "bound"]
	    .map((name) => name.padStart(14)).join("")}`);
	for (const { name, first, last, most, flat } of verdicts)
		console.log(name.padEnd(18) + [first, last, most]
		    .map((value) => show(value).padStart(14)).join("") +
		    (flat ? "" : "  GROWS"));
	return verdicts.every(({ flat }) => flat);
}

/* One picture of several plots, one below the other. */
function draw(looks) {
	const plots = [["Memory (PSS, without files)", "KiB", "supervisor, KiB", "workers, KiB"],
		["Descriptors", "of all processes", "descriptors"],
		["Latency", "ms", "p50, ms", "p99, ms"]];
	const colors = ["#c2410c", "#1d4ed8"];
	const pictures = plots.map(([title, y, ...names], at) => svg({
		title, x: "seconds", y, series: names.map((name, i) => ({ name,
			color: colors[i], points: looks.map((look) =>
				[look.seconds, look[name]]) })) })
	    .replace("<svg ", `<svg y="${at * 360}" `));

	mkdirSync(OUT, { recursive: true });
	writeFileSync(join(OUT, "soak.svg"),
	    '<svg xmlns="http://www.w3.org/2000/svg" width="640" height="' +
	    `${360 * plots.length}">${pictures.join("")}</svg>\n`);
}

/* Waves until the time is up.  Returns what was seen after each. */
async function watch(scene, seconds) {
	const [least, most] = WAVE_SECONDS;
	const length = Math.min(most, Math.max(least, seconds / WAVES));
	const started = Date.now();
	const looks = [];

	while (Date.now() - started < seconds * 1000) {
		const look = await wave(scene, length, scene.connections);

		looks.push({ seconds: (Date.now() - started) / 1000, ...look });
	}
	return looks;
}

async function run(server, seconds) {
	await server.run();
	const world = { port: server.port, ledger: {} };
	const strangers = new Strangers(world, 0);
	const crowd = load(server, seconds, CROWD);

	await waitFor("the crowd", async () =>
		await server.total("subscriptions") >= Number(CROWD[1]));
	const looks = await watch({ server, strangers,
		connections: await server.total("connections") }, seconds - 5);
	const { status, lost, doubled, out_of_order: disorder } =
		await crowd.figures;
	const failed = looks.filter((look) => look.failed).length;

	printLooks(looks);
	draw(looks);
	const flat = judge(looks, isSanitized(server.child.pid));

	console.log(`\nthe crowd: ${lost} lost, ${doubled} doubled, ${disorder} ` +
	    `out of order; waves: ${looks.length}, of which ${failed} failed`);
	return flat && status === 0 && failed === 0;
}

async function main() {
	const seconds = minutes() * 60;
	const server = new Server(ARGS);
	let good = false;

	try {
		good = await run(server, seconds);
	} catch (error) {
		console.log(error.stack);
	}
	await server.end();
	console.log(good ? `flat; ${join(OUT, "soak.svg")}` : "NOT FLAT");
	process.exit(good ? 0 : 1);
}

await main();
