// SPDX-License-Identifier: MIT
/*
 * ledger.test.mjs - that the ledger finds what it is there to find.
 *
 * Each test feeds it a stream that is right but for one thing and looks that this
 * is a fault, of the right kind; and that the same stream without it is none.
 */

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { Dice } from "./dice.mjs";
import { Ledger } from "./ledger.mjs";
import { Watcher } from "./presence.mjs";
import { compose, parse } from "./words.mjs";

const E = "epoch1";
const text = (n, speaker = "p.1", topic = "t") =>
	compose(topic, speaker, n, 3);

const CLEAN = { doubles: 0, disorder: 0, unexplained: 0, damaged: 0 };

/* That these faults are found, and no others. */
function assertFaults(ledger, faults, counted = 0) {
	const good = ledger.judge(counted);
	const { doubles, disorder, unexplained, damaged } = ledger.counts;

	assert.deepEqual({ doubles, disorder, unexplained, damaged },
	    { ...CLEAN, ...faults }, JSON.stringify(ledger.faults));
	assert.equal(good, Object.keys(faults).length === 0);
	assert.equal(ledger.faults.length > 0, !good);
}

/* A ledger where texts 1 to count have been said, and acked as these numbers. */
function acked(count, first = 1) {
	const ledger = new Ledger();

	for (let n = 1; n <= count; n++) {
		ledger.said(text(n));
		ledger.acked(text(n), { epoch: E, seq: first + n - 1 });
	}
	return ledger;
}

/* A numbered subscriber that began before number 1 and is told these: a number
 * is a message, [from, to, reason] a gap. */
function numbered(ledger, told, first = 1) {
	const observer = ledger.numbered("s");

	observer.begin("t", { epoch: E, seq: first - 1 });
	hear(observer, told, first);
	return observer;
}

function hear(observer, told, first = 1) {
	for (const what of told)
		if (Array.isArray(what))
			observer.gap("t", { from: what[0], to: what[1],
				reason: what[2] ?? "slow" });
		else
			observer.message("t", E, what, text(what - first + 1));
}

/* A plain subscriber that gets these. */
function plain(ledger, ...connections) {
	const observer = ledger.plain("s");

	for (const numbers of connections) {
		observer.connect(["t"]);
		for (const n of numbers)
			observer.message(text(n));
	}
	return observer;
}

describe("words", () => {
	test("say what they are", () => {
		assert.deepEqual(parse(text(7)), { topic: "t", speaker: "p.1",
			n: 7, key: "t p.1 7" });
		assert.deepEqual(parse(compose("t", "p.1", 1, 0)).n, 1);
	});

	for (const [what, broken] of [
		["cut", text(7).slice(0, -1)], ["longer", `${text(7)}h`],
		["with another's end", text(7).slice(0, -1) + text(8).at(-1)],
		["empty", ""], ["something else", "hello"],
		["followed by another", `${text(7)} ${text(8)}`],
	])
		test(`are not believed when ${what}`, () => {
			assert.equal(parse(broken), null);
		});
});

