/* ---- search, and the address -------------------------------------------------------------- */

/* How well a name fits what was typed, 0 best: it is that; it has it as words, as a word's beginning, anywhere; it has
 * its words in that order; it has all of them. NaN: it does not fit. */
const plain = text => text.toLowerCase().split(/\s+/).filter(Boolean).join(" ");
const quoted = text => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

function fits(text) {
	const words = text.split(" "), edge = "(?<![\\p{L}\\p{N}])", end = "(?![\\p{L}\\p{N}])";
	const tests = [`^${quoted(text)}$`, `${edge}${quoted(text)}${end}`, `${edge}${quoted(text)}`, quoted(text),
		words.map(w => edge + quoted(w) + end).join(".*"), words.map(w => edge + quoted(w)).join(".*")].map(t => new RegExp(t, "u"));
	return name => {
		const n = tests.findIndex(t => t.test(name));
		return n >= 0 ? n : words.every(w => name.includes(w)) ? tests.length : NaN;
	};
}

const best = (fit, names) => Math.min(Infinity, ...names.map(name => fit(plain(name))).filter(n => !Number.isNaN(n)));

/* Why vCPUs were away, and who took their CPUs, as far as it occurs: [{kind, label, note, of(row, i)}]. */
let causes = null;
function causesThatOccur() {
	if (causes)
		return causes;
	const reasons = new Set(), classes = new Set();
	for (const row of rows)
		for (let i = 0; i < row.count; i++)
			if (isAbsence(row.state[i])) {
				reasons.add(row.how[i] >> 3);
				classes.add(row.how[i] & 7);
			}
	classes.delete(0);
	causes = [...reasons].map(n => ({ kind: "reason", label: DATA.reasons[n], note: "why they were away", of: (row, i) => isAbsence(row.state[i]) && row.how[i] >> 3 === n }));
	return causes = causes.concat([...classes].map(n => ({ kind: "class", label: className(n), note: "took CPUs first", of: (row, i) => isAbsence(row.state[i]) && (row.how[i] & 7) === n })));
}

const KINDS = ["VM", "vCPU", "tasks", "task", "reason", "class"];

/* VMs, vCPUs, tasks and causes that have it in their names or numbers, those first that it fits best. */
function candidates(text) {
	const fit = plain(text) ? fits(plain(text)) : () => NaN, list = [], names = new Map();
	const add = (candidate, ...aliases) => {
		const rank = best(fit, [candidate.label, ...aliases]);
		if (rank < Infinity)
			list.push({ ...candidate, rank });
		return rank < Infinity;
	};
	for (const { vm, rows: own } of vms)
		add({ kind: "VM", label: harmless(vm.name), note: plural(own.length, "vCPU"), rows: new Set(own) }, vm.name, `vm ${vm.name}`, String(vm.pid ?? ""), vm.uuid ?? "");
	for (const row of rows) {
		const vm = vmById.get(row.vcpu.vm)?.name ?? "", n = row.vcpu.vcpu;
		add({ kind: "vCPU", label: rowName(row), note: `tid ${row.vcpu.tid}`, rows: new Set([row]) },
			`vcpu ${n}`, `${vm}/${n}`, `${vm} ${n}`, String(row.vcpu.tid), `tid ${row.vcpu.tid}`, `${vm} vcpu ${n} ${row.vcpu.tid}`);
	}
	DATA.tasks.forEach((task, n) => {
		const comm = task.comm ?? "?";
		if (add({ kind: "task", label: taskName(task), note: "took CPUs first", tasks: [n] }, comm, String(task.tid), `tid ${task.tid}`, `task ${comm} ${task.tid}`))
			names.set(task.comm, [...(names.get(task.comm) || []), n]);
	});
	for (const [comm, tasks] of names)
		if (tasks.length > 1)
			add({ kind: "tasks", label: `${harmless(comm ?? "?")} (${tasks.length} tasks)`, note: "took CPUs first", tasks }, comm ?? "?");
	causesThatOccur().forEach(c => add(c));
	return list.sort((x, y) => x.rank - y.rank || KINDS.indexOf(x.kind) - KINDS.indexOf(y.kind));
}

/* The absences that it stands for, if it does not stand for vCPUs: Map row -> spans. */
function spansOf({ tasks, of }) {
	const wanted = new Uint8Array(DATA.tasks.length), found = new Map();
	if (!tasks && !of)
		return null;
	tasks?.forEach(n => { wanted[n] = 1; });
	const has = of || ((row, i) => row.task[i] !== NO_TASK && wanted[row.task[i]]);
	for (const row of rows) {
		const list = [];
		for (let i = 0; i < row.count; i++)
			if (has(row, i))
				list.push(i);
		if (list.length)
			found.set(row, Int32Array.from(list));
	}
	return found;
}

