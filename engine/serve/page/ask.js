"use strict";
// The page of a running server. It asks the server's own paths and no others, keeps the API key
// in memory, and puts what it was given into the page as text, never as HTML.

const $ = id => document.getElementById(id);

// make returns a new element with a class, and children that are elements or texts.
function make(tag, name, ...children) {
	const e = document.createElement(tag);
	if (name) e.className = name;
	e.append(...children);
	return e;
}

// Refusal is an answer that is no success, in words for the reader.
class Refusal extends Error {
	constructor(status, words) {
		super(words);
		this.status = status;
	}
}

// ask gets a path, or posts a body to it; the answer has its text and its headers.
async function ask(path, body, signal) {
	const key = $("key").value.trim(), headers = {};
	if (key) headers.Authorization = "Bearer " + key;
	if (body) headers["Content-Type"] = "application/json";
	let answer, text;
	try {
		answer = await fetch(path, {method: body ? "POST" : "GET", headers, body: body && JSON.stringify(body), signal, cache: "no-store", credentials: "omit"});
		text = await answer.text();
	} catch (e) {
		if (e.name === "AbortError") throw e;
		throw new Refusal(0, "The server does not answer. It has stopped, or the network to it is down.");
	}
	if (!answer.ok) throw new Refusal(answer.status, inWords(answer.status, text, answer.headers.get("Retry-After"), key));
	return {text, headers: answer.headers};
}

// inWords says what a status means, then what the server itself says of it.
function inWords(status, text, retry, key) {
	const meaning = {
		400: "There is nothing to compute in this request.",
		401: key ? "The server does not accept this API key." : "The server asks for an API key: enter it below the form.",
		404: "The server does not have this path: is it another version?",
		413: "This is more text than the server takes in one request.",
		422: "The server cannot use this request.",
		424: "The model cannot do this, or has failed at it.",
		429: "The server is busy: as many requests wait as it lets wait.",
		503: "The server is not ready: it is loading its model, or about to stop.",
	}[status] || "The server answered with status " + status + ".";
	const said = saidIn(text);
	return meaning + (said ? " It says: " + said : "") + (retry ? " Try again in " + retry + " s." : "");
}

// saidIn is the message in an error's text, in whichever form it comes.
function saidIn(text) {
	let said = text.trim();
	try {
		const v = JSON.parse(said);
		said = [v.error, v.error && v.error.message, v.message, v.detail, v].find(x => typeof x === "string") || "";
	} catch {
		if (said.startsWith("<")) said = ""; // a proxy's page
	}
	return said.length > 400 ? said.slice(0, 400) + "..." : said;
}

function alertIn(id, words) {
	$(id).hidden = !words;
	if ($(id).textContent !== words) $(id).textContent = words;
}
