// SPDX-License-Identifier: MIT
/*
 * message-view.js - the pieces that a log is made of.
 *
 * The one rule: a speaker is introduced and then goes on for a while, with the
 * time repeated only where the minute has changed, or under the pointer.  A
 * screen reader, which reads each message by itself, is told the name every
 * time.
 */

import { announce, el } from "./dom.js";
import { dayOf, fullTimeOf, timeOf } from "./clock.js";
import { glyph, noGlyph } from "./glyph.js";
import { linkify } from "./linkify.js";

/* Later than this after it was written is worth a word. */
const LATE_MS = 2 * 60 * 1000;

/* Plain text carries no name; it is somebody's program, as likely as not. */
const NO_NAME = "(no name)";

function timeNode({ at, arrived }, isAgain) {
	const late = arrived - at > LATE_MS;
	const title = late ? `Written ${fullTimeOf(at)}, arrived ` +
	    fullTimeOf(arrived) : fullTimeOf(at);

	return el("time", {
		datetime: new Date(at).toISOString(), title,
		class: late ? "late" : isAgain && "again",
	}, late ? `${timeOf(at)}, came ${timeOf(arrived)}` : timeOf(at));
}

function textNode(text) {
	if (text === "")
		return el("p", { class: "text nothing" }, "(nothing)");
	return el("p", { class: "text", dir: "auto" }, ...linkify(text));
}

function introduction(message, name) {
	const who = el("span", { class: "who" },
	    el("bdi", { class: "from" }, name));

	if (message.own)
		who.append(el("span", { class: "tag" }, "you"));
	return who;
}

/*
 * Put a message together.  `before` is the one that it follows in the same
 * breath, or null; `hues` are the room's; `when` stands in the column of the
 * times.
 */
function article(message, before, hues, when) {
	const name = message.from ?? NO_NAME;
	const hue = message.from === null ? "nameless" : hues.classOf(name);
	const node = el("article", { class: "message" });

	node.classList.toggle("follow", before !== null);
	node.classList.toggle("own", message.own);
	node.classList.add(hue);
	if (before)
		node.append(el("span", { class: "visually-hidden" }, `${name}: `));
	else
		node.append(message.from === null ? noGlyph() : glyph(name, hue),
		    introduction(message, name));
	node.append(when, textNode(message.text));
	return node;
}

/* A message that was heard. */
export function messageNode(message, before, hues) {
	const sameMinute = before !== null &&
	    timeOf(before.at) === timeOf(message.at);

	return article(message, before, hues, timeNode(message, sameMinute));
}

/* A message of ours that has not come round: confirmed, under way or refused. */
export function outboxNode(message, before, hues, room) {
	const { problem } = message;

	if (message.confirmed)
		return messageNode(message, before, hues);
	const when = room.state === "open" && !room.isCutOff ? "sending" :
		"waiting";
	const node = article(message, before, hues,
	    el("span", { class: "when" }, problem ? "not sent" : when));

	node.classList.add(problem ? "failed" : "pending");
	if (problem)
		node.append(fateNode(message, room));
	return node;
}

/* What became of a refused message, and what can be done about it. */
function fateNode(message, room) {
	return el("p", { class: "fate" }, message.problem,
	    button("Try again", () => room.retry(message.id)),
	    button("Discard", () => {
		room.discard(message.id);
		announce("Message discarded");
	}));
}

function button(label, action) {
	const node = el("button", { type: "button", class: "quiet" }, label);

	node.addEventListener("click", action);
	return node;
}

/* The line above the first message of a day. */
export function dayNode(at) {
	return el("p", { class: "rule day" }, el("span", {}, dayOf(at)));
}

function gapText({ count, reason }) {
	if (count !== null)
		return count === 1 ? "One message is missing here." :
		    `${count.toLocaleString("en")} messages are missing here.`;
	if (reason === "epoch" || reason === "cluster")
		return "The server was restarted. Messages sent meanwhile may be missing.";
	return "The server has forgotten this room. Messages sent meanwhile may be missing.";
}

/* The line where messages were missed; count is null where nobody knows. */
export function gapNode(gap) {
	return el("p", { class: "rule gap" }, el("span", {}, gapText(gap)));
}
