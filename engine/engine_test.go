package engine_test

import (
	"context"
	"errors"
	"io/fs"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/engine/enginetest"
	"github.com/minilm-metal/minilm-metal/kernels"
	"github.com/minilm-metal/minilm-metal/model"
	"github.com/minilm-metal/minilm-metal/model/memorytest"
	"github.com/minilm-metal/minilm-metal/model/modeltest"
	"github.com/minilm-metal/minilm-metal/model/synth"
	"github.com/minilm-metal/minilm-metal/model/tokenizer"
)

func pairs(n int) []engine.Pair {
	var all []engine.Pair
	for _, p := range synth.Pairs(1, n) {
		all = append(all, engine.Pair(p))
	}
	return all
}

func checkpoint(t *testing.T) fs.FS {
	t.Helper()
	fsys, err := synth.FS(1, enginetest.Shape)
	if err != nil {
		t.Fatal(err)
	}
	return fsys
}

func score(t *testing.T, e *engine.Engine, pairs []engine.Pair) []float32 {
	t.Helper()
	scores, err := e.Score(t.Context(), nil, pairs)
	if err != nil {
		t.Fatal(err)
	}
	if len(scores) != len(pairs) {
		t.Fatalf("%d scores for %d pairs", len(scores), len(pairs))
	}
	return scores
}

// precisions returns those that the CPU has here.
func precisions(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, p := range []string{"f32", "f16", "bf16", "int8", "auto"} {
		e, err := engine.OpenFS(checkpoint(t), engine.Precision(p), engine.NoCalibrationFile())
		if errors.Is(err, engine.ErrDevice) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		e.Close()
		all = append(all, p)
	}
	return all
}

func TestScoreAgreesWithTheReference(t *testing.T) {
	modeltest.OnlyValues(t)
	text := pairs(40)
	want := score(t, enginetest.Open(t, engine.Device("reference"), engine.Precision("f64")), text)
	var mean, sd float64
	for _, w := range want {
		mean += float64(w) / float64(len(want))
	}
	for _, w := range want {
		sd += (float64(w) - mean) * (float64(w) - mean) / float64(len(want))
	}
	sd = math.Sqrt(sd)
	if sd < 0.01 {
		t.Fatalf("the logits' sd is %g: they say nothing", sd)
	}
	// What the mean error of this small model may be, by sd: int8 and bf16 have an
	// offset that is the same for all.
	limits := map[string]float64{"f32": 2e-5, "f16": 0.06, "bf16": 0.375, "int8": 1.15, "auto": 1.15}
	for _, p := range precisions(t) {
		var off float64
		for i, s := range score(t, enginetest.Open(t, engine.Precision(p)), text) {
			off += math.Abs(float64(s)-float64(want[i])) / float64(len(want)) / sd
		}
		t.Logf("%s: off by %.2g of the deviation", p, off)
		if !(off <= limits[p]) {
			t.Errorf("%s: off by %.2g of the deviation, want at most %g", p, off, limits[p])
		}
	}
}

// However a call is cut into batches and shards, and whoever else is in them,
// a score is the same bit for bit, at every precision that is named: which one "auto"
// takes, measurements say.
func TestScoreDoesNotDependOnCompany(t *testing.T) {
	text := append(pairs(30), engine.Pair{}, engine.Pair{Query: "a"}, engine.Pair{Passage: strings.Repeat("long ", 600)})
	for _, p := range precisions(t) {
		if p == "auto" || memorytest.RaceDetector && p != "f32" { // one is enough to find a race
			continue
		}
		precision := engine.Precision(p)
		want := score(t, enginetest.Open(t, precision), text)
		for _, workers := range []int{1, 3} {
			for _, budget := range []int{1, 100, 1 << 20} {
				e := enginetest.Open(t, precision, engine.Workers(workers), engine.TokenBudget(budget))
				if got := score(t, e, text); !slices.Equal(got, want) {
					t.Errorf("%s, %d workers, budget %d: other scores", p, workers, budget)
				}
			}
		}
		e := enginetest.Open(t, precision)
		for i, pair := range text {
			if got := score(t, e, []engine.Pair{pair}); got[0] != want[i] {
				t.Errorf("%s: pair %d: %g alone, %g together", p, i, got[0], want[i])
			}
		}
	}
}

