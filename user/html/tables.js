/* ---- cards, tables, histograms ---------------------------------------------------------------- */
/* All numbers are the program's. */

/* ---- the verdict ---- */

/* Where the kernel does not tell run delays, what is known of them: preemption. null: nothing is known. */
const suffered = row => row.vcpu.known ? waited(row) ?? row.report.preempted_ns ?? 0 : null;
const victim = () => rows.reduce((worst, row) => (suffered(row) ?? 0) > (worst ? suffered(worst) : 0) ? row : worst, null);

/* full: what big is short for. */
const card = (title, kind, big, full, ...rest) =>
	make("article", { class: `card ${kind}` }, make("h2", null, title), make("p", { class: "big", title: full }, big), rest);

/* Nobody, if that is known. */
function noneCard(title, k, big, none) {
	const all = rows.length && k.known && !k.unknown_ns;
	return card(title, all ? "ok" : "unsure", all ? big : "-", null, make("p", null, noneOf(k, none)));
}

/* Of those who are named: how much may be missing. */
const unknownNote = (whose, k) => k.unknown_ns ?
	make("p", { class: "note" }, `${share(k.unknown_ns, k.window_ns)} of ${whose} time is unknown.`) : null;

const CARD = 24; /* columns of a name */

function victimCard(row) {
	if (!row)
		return noneCard("Victim", DATA.all, "nobody", "No vCPU waited for a CPU.");
	return card("Victim", "bad", shortRow(row, CARD), rowName(row),
		make("p", null, `${waited(row) === undefined ? "was preempted" : "waited for a CPU"} ${time(suffered(row))} of ${time(windowLength)} (${percent(suffered(row), windowLength)})`),
		unknownNote("its", knownOf(row)),
		make("button", { type: "button", onclick: () => goToLongest(row) }, "Its longest wait"));
}

/* Who of the preemptors a column of the matrix stands for. */
function isOf(p, column) {
	if (column.kind === "quota")
		return p.class === "quota";
	if (column.kind === "vm")
		return p.vm === column.name;
	return column.kind === "task" && p.vm === null && p.class !== "quota" && (p.comm || (p.tid ? "?" : "swapper")) === column.name;
}

const preemptorsOf = new Map(); /* by the victim's name */
for (const p of DATA.report.preemptors)
	(preemptorsOf.get(p.victim) || preemptorsOf.set(p.victim, []).get(p.victim)).push(p);

/* In the words of the report: "kernel", "same vm, emulator". victim: a VM's name, or all. */
function classesOf(column, victim) {
	const own = (victim === undefined ? DATA.report.preemptors : preemptorsOf.get(victim) || []).filter(p => isOf(p, column));
	return [...new Set(own.map(p => p.class.replaceAll("_", " ")))].join(", ");
}

const columnKind = column => ({ vm: "VM", pid: "VM", task: classesOf(column) })[column.kind] ?? "";

/* Who was switched in need not have had the CPU: if in the VM's worst wait that was another VM, who. */
function hadIt(vm, column) {
	const w = DATA.worst.find(d => rows[d.row].vcpu.vm === vm), row = w && rows[w.row], i = row ? spanAt(row, w.from) : -1;
	const ran = i >= 0 ? ranMeanwhile(absenceOf(row, i)) : null, most = ran && ran.ran[0];
	if (!most || most.sum < ran.length / 2 || (column.kind === "vm" && column.vm === most.row.vcpu.vm))
		return null;
	return make("p", null, `in its worst wait ${shortRow(most.row, CARD)} had the CPU for ${time(most.sum)}`);
}

function culpritCard(row) {
	const m = DATA.matrix.by_name, own = row && m.rows.find(r => r.vm === row.vcpu.vm);
	const cell = own && own.cells[0];
	const k = row ? vmById.get(row.vcpu.vm) : DATA.all;
	if (!cell)
		return noneCard("Culprit", k, "nobody", row ? `No vCPU of ${vmName(row)} was preempted.` : "No vCPU was preempted.");
	const [n, ns, times] = cell, column = m.columns[n], self = column.vm === row.vcpu.vm && column.kind === "vm";
	const task = column.kind !== "quota" && DATA.report.preemptors.find(p => p.victim === row.report.vm && isOf(p, column));
	const name = column.kind === "quota" ? () => "its CPU quota" : self ? f => `${f(k.name)} itself` : f => f(column.name);
	const classes = classesOf(column, row.report.vm);
	return card("Culprit", "bad", name(text => short(text, CARD)), name(harmless),
		make("p", null, `${column.kind === "quota" ? "held" : "was first to take a CPU of"} ${short(k.name, CARD)} ${column.kind === "quota" ? "back " : ""}${plural(times, "time")}${classes && column.kind !== "quota" ? ` (${classes})` : ""}: ${time(ns)}, ${percent(ns, own.time_ns)} of its preemption`),
		task ? make("p", null, `most: ${harmless(task.comm || "?")}[${task.tid}], ${time(task.time_ns)}`) : null,
		hadIt(row.vcpu.vm, column),
		unknownNote("its VM's", k));
}