describe("a numbered subscriber", () => {
	for (const [what, told, faults, counted] of [
		["gets all", [1, 2, 3, 4, 5], {}],
		["is told of a gap", [1, [2, 3], 4, 5], {}],
		["is told of it in two parts", [1, [2, 2], [3, 3], 4, 5], {}],
		["is told at the end", [1, 2, [3, 5]], {}],
		["gets one twice", [1, 2, 2, 3, 4, 5], { doubles: 1 }],
		["gets one again, later", [1, 2, 3, 1, 4, 5],
			{ doubles: 1, unexplained: 2 }],
		["loses one", [1, 2, 4, 5], { unexplained: 1 }],
		["loses the first", [2, 3, 4, 5], { unexplained: 1 }],
		["loses many", [1, 5], { unexplained: 3 }],
		["gets two the wrong way round", [1, 3, 2, 4, 5],
			{ unexplained: 2, disorder: 1 }],
		["is told of a gap too late", [1, 2, [4, 4], 5],
			{ unexplained: 1 }],
		["is told of a gap too short", [1, [2, 3], 5],
			{ unexplained: 1 }],
		["is told that it misses what it has", [1, 2, [2, 3], 4, 5],
			{ disorder: 1 }],
		["gets what it was told it misses", [1, [2, 3], 3, 4, 5],
			{ disorder: 1 }],
		["is told of numbers never given", [1, [2, 6]], { damaged: 1 }],
		["is told of a gap that ends before it begins",
			[1, 2, 3, [4, 3], 4, 5], { damaged: 1 }],
	])
		test(what, () => {
			const ledger = acked(5);

			numbered(ledger, told);
			assertFaults(ledger, faults, counted);
		});

	test("gets what nobody said", () => {
		const ledger = acked(2);
		const observer = numbered(ledger, [1, 2]);

		observer.message("t", E, 3, text(3));
		assertFaults(ledger, { damaged: 1 });
	});

	test("gets another topic's", () => {
		const ledger = acked(2);
		const observer = ledger.numbered("s");

		observer.begin("u", { epoch: E, seq: 0 });
		observer.message("u", E, 1, text(1));
		assertFaults(ledger, { damaged: 1 });
	});

	test("gets a topic that it is not subscribed to", () => {
		const ledger = acked(1);

		ledger.numbered("s").message("t", E, 1, text(1));
		assertFaults(ledger, { damaged: 1 });
	});

	test("gets another text than was acked under the number", () => {
		const ledger = acked(2);
		const observer = numbered(ledger, [1]);

		ledger.said(text(3));
		observer.message("t", E, 2, text(3));
		assertFaults(ledger, { damaged: 1 });
	});

	test("gets one text under two numbers", () => {
		const ledger = acked(2);
		const observer = numbered(ledger, [1, 2]);

		observer.message("t", E, 3, text(2));
		assertFaults(ledger, { doubles: 1 });
	});

	test("gets what was refused", () => {
		const ledger = acked(1);
		const observer = numbered(ledger, [1]);

		ledger.said(text(2));
		ledger.refused(text(2));
		observer.message("t", E, 2, text(2));
		assertFaults(ledger, { damaged: 1 });
	});

	test("is refused what somebody already got", () => {
		const ledger = acked(1);

		ledger.said(text(2));
		numbered(ledger, [1, 2]);
		ledger.refused(text(2));
		assertFaults(ledger, { damaged: 1 });
	});

	describe("comes back", () => {
		const since = (seq) => ({ epoch: E, seq: 5,
			since: { epoch: E, seq }, resumed: true });

		for (const [what, after, faults] of [
			["and gets the rest", [3, 4, 5], {}],
			["and a gap first", [[3, 4, "expired"], 5], {}],
			["and something is missing at the seam", [4, 5],
				{ unexplained: 1 }],
			["and something is doubled at the seam", [2, 3, 4, 5],
				{ doubles: 1 }],
		])
			test(what, () => {
				const ledger = acked(5);
				const observer = numbered(ledger, [1, 2]);

				assert.deepEqual(observer.placeOf("t"),
				    { epoch: E, seq: 2 });
				observer.begin("t", since(2));
				hear(observer, after);
				assertFaults(ledger, faults);
			});

		test("to a topic forgotten meanwhile", () => {
			const ledger = acked(2);
			const observer = numbered(ledger, [1, 2]);

			/* The slot's next life begins above 40. */
			observer.begin("t", { epoch: E, seq: 40,
				since: { epoch: E, seq: 2 }, resumed: true });
			observer.blank("t", "unknown");
			ledger.said(text(3));
			observer.message("t", E, 41, text(3));
			ledger.pressed = true;
			assertFaults(ledger, {});
		});

		/* It is told that the topic was forgotten between these. */
		function forgotten(from, to) {
			const ledger = acked(5);
			const observer = numbered(ledger,
			    [1, 2, 3, 4, 5].slice(0, from));

			observer.begin("t", { ...since(from), seq: to });
			observer.blank("t", "unknown");
			return ledger;
		}

		test("to a topic said to be forgotten, with room for all", () => {
			assertFaults(forgotten(2, 5), { unexplained: 3 });
		});

		for (const [what, told, joined, faults] of [
			["and another was there all the time", [1, 2, 3, 4, 5], 0,
				{ unexplained: 2 }],
			["and another was told of it in a gap", [1, [2, 5]], 0,
				{ unexplained: 2 }],
			["and another left with it", [1, 2, 3, 4], 0, {}],
			["and another left before", [1, 2, 3], 0, {}],
			["and another came after", [4, 5], 3, {}],
		])
			test(`to a topic said to be forgotten, ${what}`, () => {
				const ledger = forgotten(2, 4);
				const witness = ledger.numbered("w");

				witness.begin("t", { epoch: E, seq: joined });
				hear(witness, told);
				ledger.pressed = true;
				assertFaults(ledger, faults);
			});

		test("and nothing happened, but it is said to be forgotten", () => {
			const ledger = forgotten(5, 5);

			ledger.pressed = true;
			assertFaults(ledger, { unexplained: 1 });
		});

		test("and is told that the topic is another, but too late", () => {
			const ledger = acked(5);
			const observer = numbered(ledger, [1, 2]);

			observer.begin("t", since(2));
			hear(observer, [3]);
			observer.blank("t", "unknown");
			assertFaults(ledger, { damaged: 1 });
		});

		for (const [what, reason, faults] of [
			["to another epoch", "epoch", {}],
			["to another epoch, told as something else", "unknown",
				{ unexplained: 1 }],
			["to another epoch, untold", null, { unexplained: 1 }],
		])
			test(what, () => {
				const ledger = acked(2);
				const observer = numbered(ledger, [1, 2]);

				observer.begin("t", { epoch: "epoch2", seq: 0,
					since: { epoch: E, seq: 2 } });
				if (reason !== null)
					observer.blank("t", reason);
				ledger.said(text(1, "p.2"));
				observer.message("t", "epoch2", 1, text(1, "p.2"));
				assertFaults(ledger, faults);
			});

		test("to the same epoch, told as another", () => {
			const ledger = acked(2);
			const observer = numbered(ledger, [1, 2]);

			observer.begin("t", since(2));
			observer.blank("t", "epoch");
			assertFaults(ledger, { unexplained: 1 });
		});
	});

	describe("that does not know where it begins", () => {
		const begun = (ledger) => {
			const observer = ledger.numbered("s");

			observer.beginAnywhere("t");
			return observer;
		};

		test("has all from there", () => {
			const ledger = acked(5);

			hear(begun(ledger), [3, 4, 5]);
			assertFaults(ledger, {});
		});

		test("loses one", () => {
			const ledger = acked(5);

			hear(begun(ledger), [2, 3, 5]);
			assertFaults(ledger, { unexplained: 1 });
		});

		for (const [reason, faults] of [["unknown", { unexplained: 2 }],
			["epoch", { unexplained: 1 }]])
			test(`and is told "${reason}" wrongly`, () => {
				const ledger = acked(5);
				const observer = begun(ledger);

				hear(observer, [1, 2]);
				observer.blankAnywhere("t", reason);
				hear(observer, [5]);
				assertFaults(ledger, faults);
			});

		test("and is rightly told that a topic was forgotten", () => {
			const ledger = acked(2);
			const observer = begun(ledger);

			hear(observer, [1, 2]);
			observer.blankAnywhere("t", "unknown");
			ledger.said(text(3));
			observer.message("t", E, 41, text(3));
			ledger.pressed = true;
			assertFaults(ledger, {});
		});
	});

	test("knows whether it has reached a place", () => {
		const observer = numbered(acked(5), [1, 2, [3, 4]]);

		assert.equal(observer.reached("t", { epoch: E, seq: 4 }), true);
		assert.equal(observer.reached("t", { epoch: E, seq: 5 }), false);
		assert.equal(observer.reached("t", { epoch: "x", seq: 1 }), false);
	});
});

