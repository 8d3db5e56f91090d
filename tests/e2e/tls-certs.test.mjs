// SPDX-License-Identifier: MIT
/*
 * tls-certs.test.mjs - the files of certificates and keys: which are refused,
 * which client gets which, how they are replaced, and how sessions go on.
 */

import assert from "node:assert/strict";
import {
	chmodSync, copyFileSync, mkdirSync, readFileSync, symlinkSync,
	truncateSync, writeFileSync,
} from "node:fs";
import { describe, test } from "node:test";

import { Server, bounded, run, waitFor } from "./support.mjs";
import {
	Authority, assertServes, pairOptions, rest, shake, startTls,
} from "./tls.mjs";
import { V1 } from "./v1-client.mjs";

/* A start that fails: what it says, and nothing is left. */
async function refused(t, args, { status = 1 } = {}) {
	const server = new Server(["--tls-listen", "127.0.0.1:0", ...args]);

	t.after(() => server.end());
	for (const command of ["run", "start"]) {
		const done = await run(server.program,
		    server.commandLine(command), { env: server.env });

		assert.equal(done.status, status, done.stderr);
		assert.equal(done.stdout, "");
		assert.match(done.stderr, /^pubsubd: .*\n(try .*\n)?$/u);
		server.said = done.stderr;
	}
	return server.said;
}

const subjectOf = async (t, server, authority, servername) => {
	const socket = await shake(t, server, authority, { servername });

	return socket.getPeerCertificate().subject.CN;
};

describe("a start is refused, in one line, for", { concurrency: true }, () => {
	const rows = {
		"a key that everybody may read": (a) => {
			const pair = a.issue();

			chmodSync(pair.key, 0o644);
			return [pairOptions(pair), /--tls-key \S+\.key: .*may read it \(mode 0644\)/u];
		},
		"a key that its group may write": (a) => {
			const pair = a.issue();

			chmodSync(pair.key, 0o660);
			return [pairOptions(pair), /may change it \(mode 0660\)/u];
		},
		"the key of another certificate": (a) =>
			[pairOptions({ cert: a.issue().cert, key: a.issue().key }),
				/--tls-key .*is not the key of the certificate/u],
		"one of two pairs": (a) => [pairOptions(a.issue(),
		    { cert: a.issue(["two.test"]).cert, key: a.issue().key }),
			/--tls-key .*is not the key/u],
		"a certificate that has expired": (a) =>
			[pairOptions(a.issue(["localhost"], { days: -1 })),
				/--tls-cert \S+\.pem: expired on \d{4}-/u],
		"a file that is not there": (a) => [pairOptions(
		    { cert: a.path("none.pem"), key: a.issue().key }),
			/--tls-cert \S+none\.pem: No such file/u],
		"a directory": (a) => {
			mkdirSync(a.path("directory"));
			return [pairOptions({ cert: a.path("directory"),
				key: a.issue().key }), /is not a file/u];
		},
		"an empty certificate": (a) => {
			const pair = a.issue();

			truncateSync(pair.cert);
			return [pairOptions(pair), /holds no certificate in PEM/u];
		},
		"a certificate that is cut off": (a) => {
			const pair = a.issue();

			truncateSync(pair.cert, 200);
			return [pairOptions(pair), /holds no certificate in PEM/u];
		},
		"a chain that is cut off": (a) => {
			const pair = a.issue();

			writeFileSync(pair.cert, readFileSync(pair.cert, "utf8") +
			    a.pem.slice(0, 200));
			return [pairOptions(pair), /--tls-cert \S+\.pem: /u];
		},
		"a certificate in place of the key": (a) => {
			const { cert } = a.issue();

			chmodSync(cert, 0o600);
			return [pairOptions({ cert, key: cert }),
				/holds no private key in PEM/u];
		},
		"a key behind a passphrase": (a) => {
			const pair = a.issue(), key = a.path("locked.key");

			a.openssl("pkcs8", "-topk8", "-in", pair.key, "-passout",
			    "pass:secret", "-out", key);
			chmodSync(key, 0o600);
			return [pairOptions({ ...pair, key }), /passphrase/u];
		},
		"a key that is too weak": (a) =>
			[pairOptions(a.issue(["localhost"], { kind: "weak" })),
				/--tls-cert .*key too small/u],
		"a file that is too large": (a) => {
			const pair = a.issue();

			truncateSync(pair.cert, 1 << 20);
			return [pairOptions(pair), /has more than 64 KiB/u];
		},
	};

	for (const [name, make] of Object.entries(rows))
		test(name, async (t) => {
			const [args, pattern] = make(new Authority(t));

			assert.match(await refused(t, args), pattern);
		});

	test("options that do not go together", async (t) => {
		const { cert, key } = new Authority(t).issue();

		for (const [args, pattern] of [
			[[], /--tls-listen: needs --tls-cert/u],
			[["--tls-cert", cert], /--tls-cert: each needs/u],
			[["--tls-key", key], /--tls-key: each needs/u],
			[["--tls-cert", cert, "--tls-key", key, "--tls-min",
				"1.1"], /--tls-min 1\.1: must be 1\.2 or 1\.3/u],
		])
			assert.match(await refused(t, args, { status: 2 }), pattern);
	});
});

