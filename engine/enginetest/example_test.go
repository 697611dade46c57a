package enginetest_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/engine/enginetest"
)

// best is the code to be tested, which a program has elsewhere.
func best(ctx context.Context, e *engine.Engine, query string, passages []string) (string, error) {
	ranked, err := e.Rank(ctx, query, passages, engine.TopK(1), engine.WithPassages())
	if err != nil || len(ranked) == 0 {
		return "", err
	}
	return ranked[0].Passage, nil
}

// In a test, t is its *testing.T.
func ExampleOpen() {
	t := new(test)
	defer t.end()
	e := enginetest.Open(t, engine.MaxLength(128))
	// What a model says that is made up means nothing, but it says it again.
	first, err := best(context.Background(), e, "what is a cell", []string{"A cell is small.", "Rain falls."})
	if err != nil {
		fmt.Println(err)
	}
	again, err := best(context.Background(), e, "what is a cell", []string{"A cell is small.", "Rain falls."})
	if err != nil {
		fmt.Println(err)
	}
	none, err := best(context.Background(), e, "what is a cell", nil)
	fmt.Printf("%t %q %v\n", first == again, none, err)
	// Output:
	// true "" <nil>
}

// test is a *testing.T as far as an example needs one.
type test struct {
	testing.TB
	cleanup func()
}

func (t *test) Helper()           {}
func (t *test) Cleanup(f func())  { t.cleanup = f }
func (t *test) Fatal(args ...any) { panic(fmt.Sprint(args...)) }
func (t *test) Error(args ...any) { fmt.Println(args...) }
func (t *test) end()              { t.cleanup() }
