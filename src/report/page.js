// The page of pinion report: decodes the columns, draws, and keeps the table to what is seen.
// Everything that tasks chose goes into the page as text, never as markup.
"use strict";

const $ = (id) => document.getElementById(id);

// A page without its data would look as if there were none.
addEventListener("error", (event) => {
	$("broken").hidden = false;
	$("broken").textContent = "This page could not be drawn: " + event.message;
	document.documentElement.dataset.ready = "failed";
});

const data = JSON.parse($("data").textContent);

// --- words ---

function el(name, className, text) {
	const node = document.createElement(name);
	if (className) node.className = className;
	if (text !== undefined) node.textContent = text;
	return node;
}

const count = (n) => n.toLocaleString("en");

function scaled(value, unit) {
	const digits = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
	return value.toFixed(digits) + " " + unit;
}

function pair(large, largeUnit, small, smallUnit) {
	return large + " " + largeUnit + (small ? " " + small + " " + smallUnit : "");
}

function duration(us) {
	if (us <= 0) return "0 s";
	if (us < 1) return Math.round(us * 1000) + " ns";
	if (us < 999.5) return scaled(us, "µs");
	if (us < 999500) return scaled(us / 1e3, "ms");
	if (us < 59.95e6) return scaled(us / 1e6, "s");
	const seconds = Math.round(us / 1e6), minutes = Math.round(seconds / 60);
	if (seconds < 3600) return pair(Math.floor(seconds / 60), "min", seconds % 60, "s");
	if (minutes < 1440) return pair(Math.floor(minutes / 60), "h", minutes % 60, "min");
	const hours = Math.round(minutes / 60);
	return pair(Math.floor(hours / 24), "d", hours % 24, "h");
}

// A round number of the axis, without digits that say nothing.
function roundDuration(us) {
	return duration(us).replace(/(\.\d*?)0+(?= )/, "$1").replace(/\.(?= )/, "");
}

function bytes(kib) {
	const units = ["KiB", "MiB", "GiB", "TiB"];
	let unit = 0;
	for (; kib >= 999.5 && unit + 1 < units.length; unit++) kib /= 1024;
	return scaled(kib, units[unit]);
}

function clock(us) {
	return new Date(data.started_ms + us / 1000).toLocaleString("sv");
}

// --- the tasks ---

const COLUMN_LETTERS =
	"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_";

function decodeLabels(text) {
	if (text === "") return [];
	const shared = {};
	for (let i = 0; i < COLUMN_LETTERS.length; i++) shared[COLUMN_LETTERS[i]] = i;
	let last = "";
	return text.split("\n").map((line) =>
		last = last.slice(0, shared[line[0]]) + line.slice(1));
}

const labels = decodeLabels(data.labels);
const total = labels.length;

// A column that is one number is that number for all.
function decodeNumbers(column, Type, isDelta) {
	const values = new Type(total);
	let sum = 0;
	for (let i = 0; i < total; i++) {
		const value = typeof column === "number" ? column : column[i];
		sum = isDelta ? sum + value : value;
		values[i] = sum;
	}
	return values;
}

const seq = decodeNumbers(data.seq, Float64Array, true);
const hasStages = data.stages.length > 0;
const stage = hasStages ? decodeNumbers(data.stage, Uint32Array, false) : null;
const shellWord = (text) => /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
// As pinion replay has it, "read:17"; without stages the number alone.
const stageWord = (i) => hasStages ? shellWord(data.stages[stage[i]]) + ":" : "";
const taskWord = (i) => stageWord(i) + (seq[i] + 1);
const taskName = (i) => (hasStages ? `stage ${data.stages[stage[i]]}: task ` : "task ") + count(seq[i] + 1);
const taskTitle = (i) => taskName(i).replace(/^./, (letter) => letter.toUpperCase());
const start = decodeNumbers(data.start, Float64Array, true);
// In the data it is nanoseconds; here all times are microseconds.
const wall = decodeNumbers(data.wall, Float64Array, false).map((ns) => ns < 0 ? -1 : ns / 1000);
const cpu = decodeNumbers(data.cpu, Float64Array, false);
const memory = decodeNumbers(data.memory, Float64Array, false);
const slot = decodeNumbers(data.slot, Uint32Array, false);
const retries = decodeNumbers(data.retries, Uint32Array, false);
const end = decodeNumbers(data.end, Uint16Array, false);
const isFailed = (i) => data.ends[end[i]][1] === 1;
const endWords = (i) => data.ends[end[i]][0];
const failed = [];
const detailOf = new Map();
for (let i = 0; i < total; i++)
	if (end[i] !== 0 && isFailed(i)) {
		detailOf.set(i, data.details[failed.length]);
		failed.push(i);
	}
const failedCount = data.tasks - data.done - data.cancelled - data.skipped;
const isWhole = data.lanes === undefined;