describe("a plain subscriber", () => {
	for (const [what, connections, counted, faults] of [
		["gets all", [[1, 2, 3, 4, 5]], 0, {}],
		["comes late and goes early", [[2, 3]], 0, {}],
		["is away between", [[1, 2], [4, 5]], 0, {}],
		["gets one again on another connection", [[1, 2], [2, 3]], 0, {}],
		["gets one twice", [[1, 2, 2, 3]], 0, { doubles: 1 }],
		["gets one again, later", [[1, 2, 3, 1]], 0, { doubles: 1 }],
		["gets two the wrong way round", [[1, 3, 2, 4]], 0,
			{ disorder: 2, unexplained: 2 }],
		["misses two, and two were counted", [[1, 4, 5]], 2, {}],
		["misses two, and one was counted", [[1, 4, 5]], 1,
			{ unexplained: 1 }],
		["misses two, and nobody counted", [[1, 4, 5]], 0,
			{ unexplained: 2 }],
		["misses one on each of two connections", [[1, 3], [3, 5]], 1,
			{ unexplained: 1 }],
	])
		test(what, () => {
			const ledger = acked(5);

			plain(ledger, ...connections);
			assertFaults(ledger, faults, counted);
		});

	test("is not explained by what others were told", () => {
		const ledger = acked(5);

		plain(ledger, [1, 4, 5]);
		numbered(ledger, [1, [2, 3, "lapped"], 4, 5]);
		assertFaults(ledger, { unexplained: 1 }, 3);
	});

	test("what expired was never counted", () => {
		const ledger = acked(5);

		plain(ledger, [1, 4, 5]);
		numbered(ledger, [1, [2, 3, "expired"], 4, 5]);
		assertFaults(ledger, {}, 2);
	});

	test("gets two speakers' in another order than their numbers", () => {
		const ledger = acked(1);
		const observer = ledger.plain("s");

		ledger.said(text(1, "q.1"));
		ledger.acked(text(1, "q.1"), { epoch: E, seq: 2 });
		observer.connect(["t"]);
		observer.message(text(1, "q.1"));
		observer.message(text(1));
		assertFaults(ledger, { disorder: 1 });
	});

	test("gets what nobody said, and a topic not its own", () => {
		const ledger = acked(1);
		const observer = plain(ledger, [1]);

		assert.equal(observer.message("torn"), null);
		ledger.said(text(1, "p.1", "u"));
		observer.message(text(1, "p.1", "u"));
		assertFaults(ledger, { damaged: 2 });
	});
});

