package bench

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/bench/report"
	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/kernels"
	"github.com/minilm-metal/minilm-metal/model"
	"github.com/minilm-metal/minilm-metal/testdata"
)

// ablated is a fake whose speed has a factor for each idea: padding costs its tokens, a text
// is tokenized in a millisecond, f32 takes twice as long and one worker too.
type ablated struct {
	*fake
	info engine.Info
}

func (f *ablated) Info() engine.Info { return f.info }

func (f *ablated) cost(tokens int) time.Duration {
	cost := time.Duration(tokens) * time.Millisecond
	if f.info.Precision == "f32" {
		cost *= 2
	}
	return cost * 2 / time.Duration(f.info.Workers)
}

func (f *ablated) ScoreStats(ctx context.Context, dst []float32, pairs []engine.Pair, opts ...engine.CallOption) ([]float32, engine.CallStats, error) {
	var b model.Batch
	f.fake.Tokenize(&b, pairs)
	dst, err := f.ScoreTokens(ctx, dst, &b)
	if err != nil {
		return dst, engine.CallStats{}, err
	}
	dst = dst[:len(dst)-len(pairs)]
	for _, p := range pairs {
		dst = append(dst, fakeScore(p))
	}
	return dst, engine.CallStats{Tokens: b.Tokens()}, nil
}

func (f *ablated) ScoreTokens(ctx context.Context, dst []float32, b *model.Batch, _ ...engine.CallOption) ([]float32, error) {
	if !sleepFor(ctx, f.cost(b.Tokens())) {
		return dst, context.Cause(ctx)
	}
	return append(dst, make([]float32, b.Len())...), nil
}

// Tokenize takes time where it is called for a whole batch, as it is where nothing overlaps.
func (f *ablated) Tokenize(b *model.Batch, pairs []engine.Pair, opts ...engine.CallOption) error {
	if len(pairs) > 1 {
		time.Sleep(time.Duration(len(pairs)) * time.Millisecond)
	}
	return f.fake.Tokenize(b, pairs, opts...)
}

// ablationLab measures fakes on a made-up device without instruction sets.
func ablationLab(t *testing.T, bound time.Duration) (*lab, func(ctx context.Context) (*recording.Recording, error), *[]*ablated) {
	l := newLab(t, 16)
	l.options.Ablate, l.options.TimeBound, l.options.Batches = new(AblateOptions), bound, []int{4}
	var opened []*ablated
	open := func(precision string, workers int) *ablated {
		f := &ablated{fake: newFake(nil)}
		f.info = f.fake.info
		f.info.Precision, f.info.Workers = precision, workers
		opened = append(opened, f)
		return f
	}
	l.options.openVariant = func(v *recording.AblationVariant) (tokenScorer, error) { return open(v.Precision, v.Workers), nil }
	return l, func(ctx context.Context) (*recording.Recording, error) {
		return run(ctx, l.options, func(device, precision string) (scorer, error) {
			if device == "reference" {
				return l.reference, nil
			}
			return open("int8", 2), nil
		})
	}, &opened
}

func TestMeasureAblation(t *testing.T) {
	_, measure, opened := ablationLab(t, 1000*time.Second)
	synctest.Test(t, func(t *testing.T) {
		rec, err := measure(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		a := rec.Ablation
		if err := rec.Validate(); err != nil || len(a.Rounds) != DefaultAblationRounds || a.Pairs != 16 {
			t.Fatalf("%v: %d rounds of %d pairs", err, len(a.Rounds), a.Pairs)
		}
		for _, f := range *opened {
			if !f.closed {
				t.Errorf("an engine in %s is left open", f.info.Precision)
			}
		}
		// Of two rounds in turn the second has the order of the first turned round.
		first, second := slices.Clone(a.Rounds[0]), a.Rounds[1]
		slices.Reverse(first)
		for i := range first {
			if first[i].Variant != second[i].Variant {
				t.Errorf("rounds %v and %v, want the second from the end", a.Rounds[0], second)
				break
			}
		}
		f := report.Derive(rec).Ablation
		tokens, padded := float64(a.Tokens), float64(a.Padded)
		wants := map[string]float64{ideaOverlap: tokens / (tokens + 16), ideaThreads: 0.5}
		if padded > tokens {
			wants[ideaPacking] = tokens / padded
		}
		for _, one := range f.Ideas {
			want, known := wants[one.ID]
			if !known || math.Abs(one.Ratio.Ratio-want) > 1e-9 {
				t.Errorf("without %s: %+v, want %v", one.Name, one.Ratio, want)
			}
			delete(wants, one.ID)
		}
		if len(wants) > 0 || len(f.Steps) != len(f.Ideas) || math.Abs(f.Whole.Ratio-(2*padded+16)/tokens) > 1e-9 {
			t.Errorf("left %v; whole %v", wants, f.Whole)
		}
	})
}

// Without time for all rounds there are fewer, and they are whole.
func TestMeasureAblationWithoutTime(t *testing.T) {
	_, measure, _ := ablationLab(t, 3*time.Second)
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		rec, err := measure(t.Context())
		if err != nil || rec.Validate() != nil {
			t.Fatal(err, rec.Validate())
		}
		if n := len(rec.Ablation.Rounds); n < 1 || n >= DefaultAblationRounds || rec.Ablation.Pairs != 4 || !noted(rec, fmt.Sprintf("was over after %d of 10 rounds", n)) {
			t.Errorf("%d rounds of %d pairs, %q", n, rec.Ablation.Pairs, rec.Notes)
		}
		if took := time.Since(begun); took > 3*time.Second {
			t.Errorf("took %v", took)
		}
	})
}

