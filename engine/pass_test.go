package engine

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"strings"
	"testing"

	"github.com/minilm-metal/minilm-metal/kernels/cpu"
	"github.com/minilm-metal/minilm-metal/metal"
	"github.com/minilm-metal/minilm-metal/model"
	"github.com/minilm-metal/minilm-metal/model/memorytest"
	"github.com/minilm-metal/minilm-metal/model/synth"
)

// faulty is a device with one place that panics on sequences of token 103, scores
// sequences of token 104 as NaN and of 105 as +Inf, and is lost for those of 106.
type faulty struct{ slot chan struct{} }

func (f faulty) Name() string { return "faulty" }
func (f faulty) Passes() int  { return 1 }
func (f faulty) Close() error { return nil }
func (f faulty) Begin(b *model.Batch) (model.Pass, error) {
	select {
	case f.slot <- struct{}{}:
		return faultyPass{f, b}, nil
	default:
		return nil, model.ErrBusy
	}
}

type faultyPass struct {
	faulty
	b *model.Batch
}

func (p faultyPass) Embed()                     {}
func (p faultyPass) Attention(int, model.Rows)  {}
func (p faultyPass) FeedForward(int)            {}
func (p faultyPass) Hidden(dst []float32) error { return nil }
func (p faultyPass) End()                       { <-p.slot }
func (p faultyPass) Pool(_ []model.Reduce, rows []float32) error {
	s := make([]float32, p.b.Len())
	defer spreadOut(rows, s)
	for i := range s {
		switch lo, _ := p.b.Bounds(i); p.b.IDs[lo] {
		case 103:
			panic("a bug")
		case 104:
			s[i] = float32(math.NaN())
		case 105:
			s[i] = float32(math.Inf(1))
		case 106:
			return fmt.Errorf("metal: batch 1: %w", metal.ErrLost)
		default:
			s[i] = 1
		}
	}
	return nil
}