// --- the head ---

function showHead() {
	document.title = data.command + " · pinion report";
	$("command").textContent = data.command;
	$("outcome").textContent = data.outcome + (data.exit >= 0 ? ` (exit status ${data.exit})` : "");
	$("outcome").className = data.exit === 0 && data.done === data.tasks ? "well" :
		data.is_live && failedCount === 0 ? "open" : "bad";
	$("where").textContent = `${data.file}, run ${data.run} · ${clock(0)} on ${data.host} · ` +
		`in ${data.cwd} · pinion ${data.version}`;
}

function tile(name, value, note, badNote) {
	const node = el("div", "tile");
	node.append(el("div", "name", name), el("div", "value", value));
	const line = el("div", "note", note);
	if (badNote) line.append(note ? ", " : "", el("span", "bad", badNote));
	node.append(line);
	$("tiles").append(node);
	$("tiles").dataset.count = $("tiles").childElementCount;
}

function showTiles() {
	const rest = [];
	if (data.done) rest.push(count(data.done) + " done");
	if (data.cancelled) rest.push(count(data.cancelled) + " cancelled");
	if (data.skipped) rest.push(count(data.skipped) + " skipped");
	if (data.passed) rest.push(count(data.passed) + " done before");
	tile("Tasks", count(data.tasks), rest.join(", "),
		failedCount ? count(failedCount) + " failed" : "");
	tile("Took", duration(data.length_us), data.is_live ? "so far" : "until " + clock(data.length_us).slice(11));
	if (data.ran === 0) return;
	const speedUp = data.wall_us / data.length_us;
	tile("Speed-up", speedUp.toFixed(2) + " ×",
		`${Math.round(100 * speedUp / data.workers)} % of ${data.workers} ` +
		(data.workers === 1 ? "worker" : "workers"));
	tile("Median task", duration(data.median_ns / 1000),
		`95 % up to ${duration(data.p95_ns / 1000)}, longest ${duration(data.longest_ns / 1000)}`);
	if (data.cpu_us < 0) return;
	tile("Processor time", duration(data.cpu_us),
		`${Math.round(100 * data.cpu_us / Math.max(1, data.wall_us))} % of the time that tasks ran`);
	tile("Largest task", bytes(data.memory_kib), "of memory at its peak");
}

function replayLine(i) {
	const line = el("div", "replay");
	const words = `${data.replay} ${taskWord(i)}`;
	const button = el("button", "", "Copy");
	button.type = "button";
	button.addEventListener("click", (event) => {
		event.stopPropagation();
		copy(words, button);
	});
	line.append(el("code", "", words), button);
	return line;
}

async function copy(words, button) {
	try {
		await navigator.clipboard.writeText(words);
	} catch {
		const area = el("textarea");
		area.value = words;
		document.body.append(area);
		area.select();
		document.execCommand("copy");
		area.remove();
	}
	button.textContent = "Copied";
	setTimeout(() => button.textContent = "Copy", 1200);
}

const FAILURES_SHOWN = 5;

function showFailures() {
	if (failed.length === 0) return;
	$("failures").hidden = false;
	for (const i of failed.slice(0, FAILURES_SHOWN)) {
		const node = el("div", "failure"), title = el("div", "title");
		title.append(el("span", "number", taskTitle(i)),
			el("span", "bad-word", endWords(i)), el("span", "label", labels[i]));
		node.append(title);
		title.append(replayLine(i));
		const said = detailOf.get(i)[1];
		if (said !== "") node.append(el("pre", "", said.trimEnd().split("\n").slice(-5).join("\n")));
		$("failure-list").append(node);
	}
	if (failedCount > FAILURES_SHOWN) {
		const link = el("a", "", `All ${count(failedCount)} are in the table`);
		link.href = "#show=failed";
		link.addEventListener("click", () => $("tasks").scrollIntoView());
		$("failure-more").append(link, ".");
		$("failure-more").hidden = false;
	}
}

// --- durations ---

function showDurations() {
	const ranges = data.durations, most = Math.max(1, ...ranges.map((range) => range[1] || 0));
	for (let i = 0; i + 1 < ranges.length; i++) {
		const [from, tasks, bad] = ranges[i];
		const track = el("div", "track"), number = el("div", "count", count(tasks));
		for (const [part, name] of [[tasks - bad, "part"], [bad, "part bad"]]) {
			if (part === 0) continue;
			const bar = el("div", name);
			bar.style.width = `max(2px, ${(100 * part / most).toFixed(3)}%)`;
			track.append(bar);
		}
		if (bad > 0) number.append(" ", el("span", "bad", `(${count(bad)} failed)`));
		$("durations").append(el("div", "range",
			roundDuration(from / 1000) + " – " + roundDuration(ranges[i + 1][0] / 1000)), track, number);
	}
}

// --- the timeline ---

