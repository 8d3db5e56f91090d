// SPDX-License-Identifier: MIT
/*
 * readme.test.mjs - the examples of the pages run as they stand there, with this
 * server's port and this program in place of the usual ones.
 */

import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, test } from "node:test";

import { example } from "../example.mjs";
import { DEBIAN, skip as noHosts, withHosts } from "./hosts.mjs";
import { LOCALHOST, PUBSUBD, ROOT, Server, run } from "./support.mjs";
import { Issuer, bearer } from "./tokens.mjs";

/* A node that, as Debian 12's does, takes the first address of a name and no
 * other. */
const FIRST_ADDRESS = `import { setDefaultAutoSelectFamily } from "node:net";
setDefaultAutoSelectFamily?.(false);
`;

describe("the examples of the pages", () => {
	const start = (t) => Server.start(t, [], { listen: LOCALHOST });
	const adapt = (server, text) => text
	    .replaceAll("localhost:8000", `localhost:${server.port}`)
	    .replaceAll(/build\/pubsubd (\w+)/gu,
		`${PUBSUBD} $1 --url http://localhost:${server.port}`);
	const shell = async (t, name) => run("bash",
	    ["-ec", adapt(await start(t), example(name))]);

	test("by curl", async (t) => {
		const { status, stdout } = await shell(t, "curl");
		const [first, second, topic, history, topics, ...events] =
		    stdout.trim().split(/\n|(?<=\})(?=\{)/u);

		assert.equal(status, 0);
		assert.equal(JSON.parse(first).seq, 1);
		assert.equal(JSON.parse(second).seq, 2);
		assert.equal(JSON.parse(topic).topic, "room/1");
		assert.deepEqual(
		    JSON.parse(history).messages.map(({ message }) => message),
		    ["hello", { any: "JSON" }]);
		assert.deepEqual(
		    JSON.parse(topics).topics.map(({ topic: name }) => name),
		    ["room/1"]);
		assert.match(events.join("\n"), /^retry: \d+/mu);
	});

	test("by a token", async (t) => {
		const dir = mkdtempSync(join(tmpdir(), "pubsubd-readme-"));
		const name = `readme-${process.pid}`;
		const env = { ...process.env, XDG_STATE_HOME: dir,
			PUBSUBD_ROOT: join(ROOT, "public") };
		const words = example("token")
		    .replaceAll("build/pubsubd", PUBSUBD)
		    .replaceAll("guarded", name)
		    .replace("8002", "127.0.0.1:0");

		t.after(async () => {
			await run(PUBSUBD, ["stop", "--name", name], { env });
			rmSync(dir, { recursive: true });
		});
		const { status, stdout, stderr } =
		    await run("bash", ["-ec", words], { cwd: dir, env });

		assert.equal(status, 0, stderr);
		assert.match(stdout, /^hello$/mu);
		assert.equal((await run(PUBSUBD,
		    ["status", "--name", name], { env })).status, 3);
	});

	/* Run an example that starts a server of its own, as its text stands but
	 * for what change() does.  Returns the server, and the lines that are JSON:
	 * what curl was answered. */
	async function withOwnServer(t, name, change = (text) => text) {
		const server = new Server();
		const words = (list) => list.map((word) => `'${word}'`).join(" ");
		const script = `pubsubd() {
			command=$1
			shift
			case $command in
			start)
				port=$(${words([PUBSUBD,
					...server.commandLine("start")])} "$@" |
				    sed -E 's|.*://[^:]*:([0-9]+).*|\\1|') ;;
			token) '${PUBSUBD}' token "$@" ;;
			*) '${PUBSUBD}' $command ${words(["--name", server.name,
				"--pidfile", server.pidfile])} "$@" ;;
			esac
		}
		${change(example(name))
		    .replaceAll("localhost:8000", "127.0.0.1:$port")
		    .replaceAll("build/pubsubd", "pubsubd")}
		echo "port $port"`;

		t.after(() => server.end());
		const { status, stdout, stderr } = await run("bash",
		    ["-ec", script], { cwd: server.dir, env: server.env });

		assert.equal(status, 0, stderr);
		server.port = Number(stdout.match(/^port (\d+)$/mu)[1]);
		return { server, answers: stdout.split("\n")
		    .filter((line) => line.startsWith("{"))
		    .map((line) => JSON.parse(line)) };
	}

	/* What came of publishing with a token: a status. */
	const publish = async (server, topic, token) => (await fetch(
	    `http://127.0.0.1:${server.port}/topics/${encodeURIComponent(topic)}`,
	    { method: "POST", body: "hello", headers: bearer(token) })).status;

	test("who may: anonymous readers", async (t) => {
		const { answers: [published, history, refused] } =
		    await withOwnServer(t, "who-may");

		assert.equal(published.seq, 1);
		assert.equal(history.messages[0].message, "hello");
		assert.equal(refused.error.code, "unauthorized");
	});

	test("who may: rooms of one's own", async (t) => {
		const { answers: [published, history, refused] } =
		    await withOwnServer(t, "rooms");

		assert.equal(published.seq, 1);
		assert.equal(history.messages[0].message, "hello");
		assert.equal(refused.error.code, "forbidden");
	});

	/* A provider that has another key every time that it is asked, beside one
	 * that is for something else. */
	test("who may: users of a provider", async (t) => {
		const keys = ["one", "two"].map((kid) => new Issuer("RS256", kid));
		const jwks = keys.map(({ jwk }) => ({ ...jwk, use: "sig" }));
		const other = { ...new Issuer("RS256", "other").jwk, use: "enc" };
		const provider = createServer((req, res) => res.end(JSON.stringify(
		    req.url === "/keys" ? { keys: [other, jwks.shift()] } :
			{ issuer: url, "jwks_uri": `${url}/keys` })));

		provider.listen(0, "127.0.0.1");
		await once(provider, "listening");
		t.after(() => provider.close());
		const url = `http://127.0.0.1:${provider.address().port}`;
		const { server } = await withOwnServer(t, "oidc",
		    (text) => text.replace("https://login.example.org", url));
		const token = (key, more) => key.token({ iss: url, aud: "my-app",
			sub: "42", nonce: "n", ...more });
		const [old, now] = keys;

		assert.deepEqual(jwks, []);
		assert.equal(await publish(server, "user/42/a", token(now)), 200);
		assert.equal(await publish(server, "user/43/a", token(now)), 403);
		for (const bad of [token(old), token(now, { aud: "other-app" }),
			token(now, { iss: "http://127.0.0.1:1" })])
			assert.equal(await publish(server, "user/42/a", bad), 401);
	});

	/* The route beside an auth.js of ours, in the tree that it expects. */
	test("who may: users of Auth.js", async (t) => {
		const { privateKey, publicKey } = generateKeyPairSync("ed25519");
		const pem = (key, type) => key.export({ type, format: "pem" });
		const dir = mkdtempSync(join(ROOT, "tests/node_modules/.readme-"));
		const route = join(dir, "app/pubsubd-token/route.mjs");

		t.after(() => rmSync(dir, { recursive: true }));
		mkdirSync(dirname(route), { recursive: true });
		writeFileSync(route, example("authjs").replace("auth.js", "auth.mjs"));
		writeFileSync(join(dir, "auth.mjs"),
		    "export const auth = async () => globalThis.session;");
		writeFileSync(join(dir, "verifies.pem"), pem(publicKey, "spki"));
		process.env.SIGNING_KEY = pem(privateKey, "pkcs8");
		const { GET } = await import(route);

		assert.equal((await GET()).status, 401);
		globalThis.session = { user: { email: "ann@example.org" } };
		const token = await (await GET()).text();
		const server = await Server.start(t,
		    ["--jwt-key", join(dir, "verifies.pem")]);

		assert.equal(await publish(server, "room/7", token), 200);
		assert.equal(await publish(server, "room/8", token), 403);
	});

	test("from the command line", async (t) => {
		const { status, stdout, stderr } = await shell(t, "shell");

		assert.equal(status, 0, stderr);
		for (const text of ["first", "2", "3"])
			assert.match(stdout, new RegExp(`^lines ${text}$`, "mu"));
		assert.match(stdout, /^\s*\d+\s+3\s+lines$/mu);
	});

	/* The example for Node works when it is run by this command; prefix: what
	 * goes before it. */
	async function worksInNode(t, command, prefix = "") {
		const server = await start(t);
		/* Beside the package ws, so that it is found. */
		const dir = mkdtempSync(join(ROOT, "tests/node_modules/.readme-"));
		const script = join(dir, "example.mjs");

		t.after(() => rmSync(dir, { recursive: true }));
		writeFileSync(script, prefix + adapt(server,
		    example("node")).replace("./public/", `${ROOT}/public/`));
		const [program, ...args] = [...command, script];
		const { status, stdout, stderr } = await run(program, args);

		assert.equal(status, 0, stderr);
		assert.deepEqual(stdout.trim().split("\n").sort(),
		    ["1 done", "1 listening", "acknowledged as 1"]);
	}

	test("from Node", (t) => worksInNode(t, ["node"]));

	/* Debian's /etc/hosts has ::1 for localhost, too.  This failed on Debian 12
	 * when the tests' server was on 127.0.0.1 alone, and nowhere else. */
	test("from Node, where localhost is ::1 first", { skip: noHosts },
	    (t) => worksInNode(t, [...withHosts(t, DEBIAN), "node"],
		FIRST_ADDRESS));
});