function worstCard() {
	const w = DATA.worst[0], row = w && rows[w.row], i = row ? spanAt(row, w.from) : -1;
	if (i < 0)
		return noneCard("Worst delay", DATA.all, "none", "Nobody waited for a CPU.");
	const a = absenceOf(row, i), ran = ranMeanwhile(a);
	const who = a.task ? `; ${takenBy(a, text => short(text, CARD))}${a.by === BY_QUOTA ? "" : ` (${className(a.by)})`}` : "; it had been woken up";
	return card("Worst delay", "bad", (a.part ? "at least " : "") + time(w.run_delay_ns), null,
		make("p", { title: rowName(row) }, `${shortRow(row, CARD)}, ${seconds(a.from, 3)} after the start${who}`),
		w.apart ? make("p", { id: "worst-apart" }, `${w.apart}: it counts in time, not in p99 and max`) : null,
		ran ? ranBriefly(ran) : null,
		unknownNote("all vCPUs'", DATA.all),
		make("button", { type: "button", id: "go-worst", onclick: goToWorst, "aria-keyshortcuts": "w" }, "Show it"));
}

function rulesCard() {
	const c = DATA.check, t = c.totals, n = marks.length + c.marks_left_out;
	if (t.violated)
		return card("KVM's rules", "violated", `${plural(t.violated, "rule")} violated`, null,
			make("p", null, c.tests.filter(x => x.verdict === "violated").map(x => x.name).join(", ")),
			make("button", { type: "button", onclick: goToNextMark, "aria-keyshortcuts": "v" }, `Show (${plural(n, "time")})`));
	if (c.verdict === "ok")
		return card("KVM's rules", "ok", `${plural(t.ok, "rule")} hold${t.ok === 1 ? "s" : ""}`, null,
			make("p", null, t.skipped ? `${count(t.skipped)} cannot be decided here` : "All were decided."));
	if (!c.doubt && t.ok)
		return card("KVM's rules", "ok", `${plural(t.ok, "rule")} hold${t.ok === 1 ? "s" : ""}`, null,
			make("p", null, `None is violated; ${count(t.inconclusive)} had nothing to decide here.`));
	return card("KVM's rules", "", "inconclusive", null, make("p", null, c.doubt || "There was nothing to decide."));
}

function showVerdict() {
	const row = victim();
	$("verdict").replaceChildren(victimCard(row), culpritCard(row), worstCard(), rulesCard());
}

function showHead() {
	const r = DATA.report, s = SESSION;
	$("about").textContent = [`host ${harmless(s.host)}`, `Linux ${harmless(r.kernel)}`, `${r.mode} mode`, wall(0, 0, true),
		`${plural(rows.length, "vCPU")} over ${time(r.window_ns)}`, plural(r.events, "event"),
		s.filter ? `filters: ${harmless(s.filter)}` : null].filter(Boolean).join("  ·  ");
	document.title = `kvmsched: host ${harmless(s.host)}`;
	const bad = [
		r.lost ? `${plural(r.lost, "record")} were lost: what depends on them is shown as unknown (hatched).` : "",
		s.damaged ? "The recording is damaged: what is shown is not the whole." : "",
		s.unfinished ? "The recorder was killed: the recording ends at its last stored record." : "",
		s.untracked ? `${plural(s.untracked, "vCPU")} did not fit into the table and are not shown.` : "",
		rows.length ? "" : "No vCPU was seen.",
		rows.length && !DATA.all.known ? "Nothing is known of any vCPU in this window." : "",
	].filter(Boolean).join(" ");
	$("warning").textContent = bad;
	$("warning").hidden = !bad;
}

