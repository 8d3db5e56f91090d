// SPDX-License-Identifier: MIT
/*
 * prometheus.mjs - read Prometheus' text format 0.0.4, and object to everything
 * that is not as its specification and the habits of its users have it.
 *
 * Stricter than Prometheus itself: it takes a metric without HELP, in pieces, or
 * twice; this does not.
 */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";

const NAME = /^[a-z][a-z0-9_]*$/u;
const SAMPLE = /^([a-z][a-z0-9_]*)(?:\{(.*)\})? (\S+)$/u;
const LABEL = /^([a-z][a-z0-9_]*)="([^"\\\n]*)"(?:,|$)/u;
const NUMBER = /^(\d+(\.\d+)?|\+Inf)$/u;

function parseLabels(text) {
	const labels = {};

	while (text !== "") {
		const label = LABEL.exec(text);

		assert.ok(label, `labels: ${text}`);
		assert.ok(!(label[1] in labels), `label twice: ${text}`);
		labels[label[1]] = label[2];
		text = text.slice(label[0].length);
	}
	return labels;
}

/* The metric that a sample is of: a histogram's samples have endings. */
function isOf(sample, metric) {
	return metric.type === "histogram" ?
		[`${metric.name}_bucket`, `${metric.name}_sum`,
			`${metric.name}_count`].includes(sample) :
		sample === metric.name;
}

/* Buckets only grow, the last is +Inf and the count, and there is a sum. */
function checkHistogram({ name, samples }) {
	const workers = new Set(samples.map(({ labels }) => labels.worker));

	for (const worker of workers) {
		const all = samples.filter((s) => s.labels.worker === worker);
		const buckets = all.filter((s) => s.name === `${name}_bucket`);
		const bounds = buckets.map(({ labels }) =>
			Number(labels.le.replace("+Inf", "Infinity")));
		const counts = buckets.map(({ value }) => value);
		const total = all.find((s) => s.name === `${name}_count`);

		assert.deepEqual(bounds, [...bounds].sort((a, b) => a - b));
		assert.equal(new Set(bounds).size, bounds.length);
		assert.equal(bounds.at(-1), Infinity);
		assert.deepEqual(counts, [...counts].sort((a, b) => a - b));
		assert.equal(counts.at(-1), total.value);
		assert.ok(all.some((s) => s.name === `${name}_sum`));
	}
}

function checkMetric(metric) {
	const { name, type, samples } = metric;

	assert.ok(samples.length > 0, `${name} has no sample`);
	assert.equal(name.endsWith("_total"), type === "counter", name);
	const keys = samples.map((s) => JSON.stringify([s.name, s.labels]));

	assert.equal(new Set(keys).size, keys.length, `${name}: sample twice`);
	if (type === "histogram")
		checkHistogram(metric);
}

function addSample(metric, line) {
	const [, name, labels, value] = SAMPLE.exec(line) ??
		assert.fail(`not a sample: ${line}`);

	assert.ok(metric && isOf(name, metric), `out of place: ${line}`);
	assert.match(value, NUMBER, line);
	metric.samples.push({ name, labels: parseLabels(labels ?? ""),
		value: Number(value) });
}

/* All metrics by name: {name, help, type, samples: [{name, labels, value}]}. */
export function parseMetrics(text) {
	const metrics = new Map();
	let metric, help;

	assert.ok(text.endsWith("\n"), "the last line has no end");
	for (const line of text.slice(0, -1).split("\n")) {
		const [, what, name, rest] =
			/^# (HELP|TYPE) (\S+) (.+)$/u.exec(line) ?? [];

		if (what === undefined) {
			addSample(metric, line);
			continue;
		}
		assert.match(name, NAME);
		if (what === "HELP") {
			assert.equal(help, undefined, `no TYPE before ${line}`);
			assert.ok(!metrics.has(name), `twice: ${line}`);
			help = { name, help: rest };
			continue;
		}
		assert.equal(help?.name, name, `no HELP before ${line}`);
		assert.match(rest, /^(counter|gauge|histogram)$/u);
		metric = { ...help, type: rest, samples: [] };
		help = undefined;
		metrics.set(name, metric);
	}
	assert.equal(help, undefined, "HELP without TYPE");
	metrics.forEach(checkMetric);
	return metrics;
}

/* The sum of the samples of this name that have these labels. */
export function sumOf(metrics, name, labels = {}) {
	const samples = [...metrics.values()].flatMap(({ samples: all }) => all)
	    .filter((sample) => sample.name === name &&
		Object.entries(labels).every(
		    ([key, value]) => sample.labels[key] === `${value}`));

	assert.ok(samples.length > 0, `no ${name} ${JSON.stringify(labels)}`);
	return samples.reduce((sum, { value }) => sum + value, 0);
}

export const noPromtool = spawnSync("promtool", ["--version"]).status === 0 ?
	false : "promtool is not installed (package prometheus)";

/* promtool takes this; it has nothing at all to say where it is silent. */
function promtool(args, options, silent = false) {
	const { status, stdout, stderr } = spawnSync("promtool", args,
	    { encoding: "utf8", ...options });

	assert.equal(status, 0, stdout + stderr);
	if (silent)
		assert.equal(stdout + stderr, "");
}

/* Fail unless Prometheus' own tool has nothing to say about a page of metrics. */
export function assertMetrics(text) {
	promtool(["check", "metrics"], { input: text }, true);
}

/* Fail unless it takes a file of rules, in a folder. */
export function assertRules(cwd, file) {
	promtool(["check", "rules", file], { cwd });
}

/* Fail unless rules do what a file of tests says. */
export function assertRulesDo(cwd, file) {
	promtool(["test", "rules", file], { cwd });
}
