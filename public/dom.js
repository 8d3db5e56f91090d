// SPDX-License-Identifier: MIT
/*
 * dom.js - make elements from text, never from markup.
 *
 * Every string that reaches the page goes through append() or textContent and
 * so becomes a text node, whatever it contains.  This file has no way to set
 * markup or an event attribute, and nothing else in the chat creates elements.
 */

const SVG = "http://www.w3.org/2000/svg";

function fill(node, attributes, children) {
	for (const [name, value] of Object.entries(attributes)) {
		if (value !== null && value !== undefined && value !== false)
			node.setAttribute(name, value === true ? "" : value);
	}
	node.append(...children);
	return node;
}

/* Make an HTML element; string children become text. */
export function el(tag, attributes = {}, ...children) {
	return fill(document.createElement(tag), attributes, children);
}

/* Make an SVG element. */
export function svg(tag, attributes = {}, ...children) {
	return fill(document.createElementNS(SVG, tag), attributes, children);
}

/* The element of that id, which index.html promises to have. */
export function byId(id) {
	return document.getElementById(id);
}

/* A finger would have the keyboard jump up; there nothing gets the focus. */
export function hasPointer() {
	return matchMedia("(pointer: fine)").matches;
}

/* Tell a screen reader; nothing is to be seen. */
export function announce(text) {
	byId("announcer").textContent = text;
}
