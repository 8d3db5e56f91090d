// json.test.mjs - our JSON codec beside JSON.parse, on thousands of texts: the
// corpus, texts made by a generator, and mutations of both.
//
// Both must take the same texts and read the same out of them.  Ours is
// stricter on purpose in two things and kinder in none:
//
//	- arrays and objects nest 64 deep at most (JSON.parse: as the stack has it)
//	- the bytes must be UTF-8 without a BOM (JSON.parse gets text, not bytes)
//
// One difference is in what is read: a surrogate escape without its other half
// stands for U+FFFD, since no UTF-8 can hold it; JSON.parse keeps it.  Of a
// repeated name the last counts for both.  How long a message may be is not
// the codec's to say.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';

const seed = Number(process.env.SEED ?? 20240607);
const depthMax = 64;
const corpora = ['json', 'v1', 'said'].map(
	(name) => new URL(`corpus/${name}/`, import.meta.url));

// Mulberry32: numbers in [0, 1), the same in every run.
const dice = (state) => () => {
	state = (state + 0x6d2b79f5) | 0;
	let t = Math.imul(state ^ (state >>> 15), 1 | state);
	t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
	return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
};
const roll = dice(seed);
const below = (n) => Math.floor(roll() * n);
const pick = (list) => list[below(list.length)];

// -- texts ------------------------------------------------------------------

const space = () => pick(['', '', '', '', ' ', '\n', '\t', ' \r\n']);
const characters = ['a', 'Z', ' ', '/', '\x7f', 'é', '€', '\u2028', '😀',
	'\\"', '\\\\', '\\/', '\\b', '\\f', '\\n', '\\r', '\\t', '\\u0000',
	'\\u00e9', '\\uFFFF', '\\uFFfd', '\\ud83d\\ude00', '\\ud800\\udc00',
	'\\udbff\\udfff', '\\ud800', '\\uDFFF', '\\ud83d\\ud83d', '\\\\ud800'];
const numbers = ['0', '-0', '1', '-17', '10', '0.5', '-0.001', '1e9', '1E+9',
	'2e-9', '0e0', '123456789012345678901234567890', '1e400', '5e-324',
	'9007199254740993', '0.1'];

function makeString() {
	let text = '';
	for (let n = below(8); n > 0; n--)
		text += pick(characters);
	return `"${text}"`;
}

const names = ['"a"', '"b"', '"\\u0061"', '""', '"__proto__"', '"10"', '"9"',
	'"constructor"', '"type"', '"topic"'];

function makeValue(depth) {
	const kind = below(depth > 0 ? 8 : 6);
	const parts = [];

	if (kind < 2)
		return makeString();
	if (kind < 4)
		return pick(numbers);
	if (kind < 6)
		return pick(['true', 'false', 'null', '[]', '{}']);
	for (let n = below(5); n > 0; n--) {
		const value = space() + makeValue(depth - 1) + space();
		parts.push(kind === 6 ? value :
			`${space()}${pick([makeString(), ...names])}${space()}:${value}`);
	}
	return kind === 6 ? `[${parts.join(',')}]` : `{${parts.join(',')}}`;
}

// Texts around the greatest depth, whole and broken.
function makeDeep() {
	const depth = depthMax - 3 + below(7);
	const open = Array.from({ length: depth }, () => pick(['[', '{"a":']));
	const close = open.map((c) => (c === '[' ? ']' : '}')).reverse();

	if (below(4) === 0)
		close.pop();
	return open.join('') + pick(['1', '"[{"', 'null', '"\\"["']) + close.join('');
}

const pieces = ['"', '\\', '{', '}', '[', ']', ',', ':', '0', '-', '.', 'e',
	'true', 'nul', ' ', '\n', '\0', '\x01', '\x1f', '\ufeff', '\u00a0',
	'\\u', '\\x', "'", '//', 'NaN', 'Infinity', 'undefined', '+'];

// A byte or some less, more, or others.
function mutate(bytes) {
	const at = below(bytes.length + 1);
	const end = Math.min(bytes.length, at + below(4));
	const piece = below(5) === 0 ? Buffer.from([below(256)]) :
		below(3) === 0 ? Buffer.alloc(0) : Buffer.from(pick(pieces));

	return Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(end)]);
}

function corpusCases() {
	const cases = [];
	for (const directory of corpora)
		for (const file of readdirSync(directory).sort())
			cases.push(readFileSync(new URL(file, directory)));
	return cases;
}

function allCases() {
	const cases = corpusCases();
	for (let i = 0; i < 4000; i++)
		cases.push(Buffer.from(space() + makeValue(4) + space()));
	for (let i = 0; i < 300; i++)
		cases.push(Buffer.from(makeDeep()));
	for (const text of [...cases]) {
		let mutant = mutate(text);
		cases.push(mutant);
		for (let n = below(4); n > 0; n--)
			mutant = mutate(mutant);
		cases.push(mutant);
	}
	return cases;
}

// -- our side ---------------------------------------------------------------

// Read what json_verdict.c has written.
class Verdicts {
	constructor(bytes) {
		this.bytes = bytes;
		this.at = 0;
	}

	// A length and as many bytes.
	counted() {
		const colon = this.bytes.indexOf(':', this.at);
		const start = colon + 1;
		this.at = start + Number(this.bytes.toString('latin1', this.at, colon));
		return this.bytes.subarray(start, this.at);
	}

