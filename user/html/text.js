/* ---- words, numbers, elements ------------------------------------------------------------- */
/* Names come from those who run the VMs: they only ever become text nodes. What does not print is shown as everywhere
 * (user/escape.h): the list of it is the program's. */

/* make("td", {class: "x", onclick: f}, "text", node, ...) */
function make(tag, attributes, ...children) {
	const svg = ["svg", "rect", "line", "text", "g", "title"].includes(tag) && attributes && attributes.svg;
	const e = svg ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
	for (const [name, value] of Object.entries(attributes || {})) {
		if (name === "svg" || value === null || value === undefined || value === false)
			continue;
		if (name.startsWith("on"))
			e.addEventListener(name.slice(2), value);
		else if (name === "style")
			Object.assign(e.style, value);
		else
			e.setAttribute(name, value === true ? "" : value);
	}
	e.append(...children.flat(Infinity).filter(c => c !== null && c !== undefined));
	return e;
}

const HIDDEN = new RegExp(`[\\\\${DATA.hidden.map(r => r.map(c => `\\u{${c.toString(16)}}`).join("-")).join("")}]`, "gu");
const utf8 = new TextEncoder();

/* \xNN for each byte of what does not print, and two backslashes for one. */
const harmless = text => String(text).replace(HIDDEN, c => c === "\\" ? "\\\\" :
	[...utf8.encode(c)].map(byte => `\\x${byte.toString(16).padStart(2, "0")}`).join(""));

/* Names that begin alike differ at the end: what is cut is the middle. */
const TAIL = 12;
const wide = c => c.codePointAt(0) >= 0x1100 ? 2 : 1;

/* As many characters as n columns hold. */
function take(chars, n) {
	let i = 0;
	for (let used = 0; i < chars.length && (used += wide(chars[i])) <= n;)
		i++;
	return chars.slice(0, i);
}

/* In the middle of a picture. */
function short(text, n) {
	const chars = [...harmless(text)], tail = n < 6 ? 0 : Math.min(TAIL, (n - 1) >> 1);
	if (take(chars, n).length === chars.length)
		return chars.join("");
	return `${take(chars, n - 1 - tail).join("")}…${take([...chars].reverse(), tail).reverse().join("")}`;
}

/* The same where the room is the browser's to know: the start gives way, the end (at most so many characters, and
 * what is behind it) stays. Short names are left alone: in one piece they are copied as one. */
function shrinking(text, behind = "", most = TAIL) {
	const chars = [...text], tail = Math.min(most, chars.length >> 1);
	if (chars.length <= (most < TAIL ? most : 2 * TAIL))
		return text + behind;
	return make("span", { class: "mid", title: text + behind }, make("span", null, chars.slice(0, -tail).join("")),
		make("span", null, chars.slice(-tail).join("") + behind));
}

const UNITS = [[1e9, "s"], [1e6, "ms"], [1e3, "µs"], [1, "ns"]];

/* "1.234 ms", as the tables of `report` say it. */
function time(ns) {
	const [unit, name] = UNITS.find(u => ns >= u[0]) || UNITS[3];
	return unit === 1 ? `${Math.round(ns)} ns` : `${(ns / unit).toFixed(3)} ${name}`;
}

/* "1.234567 ms": to the ns. */
function exact(ns) {
	const [unit, name] = UNITS.find(u => ns >= u[0]) || UNITS[3];
	const decimals = Math.round(Math.log10(unit));
	return `${(ns / unit).toFixed(decimals)} ${name}`;
}

/* "1.2 ms", for axes. */
function rough(ns) {
	const [unit, name] = UNITS.find(u => ns >= u[0]) || UNITS[3];
	return `${+(ns / unit).toPrecision(3)} ${name}`;
}

