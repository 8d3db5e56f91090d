// SPDX-License-Identifier: MIT
/*
 * talk.js - wires together what happens in rooms.
 *
 * The address says what is in front: `#room=NAME` a room, `#` the lobby,
 * `#you` the form for another name.  Whatever wants to go somewhere sets
 * the address and nothing else; route() does the rest, for links, for buttons
 * and for the browser's own back button alike.
 *
 *	address bar --route()--> Lobby | RoomView + Composer   what is in front
 *	Rooms -> Room -> pubsub.js                             what is going on
 *	            `--events--> LogView, rooms-view           what is seen of it
 *
 * chat.js starts it, and tells it what the visitor wants in the lobby.
 */

import { byId, hasPointer } from "./dom.js";
import { Composer } from "./composer.js";
import { RoomView } from "./room-view.js";
import { Rooms } from "./rooms.js";
import { RoomsView, drawBadge, drawMe, unreadText } from "./rooms-view.js";
import { kept } from "./storage.js";
import { Leaving } from "./leaving.js";
import { roomFromHash, roomHash } from "./address.js";
import { soon } from "./turn.js";

const TITLE = document.title;

/* How often is counted who is in the room in front: nobody tells us who comes,
 * and "only you" is soon wrong. */
const COUNT_MS = 10 * 1000;
const COUNT_ALONE_MS = 2 * 1000;

const rooms = new Rooms((room) => room === (current ?? behind));
const side = new RoomsView();
const view = new RoomView();
const composer = new Composer(() => myName);
const leaving = new Leaving();
let lobby = null;
let myName = "";
let current = null; /* the room in front */
let countTimer = 0;
let behind = null; /* the room that #you came in front of */

const draw = soon(() => {
	const unread = rooms.unread;
	const place = current ? `${current.name} · ${TITLE}` : TITLE;

	document.title = unread > 0 ? `(${unreadText(unread)}) ${place}` : place;
	drawBadge(byId("back-unread"), unread);
	side.draw(current, location.hash);
});

/* Who has a name is in the rooms of their last visit. */
function callMe(name) {
	const isFirst = myName === "";

	if (name === "" || name === myName)
		return;
	myName = name;
	if (!isFirst)
		rooms.renamed();
	lobby.setName(name);
	drawMe(name);
	if (isFirst)
		rooms.restore();
}

function setName(name) {
	kept.set("name", name);
	callMe(name);
}

/* Is the reader looking at this room? */
function isRead(room) {
	return room === current && !document.hidden;
}

function markRead() {
	if (current && isRead(current))
		current.unread = 0;
	draw();
}

/* Nobody looks at the other rooms, so nobody counts there. */
function countPeople() {
	if (current && isRead(current))
		current.countPeople();
}

function countPeopleLater() {
	clearTimeout(countTimer);
	countTimer = setTimeout(countPeople,
	    current?.people > 1 ? COUNT_MS : COUNT_ALONE_MS);
}

function bring(room) {
	current = room;
	document.body.dataset.view = room ? "room" : "lobby";
	byId("room").hidden = room === null;
	byId("lobby").hidden = room !== null;
	view.show(room);
	composer.show(room);
	markRead();
	countPeople();
}

function route() {
	const name = roomFromHash(location.hash);

	behind = current ?? behind;
	if (lobby.showFor(location.hash, myName))
		enterLobby();
	else if (location.hash === "#you")
		enterRenaming();
	else if (leaving.hasLeft(name) && !rooms.get(name))
		enterLobby(() => lobby.offerAgain(name));
	else
		enterRoom(name);
}

function enterLobby(show = () => {}) {
	behind = null;
	bring(null);
	show();
	lobby.focus();
}

function enterRenaming() {
	bring(null);
	document.body.dataset.view = "you";
	lobby.showRename(myName);
}

function enterRoom(name) {
	bring(rooms.join(name));
	if (hasPointer())
		composer.focus();
}

/* Back from #you, which is not to be gone back to. */
function goBack() {
	location.replace(behind ? roomHash(behind.name) : "#");
}

async function leave() {
	const room = current;

	if (!await leaving.isMeant(room))
		return;
	const next = rooms.neighbour(room, -1);

	leaving.left(room.name);
	rooms.leave(room);
	if (room === current)
		location.replace(next === room ? "#" : roomHash(next.name));
}

function walk(event) {
	const delta = { ArrowUp: -1, ArrowDown: 1 }[event.key];

	if (!event.altKey || !delta || rooms.all().length === 0)
		return;
	event.preventDefault();
	location.hash = roomHash(rooms.neighbour(current, delta).name);
}

function listenToRooms() {
	rooms.addEventListener("joined", ({ detail: room }) => {
		side.add(room);
		view.add(room, myName);
		room.addEventListener("state", () => {
			draw();
			countPeople();
		});
		room.addEventListener("message", ({ detail: message }) => {
			if (message.isNews && !isRead(room))
				room.unread++;
			draw();
			if (room.isNewVoice(message))
				countPeople();
		});
		room.addEventListener("people", countPeopleLater);
		draw();
	});
	rooms.addEventListener("left", ({ detail: room }) => {
		side.remove(room);
		view.remove(room);
		composer.forget(room);
	});
}

function listenToVisitor() {
	composer.addEventListener("sent", () => view.log.toEnd());
	composer.addEventListener("page", ({ detail }) => view.log.page(detail));
	byId("keep-name").addEventListener("click", goBack);
	byId("leave").addEventListener("click", leave);
	document.addEventListener("keydown", walk);
}

function listenToBrowser() {
	window.addEventListener("hashchange", route);
	for (const type of ["online", "focus"])
		window.addEventListener(type, () => rooms.wake());
	window.addEventListener("pagehide", () => rooms.save());
	kept.watch("name", () => {
		callMe(kept.get("name", ""));
		if (byId("naming").checkVisibility())
			route();
	});
	document.addEventListener("visibilitychange", () => {
		markRead();
		countPeople();
		if (!document.hidden)
			rooms.wake();
	});
}

/* The visitor wants to be called so. */
export function rename(name) {
	setName(name);
	goBack();
}

/* The visitor wants to go into a room, and be called so. */
export function enter({ name, room }) {
	setName(name);
	leaving.isBack(room);
	if (location.hash === roomHash(room))
		route();
	else
		location.hash = roomHash(room);
}

/* Begin, with a lobby that may be in use already. */
export function start(theLobby) {
	lobby = theLobby;
	listenToRooms();
	listenToVisitor();
	listenToBrowser();
	callMe(kept.get("name", ""));
	for (const button of document.querySelectorAll("button:disabled"))
		button.disabled = false;
	route();
}
