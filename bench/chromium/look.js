// What is wrong with the page that is open: a list of texts. A page that a server has may run
// scripts, and has links to the server's other paths.
(served => {
	const wrong = [];
	const say = (what, node) => wrong.push(what + ": " + (node.id ? "#" + node.id + " " : "") + (node.textContent || "").trim().slice(0, 60));
	const root = document.documentElement;

	// Nothing makes the page wider than its window.
	if (root.scrollWidth > root.clientWidth) {
		wrong.push("scrolls sideways: " + root.scrollWidth + " of " + root.clientWidth + " px");
		for (const e of document.body.querySelectorAll("*")) {
			const box = e.closest(".scroll");
			if (e.getBoundingClientRect().right > root.clientWidth + 1 && !(box && getComputedStyle(box).overflowX != "visible")) say("too wide (" + e.tagName + ")", e);
		}
	}

	// Every link leads somewhere, and nothing has the name of another.
	const ids = new Set();
	for (const e of document.querySelectorAll("[id]")) {
		if (ids.has(e.id)) say("second id", e);
		ids.add(e.id);
	}
	for (const a of document.querySelectorAll("a")) {
		const to = a.getAttribute("href");
		if (served && !to.startsWith("#") && new URL(a.href).origin === location.origin) continue;
		if (to.startsWith("#") ? !ids.has(to.slice(1)) : !(to.startsWith("data:") && a.download)) say("leads nowhere, to " + to.slice(0, 60), a);
	}
	for (const e of document.querySelectorAll("[aria-labelledby]")) {
		for (const id of e.getAttribute("aria-labelledby").split(" ")) if (!ids.has(id)) say("label " + id + " is missing", e);
	}
	if (document.scripts.length && !served) wrong.push("has a script");

	// Every field says what it is for, and can be reached.
	for (const e of document.querySelectorAll("input, textarea, select, button")) {
		if (!(e.labels && e.labels.length) && !e.textContent.trim() && !e.ariaLabel) say("no label (" + e.tagName + ")", e);
		if (e.checkVisibility() && e.tabIndex < 0) say("out of the keyboard's reach (" + e.tagName + ")", e);
		const box = e.getBoundingClientRect(), around = e.closest("label")?.getBoundingClientRect() || box;
		if (e.checkVisibility() && Math.max(box.height, around.height) < 24) say("too small to hit (" + e.tagName + ")", e);
	}

	// Contrast, as WCAG has it.
	const rgba = s => {
		let m = s.match(/[\d.]+(?:e-?\d+)?/g).map(Number);
		if (s.startsWith("color(srgb")) m = m.map((v, i) => i < 3 ? 255 * v : v); // what color-mix() makes
		return m.length < 4 ? [...m, 1] : m;
	};
	const over = (top, under) => under.map((v, i) => i < 3 ? top[i] * top[3] + v * (1 - top[3]) : 1);
	const linear = v => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; };
	const light = c => 0.2126 * linear(c[0]) + 0.7152 * linear(c[1]) + 0.0722 * linear(c[2]);
	const ground = e => {
		const layers = [];
		for (; e; e = e.parentElement) layers.push(rgba(getComputedStyle(e).backgroundColor));
		let c = [255, 255, 255, 1];
		while (layers.length) c = over(layers.pop(), c);
		return c;
	};
	let least = 21;
	const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	const drawn = new Map(); // texts of each drawing
	while (walk.nextNode()) {
		const node = walk.currentNode, e = node.parentElement;
		if (!node.data.trim() || !e.checkVisibility() || ["title", "desc", "STYLE"].includes(e.tagName)) continue;
		const style = getComputedStyle(e), inside = e.tagName === "text";
		const under = ground(e), ink = over(rgba(inside ? style.fill : style.color), under);
		const [a, b] = [light(ink), light(under)].sort((x, y) => y - x);
		const ratio = (a + 0.05) / (b + 0.05);
		least = Math.min(least, ratio);
		if (ratio < 4.5) say("contrast " + ratio.toFixed(2), e);
		if (inside) {
			const svg = e.ownerSVGElement;
			if (!drawn.has(svg)) drawn.set(svg, []);
			drawn.get(svg).push(e);
		}
	}

	// A drawing's texts are as large as they should be, inside it, and none on another.
	for (const [svg, texts] of drawn) {
		const frame = svg.getBoundingClientRect(), size = 12 * frame.width / svg.viewBox.baseVal.width;
		if (size < 10) wrong.push("text of " + size.toFixed(1) + " px in " + svg.getAttribute("aria-labelledby"));
		const boxes = texts.map(e => e.getBoundingClientRect());
		boxes.forEach((r, i) => {
			if (r.left < frame.left - 1 || r.right > frame.right + 1 || r.top < frame.top - 1 || r.bottom > frame.bottom + 1) say("out of its drawing", texts[i]);
			for (let j = 0; j < i; j++) {
				const o = boxes[j];
				if (Math.min(r.right, o.right) - Math.max(r.left, o.left) > 1 && Math.min(r.bottom, o.bottom) - Math.max(r.top, o.top) > 4) say("on \"" + texts[j].textContent + "\" of " + svg.getAttribute("aria-labelledby").split(" ")[0], texts[i]);
			}
		});
	}
	return {wrong, least, height: root.scrollHeight};
})
