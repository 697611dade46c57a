package serve

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"testing"

	"github.com/minilm-metal/minilm-metal/bench/chromium"
)

// browse starts a server with a handler, and a browser that may ask it. It returns the address of
// the page. Where there is no browser the test skips.
func browse(t *testing.T, h http.Handler) (*chromium.Browser, string) {
	t.Helper()
	path := chromium.Find()
	switch {
	case testing.Short():
		t.Skip("a browser takes its time")
	case path == "":
		t.Skip("there is no Chromium here to look at pages with (Debian: chromium-headless-shell)")
	}
	b, err := chromium.Start(t.Context(), path)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	t.Cleanup(b.Close)
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	if err := b.Serve(s.URL + "/"); err != nil {
		t.Fatal(err)
	}
	return b, s.URL + "/"
}

// eval evaluates a script, or the promise that it returns, in the page that is open.
func eval[T any](t *testing.T, b *chromium.Browser, script string) (v T) {
	t.Helper()
	if err := b.Eval(script, &v); err != nil {
		t.Fatalf("%s: %v", script, err)
	}
	return v
}

// opened is a page that knows its model and has read the metrics once.
func opened(t *testing.T, b *chromium.Browser, url string, v chromium.View) {
	t.Helper()
	if err := b.Open(url, v); err != nil {
		t.Fatal(err)
	}
	eval[bool](t, b, `poll().then(() => true)`)
}

// pressed presses the form's button as a reader does, and returns when the answer is there.
const pressed = `(async () => { $("go").click(); do await new Promise(next => setTimeout(next, 5)); while (running); return true; })()`

var (
	phone   = chromium.View{Width: 390, Height: 844}
	desktop = chromium.View{Width: 1440, Height: 900}
)

// looks fails the test for what is wrong with the page, in both colours and two widths, after
// prepare has done in it what it should be looked at with.
func looks(t *testing.T, b *chromium.Browser, url string, prepare func()) {
	t.Helper()
	for _, v := range []chromium.View{phone, desktop, {Width: 390, Height: 844, Dark: true}, {Width: 1440, Height: 900, Dark: true}} {
		b.Seen = nil
		opened(t, b, url, v)
		prepare()
		wrong, least, _, err := b.Look()
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range append(wrong, b.Seen...) {
			t.Errorf("%d px, dark %v: %s", v.Width, v.Dark, w)
		}
		if least < 4.5 || least > 21 {
			t.Errorf("%d px, dark %v: contrast %.2f", v.Width, v.Dark, least)
		}
	}
}

// A reader without a mouse reaches everything in the order in which it stands, and asks the model
// by the keyboard alone.
func TestPageByKeyboard(t *testing.T) {
	h, _ := open(t, scoring)
	b, url := browse(t, h)
	opened(t, b, url, desktop)
	press := func(key string, ctrl bool) {
		t.Helper()
		if err := b.Press(key, ctrl); err != nil {
			t.Fatal(err)
		}
	}
	const at = `document.activeElement.id || document.activeElement.textContent || document.activeElement.tagName`
	for _, want := range []string{"To the form", "OpenAPI", "Metrics", "Info", "query", "texts", "go", "example", "truncate", "API key"} {
		press("Tab", false)
		if got := eval[string](t, b, at); got != want {
			t.Fatalf("Tab leads to %q, want %q", got, want)
		}
		if eval[bool](t, b, `getComputedStyle(document.activeElement).outlineStyle === "none"`) {
			t.Errorf("%s: nothing shows where the focus is", want)
		}
	}
	press("Enter", false) // opens it
	press("Tab", false)
	if got := eval[string](t, b, at); got != "key" {
		t.Fatalf("Tab leads to %q, want the key", got)
	}
	eval[bool](t, b, `$("texts").focus() || $("texts").select() === undefined`)
	if err := b.Type("The first.\nThe second."); err != nil {
		t.Fatal(err)
	}
	press("Enter", true)
	eval[bool](t, b, `(async () => { while (running) await new Promise(next => setTimeout(next, 5)); return true; })()`)
	if n := eval[int](t, b, `document.querySelectorAll(".ranked > li").length`); n != 2 {
		t.Errorf("%d passages, want 2", n)
	}
	// One line of the query, and Enter.
	eval[bool](t, b, `$("query").focus() === undefined`)
	if err := b.Type(" And more?"); err != nil {
		t.Fatal(err)
	}
	eval[string](t, b, `$("texts").value = "One alone."`)
	press("Enter", false)
	eval[bool](t, b, `(async () => { while (running) await new Promise(next => setTimeout(next, 5)); return true; })()`)
	if text := eval[string](t, b, `$("command").textContent`); eval[int](t, b, `document.querySelectorAll(".ranked > li").length`) != 1 || !regexp.MustCompile(`And more\?.*One alone\.`).MatchString(text) {
		t.Errorf("it asked %s", text)
	}
}

