package safetensors

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
)

// encode is a file in memory.
func encode(l Layout, tensors []Entry, metadata map[string]string) ([]byte, error) {
	var b bytes.Buffer
	err := l.Write(&b, tensors, metadata)
	return b.Bytes(), err
}

// zeros is a tensor's content, all zeros.
func zeros(n int) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := w.Write(make([]byte, n))
		return err
	}
}

func TestWriteText(t *testing.T) {
	got, err := encode(Layout{}, []Entry{
		{Name: `a"\<é` + "\n", DType: F16, Shape: []int{2, 1}, Data: []byte("wxyz")},
		{Name: "b", DType: I64, Shape: []int{0, 7}},
		{Name: "c", DType: Bool, Stream: zeros(1)},
	}, map[string]string{"z": "<1>", "format": "pt"})
	if err != nil {
		t.Fatal(err)
	}
	header := `{"__metadata__":{"format":"pt","z":"<1>"},"a\"\\<é\n":{"dtype":"F16","shape":[2,1],"data_offsets":[0,4]},` +
		`"b":{"dtype":"I64","shape":[0,7],"data_offsets":[4,4]},"c":{"dtype":"BOOL","shape":[],"data_offsets":[4,5]}}`
	for len(header)%8 != 0 {
		header += " "
	}
	want := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	want = append(append(want, header...), "wxyz\x00"...)
	if !bytes.Equal(got, want) {
		t.Errorf("wrote %q, want %q", got, want)
	}
}

// miniLM are the tensors of the published ms-marco-MiniLM-L-6-v2 as its file has
// them: position_ids first, since its writer sorted by the size of the dtype.
func miniLM() []Entry {
	shapes := map[string][]int{
		"bert.embeddings.word_embeddings.weight":       {30522, 384},
		"bert.embeddings.position_embeddings.weight":   {512, 384},
		"bert.embeddings.token_type_embeddings.weight": {2, 384},
		"bert.embeddings.LayerNorm.weight":             {384}, "bert.embeddings.LayerNorm.bias": {384},
		"bert.pooler.dense.weight": {384, 384}, "bert.pooler.dense.bias": {384},
		"classifier.weight": {1, 384}, "classifier.bias": {1},
	}
	for layer := range 6 {
		for name, out := range map[string][]int{
			"attention.self.query": {384, 384}, "attention.self.key": {384, 384}, "attention.self.value": {384, 384},
			"attention.output.dense": {384, 384}, "attention.output.LayerNorm": {384},
			"intermediate.dense": {1536, 384}, "output.dense": {384, 1536}, "output.LayerNorm": {384},
		} {
			prefix := fmt.Sprintf("bert.encoder.layer.%d.%s", layer, name)
			shapes[prefix+".weight"], shapes[prefix+".bias"] = out, out[:1]
		}
	}
	entries := []Entry{{Name: "bert.embeddings.position_ids", DType: I64, Shape: []int{1, 512}, Stream: zeros(4096)}}
	var names []string
	for name := range shapes {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		bytes := 4
		for _, n := range shapes[name] {
			bytes *= n
		}
		entries = append(entries, Entry{Name: name, DType: F32, Shape: shapes[name], Stream: zeros(bytes)})
	}
	return entries
}

// The published checkpoint can be written to the byte: its header of 12,090
// bytes is 12,089 of JSON and a space, so its data starts 2 bytes off a word.
func TestWritePublishedLayout(t *testing.T) {
	entries := miniLM()
	pt := map[string]string{"format": "pt"}
	var start bytes.Buffer
	prefix, sizes, err := Layout{HeaderBytes: 12_090}.header(entries, pt)
	if err != nil {
		t.Fatal(err)
	}
	total := uint64(len(prefix))
	for _, size := range sizes {
		total += size
	}
	if len(entries) != 106 || len(prefix) != 12_098 || total != 90_870_598 {
		t.Errorf("%d tensors, data from byte %d, %d bytes in all", len(entries), len(prefix), total)
	}
	if end := string(prefix[len(prefix)-3:]); end != "}} " {
		t.Errorf("the header ends in %q", end)
	}
	for layout, want := range map[Layout]int{
		{}: 12_096, {Align: 1}: 12_089, {Align: 64}: 12_152, {HeaderBytes: 12_089}: 12_089, {HeaderBytes: 13_000, Align: 64}: 13_000,
	} {
		start.Reset()
		if prefix, _, err := layout.header(entries, pt); err != nil || len(prefix)-8 != want {
			t.Errorf("%+v: a header of %d bytes, want %d; %v", layout, len(prefix)-8, want, err)
		}
	}
}