const GUTTER = 62; // left of what is drawn, for labels
const AXIS = 24;   // below the lanes
const view = {from: 0, to: Math.max(1, data.length_us)};

// Slots, or where there are very many of them some together, each with its tasks by start.
function makeLanes() {
	const slots = Math.max(1, data.slots), each = Math.ceil(slots / 256), lanes = [];
	for (let first = 1; first <= slots; first += each)
		lanes.push({first, last: Math.min(slots, first + each - 1), tasks: [], ends: null});
	for (let i = 0; i < total; i++)
		if (wall[i] >= 0)
			lanes[Math.min(lanes.length - 1, Math.floor((Math.max(1, slot[i]) - 1) / each))].tasks.push(i);
	for (const lane of lanes) {
		lane.tasks.sort((a, b) => start[a] - start[b]);
		// The latest end so far, so that what reaches into the view is found.
		let latest = 0;
		lane.ends = Float64Array.from(lane.tasks, (i) => latest = Math.max(latest, start[i] + wall[i]));
	}
	return lanes;
}

const lanes = makeLanes();
const laneHeight = Math.max(3, Math.min(26, Math.floor(440 / lanes.length)));
const laneGap = laneHeight > 8 ? 3 : laneHeight > 4 ? 1 : 0;

// The first place in a sorted array whose value is above this one.
function firstAbove(values, value) {
	let low = 0, high = values.length;
	while (low < high) {
		const middle = (low + high) >> 1;
		if (values[middle] > value) high = middle;
		else low = middle + 1;
	}
	return low;
}

function colours() {
	const probe = el("span"), found = {};
	document.body.append(probe);
	for (const name of ["card", "sunk", "line", "text", "muted", "done", "failed", "other", "memory", "grid", "on-done"]) {
		probe.style.color = `var(--${name})`;
		found[name] = getComputedStyle(probe).color;
	}
	probe.remove();
	return found;
}

function prepare(canvas, height) {
	const ratio = window.devicePixelRatio || 1, width = canvas.clientWidth;
	canvas.width = Math.round(width * ratio);
	canvas.height = Math.round(height * ratio);
	canvas.style.height = height + "px";
	const draw = canvas.getContext("2d");
	draw.setTransform(ratio, 0, 0, ratio, 0, 0);
	draw.clearRect(0, 0, width, height);
	draw.font = `12px ${getComputedStyle(document.body).fontFamily}`;
	draw.textBaseline = "middle";
	return draw;
}

// What is busy in each column of pixels, by the tasks of a lane; wide ones are told one by one.
function sumLane(lane, width, sums, eachWide) {
	const scale = width / (view.to - view.from), slots = lane.last - lane.first + 1;
	const busy = new Float32Array(width), bad = new Uint8Array(width);
	for (let at = firstAbove(lane.ends, view.from); at < lane.tasks.length; at++) {
		const i = lane.tasks[at];
		if (start[i] >= view.to) break;
		const left = Math.max(0, (start[i] - view.from) * scale);
		const right = Math.min(width, (start[i] + wall[i] - view.from) * scale);
		if (right < 0) continue;
		const isWide = right - left >= 3;
		for (let x = Math.floor(left); x < right; x++) {
			const part = Math.min(x + 1, right) - Math.max(x, left);
			if (!isWide) busy[x] += part / slots;
			if (isWhole) {
				sums.busy[x] += part;
				if (memory[i] > 0) sums.memory[x] += part * memory[i];
			}
		}
		if (isWide) eachWide(i, left, right);
		else if (end[i] !== 0 && isFailed(i)) bad[Math.min(width - 1, Math.floor(left))] = 1;
	}
	return {busy, bad};
}

// The same from the sums that come with a run whose tasks are not all here.
function addBins(laneIndex, width, sums, busy) {
	const [first, last, bins] = data.lanes[laneIndex];
	for (let x = 0; x < width; x++) {
		const at = view.from + (x + 0.5) / width * (view.to - view.from);
		const bin = Math.floor(at / data.length_us * bins.length);
		if (bin < 0 || bin >= bins.length) continue;
		const part = COLUMN_LETTERS.indexOf(bins[bin]) / 63;
		busy[x] = part;
		sums.busy[x] += part * (last - first + 1);
		if (laneIndex === 0) sums.memory[x] = data.lane_memory[bin];
	}
}