describe("publishing", () => {
	/* Said 1 to 3 in one connection; these were acked, as these numbers. */
	function said(places) {
		const ledger = new Ledger();

		for (let n = 1; n <= 3; n++)
			ledger.said(text(n));
		for (const [n, seq] of places)
			ledger.acked(text(n), { epoch: E, seq });
		return ledger;
	}

	for (const [what, places, faults] of [
		["all acked", [[1, 1], [2, 2], [3, 3]], {}],
		["the last cut off", [[1, 1]], {}],
		["one lost between two", [[1, 1], [3, 2]], { unexplained: 1 }],
		["one that nobody heard of between two", [[1, 1], [3, 3]], {}],
		["two the wrong way round", [[1, 2], [2, 1]], { disorder: 1 }],
		["one number for two", [[1, 1], [2, 1]], { damaged: 1 }],
		["one with two numbers", [[1, 1], [1, 2]], { doubles: 1 }],
	])
		test(what, () => {
			assertFaults(said(places), faults);
		});

	test("one refused between two", () => {
		const ledger = said([[1, 1], [3, 2]]);

		ledger.refused(text(2));
		assertFaults(ledger, {});
	});

	test("one refused and acked", () => {
		const ledger = said([[1, 1]]);

		ledger.refused(text(1));
		assertFaults(ledger, { damaged: 1 });
	});
});

