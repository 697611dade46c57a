// How answers are shown: scores as bars, labels as bars, embeddings as a matrix of cosines.

const sigmoid = x => 1 / (1 + Math.exp(-x));
const fixed = (x, digits) => x.toFixed(digits).replace(/^-(0\.?0*)$/, "$1"); // no -0.00

// bar is a bar from one part of its track to another, each from 0 to 1, with a line at zero if
// that is inside it.
function bar(from, to, zero) {
	const track = make("div", "bar"), filled = make("i", to < from ? "under" : "");
	track.setAttribute("aria-hidden", "true"); // the figure stands beside it
	filled.style.setProperty("--from", 100 * Math.min(from, to) + "%");
	filled.style.setProperty("--wide", 100 * Math.abs(to - from) + "%");
	track.append(filled);
	if (zero > 0 && zero < 1) {
		track.style.setProperty("--zero", 100 * zero + "%");
		track.append(make("b"));
	}
	return track;
}

let shown = null; // the scores that stand in the answer

function showScores(texts, ranked) {
	shown = {texts, ranked: [...ranked].sort((a, b) => b.score - a.score || a.index - b.index)};
	$("bars").hidden = false;
	drawScores();
}

// figure is a score, whose name is over its column for those who see that.
const figure = (name, on, value) => make("span", on ? "on" : "", make("span", "unseen", name + " "), value);

function drawScores() {
	if (!shown) return;
	const raw = document.querySelector("[name=bars]:checked").value === "raw";
	const values = shown.ranked.map(r => r.score);
	const low = Math.min(0, ...values), high = Math.max(0, ...values), span = high - low || 1;
	const zero = raw ? -low / span : 0;
	const list = make("ol", "ranked");
	shown.ranked.forEach((r, i) => {
		const to = raw ? (r.score - low) / span : sigmoid(r.score);
		const scores = make("span", "scores", figure("sigmoid", !raw, fixed(sigmoid(r.score), 4)), figure("raw", raw, fixed(r.score, 3)));
		const text = make("span", "text", shown.texts[r.index]);
		text.title = shown.texts[r.index];
		list.append(make("li", "", make("span", "place", String(i + 1)), text, scores, bar(zero, to, zero)));
	});
	const titles = make("div", "titles", make("span", "", "Sigmoid"), make("span", "", "Raw"));
	titles.setAttribute("aria-hidden", "true");
	$("result").replaceChildren(titles, list);
}

function showLabels(texts, answers) {
	// A single text's labels come without a list around them.
	if (!Array.isArray(answers[0])) answers = [answers];
	const list = make("ol", "labelled");
	texts.forEach((t, i) => {
		const classes = make("dl", "classes");
		for (const c of [...answers[i]].sort((a, b) => b.score - a.score)) {
			const dd = make("dd", "", fixed(c.score, 4));
			classes.append(make("div", "", make("dt", "", c.label), bar(0, c.score, 0), dd));
		}
		list.append(make("li", "", make("span", "text", t), classes));
	});
	$("result").replaceChildren(list);
}

function cosine(a, b) {
	let ab = 0, aa = 0, bb = 0;
	a.forEach((v, i) => {
		ab += v * b[i];
		aa += v * v;
		bb += b[i] * b[i];
	});
	return ab / Math.sqrt(aa * bb) || 0;
}

function showCosines(texts, vectors) {
	const head = make("tr", "", make("td", "self"));
	const body = make("tbody");
	texts.forEach((t, i) => {
		const column = make("th", "", String(i + 1));
		column.scope = "col";
		column.title = t;
		head.append(column);
		const name = make("th", "", make("span", "", String(i + 1)), t);
		name.scope = "row";
		const row = make("tr", "", name);
		texts.forEach((_, j) => {
			const c = cosine(vectors[i], vectors[j]);
			const cell = make("td", i === j ? "self" : c < 0 ? "under" : "", fixed(c, 3));
			cell.style.setProperty("--part", Math.min(1, Math.abs(c)));
			row.append(cell);
		});
		body.append(row);
	});
	const table = make("table", "", make("caption", "hint", "Cosines of the texts' embeddings, of " + vectors[0].length + " values each"), make("thead", "", head), body);
	const box = make("div", "scroll", table);
	box.tabIndex = 0;
	box.setAttribute("role", "group");
	box.setAttribute("aria-label", "Matrix of cosines");
	$("result").replaceChildren(box);
}