function drawLane(draw, index, width, sums, paint) {
	const lane = lanes[index], top = index * laneHeight, height = laneHeight - laneGap;
	draw.fillStyle = paint.sunk;
	draw.fillRect(GUTTER, top, width, height);
	const wide = [];
	const {busy, bad} = sumLane(lane, width, sums, (...task) => wide.push(task));
	if (!isWhole) addBins(index, width, sums, busy);
	draw.fillStyle = paint.done;
	for (let x = 0; x < width;) {
		// Few shades, so that equal neighbours are one rectangle.
		const shade = Math.min(8, Math.ceil(busy[x] * 8));
		let after = x + 1;
		while (after < width && Math.min(8, Math.ceil(busy[after] * 8)) === shade) after++;
		if (shade > 0) {
			draw.globalAlpha = 0.2 + 0.1 * shade;
			draw.fillRect(GUTTER + x, top, after - x, height);
		}
		x = after;
	}
	draw.globalAlpha = 1;
	for (const [i, left, right] of wide) drawTask(draw, i, GUTTER + left, GUTTER + right, top, height, paint);
	draw.fillStyle = paint.failed;
	for (let x = 0; x < width; x++)
		if (bad[x]) draw.fillRect(GUTTER + x - 0.5, top, 2, height);
}

function drawTask(draw, i, left, right, top, height, paint) {
	const width = right - left - (right - left > 5 ? 1 : 0.5);
	draw.fillStyle = end[i] === 0 ? paint.done : isFailed(i) ? paint.failed : paint.other;
	draw.fillRect(left, top, width, height);
	if (width < 20 || height < 14) return;
	// Its name if there is room for all of it, else its number.
	const room = width - 10, words = [labels[i].slice(0, 200), String(seq[i] + 1)];
	const fitting = words.find((word) => word !== "" && draw.measureText(word).width <= room);
	if (!fitting) return;
	draw.textAlign = "left";
	draw.fillStyle = paint["on-done"];
	draw.fillText(fitting, left + 5, top + height / 2 + 0.5);
}

function drawLaneLabels(draw, paint) {
	const step = Math.ceil(14 / laneHeight);
	draw.fillStyle = paint.muted;
	draw.textAlign = "right";
	for (let index = 0; index < lanes.length; index += step) {
		const {first, last} = lanes[index];
		draw.fillText(first === last ? String(first) : `${first}–${last}`, GUTTER - 9,
			index * laneHeight + (step > 1 ? 6 : (laneHeight - laneGap) / 2) + 0.5);
	}
}

function niceStep(least) {
	const units = [1, 2, 5];
	if (least >= 40e6) // minutes and hours have their own round numbers
		for (const seconds of [60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400])
			if (seconds * 1e6 >= least) return seconds * 1e6;
	for (let power = 1e-3; ; power *= 10)
		for (const unit of units)
			if (unit * power >= least) return unit * power;
}

function ticks(width) {
	const step = niceStep((view.to - view.from) * 90 / width), found = [];
	for (let at = Math.ceil(view.from / step) * step; at <= view.to; at += step) found.push(at);
	return found;
}

function drawAxis(draw, width, top, paint) {
	draw.textAlign = "center";
	for (const at of ticks(width)) {
		const x = GUTTER + (at - view.from) / (view.to - view.from) * width;
		draw.fillStyle = paint.line;
		draw.fillRect(Math.round(x), top, 1, 5);
		draw.fillStyle = paint.muted;
		const words = at === 0 ? "0" : roundDuration(at), half = draw.measureText(words).width / 2;
		draw.fillText(words, Math.min(x, GUTTER + width - half), top + 14);
	}
}

function drawChart(canvas, values, most, words, colour, paint) {
	const height = 76, draw = prepare(canvas, height), width = values.length, bottom = height - 6;
	const y = (value) => bottom - Math.min(1, value / most) * (bottom - 8);
	draw.textAlign = "right";
	for (const part of [0, 0.5, 1]) {
		draw.fillStyle = paint.grid;
		draw.fillRect(GUTTER, Math.round(y(part * most)), width, 1);
		if (part === 0.5) continue;
		draw.fillStyle = paint.muted;
		draw.fillText(part === 0 ? "0" : words, GUTTER - 9, y(part * most));
	}
	draw.beginPath();
	draw.moveTo(GUTTER, bottom);
	for (let x = 0; x < width; x++) {
		draw.lineTo(GUTTER + x, y(values[x]));
		draw.lineTo(GUTTER + x + 1, y(values[x]));
	}
	draw.lineTo(GUTTER + width, bottom);
	draw.closePath();
	draw.fillStyle = colour;
	draw.globalAlpha = 0.75;
	draw.fill();
	draw.globalAlpha = 1;
}

function chartWidth() {
	return Math.max(10, Math.floor($("lanes").clientWidth - GUTTER - 2));
}

const drawn = {busy: null, memory: null};