const seconds = (ns, decimals = 9) => `${(ns / 1e9).toFixed(decimals)} s`;
const percent = (part, whole) => whole > 0 ? `${(100 * part / whole).toFixed(1)}\u00a0%` : "-";
const count = n => n === undefined ? "-" : n.toLocaleString("en-US");
const plural = (n, word) => `${count(n)} ${word}${n === 1 ? "" : "s"}`;
const stateName = state => DATA.states[state].replaceAll("_", " ");
const className = by => DATA.classes[by].replaceAll("_", " ");

/* The reader's own time zone, at that time: "UTC+02:00". */
function zone(date) {
	const minutes = -date.getTimezoneOffset(), pad = n => String(Math.floor(n)).padStart(2, "0");
	return minutes ? `UTC${minutes < 0 ? "−" : "+"}${pad(Math.abs(minutes) / 60)}:${pad(Math.abs(minutes) % 60)}` : "UTC";
}

/* "12:00:01.234567 UTC+02:00" of the reader's own clock; day: with the date before it. */
function wall(ns, decimals = 6, day = false) {
	const all = BigInt(SESSION.wall_ns) + BigInt(Math.round(ns));
	const date = new Date(Number(all / 1000000n));
	const pad = n => String(n).padStart(2, "0");
	const fraction = String(all % 1000000000n).padStart(9, "0").slice(0, decimals);
	const clock = `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}${decimals ? "." + fraction : ""}`;
	return `${day ? `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())} ` : ""}${clock} ${zone(date)}`;
}

/* "10us", "1.5 ms", "2" (ms): ns, or NaN. */
function parseTime(text) {
	const m = /^\s*([0-9]+(?:\.[0-9]*)?|\.[0-9]+)\s*(ns|us|µs|ms|s|m|h)?\s*$/.exec(text);
	const unit = { ns: 1, us: 1e3, "µs": 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 };
	return m ? m[1] * unit[m[2] || "ms"] : NaN;
}

const vmName = row => harmless(vmById.get(row.vcpu.vm)?.name ?? row.report.vm);
const vcpuNumber = row => row.vcpu.vcpu >= 0 ? `vCPU ${row.vcpu.vcpu}` : `thread ${row.vcpu.tid}`;
const rowName = row => `${vmName(row)} ${vcpuNumber(row)}`;
const shortRow = (row, n) => `${short(vmById.get(row.vcpu.vm)?.name ?? row.report.vm, n)} ${vcpuNumber(row)}`;
const shrinkingRow = row => shrinking(vmName(row), ` ${vcpuNumber(row)}`);

/* ---- what is not known ---- */
/* k: {known, unknown_ns, window_ns} of all vCPUs, of a VM's, or of one. */

const knownOf = row => ({ known: row.vcpu.known, unknown_ns: row.report.unknown_ns, window_ns: DATA.report.window_ns });

/* "12.3 %", and never 0 where there is some. */
const share = (ns, of) => ns > 0 && ns < of / 1000 ? "less than 0.1\u00a0%" : percent(ns, of);

/* Where nothing was found: that there is none can only be said if all is known. */
function noneOf(k, none) {
	if (!rows.length)
		return "No vCPU was seen.";
	if (!k.known)
		return "Not known: no record tells of this time.";
	return k.unknown_ns ? `None is known, but ${share(k.unknown_ns, k.window_ns)} of the time is unknown.` : none;
}

/* "CPU 1/KVM[4242] of web vCPU 1"; name: what becomes of the VM's */
function taskName(task, name = harmless) {
	const of = task.vm_name ? ` of ${name(task.vm_name)}${task.vcpu !== undefined ? ` vCPU ${task.vcpu}` : ""}` : "";
	return task.tid ? `${harmless(task.comm ?? "?")}[${task.tid}]${of}` : "swapper (idle)";
}

/* "CPU 1 first taken by sh[42]" of an absence: who was switched in need not have had it for long */
const takenBy = (a, name) => a.by === BY_QUOTA ? "its CPU quota was used up" : `CPU ${a.row.cpu[a.i]} first taken by ${taskName(a.task, name)}`;

/* "at least" where a part was not seen */
const atLeast = a => a.open || a.part ? "at least " : "";

const color = name => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
