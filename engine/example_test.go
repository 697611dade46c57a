package engine_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"expvar"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/engine/enginetest"
	"github.com/minilm-metal/minilm-metal/model"
	"github.com/minilm-metal/minilm-metal/model/synth"
)

// open returns an engine on a small model that is made up. A program opens a real one:
//
//	eng, err := engine.Open("cross-encoder/ms-marco-MiniLM-L-6-v2")
func open(opts ...engine.Option) *engine.Engine {
	fsys, err := synth.FS(1, enginetest.Shape)
	if err != nil {
		panic(err)
	}
	// The same scores wherever the examples run, and nothing left behind.
	eng, err := engine.OpenFS(fsys, append(opts, engine.Device("cpu"), engine.Precision("f32"), engine.NoCalibrationFile())...)
	if err != nil {
		panic(err)
	}
	return eng
}

var berlin = []string{
	"Berlin has 3.5 million inhabitants.",
	"Berlin is known for its museums.",
	"The city had 3,520,031 people in 2015.",
}

func ExampleEngine_Rank() {
	eng := open()
	defer eng.Close()
	ranked, err := eng.Rank(context.Background(), "How many people live in Berlin?", berlin, engine.TopK(2), engine.WithPassages())
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, r := range ranked {
		fmt.Printf("%.2f %d %s\n", r.Score, r.Index, r.Passage)
	}
	// Output:
	// -5.15 2 The city had 3,520,031 people in 2015.
	// -7.85 1 Berlin is known for its museums.
}

func ExampleEngine_Score() {
	eng := open()
	defer eng.Close()
	var scores []float32 // its memory serves again
	for _, query := range []string{"museums in Berlin", "population of Berlin"} {
		var pairs []engine.Pair
		for _, passage := range berlin {
			pairs = append(pairs, engine.Pair{Query: query, Passage: passage})
		}
		var err error
		scores, err = eng.Score(context.Background(), scores[:0], pairs)
		// A pair to which the model gives no score does not cost the others theirs.
		var pair *engine.PairError
		if err != nil && !errors.As(err, &pair) {
			fmt.Println(err)
			return
		}
		fmt.Printf("%s: %.2f\n", query, scores)
	}
	// Output:
	// museums in Berlin: [-7.98 -7.33 -4.75]
	// population of Berlin: [-7.90 -7.20 -3.77]
}

func ExampleEngine_ScoreTokens() {
	eng := open()
	defer eng.Close()
	// Tokens that are kept, here for a single call, save the time that text takes.
	var batch model.Batch
	for _, passage := range berlin {
		if err := eng.Tokenize(&batch, []engine.Pair{{Query: "museums", Passage: passage}}); err != nil {
			fmt.Println(err)
			return
		}
	}
	fmt.Println(batch.Len(), "pairs,", batch.Tokens(), "tokens, the longest has", batch.Longest())
	scores, err := eng.ScoreTokens(context.Background(), nil, &batch)
	fmt.Println(len(scores), "scores,", err)
	// Output:
	// 3 pairs, 43 tokens, the longest has 17
	// 3 scores, <nil>
}

// Tokens may come from a tokenizer of one's own. What the model has no row for is an error.
func ExampleEngine_ScoreTokens_refused() {
	eng := open()
	defer eng.Close()
	var batch model.Batch
	batch.Append([]int32{101, 7592, 102, 99999, 102}, []int32{0, 0, 0, 1, 1})
	_, err := eng.ScoreTokens(context.Background(), nil, &batch)
	fmt.Println(err)
	// Output:
	// model: sequence 0, token 3: id 99999, want 0 to 30521
}

func ExampleObserve() {
	var pairs, tokens atomic.Int64 // passes of several workers end at the same time
	eng := open(engine.Observe(func(s engine.PassStats) {
		pairs.Add(int64(s.Pairs))
		tokens.Add(int64(s.Tokens))
	}))
	if _, err := eng.Rank(context.Background(), "museums", berlin); err != nil {
		fmt.Println(err)
	}
	// The last pass may be observed after its call has returned, but not after Close.
	if err := eng.Close(); err != nil {
		fmt.Println(err)
	}
	fmt.Println(pairs.Load(), "pairs,", tokens.Load(), "tokens")
	// Output:
	// 3 pairs, 43 tokens
}

