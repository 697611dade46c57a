// Last of all: what the reader does, and the polls.

$("form").addEventListener("submit", e => {
	e.preventDefault();
	run();
});
$("texts").addEventListener("keydown", e => {
	if (e.key === "Enter" && (e.ctrlKey || e.metaKey)) run();
});
$("which").addEventListener("change", choose);
$("example").addEventListener("click", fill);
$("key").addEventListener("change", () => {
	if (!info) poll();
});
$("bars").addEventListener("change", drawScores);
$("copy").addEventListener("click", async () => {
	try {
		await navigator.clipboard.writeText($("command").textContent);
		$("copied").textContent = "copied";
	} catch {
		getSelection().selectAllChildren($("command")); // without TLS there is no clipboard
		$("copied").textContent = "selected: copy it with the keyboard";
	}
});
polls();
