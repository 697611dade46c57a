package serve

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/minilm-metal/minilm-metal/engine"
)

// A reranker's page ranks the example: the engine's scores, best first, raw and as sigmoids, and
// each with a bar as long as it says.
func TestPageRanks(t *testing.T) {
	h, eng := open(t, scoring)
	b, url := browse(t, h)
	looks(t, b, url, func() { eval[bool](t, b, pressed) })

	passages := eval[[]string](t, b, `$("texts").value.split("\n")`)
	ranked, err := eng.Rank(t.Context(), eval[string](t, b, `$("query").value`), passages)
	if err != nil || len(ranked) < 5 {
		t.Fatal(ranked, err)
	}
	type row struct {
		Text, Sigmoid, Raw string
		Bar, Track         float64
	}
	const rows = `[...document.querySelectorAll(".ranked > li")].map(li => ({text: li.querySelector(".text").textContent,
		sigmoid: li.querySelector(".scores").firstChild.lastChild.data, raw: li.querySelector(".scores").lastChild.lastChild.data,
		bar: li.querySelector(".bar i").getBoundingClientRect().width, track: li.querySelector(".bar").getBoundingClientRect().width}))`
	for _, raw := range []bool{true, false} {
		if !raw {
			eval[bool](t, b, `document.querySelector("[name=bars][value=sigmoid]").click() === undefined`)
		}
		// Bars move: their ends are what counts.
		eval[bool](t, b, `Promise.all(document.getAnimations().map(a => a.finished)).then(() => true)`)
		got := eval[[]row](t, b, rows)
		if len(got) != len(ranked) {
			t.Fatalf("%d rows, want %d", len(got), len(ranked))
		}
		low, high := 0.0, 0.0
		for _, r := range ranked {
			low, high = min(low, float64(r.Score)), max(high, float64(r.Score))
		}
		for i, r := range ranked {
			s := 1 / (1 + math.Exp(-float64(r.Score)))
			want := row{passages[r.Index], fmt.Sprintf("%.4f", s), fmt.Sprintf("%.3f", r.Score), 0, 0}
			part := s
			if raw {
				part = math.Abs(float64(r.Score)) / (high - low)
			}
			is := got[i]
			if off := math.Abs(is.Bar/is.Track - part); off > 0.005 {
				t.Errorf("raw %v, row %d: the bar is %.3f of its track, want %.3f", raw, i, is.Bar/is.Track, part)
			}
			is.Bar, is.Track = 0, 0
			if is != want {
				t.Errorf("row %d: %+v, want %+v", i, is, want)
			}
		}
	}
	if said := eval[string](t, b, `$("summary").textContent`); !strings.HasPrefix(said, fmt.Sprintf("%d passages, ", len(passages))) || !strings.Contains(said, "tokens, in ") {
		t.Errorf("it says %q", said)
	}
	if text := eval[string](t, b, `$("command").textContent`); !strings.Contains(text, url+"rerank") || !strings.Contains(text, `"query":"How many people live in Berlin?"`) {
		t.Errorf("the command is %s", text)
	}
	info := eng.Info()
	facts := eval[string](t, b, `$("facts").innerText`)
	for _, want := range []string{"Reranker", info.Device, info.Precision, fmt.Sprintf("%d tokens", info.MaxLength)} {
		if !strings.Contains(facts, want) {
			t.Errorf("the facts %q lack %q", facts, want)
		}
	}
}

// An embedder's page has the cosines of all texts with all.
func TestPageCompares(t *testing.T) {
	h, eng := open(t, embedding)
	b, url := browse(t, h)
	looks(t, b, url, func() { eval[bool](t, b, pressed) })
	texts := eval[[]string](t, b, `$("texts").value.split("\n")`)
	rows, err := eng.Embed(t.Context(), nil, texts)
	if err != nil {
		t.Fatal(err)
	}
	d := eng.Info().Dimensions
	cells := eval[[][]string](t, b, `[...document.querySelectorAll("#result tbody tr")].map(tr => [...tr.querySelectorAll("td")].map(td => td.textContent))`)
	if len(cells) != len(texts) || len(texts) < 4 {
		t.Fatalf("%d rows of %d texts", len(cells), len(texts))
	}
	for i := range cells {
		for j := range cells[i] {
			cosine := 0.0
			for k := range d {
				cosine += float64(rows[i*d+k]) * float64(rows[j*d+k])
			}
			var got float64
			if _, err := fmt.Sscan(cells[i][j], &got); err != nil || math.Abs(got-cosine) > 0.0006 {
				t.Errorf("texts %d and %d: %s, want %.4f (%v)", i, j, cells[i][j], cosine, err)
			}
		}
	}
	if eval[bool](t, b, `$("query-field").checkVisibility()`) {
		t.Error("it asks for a query")
	}
}

// A classifier's page has the probabilities of all labels, for texts and pairs of texts.
func TestPageClassifies(t *testing.T) {
	h, eng := open(t, classifying)
	b, url := browse(t, h)
	looks(t, b, url, func() { eval[bool](t, b, pressed) })
	eval[string](t, b, `$("texts").value = "A man plays. || Somebody makes music.\n\nIt rains."`)
	eval[bool](t, b, pressed)
	pair, err := eng.ClassifyPairs(t.Context(), nil, []engine.Pair{{Query: "A man plays.", Passage: "Somebody makes music."}})
	if err != nil {
		t.Fatal(err)
	}
	single, err := eng.Classify(t.Context(), nil, []string{"It rains."})
	if err != nil {
		t.Fatal(err)
	}
	got := eval[[]map[string]string](t, b, `[...document.querySelectorAll(".classes")].map(dl => Object.fromEntries([...dl.children].map(d => [d.querySelector("dt").textContent, d.lastChild.textContent])))`)
	if len(got) != 2 {
		t.Fatalf("%v", got)
	}
	for k, label := range eng.Info().Labels {
		for i, want := range []float32{pair[k], single[k]} {
			if text := fmt.Sprintf("%.4f", want); got[i][label] != text {
				t.Errorf("text %d: %s %s, want %s", i, label, got[i][label], text)
			}
		}
	}
}