function choose(candidate) {
	const spans = spansOf(candidate);
	const on = spans ? [...spans.keys()] : [...candidate.rows];
	view.found = { label: candidate.label, rows: spans ? new Set(on) : candidate.rows, spans };
	const n = spans ? [...spans.values()].reduce((sum, list) => sum + list.length, 0) : 0;
	$("mark-clear").textContent = `${candidate.label}${spans ? `: ${plural(n, candidate.kind === "reason" ? "absence" : "preemption")}` : ""}  ✕`;
	$("mark-clear").setAttribute("aria-label", `${candidate.label} is marked; show all again`);
	$("mark-clear").hidden = false;
	closeFound();
	$("search").value = "";
	if (on.length)
		scrollToRow(on[0]);
	say(`${candidate.label}: ${spans ? `${plural(n, candidate.kind === "reason" ? "absence" : "preemption")} of ${plural(on.length, "vCPU")}` : plural(on.length, "vCPU")}; n and p go through them`);
	drawLabels();
	redraw();
}

function clearFound() {
	view.found = null;
	$("mark-clear").hidden = true;
	closeFound();
	drawLabels();
	redraw();
}

const LISTED = 50;
let offered = [], active = 0;

function closeFound() {
	$("found").hidden = true;
	$("search").setAttribute("aria-expanded", "false");
	$("search").removeAttribute("aria-activedescendant");
}

function offer() {
	const text = $("search").value, all = candidates(text);
	offered = all.slice(0, LISTED);
	active = 0;
	if (!text.trim()) {
		closeFound();
		return;
	}
	$("found").hidden = false;
	$("search").setAttribute("aria-expanded", "true");
	drawFoundList(all.length - offered.length);
}

function drawFoundList(more) {
	const items = offered.map((c, n) => make("li", {
		role: "option", id: `found-${n}`, "aria-selected": String(n === active),
		onpointerdown: event => { event.preventDefault(); choose(c); $("view").focus(); },
	}, `${c.label} `, make("small", null, `${c.kind}, ${c.note}`)));
	if (!items.length)
		items.push(make("li", { class: "none" }, "nothing has that name or number"));
	if (more > 0)
		items.push(make("li", { class: "none" }, `and ${count(more)} more`));
	$("found").replaceChildren(...items);
	if (offered.length)
		$("search").setAttribute("aria-activedescendant", `found-${active}`);
	items[active].scrollIntoView({ block: "nearest" });
}

function listenToSearch() {
	const input = $("search");
	input.addEventListener("input", offer);
	input.addEventListener("focus", offer);
	input.addEventListener("blur", closeFound);
	$("mark-clear").addEventListener("click", clearFound);
	input.addEventListener("keydown", event => {
		if (event.key === "ArrowDown" || event.key === "ArrowUp") {
			active = offered.length ? (active + (event.key === "ArrowDown" ? 1 : offered.length - 1)) % offered.length : 0;
			drawFoundList(0);
		} else if (event.key === "Enter" && offered.length) {
			choose(offered[active]);
			$("view").focus();
		} else if (event.key === "Escape") {
			input.value = "";
			closeFound();
			$("view").focus();
		} else {
			return;
		}
		event.preventDefault();
	});
}

/* ---- the address keeps what is shown ---- */

function keepAddress() {
	clearTimeout(keepAddress.timer);
	keepAddress.timer = setTimeout(() => {
		const s = view.selected, whole = view.a <= WINDOW.from && view.b >= WINDOW.to;
		const parts = [];
		if (!whole)
			parts.push(`t=${(view.a / 1e9).toFixed(9)},${(view.b / 1e9).toFixed(9)}`);
		if (s)
			parts.push(`at=${s.row.vcpu.id},${Math.round(s.row.from[s.i])}`);
		try {
			history.replaceState(null, "", parts.length ? `#${parts.join("&")}` : location.pathname + location.search);
		} catch (e) {
			/* browsers limit how often: the next one will do */
		}
	}, 250);
}

function readAddress() {
	const words = new URLSearchParams(location.hash.slice(1));
	const [a, b] = (words.get("t") || "").split(",").map(s => Number(s) * 1e9);
	const [id, from] = (words.get("at") || "").split(",").map(Number);
	const row = rowById.get(id), i = row && Number.isFinite(from) ? spanAt(row, from) : -1;
	if (i >= 0)
		select(row, i, false);
	if (b > a)
		show(a, b);
	else
		show(WINDOW.from, WINDOW.to);
	if (i >= 0)
		scrollToRow(row);
}