// Left to itself, the engine says which precision it took, why, and why not the
// others; and that is the precision it has.
func TestPrecisionIsChosen(t *testing.T) {
	e := enginetest.Open(t, engine.Device("cpu"), engine.Precision("auto"))
	chosen := e.Info().Precision
	if !slices.ContainsFunc(kernels.Best().Formats(), func(f kernels.Format) bool { return f.String() == chosen }) {
		t.Errorf("chose %q", chosen)
	}
	last := e.Info().Choices[len(e.Info().Choices)-1]
	if !strings.Contains(last, "precision: "+chosen) {
		t.Errorf("chose %q because of %q", chosen, last)
	}
	text := pairs(5)
	if got, want := score(t, e, text), score(t, enginetest.Open(t, engine.Device("cpu"), engine.Precision(chosen)), text); !slices.Equal(got, want) {
		t.Errorf("scores %g, with %s by request %g", got, chosen, want)
	}
}

func TestScoreAppends(t *testing.T) {
	e := enginetest.Open(t)
	text := pairs(3)
	want := score(t, e, text)
	dst := append(make([]float32, 0, 10), 42)
	got, err := e.Score(t.Context(), dst, text)
	if err != nil || !slices.Equal(got, append([]float32{42}, want...)) {
		t.Errorf("got %g, %v", got, err)
	}
	if &got[0] != &dst[0] {
		t.Error("dst had room and was not used")
	}
	if got, err := e.Score(t.Context(), dst, nil); err != nil || len(got) != 1 {
		t.Errorf("no pairs: %g, %v", got, err)
	}
}

func TestScoreTokens(t *testing.T) {
	e := enginetest.Open(t)
	text := pairs(5)
	var b model.Batch
	e.Tokenize(&b, text)
	got, err := e.ScoreTokens(t.Context(), nil, &b)
	if err != nil || !slices.Equal(got, score(t, e, text)) {
		t.Errorf("got %g, %v", got, err)
	}
	var long model.Batch
	long.Append(make([]int32, 513), make([]int32, 513))
	if _, err := e.ScoreTokens(t.Context(), nil, &long); !errors.Is(err, engine.ErrTooLong) {
		t.Errorf("513 tokens: %v", err)
	}
	var bad model.Batch
	bad.Append([]int32{101, 40000}, []int32{0, 0})
	if _, err := e.ScoreTokens(t.Context(), nil, &bad); err == nil || !strings.Contains(err.Error(), "40000") {
		t.Errorf("id 40000: %v", err)
	}
}

func TestRank(t *testing.T) {
	e := enginetest.Open(t)
	var passages []string
	for _, p := range pairs(20) {
		passages = append(passages, p.Passage)
	}
	passages = append(passages, passages[:5]...) // ties
	ranked, err := e.Rank(t.Context(), "what is a cell", passages)
	if err != nil || len(ranked) != len(passages) {
		t.Fatalf("%d results, %v", len(ranked), err)
	}
	seen := map[int]bool{}
	for i, r := range ranked {
		seen[r.Index] = true
		if i == 0 {
			continue
		}
		if before := ranked[i-1]; before.Score < r.Score || before.Score == r.Score && before.Index > r.Index {
			t.Errorf("result %d is %v, after %v", i, r, before)
		}
	}
	if len(seen) != len(passages) {
		t.Errorf("%d of %d passages came back", len(seen), len(passages))
	}
	top, err := e.Rank(t.Context(), "what is a cell", passages, engine.TopK(3))
	if err != nil || !slices.Equal(top, ranked[:3]) {
		t.Errorf("top 3: %v, %v", top, err)
	}
	if none, err := e.Rank(t.Context(), "q", nil); err != nil || len(none) != 0 {
		t.Errorf("no passages: %v, %v", none, err)
	}
}

func TestIdenticalPassagesStayInOrder(t *testing.T) {
	e := enginetest.Open(t)
	ranked, err := e.Rank(t.Context(), "q", make([]string, 2000))
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range ranked {
		if r.Index != i {
			t.Fatalf("result %d is passage %d", i, r.Index)
		}
	}
}

func TestSigmoid(t *testing.T) {
	text := pairs(10)
	logits, got := score(t, enginetest.Open(t), text), score(t, enginetest.Open(t, engine.Sigmoid()), text)
	for i, x := range logits {
		if want := float32(1 / (1 + math.Exp(-float64(x)))); got[i] != want {
			t.Errorf("sigmoid(%g) = %g, want %g", x, got[i], want)
		}
	}
}

func TestTruncation(t *testing.T) {
	long := []engine.Pair{{Query: "start", Passage: "first " + strings.Repeat("middle ", 700) + "last"}}
	for _, side := range []tokenizer.Side{tokenizer.TruncateRight, tokenizer.TruncateLeft} {
		e := enginetest.Open(t, engine.MaxLength(40), engine.Truncation(side))
		var b model.Batch
		e.Tokenize(&b, long)
		if b.Tokens() != 40 {
			t.Errorf("%v: %d tokens, want 40", side, b.Tokens())
		}
		score(t, e, long)
	}
	if e := enginetest.Open(t); e.Info().MaxLength != 512 {
		t.Errorf("default max length %d", e.Info().MaxLength)
	}
}

