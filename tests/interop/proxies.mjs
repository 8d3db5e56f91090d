// SPDX-License-Identifier: MIT
/*
 * proxies.mjs - the proxies that are tried, each with the configuration that
 * proxies/ has for it.
 *
 * In a configuration 8000 stands for the server's port, 8080 for the proxy's, and
 * 8443 for that with TLS; the runner puts free ports there, a folder of its own
 * for /run/proxy, and a certificate into /run/proxy/pem.
 *
 *	name		of its outcome, and in packages.txt
 *	title		of its line on the page
 *	config		its file
 *	command(file, dir, port, lowered)	how it is run in the foreground;
 *			lowered: with time-outs of 3 s
 *	lower		time-outs in the file, and what the runner makes of them, so
 *			that idle connections outlast them
 *	reload		how it reads its configuration again: by a signal, or a
 *			command(file, dir) that does it; done: all that it says
 *			then, to its standard output or error or into that log
 *	varies		of each step whose outcome is a matter of chance, why
 *	givesUp		it has a time-out for a client that does not acknowledge what
 *			it is sent
 *	env(dir, port, securePort, lowered)	its environment
 *	secure		it does TLS only
 *	http2		it does HTTP/2, on 8443
 *	beside		other files in /run/proxy, and their text
 *	strangers	the status that it has for a host which it does not serve, if
 *			that is not 404
 *	forwards	it tells its clients by X-Forwarded-For
 *	balancer	what of all this is other where it tells them by the PROXY
 *			protocol
 *	note		what to know of it; on the page
 */

import { join } from "node:path";

/* Files of Traffic Server: this one, and what stands in its records.config. */
const MULTICERT = "ssl_cert_name=pem ssl_key_name=pem dest_ip=*\n";

const trafficServer = (dir, port, securePort, lowered) => ({
	PROXY_CONFIG_HTTP_SERVER_PORTS: `${port} ${securePort}:ssl`,
	PROXY_CONFIG_SSL_SERVER_MULTICERT_FILENAME:
		join(dir, "ssl_multicert.config"),
	PROXY_CONFIG_SSL_SERVER_CERT_PATH: dir,
	PROXY_CONFIG_SSL_SERVER_PRIVATE_KEY_PATH: dir,
	PROXY_CONFIG_URL_REMAP_PRISTINE_HOST_HDR: "1",
	PROXY_CONFIG_URL_REMAP_FILENAME: join(dir, "trafficserver.remap"),
	...lowered && {
		PROXY_CONFIG_HTTP_TRANSACTION_NO_ACTIVITY_TIMEOUT_IN: "3",
		PROXY_CONFIG_HTTP_TRANSACTION_NO_ACTIVITY_TIMEOUT_OUT: "3",
	},
	PROXY_CONFIG_HTTP_CACHE_HTTP: "0",
	PROXY_CONFIG_LOCAL_STATE_DIR: dir,
	PROXY_CONFIG_LOG_LOGFILE_DIR: dir,
	PROXY_CONFIG_ADMIN_USER_ID: "#-1",
});

