/* ---- search, and the address -------------------------------------------------------------- */

/* What the words mean: VMs, vCPUs and tasks that have them in their names or numbers. */
function candidates(text) {
	const words = text.toLowerCase().split(/\s+/).filter(Boolean);
	const has = name => words.every(w => name.toLowerCase().includes(w));
	const list = [];
	if (!words.length)
		return list;
	for (const group of vms)
		if (has(`${group.vm.name} vm ${group.vm.pid ?? ""} ${group.vm.uuid ?? ""}`))
			list.push({ kind: "VM", label: harmless(group.vm.name), note: plural(group.rows.length, "vCPU"), rows: new Set(group.rows) });
	for (const row of rows)
		if (has(`${vmById.get(row.vcpu.vm)?.name ?? ""} vcpu ${row.vcpu.vcpu} ${row.vcpu.tid}`))
			list.push({ kind: "vCPU", label: rowName(row), note: `tid ${row.vcpu.tid}`, rows: new Set([row]) });
	const names = new Map();
	DATA.tasks.forEach((task, n) => {
		if (!has(`${task.comm ?? "?"} ${task.tid} ${task.vm_name ?? ""} task`))
			return;
		list.push({ kind: "task", label: taskName(task), note: "took CPUs", tasks: [n] });
		names.set(task.comm, [...(names.get(task.comm) || []), n]);
	});
	for (const [comm, tasks] of names)
		if (tasks.length > 1)
			list.push({ kind: "tasks", label: `${harmless(comm ?? "?")} (${tasks.length} tasks)`, note: "took CPUs", tasks });
	const order = ["VM", "vCPU", "tasks", "task"];
	return list.sort((x, y) => order.indexOf(x.kind) - order.indexOf(y.kind));
}

/* All absences of these tasks' making: Map row -> spans. */
function spansOfTasks(tasks) {
	const wanted = new Uint8Array(DATA.tasks.length), found = new Map();
	tasks.forEach(n => { wanted[n] = 1; });
	for (const row of rows) {
		const list = [];
		for (let i = 0; i < row.count; i++)
			if (row.task[i] !== NO_TASK && wanted[row.task[i]])
				list.push(i);
		if (list.length)
			found.set(row, Int32Array.from(list));
	}
	return found;
}

function choose(candidate) {
	const spans = candidate.tasks ? spansOfTasks(candidate.tasks) : null;
	const on = spans ? [...spans.keys()] : [...candidate.rows];
	view.found = { label: candidate.label, rows: spans ? new Set(on) : candidate.rows, spans };
	const n = spans ? [...spans.values()].reduce((sum, list) => sum + list.length, 0) : 0;
	$("mark-clear").textContent = `${candidate.label}${spans ? `: ${plural(n, "preemption")}` : ""}  ✕`;
	$("mark-clear").setAttribute("aria-label", `${candidate.label} is marked; show all again`);
	$("mark-clear").hidden = false;
	closeFound();
	$("search").value = "";
	if (on.length)
		scrollToRow(on[0]);
	say(`${candidate.label}: ${spans ? `${plural(n, "preemption")} of ${plural(on.length, "vCPU")}` : plural(on.length, "vCPU")}; n and p go through them`);
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