function showLegend() {
	const seen = STATE_ORDER.filter(s => DATA.report.vcpus.some(v => v[`${DATA.states[s]}_ns`] > 0));
	const item = (s, name) => make("li", null, make("i", s === STATE.unknown ? { class: "hatched" } :
		{ style: { background: `var(--${s === STATE.woken ? "woken" : DATA.states[s]})` } }), name || stateName(s));
	const items = seen.map(s => item(s));
	if (DATA.strips.rows.some(row => row.woken))
		items.splice(seen.indexOf(STATE.preempted) + 1, 0, item(STATE.woken, "woken, waiting for a CPU"));
	$("legend").replaceChildren(...items);
}

/* ---- tables ---- */

const ROWS_FIRST = 200;

/* columns: {name, title, left, value(row) to sort by, cell(row)}. A click on a head sorts. Of many rows there are the
 * first ones until somebody asks for all. first: the name of the column that they are sorted by at first. */
function table(element, columns, data, rowOf, first) {
	let by = null, down = true, most = ROWS_FIRST;
	const head = make("tr", null, columns.map(c => make("th", { class: c.left ? "left" : null, scope: "col", title: c.title },
		c.value ? make("button", { type: "button", onclick: () => sort(c) }, c.name) : c.name)));
	const body = make("tbody");
	const foot = make("tfoot", null, make("tr", null, make("td", { class: "left", colspan: String(columns.length) },
		make("button", { type: "button", onclick: () => { most = Infinity; fill(); } }, `Show all ${count(data.length)}`))));
	const fill = () => {
		body.replaceChildren(...data.slice(0, most).map(rowOf));
		foot.hidden = data.length <= most;
	};
	function sort(c) {
		down = by === c ? !down : true;
		by = c;
		const value = d => c.value(d) ?? -1;
		data = [...data].sort((x, y) => {
			const a = value(x), b = value(y), order = typeof a === "string" ? a.localeCompare(b) * -1 : a - b;
			return down ? -order : order;
		});
		[...head.children].forEach((th, i) => {
			th.removeAttribute("aria-sort");
			if (columns[i] === c)
				th.setAttribute("aria-sort", down ? "descending" : "ascending");
		});
		fill();
	}
	const begin = columns.find(c => c.name === first);
	if (begin)
		sort(begin);
	else
		fill();
	element.replaceChildren(make("thead", null, head), body, foot);
}

const STATE_ORDER = ["running", "on_or_user", "user", "preempted", "halted", "sleeping", "elsewhere", "absent", "unknown"].map(s => STATE[s]);

function stateBar(v) {
	const parts = STATE_ORDER.map(s => [DATA.states[s], v[`${DATA.states[s]}_ns`] || 0]).filter(p => p[1] > 0);
	const text = parts.map(([name, ns]) => `${name.replaceAll("_", " ")} ${percent(ns, windowLength)}`).join(", ");
	return make("div", { class: "states", role: "img", "aria-label": text, title: text },
		parts.map(([name, ns]) => make("i", { class: name === "unknown" ? "hatched" : null,
			style: { width: `${100 * ns / windowLength}%`, background: name === "unknown" ? null : `var(--${name})` } })));
}

function vcpuColumns() {
	const own = key => DATA.report.vcpus.some(v => v[key] !== undefined);
	/* nothing happened, or nothing is known? */
	const known = (r, key) => r.vcpu.known || key === "unknown_ns" || key === "absent_ns" || key === "lost" ? r.report[key] : undefined;
	const part = (name, key, title) => own(key) && { name, title, value: r => known(r, key), cell: r => known(r, key) === undefined ? "-" : percent(known(r, key), windowLength) };
	const number = (name, key) => own(key) && { name, value: r => known(r, key), cell: r => count(known(r, key)) };
	const of = (name, key, what, title, mark) => ({ name, title, value: r => r.report[key]?.[what],
		cell: r => (mark?.(r) ? "*" : "") + (r.report[key]?.[what] === undefined ? "-" : time(r.report[key][what])) });
	return [
		{ name: "VM", left: true, value: vmName, cell: r => shrinking(vmName(r)) },
		{ name: "vCPU", value: r => r.vcpu.vcpu, cell: r => goTo2(r) },
		{ name: "tid", value: r => r.vcpu.tid, cell: r => r.vcpu.tid },
		{ name: "states", left: true, cell: r => stateBar(r.report) },
		part("run delay", "run_delay_ns", "time runnable but waiting for a CPU"),
		...["running", "on_or_user", "user", "preempted", "halted", "sleeping", "elsewhere", "absent", "unknown"].map(s =>
			DATA.report.vcpus.some(v => v[`${s}_ns`] > 0) && part(s.replaceAll("_", " "), `${s}_ns`, s === "halted" || s === "sleeping" ? "with the time that it had been woken and waited for a CPU" : undefined)),
		number("switches", "switches"), number("migrations", "migrations"),
		of("delay p50", "run_delay", "p50_ns", "run delay of the median absence"), of("delay p99", "run_delay", "p99_ns"), of("delay max", "run_delay", "max_ns", undefined, r => r.vcpu.apart),
		of("absence p99", "absence", "p99_ns"), of("absence max", "absence", "max_ns"),
		DATA.report.vcpus.some(v => v.lost > 0) && number("lost", "lost"),
	].filter(Boolean);
}