export const PROXIES = [
	{ name: "nginx", title: "nginx", config: "nginx.conf", forwards: true, http2: true,
		command: (file, dir) => ["nginx", "-p", dir, "-e", "stderr",
			"-c", file, "-g", `daemon off; pid ${dir}/pid; ` +
			"worker_processes 1; error_log stderr notice;"],
		reload: { signal: "SIGHUP", done: ["gracefully shutting down"] },
		lower: [["timeout 120s", "timeout 3s"]],
		balancer: { config: "nginx-stream.conf" } },
	{ name: "haproxy", title: "HAProxy", config: "haproxy.cfg", forwards: true, http2: true,
		command: (file) => ["haproxy", "-W", "-db", "-f", file],
		reload: { signal: "SIGUSR2", done: ["Proxy pubsubd stopped"] },
		lower: [["60s", "3s"], ["120s", "3s"]],
		givesUp: true,
		balancer: { config: "haproxy-tcp.cfg", lower: [] },
		note: "Without `option abortonclose` it notices only late that the " +
		    "reader of an event stream has left." },
	{ name: "caddy", title: "Caddy", config: "Caddyfile", forwards: true, http2: true,
		strangers: 200, /* and empty; on its port with TLS */
		command: (file) => ["caddy", "run", "--adapter", "caddyfile",
			"--config", file],
		reload: { command: (file) => ["caddy", "reload", "--force",
			"--adapter", "caddyfile", "--config", file] },
		env: (dir) => ({ HOME: dir, XDG_CONFIG_HOME: dir,
			XDG_DATA_HOME: dir }),
		note: "Its reload closes all WebSockets, which then come back; " +
		    "streams go on." },
	{ name: "varnish", title: "Varnish", config: "varnish.vcl", forwards: true,
		command: (file, dir, port, lowered) => ["varnishd", "-F",
			"-n", dir, "-a", `127.0.0.1:${port}`, "-f", file,
			...lowered ? ["-p", "pipe_timeout=3"] : []],
		reload: { command: (file, dir) => ["sh", "-ec",
			`varnishadm -t 60 -n "$1" vcl.load again$$ "$2"
			varnishadm -t 60 -n "$1" vcl.use again$$`, "sh", dir, file] },
		balancer: { config: "varnish-proxy.vcl" },
		note: "`pipe_timeout`, 60 seconds by default, must be longer than " +
		    "`--ping-interval`." },
	{ name: "apache", title: "Apache", config: "apache.conf", forwards: true, http2: true,
		command: (file, dir) => ["apache2", "-DFOREGROUND", "-d", dir,
			"-f", file],
		reload: { signal: "SIGUSR1", log: "error.log",
			done: ["resuming normal operations"] },
		lower: [["ProxyTimeout 60", "ProxyTimeout 3"]],
		note: "`H2WebSockets` is left off, as it is by default: over HTTP/2 " +
		    "Apache keeps what the server sends with its 101, so " +
		    "`pubsubd.v1`'s welcome, until the server sends more." },
	{ name: "lighttpd", title: "lighttpd", config: "lighttpd.conf", forwards: true, http2: true,
		command: (file) => ["lighttpd", "-D", "-f", file],
		reload: { signal: "SIGUSR1", done: ["server started"] },
		lower: [["max-read-idle = 60", "max-read-idle = 3"]] },
	{ name: "nghttpx", title: "nghttpx", config: "nghttpx.conf", forwards: true, http2: true,
		command: (file) => ["nghttpx", `--conf=${file}`],
		reload: { signal: "SIGHUP", done: ["Graceful shutdown commencing"] },
		lower: [["timeout=60s", "timeout=3s"]] },
	{ name: "squid", title: "Squid", config: "squid.conf", forwards: true,
		command: (file) => ["squid", "-N", "-f", file],
		reload: { signal: "SIGHUP", log: "cache.log",
			done: ["Accepting reverse-proxy HTTP Socket"] },
		varies: { "while it reloads": "its port is closed for a moment, " +
		    "and requests under way get 502" },
		lower: [["60 seconds", "3 seconds"]] },
	{ name: "h2o", title: "h2o", config: "h2o.conf", forwards: true, http2: true,
		command: (file) => ["h2o", "-m", "master", "-c", file],
		reload: { signal: "SIGHUP", done: ["gracefully shutting down"] },
		lower: [["io: 60000", "io: 3000"]],
		balancer: { config: "h2o-proxy.conf" } },
	{ name: "trafficserver", title: "Traffic Server",
		config: "trafficserver.remap", forwards: true, http2: true,
		command: () => ["traffic_server"],
		env: trafficServer,
		beside: { "ssl_multicert.config": MULTICERT },
		balancer: { config: "trafficserver.remap",
			env: (...args) => ({ ...trafficServer(...args),
				PROXY_CONFIG_HTTP_PROXY_PROTOCOL_OUT: "2" }),
			note: "in records.config `proxy.config.http." +
			    "proxy_protocol_out` is 2 then." },
		note: "This is its remap.config; in records.config it takes " +
		    "`proxy.config.url_remap.pristine_host_hdr` 1, for TLS a " +
		    "port `8443:ssl` in `proxy.config.http.server_ports`, and " +
		    "in ssl_multicert.config a line such as " +
		    `\`${MULTICERT.trim()}\`.` },
	{ name: "hitch", title: "hitch", config: "hitch.conf", secure: true,
		command: (file) => ["hitch", "--user=nobody", `--config=${file}`],
		reload: { signal: "SIGHUP",
			done: ["State EXITING", "Process 0 online"] },
		varies: { "while it reloads": "its old worker closes the port, " +
		    "at once or before the new one has opened it" },
		balancer: { config: "hitch-proxy.conf" } },
	{ name: "stunnel", title: "stunnel", config: "stunnel.conf", secure: true,
		command: (file) => ["stunnel4", file],
		reload: { signal: "SIGHUP", done: ["Configuration successful"] },
		varies: { "while it reloads": "it closes its port and opens it " +
		    "again, and who connects just then is reset" },
		lower: [["TIMEOUTidle = 60", "TIMEOUTidle = 3"]],
		balancer: { config: "stunnel-proxy.conf" } },
];
