/* ---- rows to pixels ------------------------------------------------------------------------ */
/*
 * A row is painted column by column of the screen: what share of its time each state has. Where many spans
 * share a column they come from the strips that the program laid out; else from the spans themselves. Pixels
 * are written straight into an image: drawing rectangles would be what takes the time.
 */
const SHADES = DATA.states.length + 1;
const EXACT_SPANS = 300000; /* on the screen: more are drawn from the strips, unless these are coarse */
const EXACT_LIMIT = 3000000;
/* From the bottom up, as in the SVG: what hurts stands on one line. */
const STACK = ["preempted", "woken", "unknown", "running", "on_or_user", "user", "sleeping", "halted", "elsewhere", "absent"].map(s => STATE[s]);

/* A row's strips: [shade, bytes]; taken apart when they are first looked at. */
const unpackedStrips = [];
function stripsOf(index) {
	if (!unpackedStrips[index])
		unpackedStrips[index] = Object.entries(DATA.strips.rows[index]).map(([name, text]) => [STATE[name], bytesOf(text)]);
	return unpackedStrips[index];
}

const HURTS = 3; /* of them, from the bottom */

let palette = [];

function rgba(text) {
	const c = document.createElement("canvas").getContext("2d");
	c.fillStyle = text;
	c.fillRect(0, 0, 1, 1);
	const [r, g, b] = c.getImageData(0, 0, 1, 1).data;
	return (255 << 24 | b << 16 | g << 8 | r) >>> 0;
}

function readPalette() {
	palette = [...DATA.states, "woken"].map(name => rgba(color(name)));
	palette.hatch = rgba(color("unknown-line"));
	palette.rule = rgba(color("line"));
	for (const name of ["text", "dim", "accent", "select", "band", "bad", "bg", "line", "panel", "preempted", "on-accent"])
		palette[name] = color(name);
}

/* Adds `part` of the columns x0 .. x1 to what begins at share[base]. */
function cover(share, base, x0, x1, width, part) {
	const p0 = x0 | 0, p1 = x1 | 0;
	if (p0 === p1) {
		share[base + p0] += (x1 - x0) * part;
		return;
	}
	share[base + p0] += (p0 + 1 - x0) * part;
	for (let p = p0 + 1; p < p1; p++)
		share[base + p] = part;
	if (p1 < width)
		share[base + p1] += (x1 - p1) * part;
}

/* share[shade * width + column]: of [a, b) over `width` columns. */
function shareOfSpans(row, a, b, width, share) {
	const scale = width / (b - a), { from, state, x } = row;
	let i = a <= from[0] ? 0 : spanAt(row, a);
	if (i < 0)
		return;
	for (; i < row.count && from[i] < b; i++) {
		const s = state[i], x0 = from[i] <= a ? 0 : (from[i] - a) * scale;
		const x1 = from[i + 1] >= b ? width : (from[i + 1] - a) * scale;
		if ((s === STATE.halted || s === STATE.sleeping) && x[i] > 0) {
			const woken = Math.min(x1, Math.max(x0, (from[i + 1] - x[i] - a) * scale));
			cover(share, s * width, x0, woken, width, 1);
			if (woken < width)
				cover(share, STATE.woken * width, woken, x1, width, 1);
		} else if (s === STATE.running && x[i] > 0) { /* at which times in the VMM, nobody knows */
			const user = x[i] / (from[i + 1] - from[i]);
			cover(share, s * width, x0, x1, width, 1 - user);
			cover(share, STATE.user * width, x0, x1, width, user);
		} else {
			cover(share, s * width, x0, x1, width, 1);
		}
	}
}

function shareOfStrips(index, a, b, width, share) {
	const scale = width / (b - a), w = DATA.strips.width_ns, columns = DATA.strips.columns;
	const first = Math.max(0, Math.floor((a - WINDOW.from) / w)), last = Math.min(columns, Math.ceil((b - WINDOW.from) / w));
	for (const [state, bytes] of stripsOf(index)) {
		const base = state * width;
		for (let c = first; c < last; c++) {
			if (!bytes[c])
				continue;
			const start = WINDOW.from + c * w, end = Math.min(start + w, WINDOW.to);
			const x0 = Math.max(0, (start - a) * scale), x1 = Math.min(width, (end - a) * scale), part = bytes[c] / 255;
			for (let p = x0 | 0; p < x1; p++)
				share[base + p] += (Math.min(x1, p + 1) - Math.max(x0, p)) * part;
		}
	}
}

/* Into pixels[], whose lines are `width` long, from line `top` on. */
function paint(share, pixels, width, top, height) {
	const least = height > 6 ? 2 : 1, cut = new Int32Array(STACK.length);
	for (let x = 0; x < width; x++) {
		let sum = 0, alone = -1;
		for (let s = 0; s < SHADES; s++) {
			const v = share[s * width + x];
			sum += v;
			if (v > 0)
				alone = alone < 0 ? s : SHADES;
		}
		if (!sum)
			continue;
		if (alone === SHADES)
			stack(share, width, x, height, least, sum, cut);
		for (let y = height - 1, k = 0; y >= 0; y--) {
			let s = alone;
			if (alone === SHADES) {
				while (k < STACK.length - 1 && y < cut[k])
					k++;
				s = STACK[k];
			}
			let c = palette[s];
			if (s === STATE.unknown && (x + top + y) % 6 < 1.5)
				c = palette.hatch;
			else if ((s === STATE.absent || s === STATE.elsewhere) && y === height >> 1)
				c = palette.rule;
			pixels[(top + y) * width + x] = c;
		}
	}
}

/* cut[k]: the line (from the top) at which STACK[k] begins; what hurts has at least `least` lines. */
function stack(share, width, x, height, least, sum, cut) {
	let above = height, total = 0;
	for (let k = 0; k < STACK.length; k++) {
		const part = share[STACK[k] * width + x];
		total += part;
		above = Math.max(0, Math.min(Math.round(height * (1 - total / sum)), above - (part > 0 && k < HURTS ? least : 0)));
		cut[k] = above;
	}
}

/* One row, or several on top of each other, as an image of width x height device pixels. exactly: from spans. */
const scratch = { share: new Float32Array(0) };
function imageOf(list, a, b, width, height, exactly) {
	const image = new ImageData(width, height), pixels = new Uint32Array(image.data.buffer);
	if (scratch.share.length !== SHADES * width)
		scratch.share = new Float32Array(SHADES * width);
	list.forEach((row, n) => {
		const top = Math.floor(height * n / list.length), bottom = Math.floor(height * (n + 1) / list.length);
		if (bottom <= top)
			return;
		scratch.share.fill(0);
		if (exactly)
			shareOfSpans(row, a, b, width, scratch.share);
		else
			shareOfStrips(row.index, a, b, width, scratch.share);
		paint(scratch.share, pixels, width, top, bottom - top);
	});
	return image;
}

/* How many spans of these rows lie in [a, b). */
function spansIn(list, a, b) {
	let n = 0;
	for (const row of list) {
		if (!row.count || b <= row.from[0] || a >= row.from[row.count])
			continue;
		const first = Math.max(0, spanAt(row, a)), last = b >= row.from[row.count] ? row.count : spanAt(row, b) + 1;
		n += last - first;
	}
	return n;
}

/* From spans or from strips? */
function beExact(list, a, b, width) {
	const n = spansIn(list, a, b), columns = (b - a) / DATA.strips.width_ns;
	return n <= EXACT_SPANS || (columns < width / 2 && n <= EXACT_LIMIT);
}
