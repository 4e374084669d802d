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

/* Meanwhile: who waited for a CPU, and who had the one that this vCPU was taken from. */
function meanwhile(a) {
	const cpu = a.row.cpu[a.i], waited = new Map(), had = new Map();
	eachOther(a.row, a.from, a.to, (row, i) => {
		if (onCpu(row.state[i]) && row.cpu[i] === cpu && cpu !== NO_CPU) {
			keepLongest(had, row, i, Math.min(row.from[i + 1], a.to) - Math.max(row.from[i], a.from), true);
		}
		const wait = isAbsence(row.state[i]) ? waitOf(row, i) : null;
		if (!wait || wait[1] <= a.from || wait[0] >= a.to)
			return;
		keepLongest(waited, row, i, Math.min(wait[1], a.to) - Math.max(wait[0], a.from), row.cpu[i] === cpu || row.back[i] === cpu);
	});
	return {
		waited: [...waited.values()].sort((x, y) => y.here - x.here || y.ns - x.ns),
		had: [...had.values()].sort((x, y) => y.ns - x.ns),
	};
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
	return [make("h4", null, a.by === BY_QUOTA ? "Its CPU quota was used up; next on the CPU" : "CPU taken by"),
		make("p", { id: "taken-by", style: { margin: 0 } },
			i >= 0 ? goTo(row, i, taskName(task)) : taskName(task), " ", make("small", null, className(a.by)))];
}

function absenceDetails(a) {
	const cpu = n => n === NO_CPU ? "not known" : String(n), { waited, had } = meanwhile(a);
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
		listOf(`vCPUs that had CPU ${cpu(where)} meanwhile`, had, e =>
			make("li", null, goTo(e.row, e.i, rowName(e.row)), make("span", null, longestOfTimes(e))), "none that is traced"),
		listOf("Waiting for a CPU meanwhile", waited, e =>
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
