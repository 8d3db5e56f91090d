// SPDX-License-Identifier: MIT
/*
 * tools.mjs - the tools that are tried on a server and on the files that come
 * with it: those of whoever watches, packs, measures or checks it.
 *
 *	name		of its outcome, and in packages.txt
 *	title		of its line on the page
 *	npm		its package, where it is one of npm
 *	play(outcome)	what it is put through
 *	what		what it does here; on the page
 */

import { playGrafana, playShellCheck, playSystemd } from "./tools/files.mjs";
import { playAutocannon, playWrk } from "./tools/http.mjs";
import { playPrometheus } from "./tools/prometheus.mjs";

export const TOOLS = [
	{ name: "prometheus", title: "Prometheus", play: playPrometheus,
		what: "scrapes /metrics, evaluates the alerts, answers the " +
		    "dashboard's queries" },
	{ name: "grafana", title: "Grafana's types", npm: "@grafana/schema",
		play: playGrafana,
		what: "the dashboard, its panels and their options" },
	{ name: "systemd", title: "systemd-analyze", play: playSystemd,
		what: "how exposed the service is, from 0 to 10" },
	{ name: "shellcheck", title: "ShellCheck", play: playShellCheck,
		what: "all scripts" },
	{ name: "autocannon", title: "autocannon", npm: "autocannon",
		play: playAutocannon,
		what: "5,000 requests each on 50 connections" },
	{ name: "wrk", title: "wrk", play: playWrk,
		what: "two seconds each on 50 connections" },
];
