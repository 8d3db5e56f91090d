// SPDX-License-Identifier: MIT
/*
 * measure.mjs - run the load generator, in turns, and sum up what it found.
 *
 * Machines are noisy and their noise lasts for seconds; so whatever is compared
 * is measured in turn, round for round, and a ratio is taken within its round.
 * Of the rounds the median counts, with the interval that holds the true median
 * nine times in ten (from the order of the values; no bell curve is assumed).
 */

import { spawn } from "node:child_process";
import { join } from "node:path";

import { BUILD, PINNED } from "./servers.mjs";

let deadline = Infinity;

/* From then on (in the terms of Date.now()) nothing runs any more. */
export function setDeadline(time) {
	deadline = time;
}

/* Run a program that prints one JSON object, for so many seconds at most. */
export function runJson(program, args, most) {
	const seconds = Math.max(0, Math.min(most, (deadline - Date.now()) / 1000));

	return new Promise((resolve, reject) => {
		const child = spawn(join(BUILD, program), args,
		    { stdio: ["ignore", "pipe", "pipe"] });
		const timer = setTimeout(() => child.kill("SIGKILL"),
		    seconds * 1000);
		const out = { stdout: "", stderr: "" };

		for (const name of ["stdout", "stderr"])
			child[name].setEncoding("utf8").on("data", (text) => {
				out[name] += text;
			});
		child.once("error", reject);
		child.once("close", (status) => {
			clearTimeout(timer);
			try {
				const figures = JSON.parse(out.stdout);

				resolve({ status, ...figures });
			} catch {
				reject(new Error(`${program} ${args.join(" ")}: ` +
				    (out.stderr.trim().split("\n").join("; ") ||
				    `no answer within ${Math.round(seconds)} s`)));
			}
		});
	});
}

/* Run a mode of the generator against a contestant.  What it does not get whole
 * and once is an error: its figures would be of something else. */
export async function load(contestant, mode, options, seconds = 40) {
	const args = ["--mode", mode, "--json", "--url", contestant.url,
		"--server-pid", String(contestant.pid)];

	if (mode !== "rooms") {
		if (mode !== "files")
			args.push("--form", options.form ?? contestant.form);
		if (PINNED && options.cpu !== null)
			args.push("--cpu", "1");
	}
	for (const [name, value] of Object.entries(options))
		if (name !== "form" && name !== "cpu" && value !== false)
			args.push(`--${name}`, ...value === true ? [] : [String(value)]);
	const figures = await runJson("pubsub-load", args, seconds);

	if (figures.status !== 0 && mode !== "rooms")
		throw new Error(`${contestant.name}: ${figures.missing} missing, ` +
		    `${figures.miscounted} miscounted`);
	return figures;
}

/*
 * Measure all contestants in turn, `rounds' times, the order turning too; stop
 * early when time is up, but not before the first round is whole.
 * measure(contestant) returns figures.  Returns: name -> figures per round;
 * whoever fails is left out from then on and has an `error'.
 */
export async function inTurn(clock, rounds, contestants, measure) {
	const found = new Map(contestants.map(({ name }) => [name, []]));
	let able = [...contestants];

	for (let round = 0; round < rounds && able.length > 0; round++) {
		if (round > 0 && clock.isUp())
			break;
		for (const contestant of [...able]) {
			try {
				found.get(contestant.name).push(
				    await measure(contestant, round));
			} catch (error) {
				found.get(contestant.name).error = error.message;
				able = able.filter((other) => other !== contestant);
			}
		}
		if (able.length > 1)
			able.push(able.shift());
	}
	return found;
}

export function values(rounds, key) {
	return (rounds ?? []).map((figures) => figures[key]);
}

/* Round by round, how a contestant's figure stands to another's. */
export function ratios(rounds, others, key) {
	const length = Math.min(rounds?.length ?? 0, others?.length ?? 0);

	return Array.from({ length }, (_, i) => rounds[i][key] / others[i][key]);
}

/* Chance that of n values fewer than k are below the true median. */
function binomialBelow(n, k) {
	let term = 0.5 ** n;
	let sum = 0;

	for (let i = 0; i < k; i++) {
		sum += term;
		term *= (n - i) / (i + 1);
	}
	return sum;
}

/* Median and its 90 % interval; of few values the interval is all of them. */
export function summary(list) {
	const sorted = list.filter(Number.isFinite).sort((a, b) => a - b);
	const n = sorted.length;
	let rank = 1;

	if (n === 0)
		return null;
	while (2 * (rank + 1) <= n && 2 * binomialBelow(n, rank + 1) <= 0.1)
		rank++;
	return {
		median: (sorted[(n - 1) >> 1] + sorted[n >> 1]) / 2,
		low: sorted[rank - 1],
		high: sorted[n - rank],
		n,
	};
}
