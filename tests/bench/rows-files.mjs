// SPDX-License-Identifier: MIT
/* rows-files.mjs - files by HTTP, beside nginx; see rows.mjs. */

import { inTurn, load, ratios, summary, values } from "./measure.mjs";
import { lineOf, withAll } from "./rows.mjs";
import { hasNginx, nginxWithFiles, pubsubd } from "./servers.mjs";

const KEY = "cpu_us_per_request";
const FILES = ["index.html", "pubsub.js"];
const CONNECTIONS = 64;

export async function files(bench, clock) {
	if (!hasNginx()) {
		bench.note("files: skipped: nginx is not installed here " +
		    "(make bench-deps)");
		return;
	}
	const kinds = FILES.flatMap((name) => [[name, false], [name, true]]);
	const lines = [];

	await withAll([pubsubd, nginxWithFiles], async (both) => {
		for (const [i, [name, gzip]] of kinds.entries()) {
			const found = await inTurn(
			    clock.part(1 / (kinds.length - i)),
			    bench.quick ? 2 : 9, both, (one) => load(
				{ ...one, url: one.url.replace(/ws$/u, name) },
				"files", { clients: CONNECTIONS, gzip,
					warm: 0.2, seconds: bench.quick ? 0.3 : 0.6 }));
			const ratio = summary(ratios(
			    found.get("pubsubd"), found.get("nginx"), KEY));
			const what = `${name}${gzip ? ", compressed" : ""}`;
			const size = summary(values(found.get("pubsubd"),
			    "bytes_per_request"));

			bench.goal(`${what}, ${CONNECTIONS} connections: CPU per ` +
			    "request against nginx", 1.0, ratio);
			lines.push([what, size?.median ?? null,
				...lineOf(found, ["pubsubd", "nginx"], KEY), ratio]);
			for (const { error } of found.values())
				if (error !== undefined)
					bench.note(error);
		}
	});
	bench.table(`Files by HTTP/1.1 on ${CONNECTIONS} connections that are ` +
	    "kept, one request under way on each; server CPU µs per request",
	    ["", "bytes", "pubsubd", "nginx", "pubsubd / nginx"], lines);
}
