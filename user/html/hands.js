/* ---- mouse and keys ------------------------------------------------------------------------ */

/* ---- what is under the pointer ---- */

function itemAt(y) {
	const at = y + $("rows").scrollTop;
	return view.items.find(item => at >= item.y && at < item.y + item.height);
}

/* Where many absences share a few pixels, the one that waited longest, else the longest. */
function spanUnder(row, x) {
	const a = tOf(x - 2), b = tOf(x + 2), here = spanAt(row, tOf(x));
	if (here >= 0 && row.from[here + 1] - row.from[here] > b - a)
		return here;
	let best = -1, most = -1;
	for (let i = Math.max(0, spanAt(row, a)); i < row.count && row.from[i] < b; i++) {
		const key = keyOf(row, i, "delay") * 1e6 + keyOf(row, i, "length");
		if (key > most && row.from[i + 1] > a)
			most = key, best = i;
	}
	return best >= 0 ? best : here;
}

function marksAt(row, x) {
	return marks.filter(m => m.row === row && Math.abs(xOf(m.time) - x) < 6);
}

/* ---- tip ---- */

function hideTip() {
	$("tip").hidden = true;
}

function tipFor(row, i, near) {
	const lines = [make("b", null, rowName(row))];
	if (i < 0)
		return lines.concat("nothing is known here");
	const state = row.state[i], length = row.from[i + 1] - row.from[i];
	if (isAbsence(state)) {
		const a = absenceOf(row, i);
		lines.push(`${stateName(state)} ${atLeast(a)}${time(a.length)}`);
		if (state !== STATE.preempted && a.delay)
			lines.push(make("br"), `of it waiting for a CPU: ${time(a.delay)}`);
		if (a.task)
			lines.push(make("br"), a.by === BY_QUOTA ? takenBy(a) : `${takenBy(a)} (${className(a.by)})`);
	} else {
		lines.push(`${stateName(state)} ${time(length)}`, row.cpu[i] !== NO_CPU && state <= STATE.on_or_user ? ` on CPU ${row.cpu[i]}` : "");
	}
	for (const mark of near)
		lines.push(make("br"), `⚠ violates ${DATA.check.tests[mark.rule].name}`);
	return lines;
}

function showTip(x, y) {
	const item = itemAt(y), tip = $("tip");
	if (!item || !item.row) {
		hideTip();
		return;
	}
	tip.replaceChildren(...tipFor(item.row, spanUnder(item.row, x), marksAt(item.row, x)));
	tip.hidden = false;
	const stage = tip.parentNode.getBoundingClientRect(), canvas = $("canvas").getBoundingClientRect();
	const left = canvas.left - stage.left + x + 14, top = canvas.top - stage.top + y + 16;
	tip.style.left = `${Math.max(4, Math.min(left, stage.width - tip.offsetWidth - 8))}px`;
	tip.style.top = `${top + tip.offsetHeight > stage.height ? top - tip.offsetHeight - 28 : top}px`;
}

/* ---- mouse ---- */

const place = (event, element) => {
	const box = element.getBoundingClientRect();
	return [event.clientX - box.left, event.clientY - box.top];
};

function clickAt(x, y) {
	const item = itemAt(y);
	if (!item || !item.row)
		return;
	const near = marksAt(item.row, x), i = spanUnder(item.row, x);
	view.mark = near[0];
	if (i >= 0)
		select(item.row, i, false);
	else
		selectNothing();
}