describe("certificates", { concurrency: true }, () => {
	test("the client's SNI selects one", async (t) => {
		const authority = new Authority(t);
		const server = await startTls(t, authority, [],
		    [authority.issue(["one.test"]), authority.issue(["two.test",
			    "*.sub.test"]), authority.issue(["localhost"])]);

		for (const [name, subject] of [["one.test", "one.test"],
			["two.test", "two.test"], ["TWO.test", "two.test"],
			["a.sub.test", "two.test"], ["localhost", "localhost"]])
			assert.equal(await subjectOf(t, server, authority, name),
			    subject);
		/* Without a name, or with an unknown one, the first. */
		const socket = await shake(t, server, authority, { servername: "",
			checkServerIdentity: () => undefined });

		assert.equal(socket.getPeerCertificate().subject.CN, "one.test");
	});

	test("a chain is sent whole", async (t) => {
		const authority = new Authority(t);
		const pair = authority.issue();

		writeFileSync(pair.cert, readFileSync(pair.cert, "utf8") +
		    authority.pem);
		const server = await startTls(t, authority, [], [pair]);
		const { stdout } = await run("openssl", ["s_client", "-showcerts",
			"-connect", `127.0.0.1:${server.tlsPort}`]);

		assert.equal(stdout.match(/BEGIN CERTIFICATE/gu).length, 2);
	});

	test("a key of a group, and through a link, is taken", async (t) => {
		const authority = new Authority(t);
		const pair = authority.issue();

		chmodSync(pair.key, 0o640);
		symlinkSync(pair.key, authority.path("live.key"));
		const server = await startTls(t, authority, [],
		    [{ ...pair, key: authority.path("live.key") }]);

		await assertServes(await shake(t, server, authority));
	});
});

/* A server with a log file, which SIGHUP has read its files anew. */
async function reloadable(t) {
	const authority = new Authority(t);
	const pair = authority.issue(["localhost", "old.test"]);
	const log = authority.path("log");
	const server = await startTls(t, authority, ["--log", log], [pair]);
	const logged = () => readFileSync(log, "utf8");
	const reload = async (pattern) => {
		const before = logged().length;

		server.child.kill("SIGHUP");
		return waitFor(`${pattern} in the log`,
		    () => pattern.exec(logged().slice(before)));
	};
	const replace = (with_) => {
		copyFileSync(with_.cert, pair.cert);
		copyFileSync(with_.key, pair.key);
	};

	return { authority, server, pair, reload, replace };
}

