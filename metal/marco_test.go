package metal

import (
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/minilm-metal/minilm-metal/metal/internal/emulator"
	"github.com/minilm-metal/minilm-metal/model"
	"github.com/minilm-metal/minilm-metal/model/modeltest"
)

// TestMarco scores pairs of MS MARCO's lengths with models of MiniLM's size, which
// MINILM_MODELS has as shared/reference makes them: std and wide, and work/marco.ids.
// MINILM_MARCO_PAIRS says how many pairs; 8 by default.
func TestMarco(t *testing.T) {
	needEmulator(t)
	for _, variant := range []string{"std", "wide"} {
		t.Run(variant, func(t *testing.T) {
			t.Parallel() // the reference has one thread
			m := openMarco(t, variant)
			d, err := openEmulated(m.w, DefaultTiling("Apple M1"), emulator.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			m.check(t, m.score(t, d))
		})
	}
}

// marco are pairs and a model, and what float64 makes of them.
type marco struct {
	variant string
	w       *model.Weights
	batch   *model.Batch
	want    []float64
}

func openMarco(t *testing.T, variant string) *marco {
	t.Helper()
	dir := os.Getenv("MINILM_MODELS")
	if dir == "" {
		t.Skip("MINILM_MODELS is not set")
	}
	pairs := 8
	if asked := os.Getenv("MINILM_MARCO_PAIRS"); asked != "" {
		var err error
		if pairs, err = strconv.Atoi(asked); err != nil {
			t.Fatal(err)
		}
	}
	w, err := model.Load(os.DirFS(filepath.Join(dir, variant)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	m := &marco{variant: variant, w: w}
	if m.batch, err = readPairs(filepath.Join(dir, "work", "marco.ids"), pairs); err != nil {
		t.Fatal(err)
	}
	// PyTorch's logits in float64, if they are there, else the reference's.
	if golden, err := os.ReadFile(filepath.Join(dir, variant+".f64")); err == nil && len(golden) >= 8*m.batch.Len() {
		for i := range m.batch.Len() {
			m.want = append(m.want, math.Float64frombits(binary.LittleEndian.Uint64(golden[8*i:])))
		}
		t.Log("held to PyTorch's float64")
		return m
	}
	scores := make([]float32, m.batch.Len())
	if err := modeltest.Score(model.NewReference(w, 1), w, m.batch, scores); err != nil {
		t.Fatal(err)
	}
	for _, s := range scores {
		m.want = append(m.want, float64(s))
	}
	t.Log("held to the reference")
	return m
}

// readPairs reads the first pairs of a file of token ids: "PRW1", their number, and of
// each its length, the length of its first text, and its ids.
func readPairs(path string, most int) (*model.Batch, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if len(data) < 8 || string(data[:4]) != "PRW1" {
		return nil, fmt.Errorf("%s: no pairs", path)
	}
	b, u16 := new(model.Batch), binary.LittleEndian.Uint16
	for at := 8; b.Len() < most; {
		if at+4 > len(data) {
			return nil, fmt.Errorf("%s: %d pairs, want %d", path, b.Len(), most)
		}
		n, first := int(u16(data[at:])), int(u16(data[at+2:]))
		at += 4
		for i := range n {
			typ := int32(0)
			if i >= first {
				typ = 1
			}
			b.IDs, b.Types = append(b.IDs, int32(u16(data[at+2*i:]))), append(b.Types, typ)
		}
		at += 2 * n
		b.End()
	}
	return b, nil
}

func (m *marco) score(t *testing.T, d model.Device) []float32 {
	t.Helper()
	scores := make([]float32, m.batch.Len())
	// As the engine would: passes of some thousand tokens.
	for lo := 0; lo < m.batch.Len(); {
		hi := lo + 1
		for hi < m.batch.Len() && int(m.batch.Start[hi+1]-m.batch.Start[lo]) <= mostTokens {
			hi++
		}
		var part model.Batch
		m.batch.Slice(&part, lo, hi)
		if err := modeltest.Score(d, m.w, &part, scores[lo:hi]); err != nil {
			t.Fatal(err)
		}
		lo = hi
	}
	return scores
}

// check holds scores to what half precision may cost: weights in half alone cost 0.004
// of the logits' deviation on wide and 0.013 on std, elsewhere.
func (m *marco) check(t *testing.T, got []float32) {
	t.Helper()
	n := float64(len(got))
	var mean, square, off, worst float64
	for _, v := range m.want {
		mean += v / n
	}
	for i, v := range m.want {
		square += (v - mean) * (v - mean) / n
		e := math.Abs(float64(got[i]) - v)
		off += e / n
		worst = max(worst, e)
	}
	sd := math.Sqrt(square)
	flipped, all := 0, 0
	for i := range got {
		for j := range i {
			all++
			if (float64(got[i])-float64(got[j]))*(m.want[i]-m.want[j]) < 0 {
				flipped++
			}
		}
	}
	share := float64(flipped) / float64(all)
	t.Logf("%s, %d pairs, %d tokens: mean |error| %.4f of the logits' deviation, largest %.4f; %d of %d orders flipped, %.2f %%",
		m.variant, len(got), m.batch.Tokens(), off/sd, worst/sd, flipped, all, 100*share)
	limit := map[string]float64{"std": 0.03, "wide": 0.01}[m.variant]
	if !(off/sd <= limit) {
		t.Errorf("mean |error| %.4f of the deviation, want at most %g", off/sd, limit)
	}
	if share > 0.003 {
		t.Errorf("%.2f %% of orders flipped, want at most 0.3 %%", 100*share)
	}
}
