package synth

import (
	"encoding/binary"
	"fmt"
	"math"
	"runtime"
	"slices"
	"testing"

	"github.com/minilm-metal/minilm-metal/model"
	"github.com/minilm-metal/minilm-metal/model/safetensors"
	"github.com/minilm-metal/minilm-metal/model/tokenizer"
)

var tiny = Shape{Layers: 2, Hidden: 48, Heads: 4, Intermediate: 96, Vocab: 2000, Positions: 128}

// made is a checkpoint with its defaults.
func made(t testing.TB, c Checkpoint) Checkpoint {
	t.Helper()
	c, err := c.resolve()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func resolve(t testing.TB, s Shape) Shape {
	t.Helper()
	s, err := s.Resolve()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// The bits of some values of seed 1, channels 6 to 8 of a row: random numbers,
// distributions and rounding at once, the same on every machine.
func TestWeightsArePinned(t *testing.T) {
	for _, want := range []struct {
		name string
		row  int
		bits [3]uint32
	}{
		{"bert.embeddings.word_embeddings.weight", 0, [3]uint32{0xbc96ceb8, 0x3c8258ff, 0x3a41a4ae}},
		{"bert.embeddings.word_embeddings.weight", 30521, [3]uint32{0xbd7ba697, 0x3d3df3ac, 0x3d849d95}},
		{"bert.encoder.layer.5.output.dense.weight", 383, [3]uint32{0xbc8abd3f, 0x3d958c87, 0x3d869baf}},
		{"bert.encoder.layer.0.attention.output.LayerNorm.weight", 0, [3]uint32{0x3f83d1fb, 0x3f9e6642, 0x3f57364a}},
		{"classifier.weight", 0, [3]uint32{0xbf81c769, 0x3f509366, 0xbf625eef}},
	} {
		ts := made(t, Checkpoint{}).tensors()
		i := slices.IndexFunc(ts, func(t tensor) bool { return t.name == want.name })
		values := make([]float32, ts[i].cols())
		ts[i].fillRow(newSource(1, want.name), want.row, values)
		var got [3]uint32
		for j := range got {
			got[j] = math.Float32bits(values[6+j]) // channel 7 stands out
		}
		if got != want.bits {
			t.Errorf("%s, row %d: bits %#x, want %#x", want.name, want.row, got, want.bits)
		}
	}
}

func TestWeightsDoNotDependOnWorkers(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	alone := newFile(made(t, Checkpoint{Seed: 3, Shape: tiny})).bytes()
	runtime.GOMAXPROCS(5)
	if !slices.Equal(alone, newFile(made(t, Checkpoint{Seed: 3, Shape: tiny})).bytes()) {
		t.Error("five workers made other weights than one")
	}
	if slices.Equal(alone, newFile(made(t, Checkpoint{Seed: 4, Shape: tiny})).bytes()) {
		t.Error("seeds 3 and 4 made the same weights")
	}
}

// Every row has its own random numbers.
func TestRowsDiffer(t *testing.T) {
	seen := map[uint64]string{}
	for _, tensor := range made(t, Checkpoint{Shape: tiny}).tensors() {
		src := newSource(1, tensor.name)
		for r := range tensor.rows() {
			src.row(r)
			u := src.Uint64()
			if other, ok := seen[u]; ok {
				t.Fatalf("%s, row %d begins as %s", tensor.name, r, other)
			}
			seen[u] = fmt.Sprintf("%s, row %d", tensor.name, r)
		}
	}
}

func TestNormal(t *testing.T) {
	src := newSource(1, "normal")
	src.row(0)
	const n = 1 << 18
	var sum, squares, fourth float64
	for range n {
		z := float64(normal(src.Uint64()))
		sum, squares, fourth = sum+z, squares+z*z, fourth+z*z*z*z
	}
	// The fourth moment of a sum of four uniform numbers is 3 - 6/5/4 = 2.7. The
	// bounds are over four standard errors.
	if mean := sum / n; math.Abs(mean) > 0.01 {
		t.Errorf("mean %.4f, want 0", mean)
	}
	if v := squares / n; math.Abs(v-1) > 0.012 {
		t.Errorf("variance %.4f, want 1", v)
	}
	if f := fourth / n; math.Abs(f-2.7) > 0.08 {
		t.Errorf("fourth moment %.4f, want 2.7", f)
	}
}

// The unevenness that the comment on distribution promises is there.
func TestWeightsAreUneven(t *testing.T) {
	for _, tensor := range made(t, Checkpoint{Shape: Shape{Layers: 1, Vocab: 200}}).tensors() {
		values := make([]float32, tensor.elements())
		src := newSource(1, tensor.name)
		for r := range tensor.rows() {
			tensor.fillRow(src, r, values[r*tensor.cols():][:tensor.cols()])
		}
		switch tensor.name {
		case "bert.encoder.layer.0.intermediate.dense.weight":
			least, most, heavy := math.Inf(1), 0.0, 0
			for r := range tensor.rows() {
				var squares float64
				for _, v := range values[r*384:][:384] {
					squares += float64(v) * float64(v)
				}
				std := math.Sqrt(squares / 384)
				least, most = min(least, std), max(most, std)
				for _, v := range values[r*384:][:384] {
					if math.Abs(float64(v)) > 4.5*std {
						heavy++
					}
				}
			}
			if most < 3*least {
				t.Errorf("%s: rows have std %.3f to %.3f, want a wider spread", tensor.name, least, most)
			}
			if heavy < 40 || heavy > 200 {
				t.Errorf("%s: %d heavy weights in 1536 rows, want about 100", tensor.name, heavy)
			}
		case "bert.embeddings.LayerNorm.weight":
			if v := values[130]; v < 0.9 {
				t.Errorf("%s: channel 130 has gain %g, want over 0.9", tensor.name, v)
			}
		case "bert.embeddings.LayerNorm.bias":
			if v := values[211]; v < 1.9 {
				t.Errorf("%s: channel 211 has bias %g, want over 1.9", tensor.name, v)
			}
		}
	}
}

// The logits of different texts differ by some units, at a small shape too.
func TestLogitsDependOnText(t *testing.T) {
	fsys, err := FS(1, tiny)
	if err != nil {
		t.Fatal(err)
	}
	w, err := model.Load(fsys)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	tok, err := tokenizer.New(Vocab(tiny.Vocab), tokenizer.Uncased())
	if err != nil {
		t.Fatal(err)
	}
	var sum, squares float64
	const n = 16
	for _, p := range Pairs(1, n) {
		var b model.Batch
		ids, types, err := tok.AppendPair(nil, nil, p.Query, p.Passage)
		if err != nil {
			t.Fatal(err)
		}
		b.Append(ids[:min(len(ids), 128)], types[:min(len(ids), 128)])
		row := make([]float32, w.Config.HiddenSize)
		if err := model.Encode(model.NewReference(w, 1), &w.Config, &b, model.Firsts, row); err != nil {
			t.Fatal(err)
		}
		exact := make([]float64, len(row))
		for i, v := range row {
			exact[i] = float64(v)
		}
		logit := w.Head.Apply64(exact, 1)[0]
		sum, squares = sum+logit, squares+logit*logit
	}
	if sd := math.Sqrt(squares/n - sum/n*sum/n); sd < 1 || sd > 6 {
		t.Errorf("the logits' standard deviation is %.2f, want 1 to 6", sd)
	}
}

// Rounding to 16 bits is to the nearest and to even: no float of 16 bits is
// nearer, and a float that has one is unchanged.
func TestEncodeRounds(t *testing.T) {
	decode := func(d DType, bits uint16) float64 {
		b := binary.LittleEndian.AppendUint16(nil, bits)
		h := safetensorsOf(t, string(d), b)
		v, err := h.Float32s()
		if err != nil {
			t.Fatal(err)
		}
		return float64(v[0])
	}
	one := func(d DType, v float32) uint16 {
		var b [2]byte
		d.encode(b[:], []float32{v})
		return binary.LittleEndian.Uint16(b[:])
	}
	for _, d := range []DType{F16, BF16} {
		largest := map[DType]uint16{F16: 0x7bff, BF16: 0x7f7f}[d]
		last := decode(d, 0)
		for bits := uint16(1); bits < largest; bits += 7 {
			v := decode(d, bits)
			if got := one(d, float32(v)); got != bits {
				t.Fatalf("%s: %g becomes %#x, want %#x", d, v, got, bits)
			}
			if got := one(d, float32(-v)); got != bits|0x8000 {
				t.Fatalf("%s: %g becomes %#x, want %#x", d, -v, got, bits|0x8000)
			}
			next := decode(d, bits+1)
			middle, even := float32((v+next)/2), bits+bits&1
			if got := one(d, middle); got != even {
				t.Fatalf("%s: %g, half way from %g to %g, becomes %#x, want %#x", d, middle, v, next, got, even)
			}
			if got := one(d, math.Nextafter32(middle, 0)); got != bits {
				t.Fatalf("%s: just under %g becomes %#x, want %#x", d, middle, got, bits)
			}
			if v <= last {
				t.Fatalf("%s: %#x is %g, not over %g", d, bits, v, last)
			}
			last = v
		}
	}
}

// safetensorsOf is a file's only tensor, of one value.
func safetensorsOf(t *testing.T, dtype string, data []byte) *safetensors.Tensor {
	t.Helper()
	header := fmt.Sprintf(`{"x":{"dtype":%q,"shape":[1],"data_offsets":[0,%d]}}`, dtype, len(data))
	file := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	f, err := safetensors.Parse("x.safetensors", append(append(file, header...), data...))
	if err != nil {
		t.Fatal(err)
	}
	x, _ := f.Lookup("x")
	return x
}

// The whole of the default model.safetensors.
func BenchmarkWeights(b *testing.B) {
	c := made(b, Checkpoint{Seed: 1})
	for b.Loop() {
		f := newFile(c)
		b.SetBytes(int64(f.size()))
		f.bytes()
	}
}
