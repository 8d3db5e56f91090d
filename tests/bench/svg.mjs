// SPDX-License-Identifier: MIT
/*
 * svg.mjs - plots as SVG text: lines with their intervals, and bars.
 *
 * No script and no style sheet: the pictures stand by themselves, in the
 * report, in a README, on paper.
 */

const WIDTH = 640;
const HEIGHT = 360;
const LEFT = 64;
const RIGHT = 150;
const TOP = 34;
const BOTTOM = 48;
const PLACES_MAX = 12;
const COLORS = { "floor": "#8a8f98", "pubsubd": "#c2410c",
	"nginx+nchan": "#15803d", "nats-server": "#1d4ed8" };
const OTHER = "#7c3aed";

export function escape(text) {
	return String(text).replace(/[&<>"]/gu, (c) =>
		({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]);
}

function text(x, y, value, more = "") {
	return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${more}>` +
	    `${escape(value)}</text>`;
}

function label(value) {
	if (value >= 1e6)
		return `${value / 1e6}M`;
	if (value >= 1000)
		return `${value / 1000}k`;
	return String(Number(value.toPrecision(3)));
}

/* Where the grid is, from least to most: powers of ten with 2 and 5, or steps
 * of a round number. */
function ticks(least, most, log) {
	const found = [];

	if (log) {
		for (let power = Math.floor(Math.log10(least));
		    power <= Math.ceil(Math.log10(most)); power++)
			for (const digit of [1, 2, 5])
				found.push(digit * 10 ** power);
		const inside = found.filter((v) => v >= least && v <= most);

		return inside.length > 9 ? inside.filter((v) =>
			Number.isInteger(Math.round(Math.log10(v) * 1e6) / 1e6)) :
			inside;
	}
	const step = [1, 2, 5, 10].map((d) =>
		d * 10 ** Math.floor(Math.log10(most / 5)))
	    .find((s) => most / s <= 7);

	for (let value = 0; value <= most + step / 1e6; value += step)
		found.push(value);
	return found;
}

/* Where the grid is along the points themselves: at each, while that can be
 * read. */
function places(xs) {
	const all = [...new Set(xs)];
	const least = Math.min(...xs);

	return all.length <= PLACES_MAX ? all :
		ticks(least, Math.max(...xs), false).filter((v) => v >= least);
}

/* A scale: from values to pixels. */
function scale(least, most, from, to, log) {
	const f = log ? Math.log10 : (v) => v;

	return (value) => from + (f(value) - f(least)) /
	    (f(most) - f(least) || 1) * (to - from);
}

function frame(plot, inner) {
	return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ` +
	    `${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" ` +
	    `aria-label="${escape(plot.title)}" font-family="sans-serif" ` +
	    `font-size="11"><rect width="${WIDTH}" height="${HEIGHT}" ` +
	    `fill="#fff"/>${text(LEFT, 20, plot.title,
		'font-size="14" font-weight="bold"')}${inner}</svg>`;
}

function axes(plot, xTicks, yTicks, x, y) {
	const bottom = HEIGHT - BOTTOM;
	const right = WIDTH - RIGHT;
	const lines = [...yTicks.map((v) => `<line x1="${LEFT}" x2="${right}" ` +
	    `y1="${y(v).toFixed(1)}" y2="${y(v).toFixed(1)}" stroke="#ddd"/>` +
	    text(LEFT - 6, y(v) + 4, label(v), 'text-anchor="end"')),
	...xTicks.map(([v, name]) => `<line y1="${TOP}" y2="${bottom}" ` +
	    `x1="${x(v).toFixed(1)}" x2="${x(v).toFixed(1)}" stroke="#eee"/>` +
	    text(x(v), bottom + 16, name, 'text-anchor="middle"'))];

	return lines.join("") + text((LEFT + right) / 2, HEIGHT - 12, plot.x ?? "",
	    'text-anchor="middle"') + text(0, 0, plot.y ?? "",
	    `text-anchor="middle" transform="translate(16 ${(TOP + bottom) / 2
	    }) rotate(-90)"`);
}

function line(series, index, x, y) {
	const color = series.color ?? COLORS[series.name] ?? OTHER;
	const points = series.points.filter(([, v]) => Number.isFinite(v));
	const at = points.map(([px, v]) =>
		`${x(px).toFixed(1)},${y(v).toFixed(1)}`);
	const marks = points.map(([px, v, low, high]) => {
		const bar = low === undefined ? "" : `<line x1="${x(px).toFixed(1)
		}" x2="${x(px).toFixed(1)}" y1="${y(low).toFixed(1)}" ` +
		    `y2="${y(high).toFixed(1)}" stroke="${color}"/>`;

		return `${bar}<circle cx="${x(px).toFixed(1)}" ` +
		    `cy="${y(v).toFixed(1)}" r="3" fill="${color}">` +
		    `<title>${escape(`${series.name}: ${label(px)}, ${label(v)}`)
		    }</title></circle>`;
	});
	const legend = TOP + 10 + 18 * index;

	return `<polyline points="${at.join(" ")}" fill="none" ` +
	    `stroke="${color}" stroke-width="2"/>${marks.join("")}` +
	    `<rect x="${WIDTH - RIGHT + 14}" y="${legend - 8}" width="10" ` +
	    `height="10" fill="${color}"/>${text(WIDTH - RIGHT + 30, legend + 1,
		series.name)}`;
}

/* Quantiles stand where the share that exceeds them has its logarithm. */
const nines = (percent) => -Math.log10(1 - percent / 100);

function lines(plot) {
	const quantiles = plot.kind === "quantiles";
	const series = plot.series.map((one) => ({ ...one,
		points: quantiles ? one.points.map(([p, ...v]) => [nines(p), ...v])
		                  : one.points }));
	const points = series.flatMap((one) => one.points)
	    .filter(([, v]) => Number.isFinite(v));

	if (points.length === 0)
		return frame(plot, text(LEFT, HEIGHT / 2, "nothing was measured"));
	const xs = points.map(([v]) => v);
	const low = Math.min(...points.flatMap(([, v, l]) => [v, l ?? v]));
	const high = Math.max(...points.flatMap(([, v,, h]) => [v, h ?? v]));
	const least = plot.logY ? low / 1.3 : 0;
	const most = high * (plot.logY ? 1.3 : 1.1);
	const x = scale(Math.min(...xs), Math.max(...xs), LEFT + 12,
	    WIDTH - RIGHT - 12, plot.logX && !quantiles);
	const y = scale(least, most, HEIGHT - BOTTOM, TOP, plot.logY);
	const names = quantiles ? plot.series[0].points.map(([p]) =>
		[nines(p), `${p} %`]) : places(xs).map((v) => [v, label(v)]);

	return frame(plot, axes(plot, names, ticks(least, most, plot.logY), x, y) +
	    series.map((one, i) => line(one, i, x, y)).join(""));
}

function bars(plot) {
	const known = plot.bars.filter(([, v]) => Number.isFinite(v));
	const most = Math.max(1, ...known.map(([, v]) => v)) * 1.1;
	const y = scale(0, most, HEIGHT - BOTTOM, TOP, false);
	const step = (WIDTH - RIGHT - LEFT) / Math.max(1, known.length);
	const shapes = known.map(([name, v], i) => {
		const top = y(Math.max(0, v));

		return `<rect x="${(LEFT + (i + 0.2) * step).toFixed(1)}" ` +
		    `y="${top.toFixed(1)}" width="${(step * 0.6).toFixed(1)}" ` +
		    `height="${(HEIGHT - BOTTOM - top).toFixed(1)}" ` +
		    `fill="${COLORS[name] ?? OTHER}"/>` +
		    text(LEFT + (i + 0.5) * step, HEIGHT - BOTTOM + 16, name,
			'text-anchor="middle"') +
		    text(LEFT + (i + 0.5) * step, top - 5,
			Math.round(v).toLocaleString("en"),
			'text-anchor="middle"');
	});

	return frame(plot,
	    axes(plot, [], ticks(0, most, false), (v) => v, y) + shapes.join(""));
}

export function svg(plot) {
	return plot.kind === "bars" ? bars(plot) : lines(plot);
}
