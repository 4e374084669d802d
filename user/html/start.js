/* ---- the start ------------------------------------------------------------------------------- */

const THEMES = ["auto", "light", "dark"];

function setTheme(name) {
	if (name === "auto")
		delete document.documentElement.dataset.theme;
	else
		document.documentElement.dataset.theme = name;
	$("theme").textContent = { auto: "◐ auto", light: "☀ light", dark: "☾ dark" }[name];
	$("theme").title = `Colours: ${name === "auto" ? "as the system has them" : name}`;
	$("theme").setAttribute("aria-label", $("theme").title);
	$("theme").dataset.is = name;
	recolor();
}

function recolor() {
	readPalette();
	onPreempted = color("on-preempted");
	view.overview = null;
	redraw();
}

function setThreshold() {
	const ns = parseTime($("go-least").value);
	$("go-least").setAttribute("aria-invalid", String(Number.isNaN(ns)));
	if (!Number.isNaN(ns))
		threshold.ns = ns;
	threshold.what = $("go-what").value;
}

/* What is long here: longer than nearly all. */
function firstThreshold() {
	const h = DATA.hist_all[0], p = h && (h.run_delay || h.absence);
	if (!h || !h.run_delay)
		$("go-what").value = "length";
	$("go-least").value = p && p.count ? rough(p.p99_ns).replace(" ", "").replace("µ", "u") : "1ms";
	setThreshold();
}

function listenToButtons() {
	const on = (id, f) => $(id).addEventListener("click", f);
	on("zoom-in", () => zoom(.5));
	on("zoom-out", () => zoom(2));
	on("zoom-all", () => show(WINDOW.from, WINDOW.to));
	on("go-next", () => goOn(true));
	on("go-prev", () => goOn(false));
	on("help-open", () => $("help").showModal());
	on("theme", () => setTheme(THEMES[(THEMES.indexOf($("theme").dataset.is) + 1) % THEMES.length]));
	$("go-least").addEventListener("input", setThreshold);
	$("go-least").addEventListener("keydown", event => event.key === "Enter" && goOn(true));
	$("go-what").addEventListener("change", setThreshold);
	$("hist-of").addEventListener("change", showHists);
	$("longest-by").addEventListener("change", showLongest);
	$("longest-state").addEventListener("change", showLongest);
	matchMedia("(prefers-color-scheme: dark)").addEventListener("change", recolor);
	addEventListener("hashchange", readAddress);
}

function start() {
	$("app").hidden = false;
	setTheme("auto");
	showHead();
	showVerdict();
	showLegend();
	layOut();
	measure();
	firstThreshold();
	showDetails();
	showVcpus();
	showMatrix();
	showTasks();
	showHistChoice();
	showHists();
	showLongest();
	showRules();
	drawLabels();
	listenToMouse();
	listenToKeys();
	listenToSearch();
	listenToButtons();
	if (location.hash)
		readAddress();
	redraw();
}

start();