func openFaulty(t *testing.T, opts ...Option) *Engine {
	t.Helper()
	shape := synth.Shape{Layers: 1, Hidden: 8, Heads: 1, Intermediate: 8, Vocab: 30522, Positions: 64, Types: 2, Labels: 1}
	fsys, err := synth.FS(1, shape)
	if err != nil {
		t.Fatal(err)
	}
	// Of the processor, which is opened at once: the device is replaced.
	e, err := OpenFS(fsys, append([]Option{Device("cpu"), Precision("f32"), NoCalibrationFile()}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	e.device, e.head = faulty{make(chan struct{}, 1)}, firstValues{8}
	e.prepare()
	return e
}

// firstValues is the head of devices that are made up: a score is the first value that they
// pool of a sequence.
type firstValues struct{ width int }

func (h firstValues) Run(_ *cpu.HeadMemory, dst, x []float32) {
	for i := range dst {
		dst[i] = x[i*h.width]
	}
}

// spreadOut writes scores to where firstValues finds them.
func spreadOut(rows, scores []float32) {
	for i, v := range scores {
		rows[i*len(rows)/len(scores)] = v
	}
}

func tokens(ids ...int32) *model.Batch {
	b := new(model.Batch)
	for _, id := range ids {
		b.Append([]int32{id}, []int32{0})
	}
	return b
}

func TestPanicStaysInside(t *testing.T) {
	var log strings.Builder
	e := openFaulty(t, Logger(slog.New(slog.NewTextHandler(&log, nil))))
	for range 3 { // the place on the device must come back each time
		dst, err := e.ScoreTokens(t.Context(), []float32{7}, tokens(200, 103))
		if err == nil || !strings.Contains(err.Error(), "a bug") || len(dst) != 1 {
			t.Fatalf("got %g, %v", dst, err)
		}
	}
	if got, err := e.ScoreTokens(t.Context(), nil, tokens(200)); err != nil || got[0] != 1 {
		t.Errorf("afterwards: %g, %v", got, err)
	}
	if !strings.Contains(log.String(), "pass_test.go") {
		t.Error("the log has no stack")
	}
	if s := e.Stats(); s.Failed != 3 {
		t.Errorf("%d failed calls counted, want 3", s.Failed)
	}
}

// A bug in the tokenizer is the end of one call, and of nobody's program.
func TestTokenizerPanicStaysInside(t *testing.T) {
	e := openFaulty(t)
	good := e.tokenizer
	e.tokenizer = nil
	if dst, err := e.Score(t.Context(), []float32{7}, []Pair{{"a", "b"}, {"c", "d"}}); err == nil || !strings.Contains(err.Error(), "internal error") || len(dst) != 1 {
		t.Errorf("got %g, %v", dst, err)
	}
	e.mu.Lock()
	e.tokenizer = good
	e.mu.Unlock()
	if got, err := e.Score(t.Context(), nil, []Pair{{"a", "b"}}); err != nil || len(got) != 1 {
		t.Errorf("afterwards: %g, %v", got, err)
	}
}

// A GPU that fails is not the model's fault, and the calls before and after it are
// none of its business.
func TestHardwareFails(t *testing.T) {
	e := openFaulty(t)
	dst, err := e.ScoreTokens(t.Context(), []float32{7}, tokens(200, 106))
	if !errors.Is(err, ErrHardware) || !errors.Is(err, metal.ErrLost) || errors.Is(err, ErrModel) || len(dst) != 1 {
		t.Errorf("got %g, %v", dst, err)
	}
	if got, err := e.ScoreTokens(t.Context(), nil, tokens(200)); err != nil || got[0] != 1 {
		t.Errorf("afterwards: %g, %v", got, err)
	}
}

func TestScoresThatAreNotNumbers(t *testing.T) {
	e := openFaulty(t, Sigmoid())
	got, err := e.ScoreTokens(t.Context(), nil, tokens(200, 104, 201, 105))
	if len(got) != 4 || !math.IsNaN(float64(got[1])) || !math.IsNaN(float64(got[3])) {
		t.Fatalf("got %g", got)
	}
	if want := float32(1 / (1 + math.Exp(-1))); got[0] != want || got[2] != want {
		t.Errorf("the neighbours have %g and %g, want %g", got[0], got[2], want)
	}
	var pair *PairError
	if !errors.Is(err, ErrModel) || !errors.As(err, &pair) || pair.Index != 1 || !strings.Contains(err.Error(), "pair 3") {
		t.Errorf("error %v", err)
	}
}

// A call like the one before allocates nothing, text and tokens, with options and without, on the
// processor: its memory, the batch's and the passes' are reused. Messages to a GPU allocate.
func TestCallsAllocateNothing(t *testing.T) {
	if memorytest.RaceDetector {
		t.Skip("with the race detector sync.Pool drops calls at random")
	}
	fsys, err := synth.FS(1, synth.Shape{Layers: 2, Hidden: 64, Heads: 2, Intermediate: 64, Vocab: 30522, Positions: 512, Types: 2, Labels: 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, precision := range []string{"f32", "auto"} {
		for _, workers := range []int{1, 2} {
			e, err := OpenFS(fsys, Device("cpu"), Workers(workers), Precision(precision), NoCalibrationFile())
			if err != nil {
				t.Fatal(err)
			}
			defer e.Close()
			var pairs []Pair
			for _, p := range synth.Pairs(1, 40) {
				pairs = append(pairs, Pair(p))
			}
			for _, n := range []int{1, 40} {
				var b model.Batch
				e.Tokenize(&b, pairs[:n])
				dst, ctx := make([]float32, 0, n), t.Context()
				text := func() {
					if _, err := e.Score(ctx, dst, pairs[:n]); err != nil {
						t.Fatal(err)
					}
				}
				tokens := func() {
					if _, err := e.ScoreTokens(ctx, dst, &b); err != nil {
						t.Fatal(err)
					}
				}
				var stats CallStats
				lengths := make([]int, 0, n)
				opts := []CallOption{StatsTo(&stats), LengthsTo(&lengths), SigmoidScores(), Prompt("")}
				options := func() {
					if _, err := e.Score(ctx, dst, pairs[:n], opts...); err != nil {
						t.Fatal(err)
					}
				}
				for name, run := range map[string]func(){"text": text, "tokens": tokens, "options": options} {
					// Which worker takes which shard is chance: all of them shall have
					// had the largest.
					for range 20 {
						run()
					}
					if allocs := testing.AllocsPerRun(50, run); allocs >= 1 {
						t.Errorf("%s, %d workers, %d pairs, %s: %v allocations a call", precision, workers, n, name, allocs)
					}
				}
			}
		}
	}
}