function drawTimeline() {
	const paint = colours(), width = chartWidth(), bottom = lanes.length * laneHeight;
	const sums = {busy: new Float64Array(width), memory: new Float64Array(width)};
	const draw = prepare($("lanes"), bottom + AXIS);
	for (let index = 0; index < lanes.length; index++) drawLane(draw, index, width, sums, paint);
	drawLaneLabels(draw, paint);
	drawAxis(draw, width, bottom + 2, paint);
	const workers = Math.max(1, data.workers, data.slots);
	drawChart($("busy"), sums.busy, workers, String(workers), paint.done, paint);
	drawn.busy = sums.busy;
	drawn.memory = sums.memory;
	const hasMemory = data.memory_kib >= 0;
	$("memory").hidden = $("memory-title").hidden = !hasMemory;
	if (hasMemory) {
		const most = Math.max(1, sums.memory.reduce((a, b) => Math.max(a, b), 0));
		$("memory-title").textContent = "Memory of what ran at a time, each task at its peak";
		drawChart($("memory"), sums.memory, most, bytes(most), paint.memory, paint);
	}
}

let isDrawDue = false;
function redraw() {
	if (isDrawDue) return;
	isDrawDue = true;
	requestAnimationFrame(() => {
		isDrawDue = false;
		drawTimeline();
	});
}

function setView(from, to) {
	const all = Math.max(1, data.length_us), length = Math.min(all, Math.max(to - from, Math.min(all, 1)));
	view.from = Math.max(0, Math.min(from, all - length));
	view.to = view.from + length;
	redraw();
}

function zoom(factor, part) {
	const at = view.from + part * (view.to - view.from);
	const length = (view.to - view.from) * factor;
	setView(at - part * length, at - part * length + length);
}

function partOf(event) {
	const box = $("lanes").getBoundingClientRect();
	return Math.max(0, Math.min(1, (event.clientX - box.left - GUTTER) / chartWidth()));
}

// The tasks under the pointer, within a pixel and a half.
function tasksAt(event) {
	const box = $("lanes").getBoundingClientRect();
	const lane = lanes[Math.floor((event.clientY - box.top) / laneHeight)];
	if (!lane || event.clientX < box.left + GUTTER - 2) return [];
	const at = view.from + partOf(event) * (view.to - view.from);
	const near = (view.to - view.from) / chartWidth() * 1.5, found = [];
	for (let k = firstAbove(lane.ends, at - near); k < lane.tasks.length; k++) {
		const i = lane.tasks[k];
		if (start[i] > at + near) break;
		if (start[i] + wall[i] >= at - near) found.push(i);
	}
	const exact = found.filter((i) => start[i] <= at && start[i] + wall[i] >= at && wall[i] > 2 * near);
	return exact.length ? exact : found;
}

function tipFor(found) {
	const bad = found.filter(isFailed), i = found[0];
	if (found.length === 1)
		return [el("div", isFailed(i) ? "bad-word" : "", `${taskTitle(i)}: ${endWords(i)}`),
			el("div", "mono", labels[i]),
			el("div", "muted", `${duration(wall[i])}, from ${duration(start[i])} on, worker ${slot[i]}`)];
	const nodes = [el("div", "", `${count(found.length)} tasks here; zoom in to tell them apart`)];
	if (bad.length) nodes.push(el("div", "bad-word", `${count(bad.length)} failed, ${taskName(bad[0])} first`));
	return nodes;
}

function showTip(event, nodes) {
	const tip = $("tip");
	tip.hidden = nodes.length === 0;
	if (tip.hidden) return;
	tip.replaceChildren(...nodes);
	const box = tip.getBoundingClientRect();
	tip.style.left = Math.max(8, Math.min(event.clientX + 14, innerWidth - box.width - 8)) + "px";
	tip.style.top = (event.clientY + 20 + box.height > innerHeight ? event.clientY - box.height - 12 : event.clientY + 18) + "px";
}

function chartTip(event) {
	if (!drawn.busy) return;
	const x = Math.min(drawn.busy.length - 1, Math.floor(partOf(event) * drawn.busy.length));
	const at = view.from + partOf(event) * (view.to - view.from);
	const nodes = [el("div", "", `${drawn.busy[x].toFixed(1)} workers busy`)];
	if (data.memory_kib >= 0) nodes.push(el("div", "", `${bytes(drawn.memory[x])} of memory`));
	nodes.push(el("div", "muted", `at ${duration(at)}, ${clock(at)}`));
	showTip(event, nodes);
}

