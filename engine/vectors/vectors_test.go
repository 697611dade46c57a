package vectors_test

import (
	"encoding/hex"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/minilm-metal/minilm-metal/engine/vectors"
)

// libraryCase is a case of testdata/vectors.json.
type libraryCase struct {
	Name                                                         string
	Rows, Width, Multiplier, Modulus, Offset, Divisor, Calibrate int
	Bytes                                                        map[vectors.Type][]string
	Similarities                                                 map[vectors.Similarity][]float64
	Unit                                                         []float64
}

func (c *libraryCase) embeddings() [][]float32 {
	var rows [][]float32
	for i := range c.Rows {
		row := make([]float32, c.Width)
		for j := range row {
			row[j] = float32((i*c.Width+j)*c.Multiplier%c.Modulus-c.Offset) / float32(c.Divisor)
		}
		rows = append(rows, row)
	}
	return rows
}

// Quantized embeddings have sentence-transformers' bytes, all of them, and similarities its
// values and signs.
func TestLibrary(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("..", "..", "testdata", "vectors.json"))
	if err != nil {
		t.Fatal(err)
	}
	var all struct{ Cases []libraryCase }
	if err := json.Unmarshal(data, &all); err != nil || len(all.Cases) < 6 {
		t.Fatalf("%d cases, %v", len(all.Cases), err)
	}
	for _, c := range all.Cases {
		rows := c.embeddings()
		var ranges vectors.Ranges
		for _, row := range rows[:c.Calibrate] {
			ranges.Add(row)
		}
		if len(c.Bytes) != 4 || len(c.Similarities) != 4 {
			t.Fatalf("%s: %d types, %d similarities", c.Name, len(c.Bytes), len(c.Similarities))
		}
		for of, want := range c.Bytes {
			for i, row := range rows {
				if got := hex.EncodeToString(of.Append(nil, row, &ranges)); got != want[i] {
					t.Errorf("%s, %s, row %d:\n%s, want\n%s", c.Name, of, i, got, want[i])
				}
			}
		}
		for of, want := range c.Similarities {
			for i, row := range rows {
				if got := float64(of.Of(rows[0], row)); !(math.Abs(got-want[i]) <= 1e-6*max(1e-3, math.Abs(want[i]))) {
					t.Errorf("%s, %s, row %d: %g, want %g", c.Name, of, i, got, want[i])
				}
			}
		}
		vectors.Normalize(rows[1])
		for j, want := range c.Unit {
			if got := rows[1][j]; got != float32(want) {
				t.Errorf("%s: value %d at unit length is %g, want %g", c.Name, j, got, want)
			}
		}
	}
}

func TestNames(t *testing.T) {
	for _, name := range []string{"cosine", "dot", "euclidean", "manhattan"} {
		if s, err := vectors.ParseSimilarity(name); err != nil || string(s) != name {
			t.Errorf("%q: %q, %v", name, s, err)
		}
	}
	if s, err := vectors.ParseSimilarity(""); err != nil || s != vectors.Cosine {
		t.Errorf("%q, %v", s, err)
	}
	for _, name := range []string{"float32", "int8", "uint8", "binary", "ubinary"} {
		if of, err := vectors.ParseType(name); err != nil || string(of) != name || of.Bytes(9) != len(of.Append(nil, make([]float32, 9), &vectors.Ranges{Low: make([]float32, 9), High: make([]float32, 9)})) {
			t.Errorf("%q: %q, %d bytes, %v", name, of, of.Bytes(9), err)
		}
	}
	_, s := vectors.ParseSimilarity("maxsim")
	_, of := vectors.ParseType("Int8")
	if s == nil || of == nil {
		t.Errorf("unknown names: %v, %v", s, of)
	}
}

// What a caller does wrong is a panic that says so, before anything is computed.
func TestMisuse(t *testing.T) {
	two := &vectors.Ranges{}
	two.Add([]float32{1, 2})
	nan := float32(math.NaN())
	for says, wrong := range map[string]func(){
		"vectors: a similarity of 1 and 2 values":                  func() { vectors.Cosine.Of([]float32{1}, []float32{1, 2}) },
		`vectors: no similarity "x"`:                               func() { vectors.Similarity("x").Of(nil, nil) },
		`vectors: no type "x"`:                                     func() { vectors.Type("x").Append(nil, nil, nil) },
		"vectors: int8 without ranges":                             func() { vectors.Int8.Append(nil, []float32{1}, nil) },
		"vectors: uint8 without ranges":                            func() { vectors.Uint8.Append(nil, []float32{1}, nil) },
		"vectors: an embedding of 1 values and ranges of 0":        func() { vectors.Uint8.Append(nil, []float32{1}, &vectors.Ranges{}) },
		"vectors: an embedding of 3 values and ranges of 2":        func() { vectors.Int8.Append(nil, []float32{1, 2, 3}, two) },
		"vectors: an embedding of 1 values and ranges of 2":        func() { two.Add([]float32{1}) },
		"vectors: a value that is not a number, to calibrate with": func() { two.Add([]float32{1, nan}) },
	} {
		func() {
			defer func() {
				if got := recover(); got != says {
					t.Errorf("panic %v, want %q", got, says)
				}
			}()
			wrong()
		}()
	}
	if !slices.Equal(two.Low, []float32{1, 2}) || !slices.Equal(two.High, []float32{1, 2}) {
		t.Errorf("%+v", two)
	}
}

