/* ---- the timeline -------------------------------------------------------------------------- */
/* What part of time is shown, which rows, what is selected; and drawing it. The mouse and keys: hands.js. */
const AXIS_HEIGHT = 24, OVERVIEW_HEIGHT = 40, VM_HEIGHT = 26;
const SHORTEST = 200; /* ns on the whole screen */

const view = {
	a: WINDOW.from, b: WINDOW.to, /* shown */
	width: 600, height: 300, ratio: 1, /* of the strips, CSS pixels */
	selected: null, /* an absence of absenceOf(), or {row, i} of a span that is none */
	hover: null, /* {row, x, y} */
	band: null, /* [from, to] being marked with the mouse */
	found: null, /* what the search chose: {label, rows: Set or null, spans: Map row -> Int32Array or null} */
	items: [], total: 0, /* laid out rows */
	dirty: false, frames: 0,
};

/* ---- rows on the screen ---- */

const rowHeight = () => rows.length <= 4 ? 46 : rows.length <= 10 ? 32 : rows.length <= 40 ? 24 : 18;

function layOut() {
	const items = [], h = rowHeight();
	let y = 0;
	for (const group of vms) {
		if (vms.length > 1 || group.rows.length > 1) {
			items.push({ group, y, height: VM_HEIGHT });
			y += VM_HEIGHT;
		}
		for (const row of group.closed ? [] : group.rows) {
			items.push({ row, group, y, height: h });
			y += h;
		}
	}
	view.items = items;
	view.total = y;
	$("labels").style.height = `${y}px`;
}

const itemOf = row => view.items.find(item => item.row === row);

function visibleItems() {
	const top = $("rows").scrollTop;
	return view.items.filter(item => item.y + item.height > top && item.y < top + view.height);
}

/* ---- labels ---- */

const waited = row => row.vcpu.known ? row.report.run_delay_ns : undefined;
const windowLength = DATA.report.window_ns;

function vmLabel(item) {
	const { vm, rows: own, closed } = item.group, name = harmless(vm.name);
	return make("button", {
		class: "label vm", type: "button", title: name, "aria-expanded": String(!closed),
		"aria-label": `${name}, ${plural(own.length, "vCPU")}`,
		style: { top: `${item.y}px`, height: `${item.height}px` },
		onclick: () => { item.group.closed = !closed; relayOut(); },
		"data-key": `vm ${vm.id}`,
	}, make("span", { "aria-hidden": "true" }, closed ? "▸" : "▾"), make("span", { class: "name" }, shrinking(name, "", 8)),
	make("span", { class: "part" }, plural(own.length, "vCPU")));
}

function rowLabel(item) {
	const row = item.row, ns = waited(row), part = ns === undefined ? "-" : percent(ns, windowLength);
	const away = view.found && view.found.rows && !view.found.rows.has(row);
	return make("button", {
		class: `label${view.selected && view.selected.row === row ? " chosen" : ""}${away ? " away" : ""}`,
		type: "button", title: `${rowName(row)}, thread ${row.vcpu.tid}: its longest run delay`,
		"aria-label": `${rowName(row)}: ${ns === undefined ? "how long it waited for a CPU is not known" : `waited for a CPU ${part} of the time`}; go to its longest run delay`,
		style: { top: `${item.y}px`, height: `${item.height}px` },
		onclick: () => goToLongest(row),
		"data-key": `row ${row.index}`,
	}, make("span", { class: "name" }, vms.length > 1 || rows.length > 1 ? vcpuNumber(row) : shrinkingRow(row)),
	make("span", { class: "part" }, part),
	make("span", { class: "meter", style: { width: `${100 * Math.min(1, (ns || 0) / windowLength)}%` } }));
}

function drawLabels() {
	const focused = document.activeElement && document.activeElement.dataset.key;
	$("labels").replaceChildren(...visibleItems().map(item => item.row ? rowLabel(item) : vmLabel(item)));
	if (focused)
		$("labels").querySelector(`[data-key="${focused}"]`)?.focus({ preventScroll: true });
}

function relayOut() {
	layOut();
	measure();
	drawLabels();
	redraw();
}

/* ---- canvases ---- */

function fit(canvas, width, height) {
	const w = Math.max(1, Math.round(width * view.ratio)), h = Math.max(1, Math.round(height * view.ratio));
	if (canvas.width !== w || canvas.height !== h) {
		canvas.width = w;
		canvas.height = h;
	}
	canvas.style.width = `${width}px`;
	canvas.style.height = `${height}px`;
}