func TestWriteRefuses(t *testing.T) {
	one := Entry{Name: "a", DType: F32, Shape: []int{1}, Data: make([]byte, 4)}
	for _, c := range []struct {
		layout   Layout
		entries  []Entry
		metadata map[string]string
		want     string
	}{
		{entries: []Entry{one, one}, want: `tensor "a": duplicate name`},
		{entries: []Entry{{Name: "s", DType: F32, Shape: []int{2}, Data: make([]byte, 4)}}, want: `tensor "s": shape and offsets disagree: F32 of shape [2] has 8 bytes, Data 4`},
		{entries: []Entry{{Name: "s", DType: F32}}, want: `tensor "s": shape and offsets disagree: F32 of shape [] has 4 bytes, Data 0`},
		{entries: []Entry{{Name: "o", DType: "F33", Data: make([]byte, 4)}}, want: `tensor "o": unknown dtype "F33"`},
		{entries: []Entry{{Name: "m", DType: F32, Shape: []int{-1, 0}}}, want: `tensor "m": negative shape [-1 0]`},
		{entries: []Entry{{Name: "r", DType: F32, Shape: make([]int, 65)}}, want: `tensor "r": 65 dimensions, at most 64 are allowed`},
		{entries: []Entry{{Name: "h", DType: F4, Shape: []int{1}}}, want: `tensor "h": shape ends inside a byte: F4 of shape [1]`},
		{entries: []Entry{{Name: "v", DType: F32, Shape: []int{1 << 30, 1 << 30, 1 << 30}}}, want: `tensor "v": shape overflows: F32 of shape [1073741824 1073741824 1073741824]`},
		{entries: []Entry{{Name: "__metadata__", DType: F32}}, want: `tensor "__metadata__": not a tensor's name`},
		{entries: []Entry{{Name: "\xff", DType: F32}}, want: `tensor "\xff": not a tensor's name`},
		{entries: []Entry{{Name: "d", DType: F32, Data: make([]byte, 4), Stream: zeros(4)}}, want: `tensor "d": both Data and Stream`},
		{metadata: map[string]string{"k": "\xff"}, want: `metadata "k": not UTF-8`},
		{layout: Layout{HeaderBytes: 50}, entries: []Entry{one}, want: `the header has 54 bytes, more than the 50 it should`},
		{layout: Layout{HeaderBytes: 100_000_001}, want: `header too large: 100000001 bytes, at most 100000000 are allowed`},
		{layout: Layout{Align: -8}, want: `layout {Align:-8 HeaderBytes:0} is out of range`},
		{layout: Layout{Align: 1 << 30}, want: `layout {Align:1073741824 HeaderBytes:0} is out of range`},
	} {
		got, err := encode(c.layout, c.entries, c.metadata)
		if want := "safetensors: write: " + c.want; err == nil || err.Error() != want || len(got) > 0 {
			t.Errorf("error %v after %d bytes, want %s after none", err, len(got), want)
		}
	}
}

func TestWriteStreams(t *testing.T) {
	failure := errors.New("no more tape")
	chunks := func(w io.Writer) error {
		for range 4 {
			if _, err := w.Write([]byte{1}); err != nil {
				return err
			}
		}
		return nil
	}
	for _, c := range []struct {
		stream func(io.Writer) error
		want   string
	}{
		{zeros(4), ""},
		{chunks, ""},
		{func(w io.Writer) error { _, err := io.Copy(w, strings.NewReader("1234")); return err }, ""},
		{zeros(3), `the stream ended after 3 bytes of 4`},
		{zeros(5), `the stream writes 1 bytes too many, or more`},
		{func(w io.Writer) error { zeros(5)(w); return nil }, `the stream writes 1 bytes too many, or more`},
		{func(w io.Writer) error { return errors.Join(zeros(4)(w), zeros(1)(w)) }, `the stream writes 1 bytes too many, or more`},
		{func(io.Writer) error { return failure }, `no more tape`},
	} {
		got, err := encode(Layout{}, []Entry{{Name: "s", DType: F32, Stream: c.stream}}, nil)
		if c.want == "" {
			if _, parseErr := Parse("s", got); err != nil || parseErr != nil {
				t.Error(err, parseErr)
			}
		} else if want := `safetensors: write tensor "s": ` + c.want; err == nil || err.Error() != want {
			t.Errorf("error %v, want %s", err, want)
		}
	}
}

// failing fails to write more than so many bytes.
type failing struct{ left int }

var errFull = errors.New("disk full")

func (f *failing) Write(p []byte) (int, error) {
	n := min(len(p), f.left)
	f.left -= n
	if n < len(p) {
		return n, errFull
	}
	return n, nil
}

// Every failure of the file below is reported, wherever it falls.
func TestWriteReportsFailure(t *testing.T) {
	entries := []Entry{
		{Name: "a", DType: F32, Data: make([]byte, 4)},
		{Name: "s", DType: F32, Stream: func(w io.Writer) error { zeros(4)(w); return nil }}, // ignores errors
	}
	whole, err := encode(Layout{}, entries, nil)
	if err != nil {
		t.Fatal(err)
	}
	for n := range len(whole) {
		if err := Write(&failing{n}, entries, nil); !errors.Is(err, errFull) {
			t.Fatalf("after %d bytes: %v", n, err)
		}
	}
	if err := Write(&failing{len(whole)}, entries, nil); err != nil {
		t.Error(err)
	}
}

// The order of dtypes has each once, the narrow ones first: writers sort by it, so that wide
// elements, which come first, are aligned.
func TestCompareDTypes(t *testing.T) {
	if len(dtypes) != 22 {
		t.Errorf("%d dtypes, want 22", len(dtypes))
	}
	for i, d := range dtypes {
		if d.Bits() == 0 || slices.Index(dtypes, d) != i {
			t.Errorf("%s is none, or is there twice", d)
		}
		if i > 0 && (CompareDTypes(dtypes[i-1], d) >= 0 || max(dtypes[i-1].Size(), 1) > max(d.Size(), 1)) {
			t.Errorf("%s comes before %s", dtypes[i-1], d)
		}
	}
}
