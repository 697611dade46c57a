package engine

import (
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"github.com/minilm-metal/minilm-metal/kernels"
	"github.com/minilm-metal/minilm-metal/kernels/cpu"
	"github.com/minilm-metal/minilm-metal/model"
	"github.com/minilm-metal/minilm-metal/model/modeltest"
	"github.com/minilm-metal/minilm-metal/model/synth"
	"github.com/minilm-metal/minilm-metal/model/usercache"
)

// rows is a device that pools for each sequence a row, by its place in the batch and its
// length.
type rows func(place, length int, row []float32)

func (r rows) Name() string                             { return "rows" }
func (r rows) Passes() int                              { return 1 }
func (r rows) Close() error                             { return nil }
func (r rows) Begin(b *model.Batch) (model.Pass, error) { return rowsPass{scorerPass{b: b}, r}, nil }

type rowsPass struct {
	scorerPass
	rows rows
}

func (p rowsPass) Pool(_ []model.Reduce, dst []float32) error {
	for i := range p.b.Len() {
		lo, hi := p.b.Bounds(i)
		width := len(dst) / p.b.Len()
		p.rows(i, hi-lo, dst[i*width:][:width])
	}
	return nil
}

// first is a head that keeps the first n values of rows of that width.
type first struct{ width, n int }

func (h first) Run(_ *cpu.HeadMemory, dst, x []float32) {
	for i := range len(x) / h.width {
		copy(dst[i*h.n:][:h.n], x[i*h.width:])
	}
}

const gateWidth = 32