func TestMeasureAblationInterrupted(t *testing.T) {
	_, measure, _ := ablationLab(t, 1000*time.Second)
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 12*time.Second)
		defer cancel()
		rec, err := measure(ctx)
		if !errors.Is(err, context.DeadlineExceeded) || rec == nil || !rec.CutShort {
			t.Fatalf("%v, %+v", err, rec)
		}
		if err := rec.Validate(); err != nil || len(rec.Ablation.Rounds) == 0 || len(rec.Ablation.Rounds) == 10 {
			t.Errorf("%v: %d rounds", err, len(rec.Ablation.Rounds))
		}
	})
}

func TestAblationVariants(t *testing.T) {
	ideas := []recording.Idea{{ID: ideaPacking}, {ID: ideaPrecision}, {ID: ideaThreads}}
	info := engine.Info{Precision: "int8", Workers: 2}
	offs := func(list []recording.AblationVariant) (out []string) {
		for _, v := range list {
			out = append(out, fmt.Sprintf("%s: %s %d", strings.Join(v.Off, "+"), v.Precision, v.Workers))
		}
		return out
	}
	want := []string{": int8 2", "packing: int8 2", "precision: f32 2", "threads: int8 1", "packing+precision+threads: f32 1", "precision+threads: f32 1"}
	if got := offs(variantsOf(info, ideas, hasPrecision)); !reflect.DeepEqual(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if all := kernels.Available(); plainISA("generic", all) != "" {
		t.Error("without the instructions of plain Go there are others")
	}
	if plainISA("neon", nil) != "" || hasPrecision("none", "f32") || hasPrecision("generic", "f128") || !hasPrecision("generic", "f32") {
		t.Error("instruction sets and precisions that there are not")
	}
	for want, change := range map[string]func(o *Options){
		"an ablation and another scenario": func(o *Options) { o.Mix = new(MixOptions) },
		"an ablation of several":           func(o *Options) { o.Batches = []int{1, 2} },
		"-1 rounds":                        func(o *Options) { o.Ablate.Rounds = -1 },
	} {
		o := Options{Model: Checkpoint{Files: testdata.Tiny()}, Ablate: new(AblateOptions)}
		change(&o)
		if _, err := o.withDefaults(); !errors.Is(err, ErrOptions) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// Engines and kernels as they are: the last layer for [CLS] alone gives the same scores.
func TestMeasureAblationOfTiny(t *testing.T) {
	if testing.Short() {
		t.Skip("kernels of full size take seconds on an emulator")
	}
	var text strings.Builder // of some lengths, none of which the tiny model cuts
	for i := range 24 {
		fmt.Fprintf(&text, "{\"query\": \"a\", \"passage\": %q}\n", strings.Repeat(filler+" ", 1+i%9))
	}
	path := filepath.Join(t.TempDir(), "lengths.jsonl")
	if err := os.WriteFile(path, []byte(text.String()), 0o666); err != nil {
		t.Fatal(err)
	}
	o := Options{Model: Checkpoint{Files: testdata.Tiny(), ID: "tiny"}, Dataset: path, Device: "cpu", Precision: "f32", Pairs: 24, Batches: []int{8}, Ablate: &AblateOptions{Rounds: 2}}
	rec, err := Measure(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if err := rec.Validate(); err != nil || len(rec.Ablation.Rounds) != 2 || len(rec.Ablation.Kernels) != 2 || rec.Ablation.Padded <= rec.Ablation.Tokens {
		t.Errorf("%v: %+v", err, rec.Ablation)
	}
	for _, k := range report.Derive(rec).Ablation.Kernels {
		if !(k.Times.Ratio > 0 && k.Share > 0 && k.Share <= 1) {
			t.Errorf("%+v", k)
		}
	}
}
