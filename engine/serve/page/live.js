// Rates and latencies of the last minute, from the differences between readings of /metrics.

// Names of the metrics that are read, as text-embeddings-inference has them.
const metrics = {
	requests: ["te_request_success"], items: ["te_predict_success", "te_embed_success"],
	failures: "te_request_failure", queue: "te_queue_size", latency: "te_request_duration_bucket",
};
const every = 2000, minute = 60_000, lately = 10_000; // ms

// parse reads Prometheus' text format: for each name its samples, with labels and value.
function parse(text) {
	const all = {};
	for (const line of text.split("\n")) {
		const m = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? ([^ ]+)/.exec(line);
		if (!m) continue;
		const labels = {};
		for (const [, name, value] of (m[2] || "").matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)) labels[name] = value;
		(all[m[1]] ||= []).push({labels, value: m[3] === "+Inf" ? Infinity : Number(m[3])});
	}
	return all;
}

// reading is what the page keeps of one answer of /metrics, at a time in ms.
function reading(text, at) {
	const all = parse(text), sum = name => (all[name] || []).reduce((s, m) => s + m.value, 0);
	const r = {at, requests: metrics.requests.reduce((s, n) => s + sum(n), 0), items: metrics.items.reduce((s, n) => s + sum(n), 0), queue: sum(metrics.queue), failed: {}, upTo: new Map()};
	for (const {labels, value} of all[metrics.failures] || []) r.failed[labels.err] = (r.failed[labels.err] || 0) + value;
	for (const {labels, value} of all[metrics.latency] || []) {
		const le = labels.le === "+Inf" ? Infinity : Number(labels.le);
		r.upTo.set(le, (r.upTo.get(le) || 0) + value);
	}
	return r;
}

// quantile is the latency, in seconds, that the part q of the requests between two readings did
// not exceed; NaN without any. Buckets grow by a factor, so inside one the logarithm is taken.
function quantile(q, before, after) {
	const bounds = [...after.upTo.keys()].sort((a, b) => a - b);
	const upTo = bounds.map(le => after.upTo.get(le) - (before.upTo.get(le) || 0));
	const rank = q * upTo.at(-1);
	if (!(rank > 0)) return NaN;
	const i = upTo.findIndex(n => n >= rank);
	if (bounds[i] === Infinity) return bounds[i - 1];
	const low = i ? bounds[i - 1] : bounds[i] / (bounds[1] / bounds[0]), below = i ? upTo[i - 1] : 0;
	return low * (bounds[i] / low) ** ((rank - below) / (upTo[i] - below));
}

const rate = x => x < 10 ? fixed(x, 1) : String(Math.round(x));

// duration is a time in seconds, as it is read: "4.2 ms", "1.3 s".
function duration(s) {
	const ms = 1000 * s;
	return ms < 1 ? fixed(ms, 2) + " ms" : ms < 10 ? fixed(ms, 1) + " ms" : ms < 999.5 ? Math.round(ms) + " ms" : fixed(s, s < 9.95 ? 1 : 0) + " s";
}

const readings = []; // of the last minute, and the one before it, the oldest first

// take keeps a reading. After a server's restart its counters begin again, and so do we.
function take(r) {
	const last = readings.at(-1);
	if (last && (r.requests < last.requests || r.items < last.items)) readings.length = 0;
	readings.push(r);
	while (readings.length > 2 && readings[1].at <= r.at - minute) readings.shift();
}

// spark draws the course of a value through the last minute.
function spark(values) {
	const ns = "http://www.w3.org/2000/svg", svg = document.createElementNS(ns, "svg");
	svg.setAttribute("class", "spark");
	svg.setAttribute("viewBox", "0 0 100 30");
	svg.setAttribute("preserveAspectRatio", "none");
	svg.setAttribute("aria-hidden", "true");
	const end = readings.at(-1).at, top = Math.max(...values.map(v => v.y), 1e-9);
	const points = values.map(v => fixed(100 + (v.at - end) / minute * 100, 2) + " " + fixed(28 - 25 * v.y / top, 2));
	if (points.length > 1) {
		const [first] = points[0].split(" ");
		for (const [name, d] of [["area", `M${first} 30L${points.join("L")}L100 30Z`], ["", "M" + points.join("L")]]) {
			const path = document.createElementNS(ns, "path");
			path.setAttribute("d", d);
			if (name) path.setAttribute("class", name);
			svg.append(path);
		}
	}
	return svg;
}

function tile(name, figure, unit, hint, drawn) {
	const value = make("div", "figure", figure);
	if (unit) value.append(" ", make("small", "", unit));
	return make("div", "", make("dt", "", name), make("dd", "", value, make("div", "hint", hint), ...(drawn ? [drawn] : [])));
}

function drawLive() {
	const first = readings[0], last = readings.at(-1);
	const recent = readings.find(r => r.at >= last.at - lately - every / 2) || first;
	const per = (name, a, b) => b.at > a.at ? (b[name] - a[name]) / (b.at - a.at) * 1000 : NaN;
	const course = name => readings.slice(1).map((r, i) => ({at: r.at, y: per(name, readings[i], r)}));
	const ofRate = (words, name) => {
		const now = per(name, recent, last);
		return tile(words + " per second", now >= 0 ? rate(now) : "-", "", now >= 0 ? rate(per(name, first, last)) + " over the minute" : "measuring", spark(course(name)));
	};
	const ofLatency = (words, q) => {
		const s = quantile(q, first, last);
		const [figure, unit] = s > 0 ? duration(s).split(" ") : ["-", ""];
		const of = readings.slice(1).map((r, i) => ({at: r.at, y: 1000 * quantile(q, readings[i], r)})).filter(v => v.y > 0);
		return tile(words, figure, unit, s > 0 ? "of requests in the minute" : "no requests yet", spark(of));
	};
	const failed = Object.entries(last.failed).map(([err, n]) => [err, n - (first.failed[err] || 0)]).filter(([, n]) => n > 0);
	const unit = kind === kinds.reranker ? "Pairs" : "Texts";
	$("tiles").replaceChildren(
		ofRate("Requests", "requests"), ofRate(unit, "items"), ofLatency("Median latency", 0.5), ofLatency("95th percentile", 0.95),
		tile("Queue", String(last.queue), "", "waiting now", spark(readings.map(r => ({at: r.at, y: r.queue})))),
		tile("Refused or failed", String(failed.reduce((s, [, n]) => s + n, 0)), "", failed.map(([err, n]) => n + " " + err).join(", ") || "none in the minute"));
	const seconds = Math.min(60, Math.round((last.at - first.at) / 1000));
	$("window").textContent = seconds < 60 ? "the " + seconds + " s since this page was opened" : "the last minute";
}

// poll reads once, after the readings that are under way: an older one must not come behind a newer.
let polled = Promise.resolve();
const poll = () => polled = polled.catch(() => {}).then(readOnce);

// readOnce reads /health and /metrics, and what the server runs if that is not known yet.
async function readOnce() {
	try {
		await ask("health");
		state("ready", "ready");
	} catch (e) {
		state(e.status ? "" : "down", e.status === 503 ? "loading or stopping" : e.status ? "not well" : "no answer");
		if (!e.status) info = null; // another may come in its place
	}
	if (!info) await learn();
	try {
		take(reading((await ask("metrics")).text, performance.now()));
		alertIn("live-alert", "");
		drawLive();
	} catch (e) {
		alertIn("live-alert", "No metrics: " + e.message);
	}
}

async function polls() {
	if (!document.hidden) await poll();
	setTimeout(polls, every);
}
