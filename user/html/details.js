/* ---- the details of what is selected --------------------------------------------------------- */
const LIST_MOST = 40;

const swatch = state => make("i", { class: "swatch", style: { background: `var(--${DATA.states[state]})` } });

/* Its part that was spent waiting for a CPU: [from, to), or null. */
function waitOf(row, i) {
	const a = absenceOf(row, i);
	if (row.state[i] === STATE.preempted)
		return [a.from, a.to];
	return a.delay ? [a.to - a.delay, a.to] : null;
}

/* The spans of the other vCPUs that overlap [from, to): f(row, i). */
function eachOther(row, from, to, f) {
	for (const other of rows) {
		if (other === row || !other.count)
			continue;
		for (let i = Math.max(0, spanAt(other, from)); i < other.count && other.from[i] < to; i++)
			if (other.from[i + 1] > from)
				f(other, i);
	}
}

const onCpu = state => state === STATE.running || state === STATE.on_or_user;

/* Of each row the longest one, and how many there were. */
function keepLongest(entries, row, i, ns, here) {
	const old = entries.get(row) || { row, i, ns: -1, times: 0, here: false };
	entries.set(row, {
		row, times: old.times + 1, here: old.here || here,
		i: ns > old.ns ? i : old.i, ns: Math.max(ns, old.ns),
	});
}

const longestOfTimes = e => `${e.times > 1 ? `${count(e.times)} ×, ≤ ` : ""}${time(e.ns)}`;

/* What ran on the CPU that it waited for, as long as it waited: {cpu, length, ran: [{row, i, sum, times}], the most first,
 * rest: ns of none of the rows, unknown: some vCPU was where nobody knows}; null if it did not wait, or nobody
 * knows where. Who was switched in when it was preempted is not always who held the CPU. */
function ranMeanwhile(a) {
	const wait = waitOf(a.row, a.i), cpu = a.state === STATE.preempted ? a.row.cpu[a.i] : a.open ? NO_CPU : a.row.back[a.i];
	const from = wait && Math.max(wait[0], WINDOW.from), to = wait && Math.min(wait[1], WINDOW.to), ran = new Map();
	let unknown = false;
	if (!wait || cpu === NO_CPU || to <= from)
		return null;
	eachOther(a.row, from, to, (row, i) => {
		const ns = Math.min(row.from[i + 1], to) - Math.max(row.from[i], from), old = ran.get(row);
		unknown = unknown || row.state[i] === STATE.unknown;
		if (!onCpu(row.state[i]) || row.cpu[i] !== cpu)
			return;
		ran.set(row, { row, sum: ns + (old ? old.sum : 0), times: 1 + (old ? old.times : 0),
			i: old && old.most >= ns ? old.i : i, most: Math.max(ns, old ? old.most : 0) });
	});
	const list = [...ran.values()].sort((x, y) => y.sum - x.sum);
	return { cpu, length: to - from, ran: list, unknown, rest: Math.max(0, to - from - list.reduce((sum, e) => sum + e.sum, 0)) };
}

const othersName = r => r.unknown ? "no vCPU shown here, or not known" : "no vCPU shown here";

/* In a few lines. */
function ranBriefly(r) {
	const lines = r.ran.slice(0, 2).map(e => [shortRow(e.row, 22), e.sum]), more = r.ran.slice(2).reduce((sum, e) => sum + e.sum, 0);
	if (more)
		lines.push([plural(r.ran.length - 2, "more vCPU"), more]);
	if (r.rest)
		lines.push([othersName(r), r.rest]);
	return [make("p", null, `on CPU ${r.cpu} meanwhile:`), make("ul", { id: "worst-ran", class: "ran" },
		lines.map(([name, ns]) => make("li", { "data-ns": String(ns) }, make("span", null, name), make("span", null, time(ns)))))];
}

/* Who waited for a CPU meanwhile. */
function meanwhile(a) {
	const cpu = a.row.cpu[a.i], waited = new Map();
	eachOther(a.row, a.from, a.to, (row, i) => {
		const wait = isAbsence(row.state[i]) ? waitOf(row, i) : null;
		if (!wait || wait[1] <= a.from || wait[0] >= a.to)
			return;
		keepLongest(waited, row, i, Math.min(wait[1], a.to) - Math.max(wait[0], a.from), row.cpu[i] === cpu || row.back[i] === cpu);
	});
	return [...waited.values()].sort((x, y) => y.here - x.here || y.ns - x.ns);
}

const goTo = (row, i, text) => make("button", { class: "link", type: "button", onclick: () => select(row, i, true) }, text);

function listOf(title, entries, line, none) {
	const parts = [make("h4", null, title)];
	if (!entries.length)
		parts.push(make("p", { style: { margin: 0 } }, make("small", null, none)));
	else
		parts.push(make("ul", null, entries.slice(0, LIST_MOST).map(line)));
	if (entries.length > LIST_MOST)
		parts.push(make("small", null, `and ${count(entries.length - LIST_MOST)} more`));
	return parts;
}

function pairs(list) {
	return make("dl", null, list.filter(Boolean).map(([name, value, ns]) =>
		[make("dt", null, name), make("dd", ns === undefined ? null : { "data-ns": String(ns) }, value)]));
}