function measure() {
	const box = $("rows");
	view.ratio = window.devicePixelRatio || 1;
	view.height = Math.min(view.total, box.clientHeight || 300) || 40;
	view.width = Math.max(50, $("view").clientWidth);
	box.parentNode.style.setProperty("--bar-width", `${box.offsetWidth - box.clientWidth}px`);
	$("view").style.height = `${view.height}px`;
	fit($("canvas"), view.width, view.height);
	fit($("axis"), view.width, AXIS_HEIGHT);
	fit($("overview"), view.width, OVERVIEW_HEIGHT);
	view.overview = null;
}

const xOf = t => (t - view.a) / (view.b - view.a) * view.width;
const tOf = x => view.a + x / view.width * (view.b - view.a);

/* ---- drawing ---- */

function redraw() {
	if (view.dirty)
		return;
	view.dirty = true;
	requestAnimationFrame(() => {
		view.dirty = false;
		draw();
		view.frames++;
	});
}

function drawRow(g, row, top, height, exactly) {
	const r = view.ratio, w = $("canvas").width;
	const y = Math.round((top + 2) * r), h = Math.max(1, Math.round((height - 4) * r));
	g.putImageData(imageOf([row], view.a, view.b, w, h, exactly), 0, y);
	if (exactly)
		drawTakers(g, row, top + 2, height - 4);
}

/* Of the worst waits, who had the CPU for most of it, if that is known: "row,span" -> row. */
let hadMost = null;
function whoHad(row, i) {
	if (!hadMost) {
		hadMost = new Map();
		for (const w of DATA.worst) {
			const at = spanAt(rows[w.row], w.from), ran = at < 0 ? null : ranMeanwhile(absenceOf(rows[w.row], at));
			if (ran && ran.ran.length && ran.ran[0].sum >= ran.length / 2)
				hadMost.set(`${w.row},${at}`, ran.ran[0].row);
		}
	}
	return hadMost.get(`${row.index},${i}`);
}

/* Who took the CPU, where an absence is wide enough to say so. */
function drawTakers(g, row, top, height) {
	const scale = view.width / (view.b - view.a), widest = 16 / scale;
	let i = Math.max(0, spanAt(row, view.a));
	if (!row.count || row.from[0] >= view.b || row.from[row.count] <= view.a || spansIn([row], view.a, view.b) > 20000)
		return;
	for (; i < row.count && row.from[i] < view.b; i++) {
		if (row.task[i] !== NO_TASK && row.from[i + 1] - row.from[i] > widest)
			drawTaker(g, row, i, top, height);
	}
}

function drawTaker(g, row, i, top, height) {
	const x0 = Math.max(0, xOf(row.from[i])), x1 = Math.min(view.width, xOf(row.from[i + 1]));
	const task = DATA.tasks[row.task[i]], room = Math.floor((x1 - x0 - 8) / 7.2);
	if (room < 3)
		return;
	const quota = (row.how[i] & 7) === BY_QUOTA ? "quota" : null;
	const had = whoHad(row, i);
	const vm = had ? vmName(had) : task.vm_name, vcpu = had ? had.vcpu.vcpu : task.vcpu, long = `${vm} vCPU ${vcpu}`;
	const name = quota || (vcpu === undefined || !vm ? task.comm ?? `[${task.tid}]` : long.length > room ? `${vm}/${vcpu}` : long);
	g.font = `${height > 18 ? 12 : 10.5}px system-ui, sans-serif`;
	g.textBaseline = "middle";
	g.fillStyle = onPreempted;
	g.fillText(short(name, room), x0 + 4, top + height / 2 + .5);
}
let onPreempted = "#fff";

/* A closed VM: its vCPUs as thin lines. */
function drawGroup(g, item, top) {
	const r = view.ratio, own = item.group.rows;
	if (!item.group.closed)
		return;
	g.putImageData(imageOf(own, view.a, view.b, $("canvas").width, Math.round((item.height - 4) * r),
		beExact(own, view.a, view.b, view.width * r)), 0, Math.round((top + 2) * r));
}

/* What the search found stays, the rest fades. */
function drawFound(g, item, top) {
	const found = view.found, row = item.row;
	if (!found || !row)
		return;
	const list = found.spans && found.spans.get(row);
	if (found.spans || !found.rows.has(row)) {
		g.globalAlpha = .72;
		g.fillStyle = palette.bg;
		g.fillRect(0, top, view.width, item.height);
		g.globalAlpha = 1;
	}
	if (!list)
		return;
	let low = 0, high = list.length, last = -2;
	while (low < high) {
		const mid = (low + high) >> 1;
		if (row.from[list[mid] + 1] <= view.a)
			low = mid + 1;
		else
			high = mid;
	}
	g.fillStyle = palette.preempted;
	for (; low < list.length && row.from[list[low]] < view.b; low++) {
		const x0 = Math.max(0, xOf(row.from[list[low]])), x1 = Math.min(view.width, xOf(row.from[list[low] + 1]));
		if (x1 < last + .7)
			continue;
		g.fillRect(x0, top + 3, Math.max(1.2, x1 - x0), item.height - 6);
		last = x1;
	}
}