const goTo2 = row => make("button", { class: "link", type: "button", "aria-label": `${rowName(row)}: go to its longest run delay`, onclick: () => { goToLongest(row); toTimeline(); } },
	row.vcpu.vcpu >= 0 ? String(row.vcpu.vcpu) : "-");

function toTimeline() {
	$("h-timeline").scrollIntoView({ block: "start" });
}

function showVcpus() {
	const columns = vcpuColumns(), worst = victim();
	table($("vcpus"), columns, rows, row => make("tr", { class: row === worst ? "worst" : null, "data-id": String(row.vcpu.id) },
		columns.map(c => make("td", { class: c.name === "VM" ? "name" : c.left ? "left" : null, title: c.name === "VM" ? vmName(row) : null }, c.cell(row)))),
	columns.some(c => c.name === "run delay") ? "run delay" : "preempted");
	$("woken").hidden = !columns.some(c => c.name === "halted" || c.name === "sleeping") || !columns.some(c => c.name === "run delay");
	$("apart").textContent = DATA.apart_note ? `* ${harmless(DATA.apart_note)}` : "";
}

/* ---- who took whose CPU ---- */

function showMatrix() {
	const m = DATA.matrix.by_name, most = Math.max(1, ...m.rows.flatMap(r => r.cells.map(c => c[1])));
	if (!m.rows.length) {
		$("matrix").replaceChildren(make("tbody", null, make("tr", null, make("td", { class: "left" }, noneOf(DATA.all, "No vCPU was preempted.")))));
		return;
	}
	const head = make("tr", null, make("th", { class: "left", scope: "col" }, "preempted VM \\ first taken by"),
		m.columns.map(c => make("th", { scope: "col", title: harmless(c.name) }, `${short(c.name, 24)} `, make("small", null, columnKind(c)))),
		make("th", { scope: "col" }, "all"));
	const body = m.rows.map(r => {
		const name = harmless(vmById.get(r.vm)?.name ?? "?"), cells = new Map(r.cells.map(c => [c[0], c]));
		return make("tr", null, make("th", { class: "name", scope: "row", title: name }, shrinking(name)), m.columns.map((c, i) => {
			const cell = cells.get(i);
			if (!cell)
				return make("td", null, "");
			const mix = Math.round(6 + 60 * Math.sqrt(cell[1] / most));
			return make("td", { title: [plural(cell[2], "time"), classesOf(c, vmById.get(r.vm)?.name)].filter(Boolean).join(", "), "data-ns": String(cell[1]),
				style: { background: `color-mix(in srgb, var(--preempted) ${mix}%, transparent)` } }, time(cell[1]));
		}), make("td", null, time(r.time_ns)));
	});
	$("matrix").replaceChildren(make("thead", null, head), make("tbody", null, body));
}

function showTasks() {
	const columns = [
		{ name: "preempted VM", left: true, value: p => p.victim, cell: p => shrinking(harmless(p.victim)) },
		{ name: "class", left: true, value: p => p.class, cell: p => p.class.replaceAll("_", " ") },
		{ name: "first taken by", left: true, value: p => p.comm, cell: p => make("button", { class: "link", type: "button", "aria-label": `mark what ${harmless(p.comm)} took`, onclick: () => markTask(p) }, harmless(p.comm || "?")) },
		{ name: "of", left: true, value: p => p.vm ?? "", cell: p => p.vm ? shrinking(harmless(p.vm), p.vcpu === undefined ? "" : ` vCPU ${p.vcpu}`) : "" },
		{ name: "tid", value: p => p.tid, cell: p => p.tid },
		{ name: "times", value: p => p.count, cell: p => count(p.count) },
		{ name: "time", value: p => p.time_ns, cell: p => time(p.time_ns) },
	];
	$("tasks").parentNode.hidden = !DATA.report.preemptors.length;
	table($("tasks"), columns, DATA.report.preemptors, p => make("tr", null, columns.map(c =>
		make("td", { class: c.left ? "name" : null }, c.cell(p)))));
}

