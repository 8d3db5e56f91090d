// SPDX-License-Identifier: MIT
/*
 * prometheus.mjs - Prometheus itself scrapes a server, evaluates the alerts and
 * answers what the dashboard asks.
 */

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Client } from "../../e2e/client.mjs";
import { freePort } from "../../e2e/ports.mjs";
import { assertMetrics, assertRulesDo, parseMetrics, sumOf } from "../../e2e/prometheus.mjs";
import { ROOT, Server } from "../../e2e/server.mjs";
import { waitFor } from "../../e2e/wait.mjs";
import { Program } from "../program.mjs";

const CONTRIB = join(ROOT, "scripts/contrib");
const RULES = join(CONTRIB, "prometheus-rules.yml");
const MESSAGES = 10;

const queries = () => JSON.parse(readFileSync(
    join(CONTRIB, "grafana-dashboard.json"), "utf8"))
    .panels.flatMap(({ targets }) => targets.map(({ expr }) => expr
	.replaceAll("$__rate_interval", "30s").replaceAll("$instance", ".*")));

/* A Prometheus on loopback, all of it in a folder of its own. */
class Prometheus {
	async start(target) {
		const port = await freePort();

		this.dir = mkdtempSync(join(tmpdir(), "pubsubd-prometheus-"));
		this.url = `http://127.0.0.1:${port}`;
		const config = join(this.dir, "prometheus.yml");

		writeFileSync(config, JSON.stringify({ /* which is YAML, too */
			global: { scrape_interval: "1s", evaluation_interval: "1s" },
			rule_files: [RULES],
			scrape_configs: [{ job_name: "pubsubd",
				static_configs: [{ targets: [target] }] }],
		}));
		this.program = new Program(["prometheus",
			`--config.file=${config}`, "--log.level=warn",
			`--storage.tsdb.path=${join(this.dir, "data")}`,
			`--web.listen-address=127.0.0.1:${port}`]);
		await waitFor("Prometheus", async () => {
			assert.ok(!this.program.ended, this.program.lastWords);
			return (await fetch(`${this.url}/-/ready`)
			    .catch(() => null))?.ok;
		});
	}

	/* What its API says, under /api/v1/. */
	async ask(path) {
		const answer = await (await fetch(`${this.url}/api/v1/${path}`)).json();

		assert.equal(answer.status, "success", `${path}: ${answer.error}`);
		return answer.data;
	}

	async query(text) {
		const { result } = await this.ask(
		    `query?query=${encodeURIComponent(text)}`);

		return result;
	}

	async end() {
		await this.program?.end("SIGTERM");
		rmSync(this.dir, { recursive: true, force: true });
	}
}

/* Several scrapes have gone well, so that there are rates, and the last did.  One
 * may take a second, which a busy machine may be too slow for. */
async function scrapes(prometheus) {
	let target;

	await waitFor("scrapes", async () => {
		const [{ value: [, n] = [] } = {}] = await prometheus.query(
		    "sum_over_time(up{job=\"pubsubd\"}[1m])");

		({ activeTargets: [target] } = await prometheus.ask("targets"));
		return n >= 3 && target.health === "up";
	}).catch((error) => assert.fail(target?.lastError || error.message));
}

/* It has all that the server said, of the type and with the help that it has. */
async function hasEach(prometheus, metrics) {
	const names = await prometheus.ask("label/__name__/values");
	const metadata = await prometheus.ask("metadata");

	for (const { name, help, type, samples } of metrics.values()) {
		for (const sample of samples)
			assert.ok(names.includes(sample.name), sample.name);
		assert.deepEqual(metadata[name].map((its) => [its.type, its.help]),
		    [[type, help]]);
	}
	const [{ value }] = await prometheus.query("sum(pubsubd_messages_out_total)");

	assert.equal(value[1], `${MESSAGES}`);
}

/* Each is evaluated and, once nothing is the matter, silent. */
async function evaluates(prometheus) {
	let seen = [];

	await waitFor("evaluation of the alerts", async () => {
		const { groups } = await prometheus.ask("rules");

		seen = groups[0].rules.filter(({ health, state, lastError }) =>
			health !== "ok" || state !== "inactive" || lastError);
		return groups[0].rules.length > 0 && seen.length === 0;
	}).catch(() => assert.fail(seen.map(({ name, health, state }) =>
		`${name}: ${health}, ${state}`).join()));
}

/* Of a cluster there is nothing: this server has none. */
async function answersTheDashboard(prometheus) {
	for (const query of queries()) {
		const found = await prometheus.query(query);

		assert.equal(found.length > 0,
		    !query.includes("pubsubd_cluster_"), query);
	}
}

async function seesTheEnd(prometheus, server) {
	await server.stop();
	await waitFor("PubsubdDown", async () => {
		const { alerts } = await prometheus.ask("alerts");

		return alerts.some(({ labels }) =>
			labels.alertname === "PubsubdDown");
	});
}

/* The page of metrics, once it has all messages. */
async function counted(admin) {
	const text = await (await fetch(`${admin}/metrics`)).text();
	const metrics = parseMetrics(text);

	return sumOf(metrics, "pubsubd_messages_out_total") === MESSAGES &&
		{ text, metrics };
}

export async function playPrometheus(outcome) {
	const prometheus = new Prometheus();
	const server = await new Server(["--admin", "127.0.0.1:0"]).run();

	try {
		const { admin } = await server.status();
		const client = await Client.open(server, { topics: ["a"] });

		for (let i = 0; i < MESSAGES; i++)
			client.say("a", `${i}`);
		await client.received(MESSAGES);
		const { text, metrics } = await waitFor("counts", () => counted(admin));

		await prometheus.start(new URL(admin).host);
		await outcome.note("scrapes", () => scrapes(prometheus));
		await outcome.note("series", () => hasEach(prometheus, metrics));
		await outcome.note("alerts", () => evaluates(prometheus));
		await outcome.note("dashboard",
		    () => answersTheDashboard(prometheus));
		await outcome.note("promtool", () => {
			assertMetrics(text);
			assertRulesDo(CONTRIB, "prometheus-rules.test.yml");
		});
		await client.close();
		await outcome.note("sees the end",
		    () => seesTheEnd(prometheus, server));
	} finally {
		await prometheus.end();
		await server.end();
	}
}
