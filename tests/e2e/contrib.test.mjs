// SPDX-License-Identifier: MIT
/*
 * contrib.test.mjs - the alerts for Prometheus and the dashboard for Grafana:
 * each query is one, and asks for metrics and labels that a server really has.
 */

import assert from "node:assert/strict";
import {
	existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";

import {
	assertMetrics, assertRules, assertRulesDo, noPromtool, parseMetrics,
} from "./prometheus.mjs";
import { BRIDGE, ROOT, Server } from "./support.mjs";

const CONTRIB = join(ROOT, "scripts/contrib");
const RULES = readFileSync(join(CONTRIB, "prometheus-rules.yml"), "utf8");
const TESTS = readFileSync(join(CONTRIB, "prometheus-rules.test.yml"), "utf8");
const DASHBOARD = JSON.parse(readFileSync(
    join(CONTRIB, "grafana-dashboard.json"), "utf8"));

/* Of Prometheus itself, of every target. */
const LABELS_OF_PROMETHEUS = ["instance", "job"];

const alerts = [...RULES.matchAll(/^ +- alert: (\w+)$/gmu)]
    .map(([, name]) => name);
const targets = DASHBOARD.panels.flatMap(({ targets: list }) => list);

/* A query as Prometheus gets it from Grafana. */
const filledIn = (query) => query.replaceAll("$__rate_interval", "1m")
    .replaceAll("$instance", ".*");

describe("the alerts", () => {
	test("fire when they should, and only then", { skip: noPromtool }, () => {
		assertRules(CONTRIB, "prometheus-rules.yml");
		assertRulesDo(CONTRIB, "prometheus-rules.test.yml");
	});

	test("are all tested", () => {
		assert.ok(alerts.length > 10);
		for (const alert of alerts)
			assert.match(TESTS, new RegExp(
			    `alertname: ${alert}\n.*\n +exp_alerts:\n +- `, "u"));
	});
});

describe("the dashboard", () => {
	test("has a place for each panel", () => {
		const taken = new Set();
		const ids = DASHBOARD.panels.map(({ id }) => id);

		assert.equal(new Set(ids).size, ids.length);
		for (const { title, gridPos: { x, y, w, h } } of DASHBOARD.panels) {
			assert.ok(x + w <= 24, title);
			for (let i = x; i < x + w; i++)
				for (let k = y; k < y + h; k++) {
					assert.ok(!taken.has(`${i} ${k}`), title);
					taken.add(`${i} ${k}`);
				}
		}
	});

	test("asks what Prometheus understands", { skip: noPromtool }, (t) => {
		const dir = mkdtempSync(join(tmpdir(), "pubsubd-contrib-"));
		const rules = targets.map(({ expr }, i) =>
			({ record: `panel:${i}`, expr: filledIn(expr) }));

		t.after(() => rmSync(dir, { recursive: true }));
		writeFileSync(join(dir, "rules.yml"), /* JSON is YAML, too */
		    JSON.stringify({ groups: [{ name: "panels", rules }] }));
		assertRules(dir, "rules.yml");
	});
});

test("every metric and label that they ask for is there", async (t) => {
	const cluster = existsSync(BRIDGE) ?
		["--cluster", "nats://127.0.0.1:1"] : []; /* nobody answers */
	const server = await Server.start(t,
	    ["--admin", "127.0.0.1:0", ...cluster]);
	const { admin } = await server.status();
	const body = await (await fetch(`${admin}/metrics`)).text();
	const metrics = parseMetrics(body);
	const labels = new Map();

	server.deathsExpected = cluster.length > 0; /* of the bridge */
	if (!noPromtool)
		assertMetrics(body);
	for (const { samples } of metrics.values())
		for (const sample of samples)
			labels.set(sample.name, [...labels.get(sample.name) ?? [],
				...Object.keys(sample.labels)]);
	const queries = [...targets.map(({ expr }) => filledIn(expr)),
		...RULES.match(/expr: [^]*?(?= +(?:for|labels):)/gu)];

	assert.equal(queries.length, targets.length + alerts.length);
	for (const query of queries) {
		const names = query.match(/pubsubd_\w+/gu) ?? [];

		assert.ok(names.length > 0 || query.includes("up{"), query);
		if (cluster.length === 0 && /pubsubd_cluster_/u.test(query)) {
			t.diagnostic(`no bridge, so not asked: ${query}`);
			continue;
		}
		for (const name of names)
			assert.ok(labels.has(name), `${name}: no such metric`);
		const known = names.flatMap((name) => labels.get(name));

		/* Of selectors, and what is summed by. */
		for (const [, list] of [...query.matchAll(/\{([^}]*)\}/gu),
			...query.matchAll(/\b(?:by|on) \(([^)]*)\)/gu)])
			for (const [, label] of list.matchAll(/(\w+)(?=[=!,]|$)/gu))
				assert.ok(known.includes(label) ||
				    LABELS_OF_PROMETHEUS.includes(label),
				`${label}: ${query}`);
	}
});
