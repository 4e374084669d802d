/* ---- words, numbers, elements ------------------------------------------------------------- */
/* Names come from those who run the VMs: they only ever become text nodes. Controls and what changes the
 * direction of a text are shown as such. */

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

const harmless = text => String(text).replace(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g,
	c => c < " " ? String.fromCharCode(0x2400 + c.charCodeAt(0)) : "\ufffd");

/* In the middle of a picture. */
const short = (text, n) => {
	const chars = [...harmless(text)];
	return chars.length <= n ? chars.join("") : chars.slice(0, n - 1).join("") + "…";
};

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

/* "12:00:01.234567" of the reader's own clock. */
function wall(ns, decimals = 6) {
	const all = BigInt(SESSION.wall_ns) + BigInt(Math.round(ns));
	const date = new Date(Number(all / 1000000n));
	const pad = n => String(n).padStart(2, "0");
	const fraction = String(all % 1000000000n).padStart(9, "0").slice(0, decimals);
	return `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}${decimals ? "." + fraction : ""}`;
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

/* "CPU 1/KVM[4242] of web vCPU 1" */
function taskName(task) {
	const of = task.vm_name ? ` of ${harmless(task.vm_name)}${task.vcpu !== undefined ? ` vCPU ${task.vcpu}` : ""}` : "";
	return task.tid ? `${harmless(task.comm ?? "?")}[${task.tid}]${of}` : "swapper (idle)";
}

/* "CPU 1 taken by sh[42]" of an absence */
const takenBy = a => a.by === BY_QUOTA ? "its CPU quota was used up" : `CPU ${a.row.cpu[a.i]} taken by ${taskName(a.task)}`;

/* "at least" where a part was not seen */
const atLeast = a => a.open || a.part ? "at least " : "";

const color = name => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
