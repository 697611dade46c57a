package main

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"

	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/testdata"
)

// number is what tests make of a line.
func number(n int, _ []byte, _ error, emit func(int) bool) { emit(n) }

// However fast lines come, no more are read than are soon needed; and all of them come.
func TestEachLineIsBounded(t *testing.T) {
	line := strings.Repeat("b", 1000) + "\n"
	synctest.Test(t, func(t *testing.T) {
		in, out := io.Pipe()
		written := 0
		go func() {
			for {
				if _, err := io.WriteString(out, line); err != nil {
					return
				}
				written++
			}
		}()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		next := 1
		for n, err := range eachLine(ctx, in, number) {
			if next > 3*ahead {
				if !errors.Is(err, context.Canceled) {
					t.Errorf("line %d after being cancelled, %v", n, err)
				}
				next++
				continue
			}
			if n != next || err != nil {
				t.Fatalf("line %d, %v, want line %d", n, err, next)
			}
			if next == 1 || next == 2*ahead {
				synctest.Wait() // until nobody can go on
				// Those that wait, the one in hand, and the reader's buffer.
				if most := next + ahead + 1 + (64<<10)/len(line) + 1; written < next+ahead || written > most {
					t.Errorf("at line %d, %d lines were read, want %d to %d", next, written, next+ahead, most)
				}
			}
			if next == 3*ahead {
				cancel()
			}
			next++
		}
		if next != 3*ahead+2 {
			t.Errorf("it went on until %d after being cancelled at %d", next, 3*ahead)
		}
		in.Close()
	})
}

// A loop that is left leaves no goroutine, and nothing is read any more.
func TestEachLineIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // which fails where goroutines are left
		in := strings.NewReader(strings.Repeat("a\n", 1_000_000))
		for n, err := range eachLine(t.Context(), in, number) {
			if err != nil || n != 1 {
				t.Errorf("line %d, %v", n, err)
			}
			break
		}
		synctest.Wait()
		if in.Len() == 0 {
			t.Error("all was read")
		}
	})
}

func TestEachLineErrors(t *testing.T) {
	broken := errors.New("broken")
	var last error
	for n, err := range eachLine(t.Context(), io.MultiReader(strings.NewReader("a\nb\n"), iotest.ErrReader(broken)), number) {
		if last != nil {
			t.Errorf("line %d after an error", n)
		}
		last = err
	}
	if !errors.Is(last, broken) || !strings.Contains(last.Error(), "after line 2") {
		t.Errorf("error %v", last)
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	for n, err := range eachLine(over, strings.NewReader("a\n"), number) {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("line %d, %v of a context that is over", n, err)
		}
	}
	for n, err := range eachLine(t.Context(), strings.NewReader(""), number) {
		t.Errorf("line %d, %v of nothing", n, err)
	}
}

// Of long lines no more are read than have some megabytes, whatever their items hold of them.
func TestEachLineIsBoundedInBytes(t *testing.T) {
	const size = aheadBytes / 4
	line := strings.Repeat("b", size-1) + "\n"
	synctest.Test(t, func(t *testing.T) {
		in, out := io.Pipe()
		written := 0
		go func() {
			for {
				if _, err := io.WriteString(out, line); err != nil {
					return
				}
				written++
			}
		}()
		twice := func(n int, _ []byte, _ error, emit func(int) bool) { emit(n); emit(n) }
		next := 2
		for n, err := range eachLine(t.Context(), in, twice) {
			if err != nil || n != next/2 {
				t.Fatalf("line %d, %v, want line %d", n, err, next/2)
			}
			synctest.Wait() // until nobody can go on
			// The one in hand, four or five that wait, and one that was read for nothing yet.
			if written < n+3 || written > n+6 {
				t.Errorf("at line %d, %d lines were read, want %d to %d", n, written, n+3, n+6)
			}
			if next++; next == 24 {
				break
			}
		}
		in.Close()
	})
}

// Short lines are read as fast as they can be, and embedded by the tiny model.
func BenchmarkShortLines(b *testing.B) {
	input := strings.Repeat("how many people\n", 20000)
	b.Run("read", func(b *testing.B) {
		for b.Loop() {
			for range eachLine(b.Context(), strings.NewReader(input), number) {
			}
		}
	})
	b.Run("stream", func(b *testing.B) {
		e, err := engine.OpenFS(testdata.Tiny(), engine.Device("cpu"), engine.Precision("f32"), engine.NoCalibrationFile())
		if err != nil {
			b.Fatal(err)
		}
		defer e.Close()
		pairs := func(yield func(engine.Pair) bool) {
			for line := range strings.Lines(input) {
				if !yield(engine.Pair{Query: line}) {
					return
				}
			}
		}
		for b.Loop() {
			for range e.Stream(b.Context(), pairs) {
			}
		}
	})
}