function listenTimeline() {
	const canvas = $("lanes");
	let drag = null;
	canvas.addEventListener("pointerdown", (event) => {
		if (event.button === 0 && event.pointerType === "mouse") drag = {x: event.clientX, part: partOf(event)};
	});
	addEventListener("pointermove", (event) => {
		if (!drag) return;
		const box = canvas.getBoundingClientRect(), draw = canvas.getContext("2d");
		drawTimeline();
		draw.globalAlpha = 0.18;
		draw.fillStyle = colours().text;
		const from = GUTTER + drag.part * chartWidth(), to = GUTTER + partOf(event) * chartWidth();
		draw.fillRect(Math.min(from, to), 0, Math.abs(to - from), box.height - AXIS);
		draw.globalAlpha = 1;
	});
	addEventListener("pointerup", (event) => {
		if (!drag) return;
		const parts = [drag.part, partOf(event)].sort((a, b) => a - b), length = view.to - view.from;
		const isClick = Math.abs(event.clientX - drag.x) < 4;
		drag = null;
		if (!isClick) setView(view.from + parts[0] * length, view.from + parts[1] * length);
	});
	canvas.addEventListener("click", (event) => {
		const found = tasksAt(event);
		if (found.length) choose(found.find(isFailed) ?? found[0]);
	});
	canvas.addEventListener("dblclick", () => setView(0, data.length_us));
	canvas.addEventListener("wheel", (event) => {
		if (!event.ctrlKey && !event.metaKey) return;
		event.preventDefault();
		zoom(event.deltaY > 0 ? 1.25 : 0.8, partOf(event));
	}, {passive: false});
	canvas.addEventListener("keydown", (event) => {
		const length = view.to - view.from;
		if (event.key === "+" || event.key === "=") zoom(0.5, 0.5);
		else if (event.key === "-") zoom(2, 0.5);
		else if (event.key === "0") setView(0, data.length_us);
		else if (event.key === "ArrowLeft") setView(view.from - length / 5, view.to - length / 5);
		else if (event.key === "ArrowRight") setView(view.from + length / 5, view.to + length / 5);
		else return;
		event.preventDefault();
	});
	canvas.addEventListener("mousemove", (event) => {
		const found = tasksAt(event);
		showTip(event, found.length ? tipFor(found) : []);
	});
	for (const id of ["busy", "memory"]) $(id).addEventListener("mousemove", chartTip);
	for (const id of ["lanes", "busy", "memory"]) $(id).addEventListener("mouseleave", () => $("tip").hidden = true);
	$("zoom-in").addEventListener("click", () => zoom(0.5, 0.5));
	$("zoom-out").addEventListener("click", () => zoom(2, 0.5));
	$("zoom-all").addEventListener("click", () => setView(0, data.length_us));
	$("timeline-hint").textContent = "Drag over a stretch to zoom into it; double-click shows all again. " +
		(isWhole ? "" : `Of ${count(data.tasks)} tasks only ${count(total)} can be told apart here. `) +
		"Click a task to see what it was.";
	new ResizeObserver(redraw).observe(canvas.parentElement);
}

// --- the table ---

const ROW = 31; // pixels, with its line
const columns = [
	{key: "seq", name: "Task", values: seq, text: (i) => count(seq[i] + 1), width: 80, narrow: 68, isNumber: true},
	...(hasStages ? [{key: "stage", name: "Stage", values: stage, text: (i) => data.stages[stage[i]], width: 100, narrow: 70}] : []),
	{key: "end", name: "Result", values: end, text: endWords, width: 130, narrow: 84},
	{key: "wall", name: "Time", values: wall, text: (i) => wall[i] < 0 ? "" : duration(wall[i]), width: 92, narrow: 76, isNumber: true},
	{key: "cpu", name: "CPU", values: cpu, text: (i) => cpu[i] < 0 ? "" : duration(cpu[i]), width: 92, isNumber: true, least: 760, isMeasured: true},
	{key: "memory", name: "Memory", values: memory, text: (i) => memory[i] < 0 ? "" : bytes(memory[i]), width: 100, isNumber: true, least: 760, isMeasured: true},
	{key: "slot", name: "Worker", values: slot, text: (i) => wall[i] < 0 ? "" : String(slot[i]), width: 84, isNumber: true, least: 900},
	{key: "start", name: "Started", values: start, text: (i) => wall[i] < 0 ? "" : "+" + duration(start[i]), width: 100, isNumber: true, least: 900},
	{key: "label", name: "What", values: null, text: (i) => labels[i], isLabel: true},
];
const state = {query: "", show: "all", sort: "", descending: false, task: ""};
let shownColumns = [], labelChars = 0, rows = [], lowered = null, chosen = -1;

function seen(query) {
	if (lowered === null) lowered = labels.map((label) => label.toLowerCase());
	const words = query.toLowerCase().split(/\s+/).filter((word) => word !== "");
	const number = /^#?(\d[\d,]*)$/.exec(query.trim());
	const wanted = number ? Number(number[1].replaceAll(",", "")) - 1 : -1;
	const ends = data.ends.map(([word]) => word.toLowerCase());
	return (i) => seq[i] === wanted || (!query.trim().startsWith("#") &&
		words.every((word) => lowered[i].includes(word) || ends[end[i]].includes(word)));
}

function compare(column, descending) {
	const sign = descending ? -1 : 1;
	if (column.isLabel) return (a, b) => sign * (labels[a] < labels[b] ? -1 : labels[a] > labels[b] ? 1 : a - b);
	return (a, b) => sign * (column.values[a] - column.values[b]) || a - b;
}

