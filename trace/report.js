"use strict";
(() => {
const data = JSON.parse(document.getElementById("data").textContent);
const modes = ["real", "vm86", "protected", "long", "unknown"], engines = ["emu", "kvm", "unknown"];
const modeTitles = ["real mode", "virtual-8086 mode", "protected mode", "long mode", "not recorded"];
const engineTitles = ["emulator", "KVM", "not recorded"];
const byId = id => document.getElementById(id);

/* Changes and calls come as differences. times[0] is guest time, times[1] host time. */
const count = data.changes.length / 3;
const times = [new Float64Array(count + 1), new Float64Array(count + 1)], states = new Uint8Array(count);
for (let i = 0, g = 0, h = 0; i < count; i++) {
	times[0][i] = g += data.changes[3 * i];
	times[1][i] = h += data.changes[3 * i + 1];
	states[i] = data.changes[3 * i + 2];
}
times[0][count] = Math.max(data.end[0], count ? times[0][count - 1] : 0);
times[1][count] = Math.max(data.end[1], count ? times[1][count - 1] : 0);
const calls = data.calls.length / 4;
const callTimes = [new Float64Array(calls), new Float64Array(calls)];
for (let i = 0, g = 0, h = 0; i < calls; i++) {
	callTimes[0][i] = g += data.calls[4 * i];
	callTimes[1][i] = h += data.calls[4 * i + 1];
}

let axis = 0, from = 0, to = 0;
const whole = () => Math.max(times[axis][count], 1);

function time(ns, unit) {
	const size = unit || ns, units = [[1e9, "s"], [1e6, "ms"], [1e3, "µs"], [1, "ns"]];
	const [factor, name] = units.find(u => size >= u[0]) || units[3];
	const value = ns / factor, digits = factor === 1 ? 0 : unit ? Math.max(0, Math.min(6, 1 - Math.floor(Math.log10(unit / factor / 100)))) : value >= 100 ? 0 : value >= 10 ? 1 : 2;
	return value.toFixed(digits) + " " + name;
}

/* The last entry at or before `t`. */
function find(list, length, t) {
	let low = 0, high = length;
	while (low < high) {
		const middle = (low + high) >> 1;
		if (list[middle] <= t) low = middle + 1; else high = middle;
	}
	return low - 1;
}

const space = "http://www.w3.org/2000/svg";
function draw(parent, name, attributes, text) {
	const element = document.createElementNS(space, name);
	for (const key in attributes) element.setAttribute(key, attributes[key]);
	if (text !== undefined) element.textContent = text;
	parent.appendChild(element);
	return element;
}

/* --- timeline --- */

const lanes = byId("lanes"), map = byId("map"), left = 74, right = 10;
const width = () => Math.max(lanes.clientWidth - left - right, 50);

/* What part of each of `columns` each state has. */
function shares(start, end, columns, key, kinds) {
	const result = Array.from({ length: columns }, () => new Float64Array(kinds));
	const step = (end - start) / columns, list = times[axis];
	let i = Math.max(find(list, count, start), 0);
	for (; i < count && list[i] < end; i++) {
		const a = Math.max(list[i], start), b = Math.min(list[i + 1], end), kind = key(states[i]);
		let column = Math.min(Math.floor((a - start) / step), columns - 1);
		for (; column < columns && start + column * step < b; column++) {
			const part = Math.min(b, start + (column + 1) * step) - Math.max(a, start + column * step);
			if (part > 0) result[column][kind] += part / step;
		}
	}
	return result;
}

function drawStates(svg, y, height, start, end, x0, total, key, names) {
	const columns = Math.floor(total), parts = shares(start, end, columns, key, names.length);
	for (let kind = 0; kind < names.length; kind++) {
		let path = "", run = -1, last = "";
		for (let c = 0; c <= columns; c++) {
			let now = "";
			if (c < columns && parts[c][kind] > 0.002) {
				let top = 0;
				for (let k = 0; k < kind; k++) top += parts[c][k];
				now = (y + top * height).toFixed(1) + "v" + Math.max(parts[c][kind] * height, 0.5).toFixed(1);
			}
			if (now === last) continue;
			if (last) {
				const [at, tall] = last.split("v");
				path += `M${x0 + run},${at}v${tall}h${c - run}v-${tall}z`;
			}
			run = c;
			last = now;
		}
		if (path) draw(svg, "path", { d: path, fill: `var(--${names[kind]})`, class: "seg" });
	}
}

function drawCalls(svg, y, height) {
	const total = width(), columns = Math.floor(total), heights = new Uint32Array(columns), step = (to - from) / columns;
	let most = 1;
	for (let i = Math.max(find(callTimes[axis], calls, from - 1e-9), 0); i < calls && callTimes[axis][i] <= to; i++) {
		if (callTimes[axis][i] < from) continue;
		const column = Math.min(Math.floor((callTimes[axis][i] - from) / step), columns - 1);
		most = Math.max(most, heights[column] += data.calls[4 * i + 2]);
	}
	let path = "";
	for (let c = 0; c < columns; c++) if (heights[c]) {
		const tall = Math.max(2, height * Math.log1p(heights[c]) / Math.log1p(most));
		path += `M${left + c},${(y + height).toFixed(1)}v-${tall.toFixed(1)}h1v${tall.toFixed(1)}z`;
	}
	if (path) draw(svg, "path", { d: path, fill: "var(--call)", class: "seg" });
	draw(svg, "text", { x: left - 8, y: y + 24, "text-anchor": "end" }, "≤ " + most);
}

function drawAxis(svg, bottom) {
	const total = width(), span = to - from, raw = span / (total / 110), power = Math.pow(10, Math.floor(Math.log10(raw)));
	const step = [1, 2, 5, 10].map(n => n * power).find(n => n >= raw) || raw;
	for (let t = Math.ceil(from / step) * step; t <= to; t += step) {
		const x = left + (t - from) / span * total;
		draw(svg, "line", { x1: x, x2: x, y1: 8, y2: bottom, class: "grid" });
		const atEnd = x > left + total - 24;
		draw(svg, "text", { x: atEnd ? left + total : x, y: bottom + 15, "text-anchor": atEnd ? "end" : "middle" }, t ? time(t, step * 100) : "0");
	}
}

const rows = [
	{ name: "mode", y: 12, height: 46 }, { name: "engine", y: 68, height: 30 }, { name: "calls", y: 108, height: 46 },
];

function paint() {
	const total = width();
	lanes.replaceChildren();
	lanes.setAttribute("viewBox", `0 0 ${total + left + right} 190`);
	drawAxis(lanes, 164);
	for (const row of rows) draw(lanes, "text", { x: left - 8, y: row.y + (row.name === "calls" ? 12 : row.height / 2 + 4), "text-anchor": "end", class: "name" }, row.name);
	drawStates(lanes, 12, 46, from, to, left, total, s => Math.floor(s / 3), modes);
	drawStates(lanes, 68, 30, from, to, left, total, s => s % 3, engines);
	drawCalls(lanes, 108, 46);
	byId("range").textContent = `${time(from, to)} to ${time(to)}: ${time(to - from)}`;
	paintMap();
}

let mapAxis = -1, mapWidth = 0, mapWindow = null;
function paintMap() {
	const total = width();
	if (mapAxis !== axis || mapWidth !== total) {
		map.replaceChildren();
		map.setAttribute("viewBox", `0 0 ${total + left + right} 26`);
		drawStates(map, 5, 16, 0, whole(), left, total, s => Math.floor(s / 3), modes);
		mapWindow = draw(map, "rect", { y: 1.5, height: 23, class: "window" });
		mapAxis = axis;
		mapWidth = total;
	}
	mapWindow.setAttribute("x", left + from / whole() * total);
	mapWindow.setAttribute("width", Math.max((to - from) / whole() * total, 2));
}

let due = false;
function show(a, b) {
	const span = Math.min(Math.max(b - a, 10), whole());
	from = Math.min(Math.max(a, 0), whole() - span);
	to = from + span;
	if (!due) requestAnimationFrame(() => { due = false; paint(); });
	due = true;
}

function zoom(factor, around) {
	const middle = around === undefined ? (from + to) / 2 : around;
	show(middle - (middle - from) * factor, middle + (to - middle) * factor);
}

const timeAt = event => from + (event.clientX - lanes.getBoundingClientRect().left - left) / width() * (to - from);

lanes.addEventListener("wheel", event => {
	event.preventDefault();
	zoom(Math.pow(1.0018, Math.max(-400, Math.min(400, event.deltaY))), timeAt(event));
}, { passive: false });
lanes.addEventListener("dblclick", () => show(0, whole()));
let grabbed = null;
lanes.addEventListener("pointerdown", event => {
	grabbed = { x: event.clientX, from, to };
	lanes.setPointerCapture(event.pointerId);
});
lanes.addEventListener("pointerup", () => { grabbed = null; });
lanes.addEventListener("pointermove", event => {
	if (grabbed) {
		const moved = (grabbed.x - event.clientX) / width() * (grabbed.to - grabbed.from);
		show(grabbed.from + moved, grabbed.to + moved);
	}
	tell(event);
});
lanes.addEventListener("pointerleave", () => { byId("tip").hidden = true; });
lanes.addEventListener("keydown", event => {
	const span = to - from;
	const keys = { ArrowLeft: () => show(from - span / 5, to - span / 5), ArrowRight: () => show(from + span / 5, to + span / 5),
		"+": () => zoom(0.5), "-": () => zoom(2), Home: () => show(0, whole()) };
	if (keys[event.key]) { event.preventDefault(); keys[event.key](); }
});
function jump(event) {
	if (!(event.buttons & 1)) return;
	const t = (event.clientX - map.getBoundingClientRect().left - left) / width() * whole();
	show(t - (to - from) / 2, t + (to - from) / 2);
}
map.addEventListener("pointerdown", jump);
map.addEventListener("pointermove", jump);

function tell(event) {
	const tip = byId("tip"), t = timeAt(event), i = find(times[axis], count, t);
	if (i < 0 || t < from || t > to) { tip.hidden = true; return; }
	const state = states[i], lines = [`at ${time(t, to)}`, `${modeTitles[Math.floor(state / 3)]}, ${engineTitles[state % 3]}: ${time(times[axis][i + 1] - times[axis][i])}`];
	const near = find(callTimes[axis], calls, t + (to - from) / width());
	if (near >= 0 && callTimes[axis][near] > t - 3 * (to - from) / width())
		lines.push(data.kinds[data.calls[4 * near + 3]][1]);
	tip.textContent = lines.join("\n");
	tip.hidden = false;
	tip.style.left = Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 8) + "px";
	tip.style.top = Math.min(event.clientY + 14, innerHeight - tip.offsetHeight - 8) + "px";
}

function choose(which) {
	const part = [from / whole(), to / whole()];
	axis = which;
	byId("guest").classList.toggle("on", !axis);
	byId("host").classList.toggle("on", !!axis);
	show(part[0] * whole(), part[1] * whole());
}
byId("guest").addEventListener("click", () => choose(0));
byId("host").addEventListener("click", () => choose(1));
byId("host").disabled = !data.end[1];
byId("in").addEventListener("click", () => zoom(0.5));
byId("out").addEventListener("click", () => zoom(2));
byId("all").addEventListener("click", () => show(0, whole()));
addEventListener("resize", () => show(from, to));

/* --- shares of time --- */

function node(parent, name, text, className) {
	const element = document.createElement(name);
	if (text !== undefined) element.textContent = text;
	if (className) element.className = className;
	parent.appendChild(element);
	return element;
}

function dot(parent, name) {
	const mark = node(parent, "i", undefined, "dot");
	mark.style.background = `var(--${name})`;
}

const sums = Array.from({ length: modes.length * engines.length }, () => [0, 0, 0]);
for (let i = 0; i < count; i++) {
	sums[states[i]][0] += times[0][i + 1] - times[0][i];
	sums[states[i]][1] += times[1][i + 1] - times[1][i];
}
sums.forEach((sum, state) => { sum[2] = data.entered[state]; });
const used = sums.map((sum, state) => ({ sum, state })).filter(entry => entry.sum[2] && (entry.sum[0] || entry.sum[1]));
const head = node(node(byId("shares"), "thead"), "tr");
for (const title of ["mode", "engine", "guest time", "", "host time", "", "stays"]) node(head, "th", title, title && title !== "mode" && title !== "engine" ? "n" : "");
const body = node(byId("shares"), "tbody");
for (const { sum, state } of used) {
	const row = node(body, "tr"), mode = node(row, "td"), engine = node(row, "td");
	dot(mode, modes[Math.floor(state / 3)]);
	mode.append(modeTitles[Math.floor(state / 3)]);
	dot(engine, engines[state % 3]);
	engine.append(engineTitles[state % 3]);
	for (const k of [0, 1]) {
		const all = times[k][count];
		node(row, "td", all ? time(sum[k]) : "", "n");
		node(row, "td", all ? (100 * sum[k] / all).toFixed(1) + " %" : "", "n");
	}
	node(row, "td", sum[2].toLocaleString("en"), "n");
}
for (const [name, title] of [...modes.map((m, i) => [m, modeTitles[i]]), ["emu", "emulator"], ["kvm", "KVM"], ["call", "BIOS and DOS calls"]]) {
	const shown = name === "call" ? calls : used.some(e => modes[Math.floor(e.state / 3)] === name || engines[e.state % 3] === name);
	if (!shown) continue;
	const entry = node(byId("legend"), "span");
	dot(entry, name);
	entry.append(title);
}

/* --- histograms: four bins to each doubling --- */

function histogram(parent, hist, format) {
	const box = node(parent, "div", undefined, "hist");
	node(box, "b", hist.name);
	node(box, "p", hist.count ? `median ${format(hist.median)} · mean ${format(hist.mean)} · 99 % ${format(hist.p99)} · ${hist.count.toLocaleString("en")}` : "none");
	const first = hist.bins.findIndex(n => n), bins = hist.bins.slice(Math.max(first, 0)), most = Math.max(...bins, 1);
	const svg = draw(box, "svg", { viewBox: "0 0 360 110" }), step = 352 / Math.max(bins.length, 8);
	bins.forEach((n, i) => {
		if (!n) return;
		const bar = draw(svg, "rect", { x: 4 + i * step, width: Math.max(step - 1, 1), y: 86 - 78 * n / most, height: Math.max(78 * n / most, 1), fill: "var(--protected)" });
		draw(bar, "title", {}, `${format(Math.pow(2, (first + i) / 4))} to ${format(Math.pow(2, (first + i + 1) / 4))}: ${n}`);
	});
	draw(svg, "line", { x1: 4, x2: 356, y1: 86.5, y2: 86.5, class: "grid" });
	const every = Math.max(4, Math.ceil(Math.max(bins.length, 8) / 5 / 4) * 4);
	for (let i = (4 - first % 4) % 4; i < Math.max(bins.length, 8); i += every)
		draw(svg, "text", { x: Math.max(4 + i * step, 16), y: 101, "text-anchor": "middle" }, format(Math.pow(2, (first + i) / 4)));
}
const number = n => n >= 1e6 ? (n / 1e6).toFixed(1) + " M" : n >= 1e4 ? (n / 1e3).toFixed(0) + " k" : Math.round(n).toString();
const round = ns => ns < 1000 ? Math.round(ns) + " ns" : ns < 1e6 ? +(ns / 1e3).toPrecision(2) + " µs" : ns < 1e9 ? +(ns / 1e6).toPrecision(2) + " ms" : +(ns / 1e9).toPrecision(2) + " s";
if (byId("costs")) data.costs.forEach(hist => histogram(byId("costs"), hist, round));
if (byId("stays")) data.stays.forEach(hist => histogram(byId("stays"), hist, number));

/* --- tables that sort --- */

for (const table of document.querySelectorAll("table.sort"))
	table.querySelectorAll("th").forEach((cell, column) => cell.addEventListener("click", () => {
		const up = cell.dataset.up = cell.dataset.up === "1" ? "" : "1";
		const key = row => { const c = row.cells[column]; return c.dataset.v === undefined ? c.textContent : +c.dataset.v; };
		const order = (a, b) => { const x = key(a), y = key(b); return (x < y ? -1 : x > y ? 1 : 0) * (up ? -1 : 1); };
		table.tBodies[0].append(...[...table.tBodies[0].rows].sort(order));
	}));

show(0, whole());
paint();
document.body.dataset.ready = "yes";
})();