// floats reads float32 values from fuzzed bytes.
func floats(data []byte) (v []float32) {
	for ; len(data) >= 4; data = data[4:] {
		v = append(v, math.Float32frombits(uint32(data[0])|uint32(data[1])<<8|uint32(data[2])<<16|uint32(data[3])<<24))
	}
	return v
}

// Whatever the values: a byte or a bit for each, the signed types 128 below the others, float32
// read back as they were, similarities that are symmetric, and zeros that stay zeros.
func FuzzVectors(f *testing.F) {
	f.Add([]byte("\x00\x00\x80\x3f\x00\x00\x80\xbf\x00\x00\xc0\x7f\x00\x00\x80\x7f"), []byte("\x00\x00\x00\x00\x01\x00\x00\x00"))
	f.Add([]byte("\xff\xff\x7f\x7f\xff\xff\x7f\xff"), []byte("\xff\xff\x7f\xff\xff\xff\x7f\x7f"))
	f.Fuzz(func(t *testing.T, one, other []byte) {
		a, b := floats(one), floats(other)
		n := min(len(a), len(b))
		a, b = a[:n], b[:n]
		numbers := func(v []float32) bool { return !slices.ContainsFunc(v, func(x float32) bool { return x != x }) }
		var ranges vectors.Ranges
		if numbers(b) {
			ranges.Add(b)
			ranges.Add(make([]float32, n))
		} else {
			ranges = vectors.Ranges{Low: make([]float32, n), High: make([]float32, n)}
		}
		for signed, unsigned := range map[vectors.Type]vectors.Type{vectors.Int8: vectors.Uint8, vectors.Binary: vectors.Ubinary} {
			low, high := signed.Append([]byte{7}, a, &ranges), unsigned.Append([]byte{7}, a, &ranges)
			if len(low) != 1+signed.Bytes(n) || len(high) != len(low) || low[0] != 7 || high[0] != 7 {
				t.Fatalf("%s: %d bytes and %d, want %d", signed, len(low), len(high), 1+signed.Bytes(n))
			}
			for i := range low[1:] {
				if int(int8(low[1+i]))+128 != int(high[1+i]) {
					t.Errorf("%s: %d, and %s: %d", signed, int8(low[1+i]), unsigned, high[1+i])
				}
			}
		}
		for i, v := range a { // a larger value has no smaller step
			if i > 0 && a[i-1] <= v && ranges.Low[i-1] == ranges.Low[i] && ranges.High[i-1] == ranges.High[i] {
				if steps := vectors.Uint8.Append(nil, a, &ranges); steps[i-1] > steps[i] && !math.IsInf(float64(ranges.High[i]-ranges.Low[i]), 0) && !math.IsInf(float64(v-ranges.Low[i]), 0) {
					t.Errorf("%g is step %d, %g is %d", a[i-1], steps[i-1], v, steps[i])
				}
			}
		}
		back := floats(vectors.Float32.Append(nil, a, nil))
		for i := range a {
			if math.Float32bits(back[i]) != math.Float32bits(a[i]) {
				t.Errorf("%g came back as %g", a[i], back[i])
			}
		}
		for _, s := range []vectors.Similarity{vectors.Cosine, vectors.Dot, vectors.Euclidean, vectors.Manhattan} {
			if x, y := s.Of(a, b), s.Of(b, a); math.Float32bits(x) != math.Float32bits(y) && x == x {
				t.Errorf("%s: %g, and the other way round %g", s, x, y)
			}
		}
		if zero := make([]float32, n); vectors.Cosine.Of(zero, make([]float32, n)) != 0 {
			t.Error("a cosine of zeros that is not 0")
		} else if vectors.Normalize(zero); !slices.Equal(zero, make([]float32, n)) {
			t.Errorf("zeros of unit length: %g", zero)
		}
	})
}

// The distance of what is the same, or nearly, is 0 and not -0, which people would read.
func TestDistanceOfTheSame(t *testing.T) {
	for _, by := range []vectors.Similarity{vectors.Euclidean, vectors.Manhattan} {
		for _, b := range [][]float32{{1, -2}, {1, math.Nextafter32(-2, 0)}, {2, -2}} {
			got, want := by.Of([]float32{1, -2}, b), float32(-1)
			switch {
			case b[1] != -2:
				want = -0x1p-23
			case b[0] == 1:
				want = 0
			}
			if math.Float32bits(got) != math.Float32bits(want) {
				t.Errorf("%s of %g: %g, want %g", by, b, got, want)
			}
		}
		tiny := math.SmallestNonzeroFloat32
		if got := by.Of([]float32{float32(tiny)}, []float32{0}); got != -float32(tiny) {
			t.Errorf("%s of the least difference: %g", by, got)
		}
	}
}
