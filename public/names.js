// SPDX-License-Identifier: MIT
/*
 * names.js - suggest names that can be said over the telephone.
 *
 * Who has a room's name is in, so a suggested one is drawn from the
 * browser's secure generator: two words and a number, one of 4,096,000, so that
 * two new rooms are hardly ever one.  It is no secret: the server lists its
 * topics to whoever asks (GET /topics).
 */

const QUALITIES = (
	"amber ample ancient aqua autumn azure bold brave bright brisk calm " +
	"candid cedar clear clever coastal copper coral crisp curious dapper " +
	"dawn deep early easy fabled fern gentle glad golden grand hazel hidden " +
	"humble indigo ivory jade keen kind late linen lively lucid lunar mellow " +
	"merry misty modest mossy north nimble noble olive open pearl plain " +
	"quiet rapid russet silent silver"
).split(" ");

const THINGS = (
	"acorn anchor arbor atlas badger basin beacon birch bridge brook canyon " +
	"cedar cliff comet compass cove crane delta dune ember falcon ferry " +
	"finch fjord forest garden glade harbor heron hollow island juniper " +
	"lagoon lantern lark ledge linden maple marsh meadow mill otter orchard " +
	"osprey pebble pine plover prairie quarry quay raven reef ridge river " +
	"sparrow spruce summit swift thicket tide valley willow"
).split(" ");

const GUESTS = (
	"Badger Crane Falcon Finch Heron Ibis Kestrel Lark Lynx Marten Osprey " +
	"Otter Plover Raven Swift Wren"
).split(" ");

/* A number below limit, every one as likely (2^32 mod limit is negligible). */
function draw(limit) {
	return crypto.getRandomValues(new Uint32Array(1))[0] % limit;
}

function pick(list) {
	return list[draw(list.length)];
}

function capital(word) {
	return word[0].toUpperCase() + word.slice(1);
}

/* A new room's name: "quiet-harbor-417". */
export function suggestRoom() {
	return `${pick(QUALITIES)}-${pick(THINGS)}-${draw(1000)}`;
}

/* A visitor's name until they choose one: "Quiet Heron". */
export function suggestName() {
	return `${capital(pick(QUALITIES))} ${pick(GUESTS)}`;
}

/* 96 random bits as text; unlike randomUUID() this works without https. */
export function randomId() {
	const bytes = crypto.getRandomValues(new Uint8Array(12));

	return Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
}
