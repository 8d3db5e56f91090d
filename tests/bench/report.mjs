// SPDX-License-Identifier: MIT
/* report.mjs - the figures as one page that needs nothing beside it. */

import { escape, svg } from "./svg.mjs";

const STYLE = `
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem;
	padding: 0 1rem; color: #1c1917; background: #fff; }
table { border-collapse: collapse; margin: .5rem 0 2rem; }
th, td { border-bottom: 1px solid #e7e5e4; padding: .25rem .75rem;
	text-align: right; vertical-align: top; }
th:first-child, td:first-child { text-align: left; }
small { color: #78716c; }
.reached { color: #15803d; }
.missed { color: #b91c1c; font-weight: bold; }
svg { max-width: 100%; height: auto; }
`;

/* Three digits, but whole numbers whole. */
function number(value) {
	if (value === 0)
		return "0";
	if (Math.abs(value) >= 100)
		return Math.round(value).toLocaleString("en");
	return value.toPrecision(3);
}

function cell(value) {
	if (value === null || value === undefined)
		return "–";
	if (value.error !== undefined)
		return `<small title="${escape(value.error)}">failed</small>`;
	if (typeof value !== "object")
		return escape(typeof value === "number" ? number(value) : value);
	const interval = value.n > 1 ? ` <small>${number(value.low)}–${
		number(value.high)}</small>` : "";

	return `<span title="${value.n} rounds">${number(value.median)}` +
	    `${interval}</span>`;
}

function table({ title, head, lines }) {
	const rows = lines.map((line) =>
		`<tr>${line.map((v) => `<td>${cell(v)}</td>`).join("")}</tr>`);

	return `<h3>${escape(title)}</h3><table><tr>${head.map((h) =>
		`<th>${escape(h)}</th>`).join("")}</tr>${rows.join("")}</table>`;
}

function goals(list) {
	const rows = list.map((goal) => `<tr><td>${escape(goal.what)}` +
	    `${goal.note ? `<br><small>${escape(goal.note)}</small>` : ""}</td>` +
	    `<td>${goal.atLeast ? "≥" : "≤"} ${number(goal.goal)}</td>` +
	    `<td>${cell(goal.median === undefined ? null : goal)}</td>` +
	    `<td class="${goal.verdict}">${goal.verdict}</td></tr>`);

	return `<table><tr><th>goal</th><th></th><th>measured</th><th></th></tr>${
		rows.join("")}</table>`;
}

export function html(report) {
	const m = report.machine;

	return `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>pubsubd: figures</title><style>${STYLE}</style></head><body>
<h1>pubsubd: figures</h1>
<p>${escape(m.version)}, ${m.cpus} × ${escape(m.cpu)}, ${m.memoryGiB} GiB, Linux
${escape(m.kernel)}, ${escape(m.date)}; ${report.seconds} s${
	report.quick ? ", <b>quick: few and short rounds</b>" : ""}.
Load average before ${m.load.toFixed(2)}, after ${m.loadAfter.toFixed(2)}.</p>
<p>Every figure is the median of its rounds, beside it the interval that holds
the true median nine times in ten (of fewer than five rounds: all of them).
What is compared was measured in turn, and ratios are taken within a round; a
goal is reached when its interval touches it, and undecided when it does so only
by being wide.  Servers run on one processor, the
generator on another; CPU is the scheduler's count for all processes of a server.
The <i>floor</i> is the least that any such server must do: one ready-made buffer
and one send() per subscriber for what was read at once.  What is said of
uWebSockets was measured once, elsewhere, with the same method, and is no part of
this run.</p>
${report.notes.length > 0 ? `<ul>${report.notes.map((note) =>
	`<li>${escape(note)}</li>`).join("")}</ul>` : ""}
<h2>Goals</h2>
${goals(report.goals)}
<h2>Plots</h2>
${report.plots.map(svg).join("\n")}
<h2>Figures</h2>
${report.tables.map(table).join("\n")}
</body></html>
`;
}
