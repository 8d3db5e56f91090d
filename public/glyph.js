// SPDX-License-Identifier: MIT
/*
 * glyph.js - a face for a name: two broken rings around an initial.
 *
 * The rings' gaps and the hue come from a hash of the name, so a person looks
 * the same on every screen without anything being uploaded or looked up; only
 * where two in a room would have the same hue the second gets another one.  The
 * hue is a class (hue-0 ... hue-11) because the page's policy forbids styles
 * in elements; style.css knows the colours and keeps them readable.
 */

import { svg } from "./dom.js";

const HUES = 12;
const STRIDE = 5; /* from a hue to one that is far from it; meets all twelve */

/* FNV-1a, 32 bits, with a last stir: short names must differ too. */
function hashOf(text) {
	let hash = 0x811c9dc5;

	for (const byte of new TextEncoder().encode(text))
		hash = Math.imul(hash ^ byte, 0x01000193);
	hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
	return (hash ^ (hash >>> 13)) >>> 0;
}

function hueOf(name) {
	return hashOf(name) % HUES;
}

/* The hues of one room: no two the same, as long as there are enough. */
export class Hues {
	#ofNames = new Map();
	#used = new Set();

	/* The class of a name's colour here, the same one each time. */
	classOf(name) {
		let hue = this.#ofNames.get(name) ?? hueOf(name);

		if (!this.#ofNames.has(name)) {
			for (let i = 0; i < HUES && this.#used.has(hue); i++)
				hue = (hue + STRIDE) % HUES;
			this.#ofNames.set(name, hue);
			this.#used.add(hue);
		}
		return `hue-${hue}`;
	}
}

function arc(radius, turn, gap, width) {
	return svg("circle", {
		cx: 20, cy: 20, r: radius, pathLength: 100,
		"stroke-width": width,
		"stroke-dasharray": `${100 - gap} ${gap}`,
		transform: `rotate(${turn} 20 20)`,
	});
}

function picture(classes, ...parts) {
	return svg("svg", {
		class: `glyph ${classes}`, viewBox: "0 0 40 40",
		"aria-hidden": "true",
	}, ...parts);
}

/* The picture of a name; decoration, the name itself stands beside it. */
export function glyph(name, hue = `hue-${hueOf(name)}`) {
	const hash = hashOf(name);
	const [initial = "·"] = name.toUpperCase();

	return picture(hue,
	    arc(18, (hash >>> 4) % 360, 12 + (hash >>> 13) % 28, 2.5),
	    arc(13.4, (hash >>> 9) % 360, 24 + (hash >>> 18) % 40, 2.5),
	    svg("text", { x: 20, y: 20, dy: "0.355em" }, initial));
}

/* Where there is no name: nobody's face, but a prompt in a frame. */
export function noGlyph() {
	return picture("nobody", svg("path", { d: "M9 5h22a4 4 0 0 1 4 4v22a4 " +
	    "4 0 0 1-4 4H9a4 4 0 0 1-4-4V9a4 4 0 0 1 4-4zM13 15l5 5-5 5M21 26h7" }));
}
