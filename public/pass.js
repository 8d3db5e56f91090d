// SPDX-License-Identifier: MIT
/*
 * pass.js - the token by which a visitor is let in, where the server asks for one.
 *
 * The visitor pastes it.  It is never in the address, which is shared as an
 * invitation and kept in the history, and it goes with the tab: a shared computer
 * does not keep it.
 */

import { tab } from "./storage.js";

export const pass = {
	/* The token; null: none, come as anybody. */
	get: () => tab.get("token", null),

	/* Use another token from now on; "": none. */
	use(token) {
		if (token === "")
			tab.remove("token");
		else
			tab.set("token", token);
		location.reload(); /* nothing is lost by that */
	},
};
