"use strict";
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the file holds, taken apart: DATA, the JSON object (user/html_json.c), and rows, one per vCPU in the
 * summary's order, with its spans as columns (the packing: user/html_spans.h). Times are ns after the
 * session's start. Nothing here adds up: what is counted comes from DATA.
 */
const $ = id => document.getElementById(id);
const DATA = JSON.parse($("data").textContent);
const SESSION = DATA.session;
const STATE = Object.fromEntries(DATA.states.map((name, i) => [name, i]));
STATE.woken = DATA.states.length; /* how the part of halted and sleeping is shown that was spent waiting for a CPU */
const BY_QUOTA = DATA.classes.indexOf("quota");
const NO_TASK = 0xffffffff, NO_CPU = 0xffff;

/* row.flags, of an absence */
const OPEN = 1, PART = 2, CLAMPED = 4, OUTSIDE = 8;

const isAbsence = state => state >= STATE.preempted && state <= STATE.sleeping;

function bytesOf(text) {
	if (Uint8Array.fromBase64)
		return Uint8Array.fromBase64(text);
	const chars = atob(text), bytes = new Uint8Array(chars.length);
	for (let i = 0; i < bytes.length; i++)
		bytes[i] = chars.charCodeAt(i);
	return bytes;
}

/* The spans of one row, i of them: from[i] .. from[i + 1] in state[i]. */
function makeRow(index, vcpu, count) {
	return {
		index, vcpu, count,
		report: DATA.report.vcpus[index],
		from: new Float64Array(count + 1),
		state: new Uint8Array(count),
		cpu: new Uint16Array(count), /* where it runs; of an absence, where it was before */
		back: new Uint16Array(count), /* of an absence: where it came back */
		x: new Float64Array(count), /* of an absence: its run delay, NaN = not known; else time in the VMM */
		how: new Uint8Array(count), /* KS_BY_* | reason << 3 */
		flags: new Uint8Array(count),
		task: new Uint32Array(count),
		outside: new Map(), /* span: [ns before, ns after the window] */
	};
}

/* State that lasts from one chunk of a row to the next. */
function unpack(row, bytes, s) {
	let p = 0;
	const number = () => {
		let b = bytes[p++], n = b & 127;
		for (let scale = 128; b > 127; scale *= 128) {
			b = bytes[p++];
			n += (b & 127) * scale;
		}
		return n;
	};
	while (p < bytes.length) {
		const i = s.count++, head = bytes[p++], state = head & 15;
		if (!i)
			s.at = number();
		row.from[i] = s.at;
		row.state[i] = state;
		s.at += number();
		row.cpu[i] = row.back[i] = s.cpu;
		if (head & 0x20)
			row.back[i] = s.cpu = number();
		row.task[i] = NO_TASK;
		if (!isAbsence(state)) {
			row.cpu[i] = s.cpu;
			row.x[i] = head & 0x10 ? number() : 0;
			row.flags[i] = head & 0x40 ? OPEN : 0;
			continue;
		}
		const how = bytes[p++];
		let delay = NaN, before = 0, after = 0, rare = 0;
		if (how & 7)
			row.task[i] = number();
		if (how & 0x40 && !(how & 0x80))
			delay = number();
		if (head & 0x80) {
			rare = bytes[p++];
			before = rare & 4 ? number() : 0;
			after = rare & 8 ? number() : 0;
			if (rare & 0x10)
				row.cpu[i] = NO_CPU;
			else if (rare & 0x20)
				row.cpu[i] = number();
			if (before || after)
				row.outside.set(i, [before, after]);
		}
		row.how[i] = how & 63;
		row.x[i] = how & 0x80 ? s.at - row.from[i] + before + after : delay;
		row.flags[i] = (head & 0x40 ? OPEN : 0) | (rare & 1 ? PART : 0) | (rare & 2 ? CLAMPED : 0) |
			(before || after ? OUTSIDE : 0);
	}
	row.from[s.count] = s.at;
}

function loadRows() {
	const chunks = new Map();
	const text = $("spans").textContent;
	for (let at = 0, end; at < text.length; at = end + 1) {
		end = text.indexOf("\n", at);
		if (end < 0)
			end = text.length;
		if (end === at)
			continue;
		const line = JSON.parse(text.slice(at, end));
		if (!chunks.has(line.vcpu))
			chunks.set(line.vcpu, []);
		chunks.get(line.vcpu).push(line);
	}
	$("spans").textContent = ""; /* its memory */
	return DATA.vcpus.map((vcpu, index) => {
		const own = chunks.get(vcpu.id) || [];
		const row = makeRow(index, vcpu, own.reduce((n, c) => n + c.spans, 0));
		const s = { at: 0, cpu: NO_CPU, count: 0 };
		for (const chunk of own)
			unpack(row, bytesOf(chunk.data), s);
		return row;
	});
}

const rows = loadRows();
const rowById = new Map(rows.map(r => [r.vcpu.id, r]));
const vmById = new Map(DATA.vms.map(vm => [vm.id, vm]));
const vms = DATA.vms.map(vm => ({ vm, rows: rows.filter(r => r.vcpu.vm === vm.id), closed: false }));
const WINDOW = { from: SESSION.from, to: Math.max(SESSION.to, SESSION.from + 1) };
const marks = DATA.check.marks.map(([id, time, rule]) => ({ row: rowById.get(id), time, rule }))
	.filter(m => m.row).sort((a, b) => a.time - b.time);

/* The span that holds a time: the last one that begins at or before it; -1 before the first, and behind the last
 * one's end. */
function spanAt(row, time) {
	let low = 0, high = row.count;
	if (!high || time < row.from[0] || time >= row.from[high])
		return -1;
	while (high - low > 1) {
		const mid = (low + high) >> 1;
		if (row.from[mid] <= time)
			low = mid;
		else
			high = mid;
	}
	return low;
}

/* An absence, with what lies outside of the window: {from, to, length, delay}; delay null = not known. */
function absenceOf(row, i) {
	const [before, after] = row.outside.get(i) || [0, 0];
	const from = row.from[i] - before, to = row.from[i + 1] + after;
	return {
		row, i, from, to, length: to - from, delay: Number.isNaN(row.x[i]) ? null : row.x[i], state: row.state[i],
		by: row.how[i] & 7, reason: row.how[i] >> 3, task: row.task[i] === NO_TASK ? null : DATA.tasks[row.task[i]],
		open: !!(row.flags[i] & OPEN), part: !!(row.flags[i] & PART), clamped: !!(row.flags[i] & CLAMPED),
	};
}

/* By which absences are found: "delay" or "length"; -1 for what is none. */
function keyOf(row, i, what) {
	if (!isAbsence(row.state[i]))
		return -1;
	if (what === "delay")
		return Number.isNaN(row.x[i]) ? -1 : row.x[i];
	const o = row.flags[i] & OUTSIDE ? row.outside.get(i) : null;
	return row.from[i + 1] - row.from[i] + (o ? o[0] + o[1] : 0);
}
