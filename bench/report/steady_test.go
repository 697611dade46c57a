package report

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/bench/recording/recordingtest"
)

// revised is the recording as of one that tells what reports conclude from now.
func revised(rec *recording.Recording) *recording.Recording {
	rec.Revision = recording.Revision
	return rec
}

// Of four callers' batches the window begins when each has ended one, and ends when the last
// begins; a run that slows down is marked.
func TestSteadyWindow(t *testing.T) {
	rec := revised(recordingtest.Loads())
	s := Derive(rec).Configs[1].Steady
	run := &rec.Runs[1]
	if want := (run.Batches[3].Start + run.Batches[3].Latency).Seconds(); s.From != want || s.To != run.Batches[59].Start.Seconds() {
		t.Errorf("window from %v to %v, want from %v", s.From, s.To, want)
	}
	if !s.Reached || math.Abs(s.PairsPerSecond-8/0.04) > 6 || s.Batches >= len(run.Batches)-4 || s.Latency.N != 52 {
		t.Errorf("%+v", s)
	}
	// The last third takes half as long again.
	for i := range run.Batches[40:] {
		b := &run.Batches[40+i]
		b.Start += time.Duration(i) * 20 * time.Millisecond
		run.Elapsed = b.Start + b.Latency
	}
	r := Derive(rec)
	if s := r.Configs[1].Steady; s.Reached || *s.Drift > -0.2 {
		t.Errorf("%+v", s)
	}
	text := rendered(t, r)
	for _, want := range []string{"#### Steady Window\n| From (s) |", "**No steady state was reached:**", "_Row 2 did not reach a steady state"} {
		if !strings.Contains(text, want) {
			t.Errorf("the report lacks %q", want)
		}
	}
	// Three batches tell nothing, and nobody says so in the summary.
	if s := r.Configs[0].Steady; s.Reached || s.Drift != nil || s.From != 0 || s.To != rec.Runs[0].Elapsed.Seconds() {
		t.Errorf("%+v", s)
	}
}

// One caller's window has all of its batches, also the last: it ends some microseconds after
// Elapsed, which counts from the start of the first.
func TestSteadyWindowOfOneCaller(t *testing.T) {
	rec := revised(recordingtest.Loads())
	run := &rec.Runs[0]
	for i := range run.Batches {
		run.Batches[i].Start += 16 * time.Microsecond
	}
	f := Derive(rec).Configs[0]
	s := f.Steady
	if s.Batches != len(run.Batches) || s.Latency.N != len(run.Batches) || math.Abs(s.PairsPerSecond-f.Throughput.Average) > 1e-6*s.PairsPerSecond {
		t.Errorf("%d batches ran, %v pairs/s: %+v", len(run.Batches), f.Throughput.Average, s)
	}
}

// An open loop is steady while what arrives ends.
func TestSteadyOpenLoop(t *testing.T) {
	rec := revised(recordingtest.Loads())
	if s := Derive(rec).Configs[2].Steady; !s.Reached || math.Abs(*s.Drift) > 0.01 {
		t.Errorf("%+v", s)
	}
	run := &rec.Runs[2]
	run.Open = &recording.Open{Seed: 1, Waited: 200}
	for i := range run.Batches { // each waits longer than the one before it
		run.Batches[i].Latency += time.Duration(i) * 40 * time.Millisecond
		run.Elapsed = run.Batches[i].Start + run.Batches[i].Latency
	}
	r := Derive(rec)
	if s := r.Configs[2].Steady; s.Reached || *s.Drift < 0.2 {
		t.Errorf("%+v", s)
	}
	if text := rendered(t, r); !strings.Contains(text, "**Callers ran out: latency is at least what is printed.** _200 batches found all 16 callers busy") {
		t.Errorf("%s", text)
	}
}

func TestScenarioNames(t *testing.T) {
	rec := revised(recordingtest.Loads())
	rec.Runs = append(rec.Runs, rec.Runs[0])
	rec.Runs[3].Batch, rec.Runs[3].Requested = 96, 96
	rec.Runs[3].Batches = rec.Runs[3].Batches[:1]
	for i, want := range []string{"MultiStream", "", "Server", "Offline"} {
		s := Derive(rec).Configs[i].Scenario
		if s == nil && want != "" || s != nil && (s.Name != want || *s.Value <= 0) {
			t.Errorf("configuration %d: %+v, want %q", i, s, want)
		}
	}
	// A configuration of a recording that does not tell has no new words.
	for _, f := range Derive(recordingtest.Loads()).Configs {
		if f.Scenario != nil || f.Steady != nil || f.Path != nil || f.Open != nil {
			t.Errorf("%+v", f)
		}
	}
}