// Failed ones come first, until the table is sorted.
function order(list) {
	const column = columns.find((one) => one.key === state.sort);
	if (column) return list.sort(compare(column, state.descending));
	return list.filter(isFailed).concat(list.filter((i) => !isFailed(i)));
}

function fillTable() {
	const list = [], isSeen = state.query.trim() === "" ? null : seen(state.query);
	for (let i = 0; i < total; i++) {
		if (state.show === "failed" && !(end[i] !== 0 && isFailed(i))) continue;
		if (state.show === "retried" && retries[i] === 0) continue;
		if (isSeen && !isSeen(i)) continue;
		list.push(i);
	}
	rows = order(list);
	$("nothing").hidden = rows.length > 0;
	$("table-count").textContent = rows.length === total ? `${count(total)} tasks` :
		`${count(rows.length)} of ${count(total)} tasks`;
	$("table-scroll").scrollTop = 0;
	drawRows();
}

function drawHead() {
	const width = $("table-scroll").clientWidth;
	const hasMeasured = data.cpu_us >= 0;
	shownColumns = columns.filter((column) => !(column.least > width) && (!column.isMeasured || hasMeasured));
	$("table-head").replaceChildren(...shownColumns.map((column) => {
		const head = el("th", column.isNumber ? "number" : ""), button = el("button");
		const isSorted = state.sort === column.key;
		button.type = "button";
		button.textContent = column.name + (isSorted ? state.descending ? " ↓" : " ↑" : "");
		head.setAttribute("aria-sort", isSorted ? state.descending ? "descending" : "ascending" : "none");
		if (column.width) head.style.width = widthOf(column, width) + "px";
		button.addEventListener("click", () => {
			const largestFirst = column.isNumber && column.key !== "seq" && column.key !== "start";
			setState({sort: column.key, descending: isSorted ? !state.descending : largestFirst});
		});
		head.append(button);
		return head;
	}));
	measureLabels(width);
}

const widthOf = (column, width) => width < 620 && column.narrow || column.width;

// How many characters of what a task was have room. What does not fit is left out of its middle:
// paths differ at their ends, commands at their beginnings.
function measureLabels(width) {
	const draw = el("canvas").getContext("2d");
	draw.font = "12.5px " + getComputedStyle(document.documentElement).getPropertyValue("--mono");
	const taken = shownColumns.reduce((sum, column) => sum + (column.isLabel ? 22 : widthOf(column, width)), 0);
	labelChars = Math.max(8, Math.floor((width - taken) / draw.measureText("0").width));
}

function shorten(text) {
	if (text.length <= labelChars) return text;
	const head = Math.floor(labelChars * 0.4);
	return text.slice(0, head) + "…" + text.slice(text.length - (labelChars - head - 1));
}

function spaceRow(height) {
	const row = el("tr", "space"), cell = el("td");
	cell.colSpan = shownColumns.length;
	cell.style.height = height + "px";
	row.append(cell);
	return row;
}

function taskRow(i) {
	const row = el("tr", i === chosen ? "task chosen" : "task");
	row.tabIndex = 0;
	for (const column of shownColumns) {
		const text = column.text(i), cell = el("td", column.isNumber ? "number" : column.isLabel ? "label" : "");
		cell.textContent = column.isLabel ? shorten(text) : text;
		if (column.key === "end" && end[i] !== 0) cell.className = isFailed(i) ? "bad" : "other";
		if (column.isLabel || column.key === "end") cell.title = text;
		row.append(cell);
	}
	row.addEventListener("click", () => choose(i));
	row.addEventListener("keydown", (event) => {
		if (event.key === "Enter") choose(i);
	});
	return row;
}

function drawRows() {
	const box = $("table-scroll");
	const first = Math.max(0, Math.min(rows.length - 1, Math.floor(box.scrollTop / ROW) - 8));
	const last = Math.min(rows.length, first + Math.ceil(box.clientHeight / ROW) + 20);
	const fragment = document.createDocumentFragment();
	if (first > 0) fragment.append(spaceRow(first * ROW));
	for (let k = first; k < last; k++) fragment.append(taskRow(rows[k]));
	if (last < rows.length) fragment.append(spaceRow((rows.length - last) * ROW));
	$("rows").replaceChildren(fragment);
}

function drawFilters() {
	const retried = retries.reduce((sum, tries) => sum + (tries > 0 ? 1 : 0), 0);
	const filters = [["all", "All", total], ["failed", "Failed", failed.length], ["retried", "Retried", retried]];
	$("filters").replaceChildren(...filters.filter(([key, , size]) => size > 0 || key === "all").map(([key, name, size]) => {
		const button = el("button", "", `${name} ${count(size)}`);
		button.type = "button";
		button.setAttribute("aria-pressed", String(state.show === key));
		button.addEventListener("click", () => setState({show: key}));
		return button;
	}));
}