describe("reload", { concurrency: true }, () => {
	test("new handshakes get the new one, connections stay", async (t) => {
		const { authority, server, reload, replace } = await reloadable(t);
		const client = await V1.open(server, { ca: authority.pem });

		assert.equal(await subjectOf(t, server, authority, "old.test"),
		    "localhost");
		replace(authority.issue(["new.test", "localhost"]));
		await reload(/certificates read anew/u);
		for (let i = 0; i < 8; i++) /* whichever worker it comes to */
			assert.equal(await subjectOf(t, server, authority,
			    "localhost"), "new.test");
		assert.equal((await client.publish("x", 1)).seq, 1);
		await client.close();
	});

	test("bad files are told, and change nothing", async (t) => {
		const { authority, server, pair, reload, replace } =
		    await reloadable(t);

		for (const [spoil, pattern] of [
			[() => chmodSync(pair.key, 0o644), /may read it/u],
			[() => {
				chmodSync(pair.key, 0o600);
				copyFileSync(authority.issue().key, pair.key);
			}, /is not the key of the certificate/u],
			[() => replace(authority.issue(["localhost"],
			    { days: -1 })), /expired on/u],
		]) {
			spoil();
			await reload(pattern);
			await reload(/no reload: /u);
			assert.equal(await subjectOf(t, server, authority,
			    "old.test"), "localhost");
		}
	});

	test("a successor of a dead worker has the new one", async (t) => {
		const { authority, server, reload, replace } = await reloadable(t);

		server.deathsExpected = true;
		replace(authority.issue(["new.test"]));
		await reload(/certificates read anew/u);
		const before = await server.workers();

		for (const pid of before)
			process.kill(pid, "SIGKILL");
		await waitFor("successors", async () => {
			const { workers } = await server.status();

			return workers.every(({ pid, state }) => state === "ready" &&
			    !before.includes(pid));
		});
		assert.equal(await subjectOf(t, server, authority, "new.test"),
		    "new.test");
	});

	test("a restart is not begun with bad files", async (t) => {
		const { authority, server, pair } = await reloadable(t);

		truncateSync(pair.cert);
		const done = await server.cli("restart");

		assert.notEqual(done.status, 0);
		assert.match(done.stderr, /holds no certificate/u);
		assert.equal(await subjectOf(t, server, authority, "old.test"),
		    "localhost");
	});
});

/* Shake hands, ask something, and take the ticket that came meanwhile. */
async function visit(t, server, authority, options = {}) {
	const socket = await shake(t, server, authority, options);
	const isReused = socket.isSessionReused();
	let ticket = socket.getSession();

	socket.on("session", (session) => {
		ticket = session;
	});
	socket.write("GET /healthz HTTP/1.1\r\nHost: localhost\r\n" +
	    "Connection: close\r\n\r\n");
	await rest(socket);
	return { isReused, session: ticket };
}

describe("session tickets", { concurrency: true }, () => {
	for (const version of ["TLSv1.2", "TLSv1.3"])
		test(`${version}: every worker takes them`, async (t) => {
			const authority = new Authority(t);
			const server = await startTls(t, authority);
			const options = { minVersion: version, maxVersion: version };
			const { session } = await visit(t, server, authority, options);
			const each = async () => (await server.status()).workers
			    .map(({ tls_resumed: resumed }) => resumed);

			await bounded("both workers", (async () => {
				while ((await each()).includes(0)) {
					const again = await visit(t, server,
					    authority, { ...options, session });

					assert.equal(again.isReused, true);
				}
			})());
		});

	test("a ticket outlives two new keys, and no third", async (t) => {
		const { authority, server, reload } = await reloadable(t);
		const { session } = await visit(t, server, authority);

		for (const isGood of [true, true, false]) {
			await reload(/certificates read anew/u);
			assert.equal((await visit(t, server, authority,
			    { session })).isReused, isGood);
		}
	});

	test("one that was tampered with is worth nothing", async (t) => {
		const authority = new Authority(t);
		const server = await startTls(t, authority);
		const options = { maxVersion: "TLSv1.2" };
		const { session } = await visit(t, server, authority, options);
		const other = await startTls(t, authority);

		assert.equal((await visit(t, other, authority,
		    { ...options, session })).isReused, false);
	});
});
