package bench

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/minilm-metal/minilm-metal/bench/compare"
	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/bench/report"
	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/model"
	"github.com/minilm-metal/minilm-metal/model/synth"
)

// runSweep measures with an engine for each precision; those named are off, or not there.
func (l *lab) runSweep(ctx context.Context, off, missing string) (*recording.Recording, []*fake, error) {
	var opened []*fake
	rec, err := run(ctx, l.options, func(device, precision string) (scorer, error) {
		if device == "reference" {
			return l.reference, nil
		}
		if precision == missing {
			return nil, errors.New("there is none")
		}
		f := newFake(l.measured.service)
		f.info.Precision = precision
		if precision == off {
			f.scatter = 5
		}
		opened = append(opened, f)
		return f, nil
	})
	return rec, opened, err
}

// Each precision has an engine, a gate and a cold start of its own, each length a text, and
// all of them the same configurations.
func TestSweep(t *testing.T) {
	l := newLab(t, 40)
	synctest.Test(t, func(t *testing.T) {
		l.options.Precisions, l.options.Lengths, l.options.TimeBound = []string{"f32", "bf16"}, []int{16, 64}, -1
		rec, opened, err := l.runSweep(t.Context(), "", "")
		if err != nil || rec.Validate() != nil {
			t.Fatalf("%v, %v", err, rec.Validate())
		}
		if len(opened) != 2 || !opened[0].closed || !opened[1].closed || len(rec.Variants) != 2 || rec.Precision != "f32, bf16" {
			t.Errorf("%d engines, %+v", len(opened), rec.Variants)
		}
		r := report.Derive(rec)
		var got []string
		for i, f := range r.Configs {
			got = append(got, f.Config.String())
			for _, b := range rec.Runs[i].Batches {
				if b.Tokens != b.Pairs*rec.Runs[i].Length || b.Padded != b.Tokens {
					t.Errorf("%v: %+v", f.Config, b)
				}
			}
		}
		if want := []string{"batch=4, conc=1, precision=f32, length=16", "batch=4, conc=1, precision=f32, length=64",
			"batch=4, conc=1, precision=bf16, length=16", "batch=4, conc=1, precision=bf16, length=64"}; !slices.Equal(got, want) {
			t.Errorf("configurations %q", got)
		}
		text := rendered(t, r)
		for _, want := range []string{"| TP P95 | Precision | Length (tokens) |", "| bf16 | 64 |", "### Config 4: batch=4, concurrency=1, precision=bf16, length=64", "## Precisions", "Lengths are swept: the text of the data set is cut or lengthened"} {
			if !strings.Contains(text, want) {
				t.Errorf("the report lacks %q:\n%s", want, text)
			}
		}
		// The markdown is read, and matches itself configuration by configuration.
		back, err := compare.Parse(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if c := compare.Reports(back, r); len(c.Pairs) != 4 || len(c.OnlyA)+len(c.OnlyB) > 0 {
			t.Errorf("%d pairs, only in one: %v, %v", len(c.Pairs), c.OnlyA, c.OnlyB)
		}
	})
}

// A precision that is too far off is not timed, the others are, and the error says so.
func TestSweepWithAnInaccuratePrecision(t *testing.T) {
	for _, off := range []string{"f32", "bf16"} {
		l := newLab(t, 40)
		synctest.Test(t, func(t *testing.T) {
			l.options.Precisions, l.options.TimeBound = []string{"f32", "bf16"}, -1
			rec, _, err := l.runSweep(t.Context(), off, "")
			if !errors.Is(err, ErrInaccurate) || rec == nil || len(rec.Runs) != 1 || rec.Runs[0].Precision == off || !noted(rec, "precision="+off+": the scores failed") {
				t.Fatalf("%v: %+v", err, rec)
			}
			r := report.Derive(rec)
			if r.Withheld != "" || r.Configs[0].Throughput == nil || !strings.Contains(rendered(t, r), "not passed, so not timed") {
				t.Errorf("withheld %q: %+v", r.Withheld, r.Configs[0])
			}
			// Who makes a run of it all the same gets no speed.
			rec.Runs[0].Precision = off
			if f := report.Derive(rec).Configs[0]; f.Throughput != nil || f.Latency != nil {
				t.Errorf("%+v", f)
			}
		})
	}
}

// What was measured stays when the next engine cannot be opened.
func TestSweepEndsEarly(t *testing.T) {
	l := newLab(t, 40)
	synctest.Test(t, func(t *testing.T) {
		l.options.Precisions, l.options.TimeBound = []string{"f32", "f16", "bf16"}, -1
		rec, _, err := l.runSweep(t.Context(), "", "f16")
		if !errors.Is(err, errSweep) || len(rec.Runs) != 1 || rec.Precision != "f32" || !noted(rec, "precision=f16: was not measured") {
			t.Errorf("%v: %+v", err, rec)
		}
	})
	l = newLab(t, 400)
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 150*time.Second)
		defer cancel()
		l.options.Precisions, l.options.TimeBound = []string{"f32", "bf16"}, -1
		rec, _, err := l.runSweep(ctx, "", "")
		if !errors.Is(err, context.DeadlineExceeded) || len(rec.Runs) != 2 || !noted(rec, "precision=bf16: interrupted after") {
			t.Errorf("%v: %+v", err, rec)
		}
	})
}

func TestSweepOptions(t *testing.T) {
	for want, spoil := range map[string]func(o *Options){
		`precisions ["f32" "f32"], want each once`: func(o *Options) { o.Precisions = []string{"f32", "f32"} },
		"lengths [7]":                 func(o *Options) { o.Lengths = []int{7} },
		"lengths [64 64]":             func(o *Options) { o.Lengths = []int{64, 64} },
		"lengths of a scenario":       func(o *Options) { o.Lengths, o.Mix = []int{64}, &MixOptions{} },
		"of a scenario, which sweeps": func(o *Options) { o.Precisions, o.Load = []string{"f32", "bf16"}, &LoadOptions{Ramp: true} },
	} {
		l := newLab(t, 8)
		spoil(&l.options)
		if _, err := l.options.withDefaults(); !errors.Is(err, ErrOptions) || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

// Text of a length is that many tokens to the tokenizer of the engine, with words left.
func TestResizedText(t *testing.T) {
	files, err := synth.FS(1, synth.Shape{Layers: 1, Hidden: 8, Heads: 1, Intermediate: 8, Vocab: 30522})
	if err != nil {
		t.Fatal(err)
	}
	e, err := engine.OpenFS(files, engine.Device("cpu"), engine.Precision("f32"), engine.NoCalibrationFile())
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	work, err := builtIn(50)
	if err != nil {
		t.Fatal(err)
	}
	for _, length := range []int{shortestText, 17, 64, 200, e.Info().MaxLength} {
		text, err := work.resized(pairEngine{e}, length, 60)
		if err != nil || len(text.pairs) != 60 {
			t.Fatalf("%d tokens: %v", length, err)
		}
		for i, p := range text.pairs {
			var b model.Batch
			if err := e.Tokenize(&b, []engine.Pair{p}); err != nil || b.Tokens() != length || p.Query == "" || len(strings.Fields(p.Passage)) > length {
				t.Fatalf("%d tokens: pair %d has %d: %q", length, i, b.Tokens(), p)
			}
		}
	}
	s := &session{Options: Options{Pairs: 5}, engine: pairEngine{e}, work: work}
	if _, err := s.sweep.text(s, e.Info().MaxLength+1); !errors.Is(err, ErrOptions) {
		t.Errorf("error %v", err)
	}
}
