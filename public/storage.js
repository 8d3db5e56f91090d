// SPDX-License-Identifier: MIT
/*
 * storage.js - remember small things, and do without where that is forbidden.
 *
 * `kept` outlives the page: the visitor's name and the rooms they were in.
 * `tab` lives as long as this tab: what was said and what waits to be sent, so
 * that a reload loses neither and a shared computer keeps neither.
 *
 * Several tabs keep things in the same place: what is a list is read, changed and
 * written in one go, and watched.
 *
 * A browser may refuse storage altogether, or be full.  The chat then works
 * and forgets; so nothing here throws.
 */

/* Whatever else runs at this address, its keys are not ours. */
const PREFIX = "pubsubd:";

class Store {
	#area = null;

	constructor(open) {
		try {
			this.#area = open();
		} catch {
			/* denied by the browser's settings */
		}
	}

	/* The value kept under key, or fallback. */
	get(key, fallback) {
		try {
			const text = this.#area?.getItem(PREFIX + key);

			return text ? JSON.parse(text) : fallback;
		} catch {
			return fallback;
		}
	}

	/* Keep a value.  Where it does not fit, nothing is kept: no stale one. */
	set(key, value) {
		try {
			this.#area?.setItem(PREFIX + key, JSON.stringify(value));
		} catch {
			this.remove(key);
		}
	}

	remove(key) {
		try {
			this.#area?.removeItem(PREFIX + key);
		} catch {
			/* gone meanwhile */
		}
	}

	/* Call changed() whenever another tab has kept another value. */
	watch(key, changed) {
		window.addEventListener("storage", (event) => {
			if (event.storageArea === this.#area &&
			    event.key === PREFIX + key)
				changed();
		});
	}
}

export const kept = new Store(() => window.localStorage);
export const tab = new Store(() => window.sessionStorage);
