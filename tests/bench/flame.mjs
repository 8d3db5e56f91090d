// SPDX-License-Identifier: MIT
/*
 * flame.mjs - perf's stacks, from standard input, as a flame graph.
 *
 *	perf script -F comm,ip,sym | node flame.mjs TITLE LIST >graph.svg
 *
 * The width of a box is the share of samples in which that function was on the
 * stack there; what it stands on called it.  The list has each function's own
 * share, without what it calls.
 */

import { readFileSync, writeFileSync } from "node:fs";

import { escape } from "./svg.mjs";

const WIDTH = 1200;
const LINE = 17;
const LEAST = 0.001; /* share of a box that is still drawn */

/* Samples are parted by empty lines: a name, then frames, the innermost first. */
function stacks(text) {
	return text.split(/\n\n+/u).map((sample) => sample.split("\n").slice(1)
	    .map((line) => /^\s*[0-9a-f]+\s+(.*)$/u.exec(line)?.[1].trim())
	    .filter((name) => name !== undefined && name !== "")
	    .map((name) => name === "[unknown]" ? "?" : name)
	    .reverse()).filter((frames) => frames.length > 0);
}

function node(name) {
	return { name, count: 0, calls: new Map() };
}

function tree(samples) {
	const root = node("all");

	for (const frames of samples) {
		let at = root;

		root.count++;
		for (const name of frames) {
			if (!at.calls.has(name))
				at.calls.set(name, node(name));
			at = at.calls.get(name);
			at.count++;
		}
	}
	return root;
}

/* A colour that a name always has, warm for the server's own functions and cool
 * for the kernel's, which stand above the system call. */
function color(name, kernel) {
	let hash = 0;

	for (const c of name)
		hash = (hash * 31 + c.codePointAt(0)) % 997;
	return `hsl(${kernel ? 205 + hash % 25 : 15 + hash % 35} ` +
	    `${60 + hash % 25}% ${68 + hash % 12}%)`;
}

const isEntry = (name) => /^(entry_SYSCALL|do_syscall_64|asm_)/u.test(name);

function boxes(at, x, depth, total, kernel) {
	const width = at.count / total * WIDTH;
	const inside = kernel || isEntry(at.name);
	const share = `${(100 * at.count / total).toFixed(2)} %`;
	const letters = Math.floor(width / 6.5);
	const label = letters < 3 ? "" : at.name.length <= letters ? at.name :
	    `${at.name.slice(0, letters - 1)}…`;
	const out = [{ depth, svg: (y) => `<g><title>${escape(at.name)} ${share
	}</title><rect x="${x.toFixed(1)}" y="${y}" width="${width.toFixed(1)}" ` +
	    `height="${LINE - 1}" fill="${color(at.name, inside)}"/>` +
	    `<text x="${(x + 3).toFixed(1)}" y="${y + 12}">${escape(label)
	    }</text></g>` }];
	let left = x;

	for (const child of [...at.calls.values()].sort((a, b) =>
		a.name < b.name ? -1 : 1)) {
		if (child.count / total >= LEAST)
			out.push(...boxes(child, left, depth + 1, total, inside));
		left += child.count / total * WIDTH;
	}
	return out;
}

function graph(title, samples) {
	const root = tree(samples);
	const all = boxes(root, 0, 0, Math.max(1, root.count), false);
	const height = (Math.max(...all.map(({ depth }) => depth)) + 3) * LINE;

	return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ` +
	    `${height}" font-family="monospace" font-size="11">` +
	    `<rect width="${WIDTH}" height="${height}" fill="#fff"/>` +
	    `<text x="4" y="14" font-weight="bold">${escape(title)}, ` +
	    `${root.count} samples</text>${all.map(({ depth, svg }) =>
		svg(height - (depth + 1) * LINE)).join("\n")}</svg>\n`;
}

function list(samples) {
	const own = new Map();

	for (const frames of samples)
		own.set(frames.at(-1), (own.get(frames.at(-1)) ?? 0) + 1);
	return [...own].sort((a, b) => b[1] - a[1]).map(([name, count]) =>
		`${(100 * count / samples.length).toFixed(2).padStart(6)} %  ${name}\n`)
	    .join("");
}

const [title, listFile] = process.argv.slice(2);
const samples = stacks(readFileSync(0, "utf8"));

writeFileSync(listFile, list(samples));
process.stdout.write(graph(title, samples));