// openKind opens a made-up checkpoint of a kind, of gateWidth channels.
func openKind(t *testing.T, kind synth.Kind, opts ...Option) *Engine {
	t.Helper()
	shape := synth.Shape{Layers: 1, Hidden: gateWidth, Heads: 1, Intermediate: 8, Vocab: 30522, Positions: 512, Types: 2}
	fsys, err := synth.Checkpoint{Seed: 1, Shape: shape, Kind: kind}.FS()
	if err != nil {
		t.Fatal(err)
	}
	of := Embedder()
	if kind == synth.Labels {
		of = Classifier()
	}
	e, err := OpenFS(fsys, append([]Option{of, Device("cpu"), NoCalibrationFile()}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// exactRow has values of standard deviation 1, other ones for each place and length.
func exactRow(place, length int, row []float32) {
	r := rand.New(rand.NewPCG(uint64(place), uint64(length)))
	for i := range row {
		row[i] = float32(r.NormFloat64())
	}
}

// changedRow is exactRow with a change of it.
func changedRow(change func(place, length int, row []float32)) rows {
	return func(place, length int, row []float32) {
		exactRow(place, length, row)
		change(place, length, row)
	}
}

// noise adds an error of its own to each value.
func noise(by float64) rows {
	return changedRow(func(place, length int, row []float32) {
		r := rand.New(rand.NewPCG(uint64(place), 99))
		for i := range row {
			row[i] += float32(by * r.NormFloat64())
		}
	})
}

// gateTest is a device, and the precisions that may compute like that.
type gateTest struct {
	name       string
	plain, of  rows
	bf16, int8 bool
}

// judged runs tests on the gate of an engine, whose head is replaced.
func judged(t *testing.T, e *Engine, tests []gateTest) {
	t.Helper()
	e.head = first{gateWidth, e.width}
	for _, test := range tests {
		for precision, want := range map[string]bool{"bf16": test.bf16, "int8": test.int8} {
			of, err := e.newGate(test.plain).judge(test.of, precision)
			if err != nil {
				t.Fatal(err)
			}
			if of.within(precision) != want || of.Of != e.of() {
				t.Errorf("%s, %s: %v, want allowed %v", test.name, precision, of, want)
			}
		}
	}
}

// Embeddings may be off by a thousandth in cosine, none of them by more than four, and
// neighbours keep their order. Each kind of error is refused by one of these.
func TestGateOfEmbeddings(t *testing.T) {
	modeltest.OnlyValues(t)
	e := openKind(t, synth.Embedder, Precision("f32"))
	at := func(n int, change func(row []float32)) rows {
		return changedRow(func(_, length int, row []float32) {
			if length == n {
				change(row)
			}
		})
	}
	// Texts that are nearly all alike, as of models whose cosines are all close to 1.
	alike := func(r rows) rows {
		return func(place, length int, row []float32) {
			r(place, length, row)
			for i := range row {
				row[i] = 1 + row[i]/50
			}
		}
	}
	exact := rows(exactRow)
	judged(t, e, []gateTest{
		{"the same", exact, exact, true, true},
		{"an error of 1 %", exact, noise(0.01), true, true},
		{"an error of 3 %: 0.0005 in cosine, 1.4 % of orders", exact, noise(0.03), true, true},
		{"an error of 4 %: 0.0008 in cosine, 1.8 % of orders", exact, noise(0.04), true, false},
		{"an error of 6 %: 0.002 in cosine", exact, noise(0.06), false, false},
		{"another sign", exact, changedRow(func(_, _ int, row []float32) {
			for i := range row {
				row[i] = -row[i]
			}
		}), false, false},
		{"one short text is another one", exact, changedRow(func(place, length int, row []float32) {
			if place == 5 && length < 100 {
				exactRow(500, 1, row)
			}
		}), false, false},
		{"the longest without a channel", exact, at(512, func(row []float32) { clear(row[:4]) }), false, false},
		{"a channel of the longest alone is off by a little", exact, at(512, func(row []float32) { row[0] += 0.1 }), true, true},
		{"the longest is zero", exact, at(512, func(row []float32) { clear(row) }), false, false},
		{"the longest is no number", exact, at(512, func(row []float32) { row[3] = float32(math.NaN()) }), false, false},
		{"one is infinite", exact, at(310, func(row []float32) { row[3] = float32(math.Inf(1)) }), false, false},
		{"one is too long", exact, at(310, func(row []float32) {
			for i := range row {
				row[i] *= 1.1
			}
		}), false, false},
		// 0.00002 in cosine, and every eighth order.
		{"alike, and off by much of what they differ", alike(exact), alike(noise(0.3)), false, false},
		{"alike, and off by little of it", alike(exact), alike(noise(0.01)), true, true},
		{"all the same", func(_, _ int, row []float32) { row[0] = 1 }, func(_, _ int, row []float32) { row[0] = 1 }, false, false},
	})
	// A text may have an embedding of zeros, in every precision.
	zero := at(310, func(row []float32) { clear(row) })
	judged(t, e, []gateTest{{"zeros", zero, zero, true, true}, {"zeros that should not be", zero, exact, false, false}})
}

// Orders of neighbours are counted once for each text and each two of the others.
func TestSwappedNeighbours(t *testing.T) {
	want := []float32{1, 0, 0.8, 0.6, 0.6, 0.8, 0, 1}
	if got := swappedNeighbours(cosines([]float32{2, 0, 4, 3, 0.3, 0.4, 0, 9}, 2), cosines(want, 2), 4); got != 0 {
		t.Errorf("of other lengths: %g", got)
	}
	// The second and the third have changed places: of the 12 orders, 2 of those of the first
	// and the last text and all that tell a neighbour of one of the two from another are others.
	got := []float32{1, 0, 0.6, 0.8, 0.8, 0.6, 0, 1}
	if share := swappedNeighbours(cosines(got, 2), cosines(want, 2), 4); share != 4./12 {
		t.Errorf("%g of the orders, want %g", share, 4./12)
	}
}

// Logits of labels may be off as scores may, but not all alike, and hardly any decision may
// be another one.
func TestGateOfLabels(t *testing.T) {
	modeltest.OnlyValues(t)
	exact := rows(exactRow)
	// The first two labels are nearly as likely as each other, on the other side in some texts.
	tied := func(texts int) rows {
		return changedRow(func(place, length int, row []float32) {
			row[0], row[1], row[2] = row[0]+4, row[0]+4.01, row[2]-4
			if length < 100 && place < texts {
				row[0], row[1] = row[1], row[0]
			}
		})
	}
	shift := func(by float32, labels ...int) rows {
		return changedRow(func(_, _ int, row []float32) {
			for _, i := range labels {
				row[i] += by
			}
		})
	}
	farOff := changedRow(func(place, length int, row []float32) {
		if length == 310 {
			row[1] += 0.5
		}
	})
	noNumber := changedRow(func(_, length int, row []float32) {
		if length == 512 {
			row[2] = float32(math.NaN())
		}
	})
	constant := rows(func(_, _ int, row []float32) { row[0] = 0.1 })
	for final, tests := range map[model.Activation][]gateTest{
		model.Softmax: {
			{"all labels of a text alike", exact, changedRow(func(place, _ int, row []float32) {
				for i := range row {
					row[i] += 8 * float32(place)
				}
			}), true, true},
			{"one label of all texts", exact, shift(0.5, 1), false, false},
			{"two texts with another label", tied(0), tied(2), true, true},
			{"three texts with another label", tied(0), tied(3), false, false},
		},
		model.Sigmoid: {
			{"all labels of all texts", exact, shift(0.1, 0, 1, 2), false, false},
			{"all labels of all texts by little", exact, shift(0.01, 0, 1, 2), true, true},
			{"as near to one half as can be", changedRow(func(_, _ int, row []float32) { row[0], row[1], row[2] = 0.001, row[1]*9, row[2]*9 }),
				changedRow(func(_, _ int, row []float32) { row[0], row[1], row[2] = -0.001, row[1]*9, row[2]*9 }), false, false},
		},
		model.Identity: {
			{"all values", exact, shift(0.5, 0, 1, 2), false, false},
			{"all values by little", exact, shift(0.01, 0, 1, 2), true, true},
		},
	} {
		t.Run(string(final), func(t *testing.T) {
			e := openKind(t, synth.Labels, Precision("f32"))
			e.meaning.Final = final
			judged(t, e, append(tests, []gateTest{
				{"the same", exact, exact, true, true},
				{"an error of 0.01", exact, noise(0.01), true, true},
				{"an error of 0.2", exact, noise(0.2), false, false},
				{"one text's label far off", exact, farOff, false, false},
				{"no number", exact, noNumber, false, false},
				{"all the same", constant, constant, false, false},
			}...))
		})
	}
}

// What an engine makes is judged by what it is, also from the file: the same weights for another
// use are measured anew.
func TestAutoOfKinds(t *testing.T) {
	modeltest.OnlyValues(t)
	if isa := kernels.Best(); isa == kernels.Generic || len(isa.Formats()) == 1 {
		t.Skipf("%v leaves no choice", isa)
	}
	path := filepath.Join(t.TempDir(), "calibration.json")
	asked := []Option{CalibrationFile(path), JudgeAll()}
	for i, of := range []string{ofEmbeddings, ofLabels} {
		kind := []synth.Kind{synth.Embedder, synth.Labels}[i]
		measured, found := openKind(t, kind, asked...).Info(), openKind(t, kind, asked...).Info()
		if measured.CalibrationFile != "" || found.CalibrationFile != path || found.Precision != measured.Precision {
			t.Errorf("%s, then %s from %q", measured.Precision, found.Precision, found.CalibrationFile)
		}
		for _, c := range slices.Concat(measured.Candidates, found.Candidates) {
			if c.Deviation == nil || c.Deviation.Of != of || (c.Deviation.Mean == 0) != (c.Precision == exact) {
				t.Errorf("%s of %s: %v", c.Precision, of, c.Deviation)
			}
		}
		all, err := usercache.Read[calibration](path)
		if err != nil || len(all) != i+1 {
			t.Fatalf("%d calibrations, %v", len(all), err)
		}
	}
	// A cross-encoder of one label can be either.
	for i, opts := range [][]Option{nil, {Classifier()}} {
		openShape(t, 1, calibrated, append(opts, append(asked, Device("cpu"))...)...)
		if all, err := usercache.Read[calibration](path); err != nil || len(all) != 3+i {
			t.Errorf("%d calibrations, %v, want %d", len(all), err, 3+i)
		}
	}
}

// A text is what an embedder's tests are made of: a first and a last token around words.
func TestMadeUpTexts(t *testing.T) {
	e := openKind(t, synth.Embedder, Precision("f32"))
	for _, b := range e.madeUp() {
		if err := b.Validate(&e.info.Config); err != nil {
			t.Error(err)
		}
		for i := range b.Len() {
			lo, hi := b.Bounds(i)
			frame, _, err := e.tokenizer.AppendText(nil, nil, "")
			if err != nil || slices.Max(b.Types[lo:hi]) > 0 || b.IDs[lo] != frame[0] || b.IDs[hi-1] != frame[1] || hi-lo < 12 {
				t.Errorf("text %d: %d tokens, from %d to %d, %v", i, hi-lo, b.IDs[lo], b.IDs[hi-1], err)
			}
		}
	}
}