// Goroutines share an engine. Their pairs share its passes, and none of them waits behind
// all that another one has.
func Example_manyGoroutines() {
	eng := open()
	defer eng.Close()
	var wg sync.WaitGroup
	best := make([]int, 100)
	for i := range best {
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			ranked, err := eng.Rank(ctx, "people in Berlin", berlin, engine.TopK(1))
			if err != nil {
				fmt.Println(err)
				return
			}
			best[i] = ranked[0].Index
		})
	}
	// Meanwhile: what nobody waits for gives way.
	if _, err := eng.Rank(engine.Background(context.Background()), "museums", berlin); err != nil {
		fmt.Println(err)
	}
	wg.Wait()
	for _, index := range best {
		if index != best[0] {
			fmt.Println("a score depends on company")
		}
	}
	fmt.Println("the best is", best[0])
	// Output:
	// the best is 2
}

// A stream takes pairs from anywhere, such as the lines of a file, and holds no more of
// them than it needs.
func ExampleEngine_Stream() {
	eng := open()
	defer eng.Close()
	lines := bufio.NewScanner(strings.NewReader(strings.Join(berlin, "\n")))
	passages := func(yield func(engine.Pair) bool) {
		for lines.Scan() {
			if !yield(engine.Pair{Query: "people in Berlin", Passage: lines.Text()}) {
				return
			}
		}
	}
	n := 0
	for score, err := range eng.Stream(context.Background(), passages) {
		n++
		if pair := (*engine.PairError)(nil); errors.As(err, &pair) {
			fmt.Printf("line %d has no score\n", n)
			continue
		} else if err != nil {
			fmt.Println(err)
			break
		}
		fmt.Printf("line %d: %.2f\n", n, score)
	}
	if err := lines.Err(); err != nil { // nobody scans any more
		fmt.Println(err)
	}
	// Output:
	// line 1: -8.06
	// line 2: -7.41
	// line 3: -5.13
}

func ExampleEngine_Stats() {
	eng := open()
	defer eng.Close()
	// expvar.Publish("engine", stats) shows it at /debug/vars.
	stats := expvar.Func(func() any { return eng.Stats() })
	if _, err := eng.Rank(context.Background(), "museums", berlin); err != nil {
		fmt.Println(err)
	}
	var now struct {
		Calls   int
		Waiting int `json:"waiting_pairs"`
		Total   struct{ Pairs, Tokens int }
	}
	if err := json.Unmarshal([]byte(stats.String()), &now); err != nil {
		fmt.Println(err)
	}
	fmt.Printf("%+v\n", now)
	// Output:
	// {Calls:1 Waiting:0 Total:{Pairs:3 Tokens:43}}
}

// One engine serves callers who want different things: here probabilities, of passages that are
// not to be cut to fit.
func ExampleCallOption() {
	eng := open()
	defer eng.Close()
	var pairs []engine.Pair
	for _, passage := range berlin {
		pairs = append(pairs, engine.Pair{Query: "museums in Berlin", Passage: passage})
	}
	var lengths []int
	scores, err := eng.Score(context.Background(), nil, pairs, engine.SigmoidScores(), engine.AtMost(16), engine.Uncut(), engine.LengthsTo(&lengths))
	fmt.Println(err)
	var long *engine.TooLongError
	fmt.Println(errors.As(err, &long) && long.Tokens > long.Limit)
	for i, score := range scores {
		fmt.Printf("%d tokens: %.4f\n", lengths[i], score)
	}
	// Output:
	// pair 0: too long: 17 tokens, want at most 16, since the option Uncut cuts none
	// pair 2: too long: 19 tokens, want at most 16, since the option Uncut cuts none
	// true
	// 17 tokens: NaN
	// 13 tokens: 0.0007
	// 19 tokens: NaN
}