	letter() {
		return String.fromCharCode(this.bytes[this.at++]);
	}

	until(end, next) {
		while (this.bytes[this.at] !== end.charCodeAt(0))
			next();
		this.at++;
	}

	value() {
		switch (this.letter()) {
		case 's': return this.counted().toString();
		case 'n': return Number(this.counted().toString());
		case 't': return true;
		case 'f': return false;
		case 'z': return null;
		case '[': {
			const array = [];
			this.until(']', () => array.push(this.value()));
			return array;
		}
		case '{': {
			const object = {};
			this.until('}', () => {
				const name = this.value();
				Object.defineProperty(object, name, { value: this.value(),
					enumerable: true, configurable: true, writable: true });
			});
			return object;
		}
		}
		throw new Error(`not a verdict, at byte ${this.at}`);
	}

	next() {
		if (this.bytes.toString('latin1', this.at, this.at + 2) === 'ok') {
			this.at += 2;
			const verdict = { says: 'ok', value: this.value(),
				normalised: this.counted() };
			assert.equal(this.letter(), '\n');
			return verdict;
		}
		const end = this.bytes.indexOf('\n', this.at);
		const says = this.bytes.toString('latin1', this.at, end);
		this.at = end + 1;
		return { says };
	}
}

function judge(cases) {
	const input = cases.flatMap((text) => [Buffer.from(`${text.length}:`), text]);
	const child = spawnSync(process.env.JSON_VERDICT ??
		'build/testing/fuzz/json_verdict', { input: Buffer.concat(input),
		maxBuffer: 256 << 20, timeout: 120_000 });

	assert.ifError(child.error);
	assert.equal(child.stderr.toString(), '');
	assert.equal(child.status, 0);
	const verdicts = new Verdicts(child.stdout);
	const all = cases.map(() => verdicts.next());
	assert.equal(verdicts.at, child.stdout.length);
	return all;
}

// -- the other side ---------------------------------------------------------

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

const textOf = (bytes) => {
	try {
		return decoder.decode(bytes);
	} catch {
		return undefined;
	}
};

const parse = (text) => {
	try {
		return { value: JSON.parse(text) };
	} catch {
		return undefined;
	}
};

// A text that JSON.parse takes, with \ufffd for each lone surrogate escape, and
// for what is U+FFFD already, however it is spelled.
const normalise = (text) => text.replace(
	/\\(?:u(?:d[89ab]..\\ud[c-f]..|(d[89a-f]..|fffd))|.)/gi,
	(escape, lone) => (lone === undefined ? escape : '\\ufffd'));

// How deep the brackets of a text go, those in strings aside.
function depthOf(text) {
	let depth = 0, deepest = 0;
	for (const c of text.replace(/"(?:[^"\\]|\\.)*(?:"|$)/gs, '')) {
		depth += (c === '[' || c === '{') - (c === ']' || c === '}');
		deepest = Math.max(deepest, depth);
	}
	return deepest;
}

function compare(bytes, ours) {
	const text = textOf(bytes);
	const theirs = text === undefined ? undefined : parse(text);

	if (text === undefined) {
		assert.equal(ours.says, 'utf8');
	} else if (theirs === undefined) {
		assert.ok(ours.says === 'broken' || ours.says === 'deep');
	} else if (depthOf(text) > depthMax) {
		assert.equal(ours.says, 'deep');
	} else {
		assert.equal(ours.says, 'ok');
		assert.deepStrictEqual(ours.value, JSON.parse(normalise(text)));
		assert.equal(ours.normalised.toString(), normalise(text));
	}
	if (ours.says === 'deep')
		assert.ok(depthOf(text) > depthMax);
	return ours.says;
}

test(`thousands of texts, seed ${seed}: accepted and read as by JSON.parse`, () => {
	const cases = allCases();
	const verdicts = judge(cases);
	const counts = { ok: 0, broken: 0, utf8: 0, deep: 0 };

	cases.forEach((bytes, i) => {
		try {
			counts[compare(bytes, verdicts[i])]++;
		} catch (error) {
			error.message = `text ${i}, ${JSON.stringify(bytes.toString())}` +
				` (hex ${bytes.toString('hex')}): ${error.message}`;
			throw error;
		}
	});
	// Each verdict was put to the test often.
	assert.ok(counts.ok > 4000 && counts.broken > 3000, JSON.stringify(counts));
	assert.ok(counts.utf8 > 100 && counts.deep > 100, JSON.stringify(counts));
});

test('a lone surrogate is the one thing that is read otherwise', () => {
	const [ours] = judge([Buffer.from('["\\ud800","a\\udc00\\ud83d\\ude00"]')]);

	assert.deepStrictEqual(ours.value, ['\ufffd', 'a\ufffd😀']);
	assert.deepStrictEqual(JSON.parse('["\\ud800"]'), ['\ud800']);
});

test('a text of 64 KiB is read as well', () => {
	const texts = [`["${'\\u00e9'.repeat(10_000)}"]`,
		`[${'1,'.repeat(32_000)}1]`, `{${'"a":1,'.repeat(9_000)}"a":2}`,
		`${' '.repeat(65_000)}1`, `[${'[],'.repeat(21_000)}[]]`];

	judge(texts.map((text) => Buffer.from(text))).forEach((ours, i) =>
		assert.deepStrictEqual(ours.value, JSON.parse(texts[i])));
});
