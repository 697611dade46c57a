package metal

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/x448/float16"

	"github.com/minilm-metal/minilm-metal/metal/internal/gpu"
	"github.com/minilm-metal/minilm-metal/model"
	"github.com/minilm-metal/minilm-metal/model/modeltest"
)

// watch is a driver that runs the dispatches of a pass one by one. After each it reads what
// the dispatch wrote, in live rows alone, and notes the largest magnitude. It is for one pass
// at a time.
type watch struct {
	gpu.Driver
	d               *Device // whose pass is watched; nil between passes
	rows, sequences int     // of the batch
	seen            []*magnitude
}

// magnitude is the largest magnitude of one kind of value over all layers, rows and passes.
type magnitude struct {
	what  string
	half  bool // stored in half, otherwise in float
	most  float64
	layer int // of the largest
}

func newWatch(d gpu.Driver) *watch { return &watch{Driver: d} }

// score scores a batch and watches the pass.
func (w *watch) score(d *Device, of *model.Weights, b *model.Batch, scores []float32) error {
	w.d, w.rows, w.sequences = d, b.Tokens(), b.Len()
	defer func() { w.d = nil }()
	return modeltest.Score(d, of, b, scores)
}

func (w *watch) RunApart(work []gpu.Dispatch, _ []time.Duration) (gpu.Times, error) {
	return w.Run(work)
}

func (w *watch) Run(work []gpu.Dispatch) (gpu.Times, error) {
	if w.d == nil {
		return w.Driver.Run(work)
	}
	var sum gpu.Times
	layer, rows := outside, w.rows
	for i := range work {
		times, err := w.Driver.Run(work[i : i+1])
		if err != nil {
			return sum, err
		}
		sum.Busy += times.Busy
		switch work[i].Name {
		case "linear qkv", "linear kv":
			layer++
		case "attention cls": // from here on there are [CLS] rows alone
			rows = w.sequences
		}
		w.look(&work[i], layer, rows)
	}
	return sum, nil
}

// look reads what a dispatch wrote.
func (w *watch) look(one *gpu.Dispatch, layer, rows int) {
	l := &w.d.layout
	out := func(operand int) []byte { return one.Bindings[operand].Buffer.Bytes()[one.Bindings[operand].Offset:] }
	context := l.context()
	switch one.Name {
	case "embed+norm":
		w.halves("embeddings", layer, out(6), rows, l.width, 0, l.width)
	case "linear qkv", "linear kv":
		if one.Name == "linear qkv" {
			w.halves("Q", layer, out(2), rows, 3*context, 0, context)
		}
		w.halves("K", layer, out(2), rows, 3*context, context, 2*context)
		w.halves("V", layer, out(2), rows, 3*context, 2*context, 3*context)
	case "attention":
		w.halves("what heads find", layer, out(2), rows, context, 0, context)
	case "attention cls":
		w.halves("what heads find", layer, out(4), rows, context, 0, context)
	case "linear output", "linear down":
		w.floats("sums before LayerNorm", layer, out(5), rows*l.width)
	case "linear+gelu up":
		w.halves("inner channels", layer, out(2), rows, l.inner, 0, l.inner)
	case "norm":
		w.halves("hidden state", layer, out(2), rows, l.width, 0, l.width)
	}
}

func (w *watch) of(what string, half bool) *magnitude {
	for _, m := range w.seen {
		if m.what == what {
			return m
		}
	}
	w.seen = append(w.seen, &magnitude{what: what, half: half})
	return w.seen[len(w.seen)-1]
}

func (m *magnitude) add(v float64, layer int) {
	if v = math.Abs(v); !(v <= m.most) { // NaN is larger than all
		m.most, m.layer = v, layer
	}
}

// halves reads columns lo to hi of a buffer of rows.
func (w *watch) halves(what string, layer int, b []byte, rows, width, lo, hi int) {
	m := w.of(what, true)
	for r := range rows {
		for c := lo; c < hi; c++ {
			m.add(float64(float16.Frombits(binary.LittleEndian.Uint16(b[2*(r*width+c):])).Float32()), layer)
		}
	}
}

func (w *watch) floats(what string, layer int, b []byte, n int) {
	m := w.of(what, false)
	for i := range n {
		m.add(float64(float32At(b, 4*i)), layer)
	}
}

// String returns the table of magnitudes.
func (w *watch) String() string {
	var s strings.Builder
	t := tabwriter.NewWriter(&s, 0, 0, 2, ' ', 0)
	for _, m := range w.seen {
		where := "embeddings"
		if m.layer != outside {
			where = fmt.Sprintf("layer %d", m.layer)
		}
		if m.half {
			fmt.Fprintf(t, "%s\t%.4g\t%s\t1/%.0f of half's largest\n", m.what, m.most, where, 65504/m.most)
		} else {
			fmt.Fprintf(t, "%s\t%.4g\t%s\tfloat\n", m.what, m.most, where)
		}
	}
	t.Flush()
	return s.String()
}

// largest returns the largest magnitude in half; NaN counts as larger than all.
func (w *watch) largest() *magnitude {
	halves := slices.DeleteFunc(slices.Clone(w.seen), func(m *magnitude) bool { return !m.half })
	return slices.MaxFunc(halves, func(a, b *magnitude) int {
		switch {
		case math.IsNaN(a.most) || a.most > b.most:
			return 1
		case math.IsNaN(b.most) || a.most < b.most:
			return -1
		}
		return 0
	})
}