function drawMarks(g, items, top) {
	g.fillStyle = palette.bad;
	const shown = new Map(items.filter(i => i.row).map(i => [i.row, i]));
	for (const mark of marks) {
		const item = shown.get(mark.row), x = xOf(mark.time);
		if (!item || x < -6 || x > view.width + 6)
			continue;
		const y = item.y - top;
		g.beginPath();
		g.moveTo(x - 6, y + 1);
		g.lineTo(x + 6, y + 1);
		g.lineTo(x, y + 11);
		g.closePath();
		g.fill();
		g.fillRect(x - .75, y + 1, 1.5, item.height - 2);
	}
}

function drawSelection(g, items, top) {
	const s = view.selected;
	if (view.band)
		drawBand(g, ...view.band);
	if (!s)
		return;
	const from = s.row.from[s.i], to = s.row.from[s.i + 1], item = items.find(i => i.row === s.row);
	drawBand(g, from, to);
	if (!item)
		return;
	const x0 = Math.max(-4, xOf(from)), x1 = Math.min(view.width + 4, xOf(to));
	g.strokeStyle = palette.text;
	g.lineWidth = 2;
	g.strokeRect(x0 - 1, item.y - top + 1.5, Math.max(3, x1 - x0 + 2), item.height - 3);
}

/* The worst delay is marked from the start: a frame around it, and its words on the axis. */
function worstAt() {
	const w = DATA.worst[0], row = w && rows[w.row], i = row ? spanAt(row, w.from) : -1;
	return i < 0 ? null : { row, i, ns: w.run_delay_ns, apart: w.apart };
}
const worst = worstAt();

function drawWorst(g, items, top) {
	const shows = item => item.row === worst.row || (item.group.closed && item.group.rows.includes(worst.row));
	const item = worst && items.find(shows), x0 = worst && xOf(worst.row.from[worst.i]), x1 = worst && xOf(worst.row.from[worst.i + 1]);
	view.worst = null;
	if (!worst || x1 < 0 || x0 > view.width)
		return;
	const from = Math.max(-4, x0 - 1), to = Math.min(view.width + 4, Math.max(x1 + 1, x0 + 3)), middle = (Math.max(0, from) + Math.min(view.width, to)) / 2;
	const above = item ? item.y - top + 1 : itemOf(worst.row)?.y < top ? 0 : view.height;
	g.fillStyle = g.strokeStyle = palette.text;
	g.fillRect(middle - .75, 0, 1.5, Math.max(0, above));
	if (item) {
		g.lineWidth = 2;
		g.strokeRect(from, above, to - from, item.height - 2);
	}
	view.worst = { x: middle, y: above, text: `worst delay ${time(worst.ns)}${worst.apart && view.width > 500 ? `, ${worst.apart}` : ""}: ${shortRow(worst.row, 30)}${item ? "" : above ? " ↓" : " ↑"}` };
}

/* On the axis, above the place. */
function drawWorstWords(g) {
	if (!view.worst)
		return;
	g.font = "600 11.5px system-ui, sans-serif";
	const wide = g.measureText(view.worst.text).width + 12, x = Math.max(0, Math.min(view.width - wide, view.worst.x - wide / 2));
	g.fillStyle = palette.text;
	g.fillRect(x, 3, wide, AXIS_HEIGHT - 6);
	g.fillRect(view.worst.x - .75, 3, 1.5, AXIS_HEIGHT - 3);
	g.fillStyle = palette.bg;
	g.fillText(view.worst.text, x + 6, AXIS_HEIGHT / 2 + 1);
}

function drawBand(g, from, to) {
	const x0 = Math.max(0, xOf(from)), x1 = Math.min(view.width, xOf(to));
	if (x1 < 0 || x0 > view.width)
		return;
	g.fillStyle = palette.band;
	g.fillRect(x0, 0, Math.max(1.5, x1 - x0), view.height);
}

