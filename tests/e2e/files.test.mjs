// SPDX-License-Identifier: MIT
/*
 * files.test.mjs - what of --root can be had, and that nothing else can.
 */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
	chmodSync, mkdirSync, readFileSync, readdirSync, renameSync, symlinkSync,
	truncateSync, utimesSync, writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { after, before, describe, test } from "node:test";

import { ROOT, Raw, Server, waitFor } from "./support.mjs";

const big = Buffer.alloc(3 * 1024 * 1024 + 17, "0123456789");

async function ask(t, server, target, headers = {}, method = "GET") {
	const raw = await Raw.connect(server.port, { t });

	raw.request(method, target, headers);
	return raw.response({ bare: method === "HEAD" ||
		"If-None-Match" in headers });
}

describe("the chat's own files", () => {
	const server = new Server();

	before(() => server.run());
	after(() => server.end());

	const types = { html: "text/html; charset=utf-8",
		js: "text/javascript; charset=utf-8",
		css: "text/css; charset=utf-8", svg: "image/svg+xml",
		png: "image/png", json: "application/json" };

	for (const name of readdirSync(join(ROOT, "public"))
	    .filter((file) => !file.endsWith(".gz")))
		test(`/${name}`, async (t) => {
			const response = await ask(t, server, `/${name}`);

			assert.equal(response.status, 200);
			assert.ok(response.body.equals(
			    readFileSync(join(ROOT, "public", name))));
			assert.equal(response.headers.get("content-type"),
			    types[name.split(".").at(-1)]);
			assert.equal(response.headers
			    .get("x-content-type-options"), "nosniff");
		});

	/* By then the file is kept in memory (static_cache.h). */
	test("a file is the same every time", async (t) => {
		const raw = await Raw.connect(server.port, { t });
		const file = readFileSync(join(ROOT, "public", "style.css"));
		const get = async (headers = {}, method = "GET") => {
			raw.request(method, "/style.css", headers);
			return raw.response({ bare: method === "HEAD" ||
				"If-None-Match" in headers });
		};
		const first = await get();
		const etag = first.headers.get("etag");

		for (let i = 0; i < 3; i++) {
			const again = await get();

			assert.equal(again.status, 200);
			assert.equal(again.headers.get("etag"), etag);
			assert.ok(again.body.equals(file));
		}
		const head = await get({}, "HEAD");

		assert.equal(head.headers.get("content-length"), `${file.length}`);
		assert.equal((await get({ "If-None-Match": etag })).status, 304);
		assert.ok((await get({ Connection: "close" })).body.equals(file));
		await raw.end();
	});

	test("/ is index.html, which nobody else may frame",
	    async (t) => {
		    const response = await ask(t, server, "/?x=y");

		    assert.ok(response.body.equals(
			readFileSync(join(ROOT, "public/index.html"))));
		    assert.match(response.headers.get("content-security-policy"),
			/^frame-ancestors 'self'$/u);
	    });
});