function listenToMouse() {
	const box = $("view");
	let drag = null;
	box.addEventListener("wheel", event => {
		const [x] = place(event, $("canvas")), lines = event.deltaMode === 1 ? 30 : 1;
		event.preventDefault();
		if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY))
			pan((event.deltaX || event.deltaY) * lines / view.width);
		else
			zoom(Math.exp(Math.max(-240, Math.min(240, event.deltaY * lines)) * .0022), x);
	}, { passive: false });
	box.addEventListener("pointerdown", event => {
		if (event.button)
			return;
		const [x, y] = place(event, $("canvas"));
		drag = { x, y, a: view.a, b: view.b, moved: false, mark: event.shiftKey };
		box.setPointerCapture(event.pointerId);
	});
	box.addEventListener("pointermove", event => {
		const [x, y] = place(event, $("canvas"));
		if (!drag) {
			showTip(x, y);
			return;
		}
		drag.moved = drag.moved || Math.abs(x - drag.x) > 3;
		if (!drag.moved)
			return;
		box.classList.add("drag");
		if (drag.mark) {
			view.band = [tOf(Math.min(x, drag.x)), tOf(Math.max(x, drag.x))];
			redraw();
			return;
		}
		const by = (drag.x - x) / view.width * (drag.b - drag.a);
		show(drag.a + by, drag.b + by);
	});
	const end = event => {
		const was = drag, band = view.band;
		drag = view.band = null;
		box.classList.remove("drag");
		if (!was || event.type === "pointercancel")
			return;
		if (!was.moved)
			clickAt(was.x, was.y);
		else if (band)
			show(...band);
		redraw();
	};
	box.addEventListener("pointerup", end);
	box.addEventListener("pointercancel", end);
	box.addEventListener("pointerleave", hideTip);
	box.addEventListener("dblclick", zoomToSelection);
	listenToOverview();
	$("rows").addEventListener("scroll", () => { drawLabels(); hideTip(); redraw(); });
	new ResizeObserver(() => { measure(); drawLabels(); redraw(); }).observe($("rows"));
}

function listenToOverview() {
	const box = $("overview");
	const go = event => {
		const [x] = place(event, box), half = (view.b - view.a) / 2;
		const t = WINDOW.from + x / view.width * (WINDOW.to - WINDOW.from);
		show(t - half, t + half);
	};
	box.addEventListener("pointerdown", event => { box.setPointerCapture(event.pointerId); go(event); });
	box.addEventListener("pointermove", event => event.buttons & 1 && go(event));
	box.addEventListener("wheel", event => { event.preventDefault(); zoom(Math.exp(event.deltaY * .0022)); }, { passive: false });
}

function zoomToSelection() {
	if (!view.selected)
		return;
	const { row, i } = view.selected, from = row.from[i], to = row.from[i + 1], more = (to - from) * .15;
	show(from - more, to + more);
}

/* ---- keys ---- */

const KEYS = {
	n: () => goOn(true), p: () => goOn(false), "]": () => goOnInRow(true), "[": () => goOnInRow(false),
	w: goToWorst, v: goToNextMark, "+": () => zoom(.5), "=": () => zoom(.5), "-": () => zoom(2), _: () => zoom(2),
	z: zoomToSelection, Home: () => show(WINDOW.from, WINDOW.to), "?": () => $("help").showModal(),
	ArrowLeft: event => pan(event.shiftKey ? -1 : -.1), ArrowRight: event => pan(event.shiftKey ? 1 : .1),
	"/": () => $("search").focus(),
	Escape: () => { clearFound(); selectNothing(); },
};
const ON_TIMELINE = {
	ArrowUp: () => { $("rows").scrollTop -= rowHeight(); }, ArrowDown: () => { $("rows").scrollTop += rowHeight(); },
	PageUp: () => { $("rows").scrollTop -= view.height; }, PageDown: () => { $("rows").scrollTop += view.height; },
};

/* Everywhere, but in fields that take text, in dialogs, and where a list has the arrows. */
function listenToKeys() {
	document.addEventListener("keydown", event => {
		const at = event.target;
		if (event.ctrlKey || event.altKey || event.metaKey || $("help").open || at.matches("input, select, textarea"))
			return;
		const scrolls = at.closest(".scroll") && event.key.startsWith("Arrow");
		const key = at === $("view") && ON_TIMELINE[event.key] || (scrolls ? null : KEYS[event.key]);
		if (!key)
			return;
		event.preventDefault();
		key(event);
	});
}