function draw() {
	const canvas = $("canvas"), g = canvas.getContext("2d"), top = $("rows").scrollTop, items = visibleItems();
	const exactly = beExact(items.filter(i => i.row).map(i => i.row), view.a, view.b, canvas.width);
	g.setTransform(1, 0, 0, 1, 0, 0);
	g.clearRect(0, 0, canvas.width, canvas.height);
	g.setTransform(view.ratio, 0, 0, view.ratio, 0, 0);
	for (const item of items) {
		if (item.row)
			drawRow(g, item.row, item.y - top, item.height, exactly);
		else
			drawGroup(g, item, item.y - top);
		drawFound(g, item, item.y - top);
	}
	drawSelection(g, items, top);
	drawMarks(g, items, top);
	drawWorst(g, items, top);
	if (!rows.length) {
		g.fillStyle = palette.dim;
		g.fillText("No vCPU was seen.", 12, 24);
	}
	drawAxis();
	drawOverview();
	$("range").textContent = `${seconds(view.a, digits())} … ${seconds(view.b, digits())}  (${rough(view.b - view.a)})`;
}

/* Decimals of seconds that tell the ends of what is shown apart. */
const digits = () => Math.max(0, Math.min(9, Math.ceil(3 - Math.log10((view.b - view.a) / 1e9))));

/* A round step of which at most n fit. */
function stepOf(length, n) {
	const least = length / n, ten = 10 ** Math.floor(Math.log10(least));
	const more = [60e9, 120e9, 300e9, 600e9, 900e9, 1800e9, 3600e9, 7200e9, 21600e9, 43200e9, 86400e9];
	if (least > 30e9)
		return more.find(s => s >= least) || 86400e9 * Math.ceil(least / 86400e9);
	return Math.max(1, [1, 2, 5, 10].map(k => k * ten).find(s => s >= least));
}

function drawAxis() {
	const g = $("axis").getContext("2d"), step = stepOf(view.b - view.a, Math.max(2, view.width / 110));
	const decimals = Math.max(0, Math.min(9, -Math.floor(Math.log10(step / 1e9) + 1e-9)));
	g.setTransform(view.ratio, 0, 0, view.ratio, 0, 0);
	g.clearRect(0, 0, view.width, AXIS_HEIGHT);
	g.font = "11.5px system-ui, sans-serif";
	g.textBaseline = "middle";
	for (let t = Math.ceil(view.a / step) * step; t <= view.b; t += step) {
		const x = xOf(t), label = `${(t / 1e9).toFixed(decimals)} s`;
		g.fillStyle = palette.line;
		g.fillRect(Math.round(x), 0, 1, AXIS_HEIGHT);
		g.fillStyle = palette.dim;
		if (x + g.measureText(label).width + 5 < view.width)
			g.fillText(label, x + 4, AXIS_HEIGHT / 2 + 1);
	}
	drawWorstWords(g);
}

/* The whole window, with what is shown of it. Its strips do not change. */
function drawOverview() {
	const canvas = $("overview"), g = canvas.getContext("2d"), r = view.ratio;
	if (!view.overview) {
		const most = Math.floor(canvas.height / r / 1.5), every = Math.max(1, Math.ceil(rows.length / most));
		const list = rows.filter((row, i) => i % every === 0);
		view.overview = imageOf(list, WINDOW.from, WINDOW.to, canvas.width, canvas.height, spansIn(list, WINDOW.from, WINDOW.to) < 20000);
	}
	g.setTransform(1, 0, 0, 1, 0, 0);
	g.putImageData(view.overview, 0, 0);
	g.setTransform(r, 0, 0, r, 0, 0);
	const whole = WINDOW.to - WINDOW.from, x0 = (view.a - WINDOW.from) / whole * view.width, x1 = (view.b - WINDOW.from) / whole * view.width;
	g.globalAlpha = .62;
	g.fillStyle = palette.bg;
	g.fillRect(0, 0, x0, OVERVIEW_HEIGHT);
	g.fillRect(x1, 0, view.width - x1, OVERVIEW_HEIGHT);
	g.globalAlpha = 1;
	g.strokeStyle = palette.select;
	g.lineWidth = 2;
	g.strokeRect(x0 + 1, 1, Math.max(2, x1 - x0 - 2), OVERVIEW_HEIGHT - 2);
	g.fillStyle = palette.bad;
	for (const mark of marks)
		g.fillRect((mark.time - WINDOW.from) / whole * view.width - 1, 0, 2, 12);
	if (worst) {
		const x = (worst.row.from[worst.i] - WINDOW.from) / whole * view.width;
		g.fillStyle = palette.text;
		g.beginPath();
		g.moveTo(x - 5, 0);
		g.lineTo(x + 5, 0);
		g.lineTo(x, 9);
		g.fill();
	}
	if (view.selected) {
		g.fillStyle = palette.text;
		g.fillRect((view.selected.row.from[view.selected.i] - WINDOW.from) / whole * view.width - 1, 0, 2, OVERVIEW_HEIGHT);
	}
}
