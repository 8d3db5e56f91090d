// SPDX-License-Identifier: MIT
/*
 * past.js - what there was in a room before the first message that a page has.
 *
 *	"unknown"     the page has no message that says where it stands
 *	"more"        the server may have some: load()
 *	"loading"     it has been asked
 *	"nothing"     the first message is the room's first
 *	"forgotten"   the server has no more of it, or is another one by now
 *	"far"         there may be more than a page can hold
 */

export class Past {
	#client;
	#name;
	#oldest = null; /* the place before which nothing was asked for yet */
	#isLoading = false;
	#isAllLoaded = false; /* all that the server has */

	constructor(client, name) {
		this.#client = client;
		this.#name = name;
	}

	/* Which of the above it is, before these messages, at a server of that
	 * epoch; isFull: the page can hold no more. */
	state(messages, epoch, isFull) {
		const first = this.#first(messages);

		if (!first || epoch === undefined)
			return "unknown";
		if (this.#isLoading)
			return "loading";
		if (first.seq === 1)
			return "nothing";
		if (this.#isAllLoaded || first.epoch !== epoch)
			return "forgotten";
		return isFull ? "far" : "more";
	}

	/* What the server has before these messages, at most limit, oldest first;
	 * nothing where the page has dropped some of them meanwhile. */
	async load(messages, limit) {
		const first = this.#first(messages);

		this.#oldest = first;
		this.#isLoading = true;
		try {
			const found = await this.#client.history(this.#name,
			    { before: first.seq, limit });

			return this.#oldest === first ?
			    this.#take(first, found, limit) : [];
		} catch {
			return []; /* closed for good */
		} finally {
			this.#isLoading = false;
		}
	}

	/* The page has dropped its first messages; they can be had again. */
	reset() {
		this.#oldest = null;
		this.#isAllLoaded = false;
	}

	#take(first, { messages, more }, limit) {
		const isOfRing = messages[0]?.epoch === first.epoch;

		this.#isAllLoaded = !isOfRing || (!more && messages.length < limit);
		if (!isOfRing)
			return [];
		this.#oldest = messages[0];
		return messages.filter(({ expired }) => !expired);
	}

	/* The first message of which the server has told the number. */
	#first(messages) {
		return this.#oldest ?? messages.find(({ seq }) => seq);
	}
}