// What is refused in place of a question that is under way ends that, and nothing is waited for.
func TestPageIsBusyNoLonger(t *testing.T) {
	h, _ := open(t, scoring)
	b, url := browse(t, h)
	opened(t, b, url, desktop)
	if got := eval[string](t, b, `(async () => {
		const real = fetch;
		fetch = (path, o) => path === "rerank" ? new Promise((_, no) => o.signal.addEventListener("abort", () => no(o.signal.reason))) : real(path, o);
		const first = run();
		const was = $("answer").ariaBusy;
		$("query").value = "";
		await run();
		await first;
		return was + " " + $("answer").ariaBusy + " " + $("form").classList.contains("busy") + " " + $("answer-alert").textContent;
	})()`); got != "true null false Enter a query." {
		t.Errorf("busy before, and after, and its words: %s", got)
	}
}

// What goes wrong is said in words, where the reader looks, and is gone with the next answer.
func TestPageSaysWhatIsWrong(t *testing.T) {
	h, _ := open(t, scoring, MaxBody(4000))
	b, url := browse(t, h)
	opened(t, b, url, desktop)
	say := func(script string) string {
		t.Helper()
		eval[bool](t, b, "("+script+", true)")
		eval[bool](t, b, pressed)
		if !eval[bool](t, b, `$("answer-alert").checkVisibility()`) {
			return ""
		}
		return eval[string](t, b, `$("answer-alert").textContent`)
	}
	for _, c := range []struct{ script, want string }{
		{`$("query").value = " "`, `^Enter a query\.$`},
		{`[$("query").value, $("texts").value] = ["q", "\n"]`, `^Enter passages, one a line\.$`},
		{`$("texts").value = "a ".repeat(3000)`, `^This is more text than the server takes in one request\. It says: .*4000.*--max-body`},
		{`[$("texts").value, $("truncate").checked] = ["a ".repeat(1200), false]`, `^The server cannot use this request\. It says: .*512`},
		{`[$("texts").value, $("truncate").checked] = ["a ".repeat(1200), true]`, `^$`},
	} {
		if got := say(c.script); !regexp.MustCompile(c.want).MatchString(got) {
			t.Errorf("%s: it says %q, want %s", c.script, got, c.want)
		}
	}
	for call, want := range map[string]string{
		`inWords(429, '{"error":"Model is overloaded","error_type":"Overloaded"}', "2", "")`: "The server is busy: as many requests wait as it lets wait. It says: Model is overloaded Try again in 2 s.",
		`inWords(401, "", null, "")`:                            "The server asks for an API key: enter it below the form.",
		`inWords(401, "", null, "k")`:                           "The server does not accept this API key.",
		`inWords(502, "<html>Bad Gateway</html>", null)`:        "The server answered with status 502.",
		`inWords(503, '{"error":{"message":"Loading"}}', null)`: "The server is not ready: it is loading its model, or about to stop. It says: Loading",
		`inWords(500, '{"detail":"It failed"}', null)`:          "The server answered with status 500. It says: It failed",
	} {
		if got := eval[string](t, b, call); got != want {
			t.Errorf("%s: %q, want %q", call, got, want)
		}
	}
}
