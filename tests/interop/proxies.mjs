// SPDX-License-Identifier: MIT
/*
 * proxies.mjs - the proxies that are tried, each with the configuration that
 * proxies/ has for it.
 *
 * In a configuration 127.0.0.1:8000 stands for the server and port 8080 for the
 * proxy's own; the runner puts free ports there, and a folder of its own for
 * /run/proxy.
 *
 *	name		of its outcome, and in packages.txt
 *	title		of its line on the page
 *	config		its file
 *	command(file, dir)	how it is run in the foreground
 *	lower		what stands in the file for a time-out in seconds, which
 *			the runner lowers, so that idle connections outlast it
 *	reload(file, dir)	a command that has it read its configuration again
 *	env(dir)	its environment
 *	note		what to know of it; on the page
 */

export const PROXIES = [
	{ name: "nginx", title: "nginx", config: "nginx.conf",
		command: (file, dir) => ["nginx", "-p", dir, "-e", "stderr",
			"-c", file, "-g", `daemon off; pid ${dir}/pid; ` +
			"worker_processes 1;"],
		reload: (file, dir) => ["nginx", "-p", dir, "-e", "stderr",
			"-c", file, "-g", `pid ${dir}/pid;`, "-s", "reload"],
		lower: ["120s"] },
	{ name: "haproxy", title: "HAProxy", config: "haproxy.cfg",
		command: (file) => ["haproxy", "-db", "-f", file],
		lower: ["60s", "120s"],
		note: "Without `option abortonclose` it notices only late that the " +
		    "reader of an event stream has left." },
	{ name: "caddy", title: "Caddy", config: "Caddyfile",
		command: (file) => ["caddy", "run", "--adapter", "caddyfile",
			"--config", file],
		reload: (file) => ["caddy", "reload", "--force", "--adapter", "caddyfile",
			"--config", file],
		env: (dir) => ({ HOME: dir, XDG_CONFIG_HOME: dir,
			XDG_DATA_HOME: dir }) },
];