describe("files", () => {
	const server = new Server();
	const root = join(server.dir, "root");

	before(() => {
		mkdirSync(join(root, "sub/deep"), { recursive: true });
		mkdirSync(join(root, "a:b"));
		mkdirSync(join(root, ".git"));
		mkdirSync(join(server.dir, "outside"));
		writeFileSync(join(server.dir, "outside/secret"), "secret");
		writeFileSync(join(server.dir, "secret"), "secret");
		writeFileSync(join(root, "a b%.txt"), "spaced");
		writeFileSync(join(root, "caf\u00e9.txt"), "accent");
		writeFileSync(join(root, "none"), "no extension");
		writeFileSync(join(root, "empty.txt"), "");
		writeFileSync(join(root, "big.bin"), big);
		writeFileSync(join(root, "sub/index.html"), "sub's index");
		writeFileSync(join(root, ".hidden"), "secret");
		writeFileSync(join(root, ".git/config"), "secret");
		symlinkSync("../outside", join(root, "out"));
		symlinkSync("/etc/passwd", join(root, "passwd"));
		symlinkSync("sub/index.html", join(root, "link.html"));
		symlinkSync("loop", join(root, "loop"));
		execFileSync("mkfifo", [join(root, "fifo")]);
		server.args.push("--root", root);
		return server.run();
	});
	after(() => server.end());

	const get = (t, target, headers, method) =>
		ask(t, server, target, headers, method);

	const served = { "/a%20b%25.txt": "spaced", "/caf%C3%A9.txt": "accent",
		"/none": "no extension", "/empty.txt": "",
		"/sub/": "sub's index", "/sub/index.html": "sub's index",
		"/link.html": "sub's index" };

	for (const [target, body] of Object.entries(served))
		test(`${target} is served`, async (t) => {
			const response = await get(t, target);

			assert.equal(response.status, 200);
			assert.equal(response.body.toString(), body);
		});

	const refused = {
		"/nothing": 404, "/sub/nothing": 404, "/none/x": 404,
		"/sub/deep/": 404, "/": 404, "/none/": 404,
		/* out of the root, whichever way it is written */
		"/../secret": 404, "/%2e%2e/secret": 404, "/.%2e/secret": 404,
		"/sub/../../secret": 404, "/..%2fsecret": 404,
		"/sub/..%2f..%2fsecret": 404, "/..\\secret": 404,
		"/out/secret": 404, "/out": 404, "/passwd": 404, "//etc/passwd": 404,
		"/sub//index.html": 404, "/./none": 404,
		/* not for everybody, or no files */
		"/.hidden": 404, "/%2ehidden": 404, "/.git/config": 404,
		"/fifo": 404, "/loop": 404,
		/* not well-formed */
		"/%": 400, "/%zz": 400, "/none%00": 400, "/none%00.txt": 400,
	};

	for (const [target, status] of Object.entries(refused))
		test(`${target} is ${status}`, async (t) => {
			const response = await get(t, target);

			assert.equal(response.status, status);
			assert.doesNotMatch(response.body.toString(), /secret|root:/u);
		});

	/* Relative, for a proxy may have taken /app off the path. */
	test("a directory without its slash is redirected to it", async (t) => {
		for (const [target, to] of [["/sub?x=y", "/app/sub/?x=y"],
			["/sub/deep", "/app/sub/deep/"],
			["/a:b", "/app/a:b/"]]) {
			const response = await get(t, target);
			const location = response.headers.get("location");

			assert.equal(response.status, 301);
			assert.equal(new URL(location, `https://h/app${target}`)
			    .href, `https://h${to}`);
		}
	});

	test("but never to another host", async (t) => {
		const response = await get(t, "//sub");

		assert.equal(response.status, 404);
	});

	test("what may not be read is 403", { skip: process.getuid() === 0 &&
		"root may read everything" }, async (t) => {
		chmodSync(join(root, "none"), 0);
		t.after(() => chmodSync(join(root, "none"), 0o644));
		assert.equal((await get(t, "/none")).status, 403);
	});

	test("HEAD tells the length and sends nothing", async (t) => {
		const raw = await Raw.connect(server.port, { t });

		raw.request("HEAD", "/big.bin");
		raw.request("HEAD", "/nothing");
		raw.request("GET", "/none");
		const { headers } = await raw.head();

		assert.equal(headers.get("content-length"), `${big.length}`);
		assert.equal(headers.get("content-type"),
		    "application/octet-stream");
		assert.equal((await raw.head()).status, 404);
		assert.equal((await raw.response()).body.toString(), "no extension");
	});

	test("a large file, pipelined, half-closed, read late", async (t) => {
		const raw = await Raw.connect(server.port, { t });

		raw.socket.pause();
		for (let i = 0; i < 3; i++)
			raw.request("GET", "/big.bin");
		raw.request("GET", "/none", { Connection: "close" });
		raw.finish();
		assert.equal((await get(t, "/none")).status, 200);
		raw.socket.resume();
		for (let i = 0; i < 3; i++) {
			const { body } = await raw.response();

			assert.ok(body.equals(big));
		}
		assert.equal((await raw.response()).body.toString(), "no extension");
		await raw.end();
	});

	test("who goes away in the middle of a file costs nothing", async (t) => {
		const raw = await Raw.connect(server.port, { t });

		raw.request("GET", "/big.bin");
		await raw.read(1000);
		raw.destroy();
		await waitFor("the connection to go", async () =>
			await server.total("connections") === 0);
	});

	test("a file that shrinks while it is sent ends the connection, no more",
	    async (t) => {
		    const file = join(root, "shrinking.bin");
		    const raw = await Raw.connect(server.port, { t });

		    writeFileSync(file, Buffer.alloc(64 * 1024 * 1024));
		    raw.request("GET", "/shrinking.bin");
		    await raw.head();
		    raw.socket.pause();
		    truncateSync(file, 0);
		    raw.socket.resume();
		    await assert.rejects(raw.read(64 * 1024 * 1024), /ended|RESET/u);
		    assert.equal((await get(t, "/none")).status, 200);
	    });

	describe("compressed beforehand", () => {
		const text = "let a = 1;\n".repeat(1000);
		const packed = gzipSync(text);
		const wants = { "Accept-Encoding": "br, gzip;q=0.5" };

		before(() => {
			writeFileSync(join(root, "packed.js"), text);
			writeFileSync(join(root, "packed.js.gz"), packed);
		});

		test("who takes it gets it, as another variant", async (t) => {
			const small = await get(t, "/packed.js", wants);
			const plain = await get(t, "/packed.js");

			assert.ok(gunzipSync(small.body).equals(Buffer.from(text)));
			assert.equal(small.headers.get("content-encoding"), "gzip");
			assert.equal(small.headers.get("content-length"),
			    `${packed.length}`);
			assert.equal(plain.body.toString(), text);
			assert.equal(plain.headers.get("content-encoding"), undefined);
			assert.notEqual(small.headers.get("etag"),
			    plain.headers.get("etag"));
			for (const name of ["content-type", "last-modified", "vary"])
				assert.equal(small.headers.get(name),
				    plain.headers.get(name), name);
			assert.equal(small.headers.get("vary"), "Accept-Encoding");
		});

		test("who says no does not", async (t) => {
			const { body } = await get(t, "/packed.js",
			    { "Accept-Encoding": "gzip;q=0" });

			assert.equal(body.toString(), text);
		});

		test("each variant has a 304 of its own", async (t) => {
			const { headers } = await get(t, "/packed.js", wants);
			const held = { "If-None-Match": headers.get("etag") };
			const again = await get(t, "/packed.js", { ...wants, ...held });
			const raw = await Raw.connect(server.port, { t });

			assert.equal(again.status, 304);
			assert.equal(again.headers.get("vary"), "Accept-Encoding");
			raw.request("GET", "/packed.js", held);
			assert.equal((await raw.response()).status, 200);
		});

		test("HEAD tells its length", async (t) => {
			const { headers } = await ask(t, server, "/packed.js", wants,
			    "HEAD");

			assert.equal(headers.get("content-length"),
			    `${packed.length}`);
		});

		test("an edited file is served, not what it was", async (t) => {
			const later = new Date(Date.now() + 10_000);

			writeFileSync(join(root, "packed.js"), "let b;");
			utimesSync(join(root, "packed.js"), later, later);
			const { body, headers } = await get(t, "/packed.js", wants);

			assert.equal(body.toString(), "let b;");
			assert.equal(headers.get("content-encoding"), undefined);
		});
	});

	describe("ETag", () => {
		test("who has it gets 304 without a body", async (t) => {
			const { headers } = await get(t, "/none");
			const etag = headers.get("etag");

			assert.match(etag, /^"[^"]+"$/u);
			for (const held of [etag, `W/${etag}`, `"x", ${etag}`, "*"]) {
				const response = await get(t, "/none",
				    { "If-None-Match": held });

				assert.equal(response.status, 304, held);
				assert.equal(response.headers.get("etag"), etag);
			}
		});

		test("the connection goes on after a 304", async (t) => {
			const raw = await Raw.connect(server.port, { t });

			raw.request("GET", "/none", { "If-None-Match": "*" });
			raw.request("GET", "/none");
			assert.equal((await raw.response({ bare: true })).status, 304);
			assert.equal((await raw.response()).status, 200);
		});

		test("another one gets the file", async (t) => {
			const raw = await Raw.connect(server.port, { t });

			raw.request("GET", "/none", { "If-None-Match": '"x"' });
			assert.equal((await raw.response()).body.toString(),
			    "no extension");
		});

		test("it changes with the file", async (t) => {
			const file = join(root, "changing.txt");

			writeFileSync(file, "one");
			const first = await get(t, "/changing.txt");

			writeFileSync(file, "two");
			const second = await get(t, "/changing.txt");

			assert.equal(second.body.toString(), "two");
			assert.notEqual(second.headers.get("etag"),
			    first.headers.get("etag"));
		});
	});

	/* RFC 9110, 13.  Only If-None-Match was looked at. */
	describe("conditions", () => {
		const modified = "Tue, 15 Nov 1994 12:45:26 GMT";
		const earlier = "Tue, 15 Nov 1994 12:45:25 GMT";
		let etag;

		before(async () => {
			const seconds = Date.parse(modified) / 1000;
			const url = `http://127.0.0.1:${server.port}/old.txt`;

			writeFileSync(join(root, "old.txt"), "old");
			utimesSync(join(root, "old.txt"), seconds, seconds);
			etag = (await fetch(url)).headers.get("etag");
		});

		/* The answer, and that the connection goes on behind it. */
		async function conditional(t, headers, method = "GET") {
			const raw = await Raw.connect(server.port, { t });

			raw.request(method, "/old.txt", headers);
			raw.request("GET", "/none");
			const { status, headers: lines } = await raw.head();

			if (method === "GET" && status !== 304)
				await raw.read(Number(lines.get("content-length")));
			assert.equal((await raw.response()).body.toString(),
			    "no extension");
			return { status, lines };
		}

		for (const [wanted, headers] of [
			[304, { "If-Modified-Since": modified }],
			[200, { "If-Modified-Since": earlier }],
			[200, { "If-Modified-Since": "yesterday" }],
			[200, { "If-Unmodified-Since": modified }],
			[412, { "If-Unmodified-Since": earlier }],
			[412, { "If-Match": '"a,b"' }],
			[200, { "If-Match": "*" }],
			[200, { "If-None-Match": '"x"',
				"If-Modified-Since": modified }],
			[412, { "If-Match": '"x"', "If-None-Match": "*" }],
		])
			test(`${JSON.stringify(headers)} is ${wanted}`, async (t) => {
				for (const method of ["GET", "HEAD"])
					assert.equal((await conditional(t, headers, method))
					    .status, wanted);
			});

		test("If-Match compares strongly, If-None-Match weakly",
		    async (t) => {
			for (const [name, value, wanted] of [
				["If-Match", etag, 200],
				["If-Match", `"x", ${etag}`, 200],
				["If-Match", `W/${etag}`, 412],
				["If-None-Match", `"a,b", W/${etag}`, 304],
				["If-None-Match", `"x${etag}`, 200],
			])
				assert.equal((await conditional(t, { [name]: value }))
				    .status, wanted, value);
		});

		test("what is not there is 404, whatever is asked", async (t) => {
			for (const headers of [{ "If-Match": "*" },
				{ "If-None-Match": "*" }])
				assert.equal((await ask(t, server, "/no", headers, "HEAD"))
				    .status, 404);
		});

		test("412 says why", async (t) => {
			const raw = await Raw.connect(server.port, { t });

			raw.request("GET", "/old.txt", { "If-Match": '"x"' });
			assert.equal((await raw.response()).json.error.code,
			    "precondition_failed");
		});

		/* A file may change again in the second in which it changed. */
		test("a file of this second has no time yet", async (t) => {
			const ahead = Date.now() / 1000 + 60;

			writeFileSync(join(root, "new.txt"), "new");
			utimesSync(join(root, "new.txt"), ahead, ahead);
			const { headers } = await get(t, "/new.txt");

			assert.equal(headers.get("last-modified"), undefined);
			assert.equal((await ask(t, server, "/new.txt", {
				"If-Modified-Since": "Fri, 31 Dec 9999 23:59:59 GMT" },
			"HEAD")).status, 200);
		});
	});
});

