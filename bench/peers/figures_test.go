package peers

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/minilm-metal/minilm-metal/bench/internal/markdown"
	"github.com/minilm-metal/minilm-metal/bench/recording"
)

// madeUp is a run of ten rounds. Each round takes a tenth longer than the one before, for all
// alike, so that rates scatter and ratios do not.
func madeUp() *Recording {
	peak, swapped := 123.4, 0.0125
	entry := func(name, precision string, ours bool, ms float64) Entry {
		e := Entry{
			Name: name, Library: name, Precision: precision, Ours: ours, About: About{Input: "ids", Unit: "pair", How: "in turns", Versions: map[string]string{name: "1.0"}},
			FirstScore: time.Second / 4, PeakMB: &peak,
			Accuracy: &recording.Accuracy{MeanError: 0.02, LogitSD: 2, FlippedOrders: &swapped, Passed: true},
		}
		for round := range 10 {
			took := time.Duration(ms * math.Pow(1.1, float64(round)) * 1e6)
			e.Turns = append(e.Turns, Turn{Round: round, Elapsed: took, Latencies: []time.Duration{took / 4, took / 4, took / 4, took / 4, took / 4, took / 4}})
		}
		return e
	}
	wrong := entry("wrong", "int8", false, 1)
	wrong.Accuracy.Passed, wrong.Failure = false, "scores too far from the reference."
	crashed := entry("crashed", "f32", false, 1)
	crashed.Failure, crashed.Accuracy = "it | ended", nil
	return &Recording{
		Started: time.Date(2026, 11, 29, 0, 0, 0, 0, time.UTC), Threads: 2, Pairs: 100, Planned: 10, Loads: []float64{0.5, 2},
		Model: recording.Model{ID: "some/model", WeightsSHA256: "0123456789abcdef"}, Dataset: recording.Dataset{Name: "text", Pairs: 100, Tokens: 8650},
		Entries: []Entry{entry("ours32", "f32", true, 1000), entry("ours8", "int8", true, 250), entry("theirs", "f32", false, 2000), wrong, crashed},
	}
}

func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if math.Abs(got-want) > 1e-6*want {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

func TestDerive(t *testing.T) {
	r := madeUp()
	f := Derive(r)
	if len(f) != 5 {
		t.Fatalf("%+v", f)
	}
	near(t, "rate", f[0].PairsPerSecond.Median, (100/math.Pow(1.1, 4)+100/math.Pow(1.1, 5))/2)
	if i := f[0].PairsPerSecond; !(*i.Low < i.Median && i.Median < *i.High) || i.N != 10 {
		t.Errorf("interval %+v", i)
	}
	for _, ratio := range []*Interval{f[2].Same, f[0].Best, f[2].Best} {
		if ratio == nil || ratio.Low == nil {
			t.Fatalf("%+v", f)
		}
	}
	near(t, "same precision", f[2].Same.Median, 2)
	near(t, "its interval", *f[2].Same.High, 2)
	near(t, "our best", f[2].Best.Median, 8)
	near(t, "our best over ours", f[0].Best.Median, 4)
	if f[0].Same != nil || f[1].Best != nil {
		t.Errorf("ours has a ratio to itself: %+v", f[:2])
	}
	if f[0].P50 == nil || f[0].P95 == nil || *f[0].P50 >= *f[0].P95 {
		t.Errorf("latencies %v, %v", f[0].P50, f[0].P95)
	}
	for _, x := range f[3:] {
		if x.PairsPerSecond != nil || x.Same != nil || x.Best != nil || x.P50 != nil || x.Failure == "" {
			t.Errorf("speed without right scores: %+v", x)
		}
	}

	// Five rounds bound nothing, and 30 latencies have no bound of P95.
	for i := range r.Entries {
		r.Entries[i].Turns = r.Entries[i].Turns[:5]
	}
	f = Derive(r)
	if i := f[2].Same; i.Low != nil || i.High != nil || f[0].P95 != nil || f[0].P50 == nil {
		t.Errorf("of five rounds: %+v, %v", i, f[0].P95)
	}
	// Without ours of that precision there is no ratio at it, and the best is what is left.
	r.Entries = r.Entries[1:]
	if f := Derive(r); f[1].Same != nil || f[1].Best == nil {
		t.Errorf("%+v", f[1])
	}
}

func TestWriteMarkdown(t *testing.T) {
	var text bytes.Buffer
	if err := WriteMarkdown(&text, madeUp()); err != nil {
		t.Fatal(err)
	}
	var table [][]string
	for line := range strings.Lines(text.String()) {
		if strings.HasPrefix(line, "|") {
			table = append(table, markdown.Cells(line))
		}
	}
	if len(table) != 8 { // title, rule, five peers, the seed
		t.Fatalf("%d lines:\n%s", len(table), text.String())
	}
	for _, row := range table {
		if len(row) != len(table[0]) {
			t.Errorf("%q", row)
		}
	}
	for at, want := range map[int]string{3: "2.00 (2.00 to 2.00)", 4: "8.00 (8.00 to 8.00)", 6: "pair", 7: "0.25", 8: "123", 9: "0.01", 10: "1.25 %", 11: "theirs 1.0"} {
		if got := table[4][at]; got != want {
			t.Errorf("%s: %q, want %q", table[0][at], got, want)
		}
	}
	if row := table[7]; row[2] != "457" || row[3] != "n/a" || row[4] != "n/a" {
		t.Errorf("the seed's row: %q", row)
	}
	for _, want := range []string{"**no figure**: scores too far from the reference.\n", "load average 0.5 to 2.0", "some/model (sha256 0123456789ab)", "86.5 tokens in the mean", "2025-12-26"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %q:\n%s", want, text.String())
		}
	}

	var out bytes.Buffer
	if err := WriteJSON(&out, madeUp()); err != nil {
		t.Fatal(err)
	}
	var back struct {
		Figures   []Figures
		Recording Recording
	}
	if err := json.Unmarshal(out.Bytes(), &back); err != nil || len(back.Figures) != 5 || len(back.Recording.Entries) != 5 {
		t.Errorf("%v: %s", err, out.String())
	}
}