function markTask(p) {
	const tasks = DATA.tasks.map((t, n) => t.tid === p.tid && (t.comm ?? "") === p.comm ? n : -1).filter(n => n >= 0);
	choose({ label: `${harmless(p.comm || "?")}[${p.tid}]`, tasks });
	toTimeline();
}

/* ---- the longest ---- */

const LONGEST = 100;

function longest(what, state) {
	const best = []; /* sorted, the longest first */
	let least = -1;
	for (const row of rows) {
		for (let i = 0; i < row.count; i++) {
			if (state >= 0 && row.state[i] !== state)
				continue;
			const key = keyOf(row, i, what);
			if (key <= least)
				continue;
			let at = best.length;
			while (at && best[at - 1].key < key)
				at--;
			best.splice(at, 0, { key, row, i });
			if (best.length > LONGEST) {
				best.pop();
				least = best[LONGEST - 1].key;
			}
		}
	}
	return best;
}

function showLongest() {
	const state = $("longest-state").value ? STATE[$("longest-state").value] : -1;
	const list = longest($("longest-by").value, state).map(b => absenceOf(b.row, b.i));
	const columns = [
		{ name: "from", value: a => a.from, cell: a => make("button", { class: "link", type: "button", onclick: () => { select(a.row, a.i, true); toTimeline(); } }, seconds(a.from, 6)) },
		{ name: "vCPU", left: true, value: a => rowName(a.row), cell: a => shrinkingRow(a.row) },
		{ name: "state", left: true, value: a => stateName(a.state), cell: a => [swatch(a.state), stateName(a.state)] },
		{ name: "run delay", value: a => a.delay, cell: a => a.delay === null ? "-" : atLeast(a) + time(a.delay) },
		{ name: "absence", value: a => a.length, cell: a => atLeast(a) + time(a.length) },
		{ name: "CPU", cell: a => a.row.cpu[a.i] === NO_CPU ? "-" : String(a.row.cpu[a.i]) },
		{ name: "class", left: true, value: a => a.by, cell: a => a.by ? className(a.by) : "" },
		{ name: "first taken by", left: true, value: a => a.task ? taskName(a.task) : "", cell: a => !a.task ? "" : a.by === BY_QUOTA ? `quota, next: ${taskName(a.task)}` : taskName(a.task) },
	];
	if (!list.length) {
		$("longest").replaceChildren(make("tbody", null, make("tr", null, make("td", { class: "left" }, noneOf(DATA.all, "There was none.")))));
		return;
	}
	table($("longest"), columns, list, a => make("tr", null, columns.map(c => make("td", { class: c.left ? "name" : null }, c.cell(a)))));
}

/* ---- rules ---- */

function showRules() {
	const c = DATA.check;
	$("rules-verdict").replaceChildren(make("strong", { class: c.verdict }, c.verdict), c.doubt ? `: ${harmless(c.doubt)}` : "");
	const columns = [
		{ name: "rule", left: true, value: t => t.name, cell: t => t.name },
		{ name: "verdict", left: true, value: t => t.verdict, cell: t => make("span", { class: t.verdict }, t.verdict) },
		{ name: "decided", value: t => t.decided, cell: t => count(t.decided) },
		{ name: "violated", value: t => t.violations, cell: t => count(t.violations) },
		{ name: "what it says", left: true, cell: t => t.help + (t.why ? ` (${t.why})` : "") },
	];
	table($("rules"), columns, c.tests, t => make("tr", null, columns.map((col, i) => make("td", { class: i === 4 ? "wrap" : col.left ? "left" : null }, col.cell(t)))));
	$("violated").replaceChildren(...c.tests.map((t, n) => t.verdict === "violated" ? brokenRule(t, n) : null).filter(Boolean));
}

const MARKS_LISTED = 200;

function brokenRule(t, n) {
	const own = marks.filter(m => m.rule === n), more = t.violations - Math.min(own.length, MARKS_LISTED);
	return make("div", { class: "broken" },
		make("h3", { class: "violated" }, `${t.name}: violated ${plural(t.violations, "time")} in ${plural(t.decided, "decision")}`),
		make("p", { style: { margin: 0 } }, t.help), make("pre", null, t.first),
		make("div", { class: "marks" }, own.slice(0, MARKS_LISTED).map(m => make("button", { class: "link", type: "button",
			onclick: () => { goToMark(m); toTimeline(); } }, `${rowName(m.row)} at ${seconds(m.time, 6)}`)),
		more > 0 ? make("small", null, `and ${count(more)} more`) : null));
}

