package serve

import (
	"math"
	"strings"
	"testing"

	"github.com/minilm-metal/minilm-metal/engine/enginetest"
)

// The page counts what its server has done since it was opened, and says it.
func TestPageIsLive(t *testing.T) {
	h, _ := open(t, scoring)
	b, url := browse(t, h)
	opened(t, b, url, desktop)
	eval[bool](t, b, `(async () => {
		for (let i = 0; i < 5; i++) await ask("rerank", {query: "q", texts: ["a", "b", "c"]});
		await ask("rerank", {query: "q", texts: []}).catch(() => {});
		await poll();
		return true;
	})()`)
	if got := eval[[]int](t, b, `["requests", "items"].map(n => readings.at(-1)[n] - readings[0][n])`); got[0] != 5 || got[1] != 15 {
		t.Errorf("%d requests of %d pairs, want 5 of 15", got[0], got[1])
	}
	tiles := eval[map[string]string](t, b, `Object.fromEntries([...$("tiles").children].map(d => [d.querySelector("dt").textContent, d.querySelector("dd").innerText]))`)
	for name, want := range map[string]string{"Requests per second": "over the minute", "Pairs per second": "over the minute", "Median latency": "of requests in the minute", "95th percentile": "s", "Queue": "0\n", "Refused or failed": "1\n"} {
		if !strings.Contains(tiles[name], want) {
			t.Errorf("%s: %q lacks %q", name, tiles[name], want)
		}
	}
	// Half of all requests took as long as the median, or less.
	if p50, p95 := eval[float64](t, b, `quantile(0.5, readings[0], readings.at(-1))`), eval[float64](t, b, `quantile(0.95, readings[0], readings.at(-1))`); !(p50 > 0 && p50 <= p95 && p95 < 60) {
		t.Errorf("median %g s, 95th percentile %g s", p50, p95)
	}
}

// Readings are differences: of counters that begin again after a restart, and of histograms,
// whose percentiles lie inside a bucket.
func TestPageReadsMetrics(t *testing.T) {
	h, _ := open(t, scoring)
	b, url := browse(t, h)
	opened(t, b, url, desktop)
	const text = "`" + `# HELP te_request_success Requests
# TYPE te_request_success counter
te_request_success{method="single"} 2
te_request_success{method="batch"} 7
te_predict_success 40
te_embed_success 1
te_request_failure{err="overloaded"} 3
te_request_failure{err="a \"quoted\" one"} 1
te_queue_size 5
te_request_duration_bucket{method="batch",le="0.001"} 4
te_request_duration_bucket{method="batch",le="0.0015"} 10
te_request_duration_bucket{method="batch",le="0.00225"} 50
te_request_duration_bucket{method="batch",le="+Inf"} 60
te_request_duration_bucket{method="single",le="0.001"} 0
te_request_duration_bucket{method="single",le="0.0015"} 0
te_request_duration_bucket{method="single",le="0.00225"} 40
te_request_duration_bucket{method="single",le="+Inf"} 40
` + "`"
	// In this order: the last ones change what the page keeps.
	for _, c := range []struct {
		script string
		want   float64
	}{
		{`reading(TEXT, 0).requests`, 9},
		{`reading(TEXT, 0).items`, 41},
		{`reading(TEXT, 0).queue`, 5},
		{`reading(TEXT, 0).failed.overloaded`, 3},
		{`Object.keys(reading(TEXT, 0).failed).length`, 2},
		{`quantile(0.5, reading("", 0), reading(TEXT, 1))`, 0.0015 * math.Pow(1.5, 0.5)}, // the 50th of 100 is in the bucket that has the 11th to the 90th
		{`quantile(0.9, reading("", 0), reading(TEXT, 1))`, 0.00225},
		{`quantile(0.02, reading("", 0), reading(TEXT, 1))`, 0.001 / 1.5 * math.Pow(1.5, 0.5)}, // the first bucket begins where one more would
		{`quantile(0.99, reading("", 0), reading(TEXT, 1))`, 0.00225},                          // it is more, and how much is not known
		{`quantile(0.5, reading(TEXT, 0), reading(TEXT, 1)) > 0 ? 1 : 0`, 0},                   // no requests in between
		{`(readings.length = 0, take(reading(TEXT, 0)), readings.length)`, 1},
		{`(take(reading(TEXT, 1000)), take(reading("", 2000)), readings.length)`, 1}, // a restart
		{`(take(reading("", 50000)), take(reading("", 62000)), readings[0].at)`, 2000},
		{`(take(reading("", 110000)), readings[0].at)`, 50000}, // the one that the last minute begins with
	} {
		if got := eval[float64](t, b, strings.ReplaceAll(c.script, "TEXT", text)); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%s: %g, want %g", c.script, got, c.want)
		}
	}
}

