// What the server runs, and the form to try it with.

// The kinds of models: what is asked, where, and how the answer is shown.
const kinds = {
	reranker: {
		name: "Reranker", verb: "Rank", texts: "Passages", hint: "one a line; Ctrl + Enter ranks", one: "passage", many: "passages", path: "rerank", waiting: "Scores appear here.",
		body: (texts, truncate) => ({query: $("query").value, texts, raw_scores: true, truncate}),
		show: showScores,
		example: ["How many people live in Berlin?",
			"Berlin is well known for its museums and its night life.",
			"Berlin had a population of 3,520,031 registered inhabitants in an area of 891.82 square kilometers.",
			"The urban area of Berlin comprised about 4.1 million people, making it the seventh most populous in Europe.",
			"In 1920 the city had 3.8 million inhabitants.",
			"A storm is coming over the sea."],
	},
	embedding: {
		name: "Embedder", verb: "Compare", texts: "Texts", hint: "one a line; Ctrl + Enter compares", one: "text", many: "texts", path: "embed", waiting: "The matrix of cosines appears here.",
		body: (texts, truncate) => ({inputs: texts, truncate}),
		show: showCosines,
		example: ["", "The rain falls softly on the roof.", "It is pouring outside.", "A storm is coming over the sea.", "She bought a new bicycle.", "Where can I have my bike repaired?"],
	},
	classifier: {
		name: "Classifier", verb: "Classify", texts: "Texts", hint: "one a line, with || inside a pair; Ctrl + Enter classifies", one: "text", many: "texts", path: "predict", waiting: "Probabilities of the labels appear here.",
		body: (texts, truncate) => ({inputs: texts.map(t => t.split("||").map(part => part.trim())), truncate}),
		show: showLabels,
		example: ["", "I loved every minute of it.", "The battery was empty after an hour.", "A man plays the guitar. || Somebody makes music."],
	},
};
let kind = kinds.reranker, info = null, model = null;

const state = (name, words) => {
	$("state").className = "state " + name;
	if ($("state-text").textContent !== words) $("state-text").textContent = words;
};

// learn asks what the server runs, and makes the form for it.
async function learn() {
	try {
		info = JSON.parse((await ask("info")).text);
	} catch (e) {
		if (e.status === 401) $("key-part").open = true;
		alertIn("page-alert", e.status === 503 ? "" : e.message); // a model that is loading is no error
		return;
	}
	alertIn("page-alert", "");
	$("version").textContent = "minilm-metal" + (info.version === "unknown" ? "" : " " + info.version);
	$("which").replaceChildren(...info.models.map(m => new Option(m.name)));
	$("model-field").hidden = info.models.length < 2;
	choose();
}

// choose makes the form for the model that is selected.
function choose() {
	model = info.models[$("which").selectedIndex];
	const before = kind;
	kind = kinds[model.kind];
	$("model").textContent = model.name;
	document.title = model.name + ", minilm-metal";
	$("facts").replaceChildren(...[
		["Kind", kind.name], ["Device", model.device], ["Precision", model.precision], ["Reads", `up to ${model.max_input_length} tokens`],
		["Values", model.dimensions], ["Labels", model.labels],
	].filter(([, v]) => v).map(([k, v]) => make("div", "", make("dt", "", k), make("dd", "", String(v)))));
	$("query-field").hidden = kind !== kinds.reranker;
	$("texts-label").textContent = kind.texts;
	$("texts-hint").textContent = kind.hint;
	$("go").textContent = kind.verb;
	if (kind !== before) clear();
	if (kind !== before || !$("texts").value) fill();
}

// clear takes away an answer that another kind of model gave.
function clear() {
	shown = null;
	$("bars").hidden = $("shell").hidden = true;
	$("result").replaceChildren();
	$("summary").textContent = kind.waiting;
	alertIn("answer-alert", "");
}

function fill() {
	const [query, ...texts] = kind.example;
	$("query").value = query;
	$("texts").value = texts.join("\n");
}

let running = null;

async function run() {
	if (running) running.abort();
	const mine = running = new AbortController();
	const texts = $("texts").value.split("\n").map(t => t.trim()).filter(t => t);
	alertIn("answer-alert", "");
	if (kind === kinds.reranker && !$("query").value.trim()) return refuse("Enter a query.", "query");
	if (!texts.length) return refuse("Enter " + kind.many + ", one a line.", "texts");
	const body = kind.body(texts, $("truncate").checked);
	if (info && info.models.length > 1) body.model = model.name;
	$("form").classList.add("busy");
	$("answer").classList.add("stale");
	$("answer").setAttribute("aria-busy", "true");
	showCommand(kind.path, body);
	const begun = performance.now();
	try {
		const answer = await ask(kind.path, body, mine.signal);
		const took = performance.now() - begun;
		kind.show(texts, JSON.parse(answer.text));
		$("summary").textContent = summary(texts.length, took, answer.headers);
		$("answer").classList.remove("stale");
	} catch (e) {
		if (e.name === "AbortError") return;
		$("summary").textContent = "";
		if (e.status === 401) {
			$("key-part").open = true;
			$("key").focus();
		}
		alertIn("answer-alert", e instanceof Refusal ? e.message : "The answer cannot be shown: " + e.message);
	} finally {
		if (running === mine) ended();
	}
}

// ended says that nothing is being asked any more.
function ended() {
	running = null;
	$("form").classList.remove("busy");
	$("answer").removeAttribute("aria-busy");
}

function refuse(words, field) {
	ended(); // also what was asked before, which was given up
	alertIn("answer-alert", words);
	$(field).focus();
}

// summary says how long it took, and where the time went by the answer's headers.
function summary(n, took, headers) {
	const ms = name => Number(headers.get(name)) > 0 ? duration(Number(headers.get(name)) / 1000) : ""; // whole ones: 0 says nothing
	const parts = [[ms("x-tokenization-time"), "tokenizing"], [ms("x-queue-time"), "waiting"], [ms("x-inference-time"), "in the model"]].filter(([v]) => v).map(p => p.join(" "));
	const tokens = headers.get("x-compute-tokens");
	return n + " " + (n === 1 ? kind.one : kind.many) + (tokens ? ", " + tokens + " tokens" : "") + ", in " + duration(took / 1000) + (parts.length ? ": " + parts.join(", ") : "") + ".";
}

// showCommand writes the request as a shell would make it.
function showCommand(path, body) {
	const quoted = "'" + JSON.stringify(body).replaceAll("'", "'\\''") + "'";
	const key = $("key").value.trim() ? " \\\n  -H \"Authorization: Bearer $KEY\"" : "";
	$("command").textContent = "curl " + new URL(path, document.baseURI) + " \\\n  -H 'Content-Type: application/json'" + key + " \\\n  -d " + quoted;
	$("copied").textContent = "";
	$("shell").hidden = false;
}