func TestPeakFLOPS(t *testing.T) {
	if peak, known := enginetest.Open(t).PeakFLOPS(); !known || !(peak > 1e6) {
		t.Errorf("the CPU's peak is %g, %t", peak, known)
	}
	if peak, known := enginetest.Open(t, engine.Device("reference"), engine.Precision("f64")).PeakFLOPS(); known || peak != 0 {
		t.Errorf("the reference's peak is %g, %t", peak, known)
	}
}

func TestCancelled(t *testing.T) {
	e := enginetest.Open(t)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if dst, err := e.Score(gone, []float32{1}, pairs(3)); !errors.Is(err, context.Canceled) || len(dst) != 1 {
		t.Errorf("cancelled before: %g, %v", dst, err)
	}

	soon, cancel := context.WithCancel(t.Context())
	observed := enginetest.Open(t, engine.Workers(1), engine.TokenBudget(64), engine.Observe(func(engine.PassStats) { cancel() }))
	if dst, err := observed.Score(soon, []float32{1}, pairs(300)); !errors.Is(err, context.Canceled) || len(dst) != 1 {
		t.Errorf("cancelled during: %g, %v", dst, err)
	}
	if n := observed.Stats().Passes; n != 1 {
		t.Errorf("%d batches after being cancelled in the first", n)
	}
}

// Close ends calls that are under way, here in passes whose observers do not return before that.
func TestClose(t *testing.T) {
	begun, goOn := make(chan struct{}), make(chan struct{})
	var once sync.Once
	e, err := engine.OpenFS(checkpoint(t), engine.TokenBudget(64), engine.NoCalibrationFile(),
		engine.Observe(func(engine.PassStats) {
			once.Do(func() { close(begun) })
			<-goOn
		}))
	if err != nil {
		t.Fatal(err)
	}
	var calls, closers sync.WaitGroup
	passages := make([]string, 50000)
	for range 3 {
		calls.Go(func() {
			if _, err := e.Rank(context.Background(), "q", passages); !errors.Is(err, engine.ErrClosed) {
				t.Errorf("Rank during Close: %v", err)
			}
		})
	}
	<-begun
	for range 2 {
		closers.Go(func() {
			if err := e.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	calls.Wait()
	close(goOn)
	closers.Wait()
	if _, err := e.Score(t.Context(), nil, pairs(1)); !errors.Is(err, engine.ErrClosed) {
		t.Errorf("Score after Close: %v", err)
	}
}

// Many callers, random lengths: every score right, and no memory kept.
func TestManyCallers(t *testing.T) {
	e := enginetest.Open(t)
	text := pairs(200)
	want := score(t, e, text)
	run := func(rounds int) {
		var wg sync.WaitGroup
		for g := range 64 {
			wg.Go(func() {
				for round := range rounds {
					lo := (g*31 + round*17) % 190
					got, err := e.Score(t.Context(), nil, text[lo:lo+1+g%10])
					if err != nil || !slices.Equal(got, want[lo:lo+1+g%10]) {
						t.Errorf("pairs from %d: %g, %v", lo, got, err)
						return
					}
				}
			})
		}
		wg.Wait()
	}
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	run(2)
	before := heap()
	run(8)
	if after := heap(); after > before+8<<20 {
		t.Errorf("heap grew from %d to %d bytes", before, after)
	}
}

func TestOpenRefuses(t *testing.T) {
	fsys := checkpoint(t)
	for _, c := range []struct {
		opt  engine.Option
		is   error
		says string
	}{
		{engine.Device("tpu"), engine.ErrDevice, `"tpu"`},
		{engine.Precision("f8"), engine.ErrDevice, `"f8"`},
		{engine.Workers(0), nil, "0 workers"},
		{engine.TokenBudget(0), nil, "token budget 0"},
		{engine.MaxLength(-1), nil, "max length -1"},
		{engine.MaxLength(513), nil, "max length 513"},
		{engine.MaxLength(2), nil, "2"},
		{engine.MaxQueue(-1), nil, "max queue -1"},
		{engine.MaxWait(-time.Second), nil, "max wait -1s"},
		{engine.Truncation(7), nil, "side 7"},
	} {
		e, err := engine.OpenFS(fsys, c.opt, engine.NoCalibrationFile())
		if err == nil {
			e.Close()
			t.Errorf("no error, want one with %q", c.says)
			continue
		}
		if !strings.Contains(err.Error(), c.says) || c.is != nil && !errors.Is(err, c.is) {
			t.Errorf("%v, want %q", err, c.says)
		}
	}
	if _, err := engine.Open(t.TempDir()); !errors.Is(err, engine.ErrModel) {
		t.Errorf("an empty directory: %v", err)
	}
}
