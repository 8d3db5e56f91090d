// SPDX-License-Identifier: MIT
/*
 * proxies.mjs - the proxies that are tried, each with the configuration that
 * proxies/ has for it.
 *
 * In a configuration 8000 stands for the server's port and 8080 for the proxy's;
 * the runner puts free ports there, and a folder of its own for /run/proxy.
 *
 *	name		of its outcome, and in packages.txt
 *	title		of its line on the page
 *	config		its file
 *	command(file, dir, port)	how it is run in the foreground
 *	lower		time-outs in the file, and what the runner makes of them, so
 *			that idle connections outlast them
 *	reload(file, dir)	a command that has it read its configuration again
 *	env(dir, port)	its environment
 *	secure		it does TLS; it finds a certificate in /run/proxy/pem
 *	note		what to know of it; on the page
 */

import { join } from "node:path";

export const PROXIES = [
	{ name: "nginx", title: "nginx", config: "nginx.conf",
		command: (file, dir) => ["nginx", "-p", dir, "-e", "stderr",
			"-c", file, "-g", `daemon off; pid ${dir}/pid; ` +
			"worker_processes 1;"],
		reload: (file, dir) => ["nginx", "-p", dir, "-e", "stderr",
			"-c", file, "-g", `pid ${dir}/pid;`, "-s", "reload"],
		lower: [["timeout 120s", "timeout 3s"]] },
	{ name: "haproxy", title: "HAProxy", config: "haproxy.cfg",
		command: (file) => ["haproxy", "-db", "-f", file],
		lower: [["60s", "3s"], ["120s", "3s"]],
		note: "Without `option abortonclose` it notices only late that the " +
		    "reader of an event stream has left." },
	{ name: "caddy", title: "Caddy", config: "Caddyfile",
		command: (file) => ["caddy", "run", "--adapter", "caddyfile",
			"--config", file],
		reload: (file) => ["caddy", "reload", "--force", "--adapter",
			"caddyfile", "--config", file],
		env: (dir) => ({ HOME: dir, XDG_CONFIG_HOME: dir,
			XDG_DATA_HOME: dir }),
		note: "Its reload closes all WebSockets, which then come back." },
	{ name: "varnish", title: "Varnish", config: "varnish.vcl",
		command: (file, dir, port) => ["varnishd", "-F", "-n", dir,
			"-a", `127.0.0.1:${port}`, "-f", file,
			"-p", "pipe_timeout=3"],
		note: "`pipe_timeout`, 60 seconds by default, must be longer than " +
		    "`--ping-interval`." },
	{ name: "apache", title: "Apache", config: "apache.conf",
		command: (file, dir) => ["apache2", "-DFOREGROUND", "-d", dir,
			"-f", file],
		lower: [["ProxyTimeout 60", "ProxyTimeout 3"]] },
	{ name: "lighttpd", title: "lighttpd", config: "lighttpd.conf",
		command: (file) => ["lighttpd", "-D", "-f", file],
		lower: [["max-read-idle = 60", "max-read-idle = 3"]] },
	{ name: "nghttpx", title: "nghttpx", config: "nghttpx.conf",
		command: (file) => ["nghttpx", `--conf=${file}`],
		lower: [["timeout=60s", "timeout=3s"]] },
	{ name: "squid", title: "Squid", config: "squid.conf",
		command: (file) => ["squid", "-N", "-f", file],
		lower: [["60 seconds", "3 seconds"]] },
	{ name: "h2o", title: "h2o", config: "h2o.conf",
		command: (file) => ["h2o", "-m", "worker", "-c", file],
		lower: [["io: 60000", "io: 3000"]] },
	{ name: "trafficserver", title: "Traffic Server",
		config: "trafficserver.remap",
		command: () => ["traffic_server"],
		env: (dir, port) => ({ PROXY_CONFIG_HTTP_SERVER_PORTS: `${port}`,
			PROXY_CONFIG_URL_REMAP_PRISTINE_HOST_HDR: "1",
			PROXY_CONFIG_URL_REMAP_FILENAME: join(dir,
			    "trafficserver.remap"),
			PROXY_CONFIG_HTTP_TRANSACTION_NO_ACTIVITY_TIMEOUT_IN: "3",
			PROXY_CONFIG_HTTP_TRANSACTION_NO_ACTIVITY_TIMEOUT_OUT: "3",
			PROXY_CONFIG_HTTP_CACHE_HTTP: "0",
			PROXY_CONFIG_LOCAL_STATE_DIR: dir,
			PROXY_CONFIG_LOG_LOGFILE_DIR: dir,
			PROXY_CONFIG_ADMIN_USER_ID: "#-1" }),
		note: "This is its remap.config; in records.config it takes " +
		    "`proxy.config.url_remap.pristine_host_hdr` 1." },
	{ name: "hitch", title: "hitch", config: "hitch.conf", secure: true,
		command: (file) => ["hitch", "--user=nobody", `--config=${file}`] },
	{ name: "stunnel", title: "stunnel", config: "stunnel.conf", secure: true,
		command: (file) => ["stunnel4", file],
		lower: [["TIMEOUTidle = 60", "TIMEOUTidle = 3"]] },
];