function takerOf(a) {
	if (!a.by)
		return [];
	const task = a.task, row = task && rowById.get(task.vcpu_id);
	const i = row ? spanAt(row, Math.max(a.from, WINDOW.from)) : -1;
	return [make("h4", null, a.by === BY_QUOTA ? "Its CPU quota was used up; next on the CPU" : "CPU first taken by"),
		make("p", { id: "taken-by", style: { margin: 0 } },
			i >= 0 ? goTo(row, i, taskName(task)) : taskName(task), " ", make("small", null, className(a.by)))];
}

/* The CPU while it waited: the vCPUs that ran there, and how long. */
function ranList(r) {
	if (!r)
		return [];
	const line = (e, name) => make("li", { "data-ran": e.row ? String(e.row.vcpu.id) : null, "data-ns": String(e.sum) }, name,
		make("span", null, `${e.times > 1 ? `${count(e.times)} ×, ` : ""}${time(e.sum)} (${percent(e.sum, r.length)})`));
	const list = listOf(`Ran on CPU ${r.cpu} while it waited`, r.ran, e => line(e, goTo(e.row, e.i, rowName(e.row))), "no vCPU shown here");
	return [...list, r.rest && r.ran.length ? make("ul", null, line({ sum: r.rest }, make("span", null, othersName(r)))) : null];
}

function absenceDetails(a) {
	const cpu = n => n === NO_CPU ? "not known" : String(n);
	const from = `${a.part ? "before " : ""}${seconds(a.from)}`;
	const where = a.row.cpu[a.i], back = a.open ? "not yet" : cpu(a.row.back[a.i]);
	const reason = DATA.reasons[a.reason];
	return [
		make("h3", null, swatch(a.state), `${rowName(a.row)}: ${stateName(a.state)} ${atLeast(a)}${time(a.length)}`),
		pairs([
			["absence", atLeast(a) + exact(a.length), a.length],
			["run delay", a.delay === null ? "not known" : atLeast(a) + exact(a.delay) + (a.clamped ? " (cut)" : ""), a.delay === null ? undefined : a.delay],
			["from", from, a.from],
			["to", a.open ? "the end of the trace" : seconds(a.to), a.to],
			["clock", wall(a.from)],
			["CPU", `${cpu(where)} → ${back}`],
			["why", reason === "ioctl" ? "preempted, in a vCPU ioctl" : reason],
		]),
		takerOf(a),
		ranList(ranMeanwhile(a)),
		listOf("Waiting for a CPU meanwhile", meanwhile(a), e =>
			make("li", { "data-row": String(e.row.vcpu.id) }, goTo(e.row, e.i, rowName(e.row)),
				make("span", null, `${longestOfTimes(e)}${e.here ? ", same CPU" : ""}`)), "nobody else"),
	];
}

function spanDetails(s) {
	const { row, i } = s, length = row.from[i + 1] - row.from[i], cpu = row.cpu[i];
	const user = row.x[i] > 0 && row.state[i] === STATE.running;
	return [
		make("h3", null, swatch(row.state[i]), `${rowName(row)}: ${stateName(row.state[i])} ${time(length)}`),
		pairs([
			["length", exact(length), length],
			["from", seconds(row.from[i]), row.from[i]],
			["to", row.flags[i] & OPEN ? "the end of the trace" : seconds(row.from[i + 1]), row.from[i + 1]],
			["clock", wall(row.from[i])],
			row.state[i] <= STATE.on_or_user && cpu !== NO_CPU && ["CPU", String(cpu)],
			user && ["of it in the VMM", exact(row.x[i]), row.x[i]],
		]),
		row.state[i] === STATE.unknown ? make("p", null, make("small", null, "Before its first record, or where records of it were lost: nobody can tell what it did.")) : null,
	];
}

function markDetails(row, i) {
	const near = marks.filter(m => m.row === row && m.time >= row.from[i] && m.time <= row.from[i + 1]);
	return listOf("Rules violated here", near, m => make("li", null,
		make("span", { class: "violated" }, DATA.check.tests[m.rule].name), make("span", null, seconds(m.time))), "");
}

function showDetails() {
	const s = view.selected, box = $("details");
	if (!s) {
		box.replaceChildren(make("h3", null, "Details"), make("p", null, make("small", null,
			"Click an absence, or press n for the next long one: when, why, how long, who took the CPU and who was waiting meanwhile.")));
		return;
	}
	const marked = marks.some(m => m.row === s.row && m.time >= s.row.from[s.i] && m.time <= s.row.from[s.i + 1]);
	const parts = isAbsence(s.state) ? absenceDetails(s) : spanDetails(s);
	box.replaceChildren(...[parts, marked ? markDetails(s.row, s.i) : [], make("div", { class: "bar tools" },
		make("button", { type: "button", onclick: zoomToSelection }, "Zoom to it"),
		make("button", { type: "button", onclick: () => goOnInRow(false), "aria-label": "Previous absence of this vCPU" }, "‹"),
		make("button", { type: "button", onclick: () => goOnInRow(true), "aria-label": "Next absence of this vCPU" }, "›"),
		make("button", { type: "button", onclick: selectNothing }, "Close"))].flat(3).filter(Boolean));
	box.scrollTop = 0;
}