// --- one task ---

function fact(list, name, value) {
	if (value !== "") list.append(el("dt", "", name), el("dd", "", value));
}

function choose(i) {
	chosen = i;
	state.task = taskWord(i);
	writeHash();
	const box = $("detail"), head = el("div", "top"), close = el("button", "", "Close");
	const facts = el("dl", "facts"), [command, said] = detailOf.get(i) ?? ["", ""];
	close.type = "button";
	close.addEventListener("click", unchoose);
	head.append(el("h2", "", taskTitle(i)), close);
	fact(facts, "Result", endWords(i) + (retries[i] ? ` after ${retries[i] + 1} tries` : ""));
	if (wall[i] >= 0) {
		fact(facts, "Time", duration(wall[i]));
		fact(facts, "Started", `${clock(start[i])}, ${duration(start[i])} into the run`);
		fact(facts, "Worker", String(slot[i]));
	}
	if (cpu[i] >= 0) fact(facts, "Processor", duration(cpu[i]));
	if (memory[i] >= 0) fact(facts, "Memory", bytes(memory[i]) + " at its peak");
	box.replaceChildren(head, el("pre", "", command || labels[i]), facts);
	if (said !== "") box.append(el("h3", "", "Last lines of its standard error"), el("pre", "", said.trimEnd()));
	box.append(el("h3", "", "Run it again"), replayLine(i));
	box.hidden = false;
	drawRows();
}

function unchoose() {
	chosen = -1;
	state.task = "";
	$("detail").hidden = true;
	writeHash();
	drawRows();
}

// --- what is shown is in the address, so that it can be kept and passed on ---

function writeHash() {
	const words = new URLSearchParams();
	if (state.query) words.set("q", state.query);
	if (state.show !== "all") words.set("show", state.show);
	if (state.sort) words.set("sort", state.sort);
	if (state.descending) words.set("order", "desc");
	if (state.task) words.set("task", state.task);
	const hash = words.toString();
	history.replaceState(null, "", hash ? "#" + hash : location.pathname + location.search);
}

function setState(change) {
	Object.assign(state, change);
	writeHash();
	drawFilters();
	drawHead();
	fillTable();
}

function readHash() {
	const words = new URLSearchParams(location.hash.slice(1));
	const show = words.get("show"), task = words.get("task") ?? "";
	state.query = words.get("q") ?? "";
	state.show = show === "failed" || show === "retried" ? show : "all";
	state.sort = columns.some((column) => column.key === words.get("sort")) ? words.get("sort") : "";
	state.descending = words.get("order") === "desc";
	$("search").value = state.query;
	drawFilters();
	drawHead();
	fillTable();
	const found = task === "" ? -1 : seq.findIndex((_, i) => taskWord(i) === task);
	if (found >= 0) choose(found);
}

// --- light and dark ---

const THEMES = ["auto", "light", "dark"];

function setTheme(theme) {
	if (theme === "auto") delete document.documentElement.dataset.theme;
	else document.documentElement.dataset.theme = theme;
	$("theme").textContent = "Theme: " + theme;
	try {
		localStorage.setItem("pinion-theme", theme);
	} catch {
		// No memory for it here: the next page begins anew.
	}
	redraw();
}

function listenTheme() {
	let theme = "auto";
	try {
		theme = localStorage.getItem("pinion-theme") ?? "auto";
	} catch {
		// As above.
	}
	if (!THEMES.includes(theme)) theme = "auto";
	setTheme(theme);
	$("theme").addEventListener("click", () => {
		theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
		setTheme(theme);
	});
	matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
}

// --- all of it ---

showHead();
showTiles();
showFailures();
showDurations();
listenTheme();
$("timeline").hidden = $("spread").hidden = data.ran === 0;
if (data.ran > 0) {
	listenTimeline();
	drawTimeline();
}
$("table-note").hidden = isWhole;
if (!isWhole) $("table-note").textContent = `Of ${count(data.tasks)} tasks, those that failed and those that took longest: ` +
	`${count(total)}. pinion report --csv has all.`;
readHash();
$("table-scroll").addEventListener("scroll", drawRows, {passive: true});
$("search").addEventListener("input", () => setState({query: $("search").value}));
addEventListener("hashchange", readHash);
addEventListener("keydown", (event) => {
	if (event.key === "Escape" && !$("detail").hidden) unchoose();
});
let tableWidth = $("table-scroll").clientWidth;
new ResizeObserver(() => {
	if ($("table-scroll").clientWidth === tableWidth) return;
	tableWidth = $("table-scroll").clientWidth;
	drawHead();
	drawRows();
}).observe($("table-scroll"));
// Milliseconds since the page was asked for, for who wants to know.
document.documentElement.dataset.ready = Math.round(performance.now());