// What the page says is of the newest of its readings, and not of an older one whose answer was longer in coming.
func TestPageReadsInOrder(t *testing.T) {
	h, _ := open(t, scoring)
	b, url := browse(t, h)
	opened(t, b, url, desktop)
	if got := eval[int](t, b, `(async () => {
		const real = fetch, some = ms => new Promise(next => setTimeout(next, ms));
		let release, came;
		const released = new Promise(f => release = f), old = new Promise(f => came = f);
		fetch = async (path, o) => {
			const answer = await real(path, o);
			if (path === "metrics" && came) {
				came(came = null);
				await released;
			}
			return answer;
		};
		const first = poll();
		await old;
		await ask("rerank", {query: "q", texts: ["a"]});
		const second = poll();
		await Promise.race([second, some(500)]);
		release();
		await Promise.all([first, second]);
		return readings.at(-1).requests;
	})()`); got != 1 {
		t.Errorf("the last reading has %d requests, want 1", got)
	}
}

// A server that is loading, then ready, then gone is what the page says that it is.
func TestPageFollowsTheServer(t *testing.T) {
	h := handler(t)
	b, url := browse(t, h)
	if err := b.Open(url, desktop); err != nil {
		t.Fatal(err)
	}
	polled := func() (state string) {
		eval[bool](t, b, `poll().then(() => true)`)
		return eval[string](t, b, `$("state-text").textContent`)
	}
	if got := polled(); got != "loading or stopping" || eval[bool](t, b, `$("page-alert").checkVisibility()`) {
		t.Errorf("before the model is there: %q", got)
	}
	if err := h.Use(Model{"tiny", enginetest.Open(t)}, Model{"vectors", enginetest.OpenEmbedder(t)}); err != nil {
		t.Fatal(err)
	}
	if got := polled(); got != "ready" || eval[string](t, b, `$("model").textContent`) != "tiny" {
		t.Errorf("with the model: %q", got)
	}
	// Each model has its form, and is asked by its name.
	eval[bool](t, b, `($("which").value = "vectors", $("which").dispatchEvent(new Event("change")))`)
	eval[bool](t, b, pressed)
	if n := eval[int](t, b, `document.querySelectorAll("#result td.self").length`); n < 3 || eval[string](t, b, `$("model").textContent`) != "vectors" {
		t.Errorf("%d texts", n)
	}
	h.Drain()
	if got := polled(); got != "loading or stopping" {
		t.Errorf("before its end: %q", got)
	}
	eval[bool](t, b, `(fetch = () => Promise.reject(new TypeError("refused")), true)`) // as without a server
	if got := polled(); got != "no answer" {
		t.Errorf("without a server: %q", got)
	}
	eval[bool](t, b, pressed)
	if got := eval[string](t, b, `$("answer-alert").textContent`); got != "The server does not answer. It has stopped, or the network to it is down." {
		t.Errorf("it says %q", got)
	}
}

// Where the server wants a key the page asks for it, sends it, and keeps it nowhere.
func TestPageSendsItsKey(t *testing.T) {
	h, _ := open(t, scoring, Keys("the-key"))
	b, url := browse(t, h)
	opened(t, b, url, desktop)
	if got := eval[string](t, b, `$("page-alert").textContent`); got != "The server asks for an API key: enter it below the form." || !eval[bool](t, b, `$("key").checkVisibility()`) {
		t.Errorf("without a key it says %q", got)
	}
	eval[bool](t, b, pressed)
	if got := eval[string](t, b, `$("answer-alert").textContent + document.activeElement.id`); got != "Enter a query.query" {
		t.Errorf("without a model's example: %q", got)
	}
	enter := func(key string) {
		t.Helper()
		eval[bool](t, b, `($("key").select(), true)`)
		if err := b.Type(key); err != nil {
			t.Fatal(err)
		}
		eval[bool](t, b, `poll().then(() => true)`)
	}
	enter("another")
	if got := eval[string](t, b, `$("page-alert").textContent`); got != "The server does not accept this API key." {
		t.Errorf("with a wrong key it says %q", got)
	}
	enter("the-key")
	eval[bool](t, b, pressed)
	if n := eval[int](t, b, `document.querySelectorAll(".ranked > li").length`); n < 5 || eval[bool](t, b, `$("page-alert").checkVisibility() || $("answer-alert").checkVisibility()`) {
		t.Errorf("with its key: %d passages", n)
	}
	if kept := eval[string](t, b, `JSON.stringify([localStorage.length, sessionStorage.length, document.cookie, location.href]) + $("command").textContent`); strings.Contains(kept, "the-key") || !strings.HasPrefix(kept, `[0,0,"",`) || !strings.Contains(kept, "Bearer $KEY") {
		t.Errorf("it keeps %s", kept)
	}
}
