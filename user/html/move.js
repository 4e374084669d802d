/* ---- moving -------------------------------------------------------------------------------- */

function show(a, b) {
	const whole = WINDOW.to - WINDOW.from, length = Math.min(whole, Math.max(Math.min(SHORTEST, whole), b - a));
	const middle = (a + b) / 2;
	a = Math.min(Math.max(middle - length / 2, WINDOW.from), WINDOW.to - length);
	if (a === view.a && a + length === view.b)
		return;
	view.a = a;
	view.b = a + length;
	hideTip();
	redraw();
	keepAddress();
}

/* factor < 1: in. Around a place in CSS pixels. */
function zoom(factor, x = view.width / 2) {
	const t = tOf(x), length = Math.max(SHORTEST, (view.b - view.a) * factor);
	if (length >= (WINDOW.to - WINDOW.from) * .999) {
		show(WINDOW.from, WINDOW.to);
		return;
	}
	const a = t - x / view.width * length;
	show(a, a + length);
}

const pan = part => show(view.a + part * (view.b - view.a), view.b + part * (view.b - view.a));

function scrollToRow(row) {
	const group = vms.find(g => g.rows.includes(row));
	if (group && group.closed) {
		group.closed = false;
		relayOut();
	}
	const item = itemOf(row), box = $("rows");
	if (item && (item.y < box.scrollTop || item.y + item.height > box.scrollTop + view.height))
		box.scrollTop = item.y - view.height / 3;
}

/* Chooses a span; near: also brings it into view, at a scale at which it can be seen. */
function select(row, i, near) {
	view.selected = isAbsence(row.state[i]) ? absenceOf(row, i) : { row, i, state: row.state[i] };
	if (near) {
		const from = row.from[i], to = row.from[i + 1], length = to - from, shown = view.b - view.a;
		if (from < view.a || to > view.b || length < shown / 60 || length > shown) {
			const fits = length >= shown / 60 && length <= shown * .8;
			const around = fits ? shown : Math.max(length * 6, SHORTEST), middle = (from + to) / 2;
			show(middle - around / 2, middle + around / 2);
		}
		scrollToRow(row);
	}
	showDetails();
	drawLabels();
	redraw();
	keepAddress();
}

function selectNothing() {
	view.selected = null;
	view.band = null;
	showDetails();
	drawLabels();
	redraw();
	keepAddress();
}

/* The longest in one row: by run delay, or if it never waited by length. */
function longestOf(row) {
	let best = -1, most = -1, bestLength = -1, mostLength = -1;
	for (let i = 0; i < row.count; i++) {
		const delay = keyOf(row, i, "delay"), length = keyOf(row, i, "length");
		if (delay > most)
			most = delay, best = i;
		if (length > mostLength)
			mostLength = length, bestLength = i;
	}
	return best >= 0 ? best : bestLength;
}

function goToLongest(row) {
	const i = longestOf(row);
	if (i >= 0)
		select(row, i, true);
	else
		say(noneOf(knownOf(row), `${rowName(row)} was never absent`));
}

/* ---- from absence to absence ---- */

/* Where a walk begins: what is selected, else the edge of what is shown. */
function startOf(forward) {
	if (view.selected)
		return { time: view.selected.row.from[view.selected.i], index: view.selected.row.index };
	return { time: forward ? view.a - 1 : view.b, index: -1 };
}

const behind = (t, index, s) => t > s.time || (t === s.time && index > s.index);

/* The next one in order of time, then row, that `wanted` takes: {row, i} or null. */
function nextOf(list, forward, start, wanted) {
	let best = null;
	for (const row of list) {
		if (!row.count)
			continue;
		let i = spanAt(row, start.time);
		if (i < 0)
			i = start.time < row.from[0] ? 0 : row.count - 1;
		for (const step = forward ? 1 : -1; i >= 0 && i < row.count; i += step) {
			const t = row.from[i];
			if (best && (forward ? behind(t, row.index, best) : !behind(t, row.index, best)))
				break;
			const same = t === start.time && row.index === start.index;
			if (!same && behind(t, row.index, start) === forward && wanted(row, i)) {
				best = { time: t, index: row.index, row, i };
				break;
			}
		}
	}
	return best;
}

const threshold = { what: "delay", ns: 1e6 };

function goOn(forward) {
	const found = view.found;
	const list = found && found.rows ? rows.filter(r => found.rows.has(r)) : found ? [...found.spans.keys()] : rows;
	const marked = found && found.spans && new Map([...found.spans].map(([row, is]) => [row, new Set(is)]));
	const next = nextOf(list, forward, startOf(forward), (row, i) =>
		keyOf(row, i, threshold.what) >= threshold.ns && (!marked || marked.get(row).has(i)));
	if (next)
		select(next.row, next.i, true);
	else
		say(`no ${forward ? "later" : "earlier"} ${threshold.what === "delay" ? "run delay" : "absence"} of ${rough(threshold.ns)} or more`);
}

function goOnInRow(forward) {
	const row = view.selected ? view.selected.row : rows[0];
	const next = row && nextOf([row], forward, startOf(forward), (r, i) => isAbsence(r.state[i]));
	if (next)
		select(next.row, next.i, true);
	else
		say(`no ${forward ? "later" : "earlier"} absence of this vCPU`);
}

function goToWorst() {
	const w = DATA.worst[0], row = w && rows[w.row], i = row ? spanAt(row, w.from) : -1;
	if (i >= 0)
		select(row, i, true);
	else
		say(noneOf(DATA.all, "nobody waited for a CPU"));
}

/* The span that a violation lies at: what came is the end of one, and the beginning of the next. */
function goToMark(mark) {
	const i = Math.max(0, Math.min(mark.row.count - 1, spanAt(mark.row, Math.min(mark.time, mark.row.from[mark.row.count] - 1))));
	const around = Math.max(1e6, 4 * (mark.row.from[i + 1] - mark.row.from[i]));
	show(mark.time - around / 2, mark.time + around / 2);
	scrollToRow(mark.row);
	select(mark.row, i, false);
	view.mark = mark;
	say(`${DATA.check.tests[mark.rule].name} is violated by ${rowName(mark.row)} at ${seconds(mark.time)}`);
}

function goToNextMark() {
	if (!marks.length) {
		say("no rule was violated");
		return;
	}
	goToMark(marks[(marks.indexOf(view.mark) + 1) % marks.length]);
}

function say(text) {
	$("say").textContent = text;
	$("say").classList.remove("unseen");
	clearTimeout(say.timer);
	say.timer = setTimeout(() => $("say").classList.add("unseen"), 4000);
}
