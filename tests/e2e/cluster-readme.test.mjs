// SPDX-License-Identifier: MIT
/*
 * cluster-readme.test.mjs - three hosts in production, by the very text of
 * broker/bridge/README.md: only addresses, ports, names of files and of servers are
 * others.
 */

import assert from "node:assert/strict";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";

import { example } from "../example.mjs";
import { assertHas, publish } from "./cluster-talk.mjs";
import { Nats, agree, skip } from "./nats.mjs";
import { Nsc, User, credsOf } from "./nsc.mjs";
import { PUBSUBD, Server, run } from "./server.mjs";
import { Authority } from "./tls.mjs";
import { waitFor } from "./wait.mjs";

const HOSTS = ["a", "b", "c"];

/* How an example's text calls a program: the words of each call. */
async function callsOf(program, text) {
	const { status, stdout, stderr } = await run("bash", ["-euc",
		`${program}() { printf '%s\\0' "$@"; printf '\\1'; }\n${text}`]);

	assert.equal(status, 0, stderr);
	return stdout.split("\u0001").slice(0, -1)
	    .map((words) => words.split("\0").slice(0, -1));
}

/* A directory with the credentials that the page makes. */
async function credentials(t) {
	const dir = mkdtempSync(join(tmpdir(), "pubsubd-creds-"));
	const nsc = new Nsc(dir);

	t.after(() => rmSync(dir, { recursive: true }));
	for (const words of await callsOf("nsc",
	    example("cluster-credentials")))
		nsc.run(words);
	return dir;
}

/* What must be replaced for it to run here. */
function fillIn(text, { authority, creds, nats, pair, i }) {
	const [{ address }] = nats.places;

	return text
	    .replaceAll(/10\.0\.0\.(\d):4222/gu,
		(_, n) => `${address}:${nats.ports[n - 1]}`)
	    .replaceAll(/10\.0\.0\.(\d):6222/gu,
		(_, n) => `${address}:${nats.routes[n - 1]}`)
	    .replaceAll("0.0.0.0:4222", `${address}:${nats.ports[i]}`)
	    .replaceAll("0.0.0.0:6222", `${address}:${nats.routes[i]}`)
	    .replaceAll("/etc/nats/a.pem", pair?.cert)
	    .replaceAll("/etc/nats/a.key", pair?.key)
	    .replaceAll("/etc/nats/ca.pem", authority.file)
	    .replaceAll("/var/lib/nats", `${nats.dir}/js${i}`)
	    .replaceAll("init.creds", join(creds, "init.creds"))
	    .replaceAll("/etc/pubsubd/a.creds", join(creds, `${HOSTS[i]}.creds`))
	    .replaceAll("server_name: a", `server_name: ${nats.nameOf(i)}`);
}

/* What a host may not do: publish to change the log, or to say something
 * elsewhere; and hear others than the log's answers. */
const NOT_PUBLISH = ["$JS.API.STREAM.PURGE.pubsubd-main",
	"$JS.API.STREAM.DELETE.pubsubd-main",
	"$JS.API.STREAM.UPDATE.pubsubd-main",
	"$JS.API.STREAM.CREATE.pubsubd-main",
	"$JS.API.STREAM.CREATE.other",
	"$JS.API.STREAM.MSG.DELETE.pubsubd-main",
	"$JS.API.STREAM.LEADER.STEPDOWN.pubsubd-main",
	"$JS.API.CONSUMER.NAMES.pubsubd-main",
	"$JS.API.CONSUMER.LIST.pubsubd-main",
	"$JS.API.CONSUMER.CREATE.other.x", "pubsubd.other.log", "anything"];
const NOT_SUBSCRIBE = ["pubsubd.main.log", "$JS.API.>", "$SYS.>", ">"];

/* As servers log it. */
const VIOLATION = /(Publish|Subscription) Violation|[Aa]uthorization/u;

describe("the page of several hosts", { skip }, () => {
	test("three hosts in production, and what each may", async (t) => {
		const creds = await credentials(t);
		const authority = new Authority(t);
		let pair;
		const nats = await Nats.start(t, 3, 0, {
			config(all, i) {
				pair ??= authority.issue([all.places[0].address]);
				copyFileSync(join(creds, "accounts.conf"),
				    join(all.dir, "accounts.conf"));
				return fillIn(example("cluster-server"),
				    { authority, creds, nats: all, pair, i });
			},
		});
		const call = async (name, i) => (await callsOf("pubsubd",
		    fillIn(example(name), { authority, creds, nats, i })))[0];
		const init = await call("cluster-init", 0);
		let made;

		await waitFor("a log", async () => {
			made = await run(PUBSUBD, [...init, "--config", "none"]);
			return made.status === 0;
		}).catch((error) => {
			error.message += `\n${made.stderr}`;
			throw error;
		});
		assert.match(made.stdout, /replicas 3, file storage/u);

		const hosts = await Promise.all(HOSTS.map(async (_, i) => {
			const [, listen, everywhere, ...args] =
			    await call("cluster-start", i);

			assert.deepEqual([listen, everywhere],
			    ["--listen", "*:8000"]);
			return Server.start(t, ["--config", "none", ...args,
				"--cluster-wait", "60"]);
		}));

		for (const one of hosts)
			await one.logs("a log", /joined the log/u);
		const acks = await Promise.all(hosts.map((one, i) =>
			publish(one, "all", HOSTS[i], 20)));

		assertHas(await agree(hosts, "all", 60), ...acks);
		const status = await run(PUBSUBD, ["cluster", "check",
			...init.slice(2), "--config", "none",
			"--cluster-creds", join(creds, "a.creds")]);

		assert.equal(status.status, 0, status.stderr);
		assert.doesNotMatch(nats.logged, VIOLATION);

		const open = (name) => User.open(t, nats.address, authority.pem,
		    credsOf(creds, name));

		for (const name of HOSTS) {
			const user = await open(name);

			for (const subject of NOT_PUBLISH)
				assert.equal(await user.mayPublish(subject),
				    false, `${name}: ${subject}`);
			for (const subject of NOT_SUBSCRIBE)
				assert.equal(await user.maySubscribe(subject),
				    false, `${name}: ${subject}`);
			assert.ok(await user.maySubscribe("_INBOX.x"));
		}
		const maker = await open("init");

		for (const subject of ["pubsubd.main.log", ...NOT_PUBLISH
		    .filter((one) => !/CREATE\.pubsubd-main/u.test(one))])
			assert.equal(await maker.mayPublish(subject), false,
			    `init: ${subject}`);
		assert.ok(await maker.mayPublish(
		    "$JS.API.STREAM.INFO.pubsubd-main"));

		/* Nobody without credentials, and nothing has changed. */
		const stranger = await run(PUBSUBD, ["cluster", "check",
			...init.slice(2, init.indexOf("--cluster-creds")),
			"--config", "none"]);

		assert.equal(stranger.status, 1);
		assertHas(await agree(hosts, "all", 60), ...acks);
	});
});