/* The worker that came after opened whatever had the name by then, so what a
 * client got depended on the worker. */
test("all workers serve one directory, whatever is done to its name", async (t) => {
	const server = new Server(["--workers", "1"]);
	const link = join(server.dir, "current");
	const page = async () => (await ask(t, server, "/page")).body.toString();
	const swap = (to) => {
		symlinkSync(to, `${link}.new`);
		renameSync(`${link}.new`, link);
	};

	for (const name of ["one", "two"]) {
		mkdirSync(join(server.dir, name));
		writeFileSync(join(server.dir, name, "page"), name);
	}
	swap("one");
	server.args.push("--root", link);
	server.deathsExpected = true;
	t.after(() => server.end());
	await server.run();
	const [pid] = await server.workers();

	swap("two");
	assert.equal(await page(), "one");
	process.kill(pid, "SIGKILL");
	await server.logs("its successor", /has taken over from the dead one/u);
	assert.equal(await page(), "one");
	assert.equal((await server.cli("restart")).status, 0);
	assert.equal(await page(), "two");
});

/* Between the trial of a restart and its end, say: it serves when it can. */
test("a root that is gone for a moment does not end a server", async (t) => {
	const server = new Server(["--drain", "30"]);
	const root = join(server.dir, "root");

	mkdirSync(root);
	server.args.push("--root", root);
	t.after(() => server.end());
	await server.run();
	const deaf = await Raw.open(server.port, "/ws", { t });
	const restarted = server.cli("restart");

	await server.logs("the trial", /would start; draining/u);
	renameSync(root, `${root}.away`);
	deaf.destroy();
	await server.logs("the lack of it",
	    /cannot open --root for worker 0: No such file/u);
	renameSync(`${root}.away`, root);
	assert.equal((await restarted).status, 0);
	assert.equal((await ask(t, server, "/healthz")).status, 200);
});