/* ---- distributions ---- */

function showHistChoice() {
	const options = [make("option", { value: "all" }, "all vCPUs")];
	if (vms.length > 1)
		DATA.vms.forEach((vm, i) => options.push(make("option", { value: `vm ${i}` }, short(vm.name, 40))));
	rows.forEach((row, i) => options.push(make("option", { value: `vcpu ${i}` }, `${short(vmName(row), 40)} ${vcpuNumber(row)}`)));
	$("hist-of").replaceChildren(...options);
}

function showHists() {
	const [kind, i] = $("hist-of").value.split(" ");
	const h = kind === "vm" ? DATA.hist_vms[i] : kind === "vcpu" ? DATA.hist_vcpus[i] : DATA.hist_all[0];
	const k = kind === "vm" ? DATA.vms[i] : kind === "vcpu" ? knownOf(rows[i]) : DATA.all;
	$("hists").replaceChildren(
		hist("run delay", "time runnable but waiting for a CPU, per absence", h && h.run_delay, "one", k),
		hist("absence", "from sched_out to sched_in, whatever the reason", h && h.absence, "absence", k));
}

/* Both axes are logarithmic: tails are what matters. */
function hist(name, help, h, style, k) {
	const box = make("div", { class: "hist" }, make("h3", null, name));
	if (!h || !h.count) {
		box.append(make("p", null, h || !rows.length ? noneOf(k, "There was none.") : "This recording does not tell."));
		return box;
	}
	const q = [["p50", h.p50_ns], ["p90", h.p90_ns], ["p99", h.p99_ns], ["p99.9", h.p999_ns], ["max", h.max_ns]];
	box.append(make("p", null, `${help}: ${count(h.count)}; ${q.map(([n, v]) => `${n} ${time(v)}`).join(", ")}${
		k.unknown_ns ? `; ${share(k.unknown_ns, k.window_ns)} of the time is unknown` : ""}`));
	const W = 600, H = 220, left = 44, bottom = 24, top = 16;
	const least = ([low, high]) => low || (high + 1) / 2; /* 0 has no place on such an axis */
	const x0 = Math.log10(least(h.buckets[0])), x1 = Math.max(x0 + .1, Math.log10(h.buckets[h.buckets.length - 1][1] + 1));
	const y1 = Math.log10(Math.max(...h.buckets.map(b => b[2])) * 1.3 + 1);
	const x = ns => left + (Math.log10(Math.max(1, ns)) - x0) / (x1 - x0) * (W - left - 8);
	const y = n => H - bottom - Math.log10(n + 1) / y1 * (H - bottom - top);
	const svg = (tag, a, ...c) => make(tag, { svg: true, ...a }, ...c);
	const parts = [];
	for (let n = 1; Math.log10(n + 1) < y1; n *= 10)
		parts.push(svg("line", { class: "grid", x1: left, x2: W - 8, y1: y(n), y2: y(n) }), svg("text", { x: left - 6, y: y(n) + 4, "text-anchor": "end" }, count(n)));
	for (let d = Math.ceil(x0); d <= x1; d++)
		parts.push(svg("line", { class: "grid", x1: x(10 ** d), x2: x(10 ** d), y1: H - bottom, y2: H - bottom + 4 }), svg("text", { x: x(10 ** d), y: H - 6, "text-anchor": "middle" }, rough(10 ** d)));
	for (const [low, high, n] of h.buckets)
		parts.push(svg("rect", { class: style, x: x(least([low, high])), y: y(n), width: Math.max(1, x(high + 1) - x(least([low, high])) - 1), height: H - bottom - y(n) },
			svg("title", null, `${time(low)} … ${time(high)}: ${count(n)}`)));
	for (const [label, v] of [q[0], q[2]])
		parts.push(svg("line", { class: "q", x1: x(v), x2: x(v), y1: top, y2: H - bottom }), svg("text", { class: "q", x: x(v), y: 11, "text-anchor": "middle" }, label));
	box.append(svg("svg", { viewBox: `0 0 ${W} ${H}`, role: "img", "aria-label": `Histogram of ${name}` }, parts));
	return box;
}