/* The list with so many taken out there, and others put in. */
function spliced(list, at, count, ...others) {
	return [...list.slice(0, at), ...others, ...list.slice(at + count)];
}

/* A long stream through a subscriber, with one thing broken at random. */
describe("a broken stream", () => {
	const COUNT = 300;

	for (const [what, spoil, kinds] of [
		["intact", (list) => list, []],
		["with one left out", (list, at) => spliced(list, at, 1),
			["unexplained"]],
		["with one doubled", (list, at) =>
			spliced(list, at, 0, list[at]), ["doubles"]],
		["with two swapped", (list, at) =>
			spliced(list, at, 2, list[at + 1], list[at]),
		["disorder", "unexplained"]],
		["with a run left out", (list, at) => spliced(list, at, 20),
			["unexplained"]],
	])
		for (const form of ["numbered", "plain"])
			test(`${what}, ${form}`, () => {
				for (let seed = 0; seed < 20; seed++) {
					const dice = new Dice(seed, what);
					const ledger = acked(COUNT);
					const list = spoil(Array.from({ length: COUNT },
					    (_, i) => i + 1),
					dice.between(1, COUNT - 30));

					if (form === "numbered")
						numbered(ledger, list);
					else
						plain(ledger, list);
					assert.equal(ledger.judge(0),
					    kinds.length === 0);
					for (const kind of kinds)
						assert.ok(ledger.counts[kind] > 0, kind);
				}
			});
});

/* A subscriber of a pattern that is told these: a number is a message, [count,
 * reason] a gap, null another connection. */
function patterned(ledger, told) {
	const observer = ledger.patterned("p");

	observer.begin(E);
	for (const what of told)
		if (what === null)
			observer.begin(E);
		else if (Array.isArray(what))
			observer.gap(...what);
		else
			observer.message("t", what, text(what));
	return observer;
}

describe("a subscriber of a pattern", () => {
	test("is told by count, or comes back without a word", () => {
		const ledger = acked(9);

		patterned(ledger, [2, 3, [2, "slow"], 6, null, 8, 9]);
		assertFaults(ledger, {}, 2);
	});

	test("misses what it is not told of", () => {
		const ledger = acked(9);

		patterned(ledger, [2, [1, "slow"], 6]);
		assertFaults(ledger, { unexplained: 2 }, 1);
	});

	test("is told too late", () => {
		const ledger = acked(9);

		patterned(ledger, [2, 4, [1, "slow"]]);
		assertFaults(ledger, { unexplained: 1 }, 1);
	});

	test("may have been lapped, and nobody knows how much", () => {
		const ledger = acked(9);

		patterned(ledger, [2, [undefined, "lapped"], 9]);
		assertFaults(ledger, {});
	});

	test("misses only what was given", () => {
		const ledger = acked(2);

		ledger.said(text(9));
		ledger.acked(text(9), { epoch: E, seq: 9 });
		patterned(ledger, [2, 9]);
		assertFaults(ledger, {});
	});

	test("gets one twice, also over two connections", () => {
		const ledger = acked(9);

		patterned(ledger, [2, null, 2]);
		assertFaults(ledger, { doubles: 1 });
	});

	test("gets them out of order", () => {
		const ledger = acked(9);

		patterned(ledger, [3, 2]);
		assertFaults(ledger, { disorder: 1 });
	});
});

