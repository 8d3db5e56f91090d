// SPDX-License-Identifier: MIT
/*
 * chat.js - where the page begins.
 *
 * On a slow line a first visitor can read and fill in the lobby while the rest,
 * which is most of it (talk.js), is still coming.  What they ask for meanwhile
 * is done as soon as that is there.  Until a button has somebody to answer it,
 * it is disabled.
 */

import { Lobby } from "./lobby.js";
import { byId } from "./dom.js";
import { kept } from "./storage.js";

const lobby = new Lobby();
const talk = import("./talk.js");

if (lobby.showFor(location.hash, kept.get("name", ""))) {
	byId("lobby").hidden = false;
	for (const button of document.querySelectorAll("#lobby button"))
		button.disabled = false;
	lobby.focus();
}
lobby.addEventListener("enter",
    async ({ detail }) => (await talk).enter(detail));
lobby.addEventListener("renamed",
    async ({ detail }) => (await talk).rename(detail));
try {
	(await talk).start(lobby);
} catch (error) {
	byId("unloaded").hidden = false;
	throw error;
}
