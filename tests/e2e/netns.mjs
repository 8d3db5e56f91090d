// SPDX-License-Identifier: MIT
/*
 * netns.mjs - hosts of a test's own, each a network namespace.
 *
 *	host	has nothing but loopback, whose sockets have small windows and whose
 *		cable can be cut
 *	lan	hosts on one switch, of which any, or any two, can be cut off
 *
 * On the machine's own loopback nothing can be taken away, and a client's kernel
 * takes megabytes before it says that its program reads none of them.
 *
 * A namespace has no name.  It and all that is in it is gone when the last process
 * in it has ended; the shell that keeps it ends with this one, however that ends.
 */

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";

import { run } from "./server.mjs";

/* Who is not root is it in a user namespace, but for what a test runs there: that is
 * this user's again, in another one, for a server of root's has its files elsewhere. */
const ROOT = process.getuid() === 0;
const UNSHARE = ["unshare", ...ROOT ? [] : ["--map-root-user"], "--net"];
const AS_USER = ROOT ? [] : ["unshare", `--map-user=${process.getuid()}`,
	`--map-group=${process.getgid()}`];
const SMALL_WINDOWS = "echo 4096 32768 32768 >/proc/sys/net/ipv4/tcp_rmem";
const UP = "ip link set lo up";

/* Why no test can have a host, or false. */
export const skip = spawnSync(UNSHARE[0],
    [...UNSHARE.slice(1), "sh", "-c", `${UP} && ${SMALL_WINDOWS}`])
    .status === 0 ? false :
	"this user may not make a network namespace, or ip(8) is missing";

/* Why no test can have hosts on a switch, or false: these have a link to the
 * machine's own network. */
export const skipLan = skip !== false ? skip : !ROOT ?
	"only root may join the network of a namespace to this machine's" :
	spawnSync("unshare", ["--net", "sh", "-c",
		"ip link add name a0 type veth peer name a1 && " +
		"ip link add name b0 type bridge"]).status === 0 ? false :
		"this kernel makes no links of veth and bridge";

/* A namespace until the end of the test t, which begins with that.  Returns its
 * keeper's pid, words to put in front of a command that shall run there, and what
 * runs a line of a shell there. */
async function namespace(t, begin) {
	const [program, ...args] = [...UNSHARE, "sh", "-c",
		`${begin} && echo $$ && read end`];
	const child = spawn(program, args,
	    { stdio: ["pipe", "pipe", "inherit"] });
	const [pid] = await once(child.stdout, "data");
	const enter = ["nsenter", "-t", `${Number(pid)}`, "-n",
		...ROOT ? [] : ["-U", "--preserve-credentials"]];

	t.after(async () => {
		const exit = once(child, "exit");

		child.stdin.end("\n");
		await exit;
	});
	return { pid: Number(pid), words: [...enter, ...AS_USER],
		do: (line) => shell(enter, line) };
}

async function shell(words, line) {
	const [program, ...args] = [...words, "sh", "-ec", line];
	const { status, stderr } = await run(program, args);

	if (status !== 0)
		throw new Error(`${line}: ${stderr}`);
}

/*
 * A host, until the end of the test t: words to put in front of a command that
 * shall run there, and what cuts its cable.
 */
export async function host(t) {
	const { words, do: does } = await namespace(t,
	    `${UP} && ${SMALL_WINDOWS}`);

	return { words, cut: () => does("ip link set lo down") };
}

/* Addresses of the links between this machine and its namespaces: two of 198.18/15,
 * which no network has, for each link of this process. */
const DOORS = 2 ** 16;
const DOORS_EACH = 8;
let doors = 0;

function nextDoor() {
	const number = (process.pid * DOORS_EACH + doors) % DOORS * 2;
	const at = (n) => `198.${18 + (n >> 16)}.${n >> 8 & 255}.${n & 255}`;

	return { name: `door${process.pid}-${doors++}`,
		here: at(number), there: at(number + 1) };
}

/* What no network card has: a packet to it gets nowhere. */
const NOBODY = "02:00:00:00:00:99";

/* One host on the switch. */
class LanHost {
	#space;
	#switch;
	#port;

	constructor(space, hub, number, door) {
		this.#space = space;
		this.#switch = hub;
		this.#port = `port${number}`;
		this.words = space.words;
		this.address = `10.0.0.${number}`;
		this.door = door.there;
	}

	/* Nobody on the switch hears it, and it hears nobody. */
	cut() {
		return this.#switch.do(`ip link set ${this.#port} down`);
	}

	heal() {
		return this.#switch.do(`ip link set ${this.#port} up`);
	}

	#neighbour(words, { address }) {
		return this.#space.do(
		    `ip neigh ${words[0]} ${address} dev lan ${words[1]}`);
	}

	/* These two do not hear each other, others hear both. */
	async cutFrom(other) {
		const words = ["replace", `lladdr ${NOBODY} nud permanent`];

		await this.#neighbour(words, other);
		await other.#neighbour(words, this);
	}

	async healTo(other) {
		await this.#neighbour(["del", ""], other);
		await other.#neighbour(["del", ""], this);
	}
}

/* Put a host's two cables in. */
async function plug(t, hub, number) {
	const space = await namespace(t, UP);
	const door = nextDoor();

	t.after(() => spawnSync("ip", ["link", "del", door.name]));
	await shell([], `ip link add name ${door.name} type veth ` +
	    `peer name door netns ${space.pid}
		ip address add ${door.here}/31 dev ${door.name}
		ip link set ${door.name} up`);
	await hub.do(`ip link add name port${number} type veth ` +
	    `peer name lan netns ${space.pid}
		ip link set port${number} master switch up`);
	await space.do(`ip address add ${door.there}/31 dev door
		ip address add 10.0.0.${number}/24 dev lan
		ip link set door up
		ip link set lan up`);
	return new LanHost(space, hub, number, door);
}

/*
 * So many hosts on one switch, until the end of the test t.  Each has words to put
 * in front of a command that shall run there, an address on the switch, and one,
 * its door, for clients on this machine, whom no cut touches.
 */
export async function lan(t, n) {
	const hub = await namespace(t, `${UP} &&
		ip link add name switch type bridge forward_delay 0 &&
		ip link set switch up`);

	return Promise.all(Array.from({ length: n },
	    (_, i) => plug(t, hub, i + 1)));
}