/* A watcher that is told these: +user, -user, or those who are there. */
function watch(ledger, told) {
	const watcher = new Watcher({ ledger, dice: () => null }, "w", ["t"], {});

	for (const what of told) {
		const frame = Array.isArray(what) ?
			{ type: "presence", members: what.map((user) =>
				({ user })) } :
			{ type: what[0] === "+" ? "join" : "leave",
				user: what.slice(1) };

		watcher.received(JSON.stringify(frame));
	}
	return watcher;
}

describe("who watches a topic", () => {
	test("is told of each that comes and leaves, in turn", () => {
		const ledger = acked(1);
		const watcher = watch(ledger, [["a"], "+b", "-a", "+a", "-b"]);

		assert.ok(watcher.knows(new Set(["a"])));
		assert.ok(!watcher.knows(new Set(["a", "b"])));
		assertFaults(ledger, {});
	});

	for (const [what, told] of [["comes twice", [["a"], "+a"]],
		["leaves twice", [["a"], "-a", "-a"]],
		["leaves and was never there", [[], "-a"]],
		["is there twice", [["a", "a"]]]])
		test(`finds that somebody ${what}`, () => {
			const ledger = acked(1);

			watch(ledger, told);
			assertFaults(ledger, { doubles: 1 });
		});

	test("has asked before it is told", () => {
		const ledger = acked(1);

		watch(ledger, ["+a"]);
		assertFaults(ledger, { damaged: 1 });
	});
});

describe("by places in the log of a cluster", () => {
	/* Texts 1 to count at places 10, 20, ...; and who follows gets these texts,
	 * null being a gap. */
	function follow(count, told, begins = true) {
		const ledger = new Ledger({ dense: false });
		const observer = ledger.placed("f");

		for (let n = 1; n <= count; n++) {
			ledger.said(text(n));
			ledger.acked(text(n), { epoch: E, seq: 10 * n });
		}
		if (begins)
			observer.begin("t", E);
		for (const n of told)
			if (n === null)
				observer.gap("t");
			else
				observer.message("t", { epoch: E, seq: 10 * n },
				    text(n));
		return ledger;
	}

	test("all in order is right", () =>
		assertFaults(follow(4, [1, 2, 3, 4]), {}));
	test("what is not there is lost", () =>
		assertFaults(follow(4, [1, 4]), { unexplained: 2 }));
	test("what was before the first is lost to who has all", () =>
		assertFaults(follow(4, [3, 4]), { unexplained: 2 }));
	test("and is not to who came later", () =>
		assertFaults(follow(4, [3, 4], false), {}));
	test("a gap explains what is lost there, and nothing else", () => {
		assertFaults(follow(4, [1, null, 4]), {});
		assertFaults(follow(6, [1, null, 4, 6]), { unexplained: 1 });
	});
	test("what comes twice is a double", () =>
		assertFaults(follow(3, [1, 2, 2, 3]), { doubles: 1 }));
	test("what comes late is out of order", () =>
		assertFaults(follow(3, [1, 3, 2]), { unexplained: 1,
			disorder: 1 }));
	test("an answer that says another place is untrue", () => {
		const ledger = follow(2, [1]);

		ledger.placed("g").message("t", { epoch: E, seq: 25 }, text(2));
		assertFaults(ledger, { doubles: 1 });
	});
	test("an earlier one of a speaker without a place is lost", () => {
		const ledger = new Ledger({ dense: false });

		ledger.said(text(1));
		ledger.said(text(2));
		ledger.said(text(3));
		ledger.acked(text(1), { epoch: E, seq: 10 });
		ledger.acked(text(3), { epoch: E, seq: 30 });
		assertFaults(ledger, { unexplained: 1 });
	});
	test("what was refused and is there is a fault", () => {
		const ledger = follow(1, [1]);

		ledger.said(text(2));
		ledger.refused(text(2));
		ledger.placed("g").message("t", { epoch: E, seq: 20 }, text(2));
		assertFaults(ledger, { damaged: 1 });
	});
});
