//go:build unix

package engine

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/minilm-metal/minilm-metal/model/synth"
)

// Somebody truncates the weights while urgent passes go before others, on generic kernels,
// which read all weights in place: calls end with errors, on every path, and the engine
// closes.
func TestTruncatedWeightsBesideUrgentPasses(t *testing.T) {
	shape := synth.Shape{Layers: 2, Hidden: 64, Heads: 2, Intermediate: 128, Vocab: 30522, Positions: 512, Types: 2, Labels: 1}
	fsys, err := synth.FS(1, shape)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, fsys); err != nil {
		t.Fatal(err)
	}
	e, err := Open(dir, Device("cpu"), Precision("f32"), InstructionSet("generic"), Workers(3), NoCalibrationFile())
	if err != nil {
		t.Fatal(err)
	}
	long := tokens()
	for i := range 60 {
		long.Append(slices.Repeat([]int32{30000 - int32(i)}, 100), make([]int32, 100))
	}
	var wg sync.WaitGroup
	call := func(score func() error) {
		wg.Go(func() {
			for {
				switch err := score(); {
				case errors.Is(err, ErrModel):
					return
				case err != nil:
					t.Error(err)
					return
				}
			}
		})
	}
	for range 3 {
		call(func() error { _, err := e.ScoreTokens(t.Context(), nil, long); return err })
		call(func() error { _, err := e.ScoreTokens(t.Context(), nil, tokens(30001)); return err })
	}
	for e.Stats().Urgent == 0 {
		time.Sleep(time.Millisecond)
	}
	if err := os.Truncate(filepath.Join(dir, "model.safetensors"), 4096); err != nil {
		t.Fatal(err)
	}
	wg.Wait()
	if err := e.Close(); err != nil {
		t.Error(err)
	}
}
