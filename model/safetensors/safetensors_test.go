package safetensors

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// file returns a file with that header and that many bytes of data.
func file(header string, data int) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(b, header...), make([]byte, data)...)
}

func TestVectors(t *testing.T) {
	shared := os.Getenv("MINILM_SHARED")
	if shared == "" {
		t.Skip("MINILM_SHARED is not set")
	}
	dir := filepath.Join(shared, "data", "safetensors-tests")
	text, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	var vectors []struct{ File, Expect string }
	if err := json.Unmarshal(text, &vectors); err != nil {
		t.Fatal(err)
	}
	if len(vectors) != 17 {
		t.Errorf("%d vectors, want 17", len(vectors))
	}
	want := map[string]error{
		"OK":                           nil,
		"HeaderTooSmall":               ErrHeaderTooSmall,
		"HeaderTooLarge":               ErrHeaderTooLarge,
		"InvalidHeaderLength":          ErrInvalidHeaderLength,
		"InvalidHeader":                ErrInvalidHeader,
		"InvalidHeaderDeserialization": ErrInvalidHeaderDeserialization,
		"InvalidOffset":                ErrInvalidOffset,
		"MetadataIncompleteBuffer":     ErrMetadataIncompleteBuffer,
		"TensorInvalidInfo":            ErrTensorInvalidInfo,
		"ValidationOverflow":           ErrValidationOverflow,
	}
	for _, v := range vectors {
		expect, known := want[v.Expect]
		if !known {
			t.Fatalf("%s: unknown expectation %q", v.File, v.Expect)
		}
		f, err := Open(filepath.Join(dir, v.File))
		if !errors.Is(err, expect) {
			t.Errorf("%s: %v, want %s", v.File, err, v.Expect)
		}
		if err == nil {
			f.Close()
		} else if !strings.Contains(err.Error(), v.File) {
			t.Errorf("%v does not name the file", err)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	tensor := func(body string) []byte { return file(`{"a":`+body+`}`, 4) }
	deep := strings.Repeat("[", 100000)
	for name, c := range map[string]struct {
		data []byte
		is   error
		says string
	}{
		"empty":              {nil, ErrHeaderTooSmall, "0 bytes"},
		"7 bytes":            {make([]byte, 7), ErrHeaderTooSmall, "7 bytes"},
		"length 2^64-1":      {bytes.Repeat([]byte{255}, 20), ErrHeaderTooLarge, "18446744073709551615"},
		"length 0":           {make([]byte, 8), ErrInvalidHeaderDeserialization, ""},
		"length past":        {file("{}", 0)[:9], ErrInvalidHeaderLength, "2 bytes"},
		"git-lfs":            {[]byte("version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 90870598\n"), ErrGitLFS, "git lfs pull"},
		"an array":           {file("[]", 0), ErrInvalidHeaderDeserialization, ""},
		"not UTF-8":          {file("{\"\xff\":1}", 0), ErrInvalidHeader, ""},
		"deep":               {file(`{"a":`+deep, 0), ErrInvalidHeaderDeserialization, ""},
		"deep in a field":    {tensor(`{"x":` + deep), ErrInvalidHeaderDeserialization, ""},
		"text after":         {file(`{} {}`, 0), ErrInvalidHeaderDeserialization, ""},
		"bytes left over":    {file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, 5), ErrMetadataIncompleteBuffer, "4"},
		"past the end":       {file(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`, 4), ErrMetadataIncompleteBuffer, `"a"`},
		"duplicate":          {file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`, 8), ErrInvalidHeaderDeserialization, `"a"`},
		"begin > end":        {tensor(`{"dtype":"F32","shape":[1],"data_offsets":[4,0]}`), ErrInvalidOffset, `"a"`},
		"negative offset":    {tensor(`{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}`), ErrInvalidHeaderDeserialization, "-4"},
		"float offset":       {tensor(`{"dtype":"F32","shape":[1],"data_offsets":[0.0,4]}`), ErrInvalidHeaderDeserialization, ""},
		"string offset":      {tensor(`{"dtype":"F32","shape":[1],"data_offsets":["0",4]}`), ErrInvalidHeaderDeserialization, ""},
		"one offset":         {tensor(`{"dtype":"F32","shape":[1],"data_offsets":[0]}`), ErrInvalidHeaderDeserialization, ""},
		"no offsets":         {tensor(`{"dtype":"F32","shape":[1]}`), ErrInvalidHeaderDeserialization, "data_offsets"},
		"unknown dtype":      {tensor(`{"dtype":"F33","shape":[1],"data_offsets":[0,4]}`), ErrInvalidHeaderDeserialization, "F33"},
		"negative dimension": {tensor(`{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}`), ErrInvalidHeaderDeserialization, "-1"},
		"shape too small":    {tensor(`{"dtype":"F16","shape":[1],"data_offsets":[0,4]}`), ErrTensorInvalidInfo, `"a"`},
		"overflow":           {tensor(`{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,4]}`), ErrValidationOverflow, `"a"`},
		"overlap":            {file(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`, 8), ErrInvalidOffset, `"b"`},
		"gap":                {file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}`, 12), ErrInvalidOffset, `"b"`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse("bad.safetensors", c.data)
			if !errors.Is(err, c.is) || !strings.Contains(err.Error(), "bad.safetensors") || !strings.Contains(err.Error(), c.says) {
				t.Errorf("error %v, want %v with the file's name and %q", err, c.is, c.says)
			}
			if err != nil && len(err.Error()) > 1000 {
				t.Errorf("an error of %d bytes", len(err.Error()))
			}
		})
	}
}

// sample returns tensors of several dtypes, with the float32 values of each.
func sample() ([]Entry, map[string][]float32) {
	le16 := func(v ...uint16) (b []byte) {
		for _, x := range v {
			b = binary.LittleEndian.AppendUint16(b, x)
		}
		return b
	}
	values := []float32{1, -2.5, 0, 1e-45, math.MaxFloat32, float32(math.Copysign(0, -1))}
	var f32 []byte
	for _, v := range values {
		f32 = binary.LittleEndian.AppendUint32(f32, math.Float32bits(v))
	}
	const tiny = 1.0 / (1 << 24) // the least F16 subnormal
	return []Entry{
			{Name: "ids", DType: I64, Shape: []int{1, 2}, Data: make([]byte, 16)},
			{Name: "f32", DType: F32, Shape: []int{2, 3}, Data: f32},
			{Name: "byte", DType: U8, Shape: []int{1}, Data: []byte{7}}, // what follows is unaligned
			{Name: "f32 unaligned", DType: F32, Shape: []int{6}, Data: f32},
			{Name: "f16", DType: F16, Shape: []int{5}, Data: le16(0x3c00, 0xc100, 0x0001, 0x03ff, 0x7bff)},
			{Name: "bf16", DType: BF16, Shape: []int{3}, Data: le16(0x3f80, 0xc020, 0x0001)},
			{Name: "empty", DType: F32, Shape: []int{0, 5}},
			{Name: "scalar", DType: F32, Data: f32[:4]},
		}, map[string][]float32{
			"f32": values, "f32 unaligned": values, "f16": {1, -2.5, tiny, 1023 * tiny, 65504},
			"bf16": {1, -2.5, math.Float32frombits(1 << 16)}, "empty": {}, "scalar": {1},
		}
}

func TestRoundTrip(t *testing.T) {
	entries, want := sample()
	for _, layout := range []Layout{{}, {Align: 1}, {HeaderBytes: 1002}} {
		var b bytes.Buffer
		if err := layout.Write(&b, entries, map[string]string{"format": "pt"}); err != nil {
			t.Fatal(err)
		}
		if n := binary.LittleEndian.Uint64(b.Bytes()); layout.HeaderBytes != 0 && n != uint64(layout.HeaderBytes) {
			t.Errorf("%+v: header of %d bytes", layout, n)
		}
		path := filepath.Join(t.TempDir(), "x.safetensors")
		if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		dir, name := filepath.Split(path)
		open := map[string]func() (*File, error){
			"Open":             func() (*File, error) { return Open(path) },
			"OpenFS on disk":   func() (*File, error) { return OpenFS(os.DirFS(dir), name) },
			"OpenFS in memory": func() (*File, error) { return OpenFS(fstest.MapFS{name: {Data: b.Bytes()}}, name) },
			"Parse":            func() (*File, error) { return Parse(name, b.Bytes()) },
		}
		for how, open := range open {
			f, err := open()
			if err != nil {
				t.Fatalf("%s: %v", how, err)
			}
			if len(f.Names()) != len(entries) || f.Metadata()["format"] != "pt" {
				t.Errorf("%s: names %q, metadata %v", how, f.Names(), f.Metadata())
			}
			for _, e := range entries {
				got, ok := f.Lookup(e.Name)
				if !ok || got.DType != e.DType || !slices.Equal(got.Shape, e.Shape) || !bytes.Equal(got.Data(), e.Data) {
					t.Errorf("%s: tensor %q is %+v", how, e.Name, got)
				}
				values, err := got.Float32s()
				if e.DType == I64 || e.DType == U8 {
					if !errors.Is(err, ErrDType) || !strings.Contains(err.Error(), e.Name) {
						t.Errorf("%s: %s as float32: %v", how, e.DType, err)
					}
				} else if !slices.EqualFunc(values, want[e.Name], func(a, b float32) bool { return math.Float32bits(a) == math.Float32bits(b) }) || err != nil {
					t.Errorf("%s: %q is %g, %v, want %g", how, e.Name, values, err, want[e.Name])
				}
				if err := got.CheckFinite(); err != nil {
					t.Errorf("%s: %v", how, err)
				}
			}
			for range 2 {
				if err := f.Close(); err != nil {
					t.Errorf("%s: Close: %v", how, err)
				}
			}
			if tensor, _ := f.Lookup("f32"); tensor.in.file != nil {
				if _, err := tensor.Float32s(); !errors.Is(err, ErrClosed) {
					t.Errorf("%s: after Close: %v", how, err)
				}
			}
		}
	}
}

func TestWriteRefuses(t *testing.T) {
	one := Entry{Name: "a", DType: F32, Shape: []int{1}, Data: make([]byte, 4)}
	for says, entries := range map[string][]Entry{
		"duplicate": {one, one},
		`"short"`:   {{Name: "short", DType: F32, Shape: []int{2}, Data: make([]byte, 4)}},
		`"odd"`:     {{Name: "odd", DType: "F33", Shape: []int{1}, Data: make([]byte, 4)}},
		`"minus"`:   {{Name: "minus", DType: F32, Shape: []int{-1}}},
	} {
		var b bytes.Buffer
		if err := Write(&b, entries, nil); err == nil || !strings.Contains(err.Error(), says) || b.Len() != 0 {
			t.Errorf("error %v with %d bytes written, want %q and none", err, b.Len(), says)
		}
	}
}

func TestCheckFinite(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(-1))
	for _, bad := range []float32{nan, inf} {
		for n := range 40 {
			for at := range n {
				var data []byte
				for i := range n {
					v := float32(math.MaxFloat32)
					if i == at {
						v = bad
					}
					data = binary.LittleEndian.AppendUint32(data, math.Float32bits(v))
				}
				var b bytes.Buffer
				if err := Write(&b, []Entry{{Name: "w", DType: F32, Shape: []int{n}, Data: data}}, nil); err != nil {
					t.Fatal(err)
				}
				f, err := Parse("x", b.Bytes())
				if err != nil {
					t.Fatal(err)
				}
				w, _ := f.Lookup("w")
				if err := w.CheckFinite(); !errors.Is(err, ErrNotFinite) || !strings.Contains(err.Error(), fmt.Sprintf("element %d ", at)) {
					t.Fatalf("%g at %d of %d: %v", bad, at, n, err)
				}
			}
		}
	}
}

func shards(t *testing.T) fstest.MapFS {
	t.Helper()
	entries, _ := sample()
	part := func(e []Entry) *fstest.MapFile {
		var b bytes.Buffer
		if err := Write(&b, e, nil); err != nil {
			t.Fatal(err)
		}
		return &fstest.MapFile{Data: b.Bytes()}
	}
	index := map[string]string{}
	for i, e := range entries {
		index[e.Name] = fmt.Sprintf("model-%d.safetensors", i/4)
	}
	text, err := json.Marshal(map[string]any{"metadata": map[string]any{"total_size": 1}, "weight_map": index})
	if err != nil {
		t.Fatal(err)
	}
	return fstest.MapFS{
		"model.safetensors.index.json": {Data: text},
		"model-0.safetensors":          part(entries[:4]),
		"model-1.safetensors":          part(entries[4:]),
	}
}

func TestOpenCheckpointSharded(t *testing.T) {
	f, err := OpenCheckpoint(shards(t))
	if err != nil {
		t.Fatal(err)
	}
	entries, _ := sample()
	for _, e := range entries {
		if got, ok := f.Lookup(e.Name); !ok || !bytes.Equal(got.Data(), e.Data) {
			t.Errorf("tensor %q: %+v", e.Name, got)
		}
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
}

func TestOpenCheckpointRefuses(t *testing.T) {
	if _, err := OpenCheckpoint(fstest.MapFS{}); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "model.safetensors") {
		t.Errorf("no files: %v", err)
	}
	for _, name := range []string{"../../etc/passwd", "/etc/passwd", `..\x`, "C:x", "sub/x", ".", ""} {
		fsys := shards(t)
		text, _ := json.Marshal(map[string]any{"weight_map": map[string]string{"f32": name}})
		fsys["model.safetensors.index.json"] = &fstest.MapFile{Data: text}
		if _, err := OpenCheckpoint(fsys); !errors.Is(err, ErrIndex) || !strings.Contains(err.Error(), "f32") {
			t.Errorf("shard %q: %v", name, err)
		}
	}
	fsys := shards(t)
	delete(fsys, "model-1.safetensors")
	if _, err := OpenCheckpoint(fsys); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "model-1.safetensors") {
		t.Errorf("a shard missing: %v", err)
	}
	fsys = shards(t)
	fsys["model-1.safetensors"] = fsys["model-0.safetensors"]
	if _, err := OpenCheckpoint(fsys); !errors.Is(err, ErrIndex) {
		t.Errorf("the same shard twice: %v", err)
	}
	for _, text := range []string{"", "[]", "{}", `{"weight_map":[]}`, `{"weight_map":{"a":1}}`, `{"weight_map":{"a":"x","a":"y"}}`} {
		fsys["model.safetensors.index.json"] = &fstest.MapFile{Data: []byte(text)}
		if _, err := OpenCheckpoint(fsys); !errors.Is(err, ErrIndex) {
			t.Errorf("index %q: %v", text, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	entries, _ := sample()
	var b bytes.Buffer
	if err := Write(&b, entries, map[string]string{"format": "pt"}); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add(file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, 4))
	f.Add(file(`{"a":{"dtype":"F4","shape":[2],"data_offsets":[0,1]}} `, 1))
	f.Add(file(`{"__metadata__":{"a":"b"}}`, 0))
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := Parse("fuzz", data)
		if err != nil {
			return
		}
		var bytesOfAll int
		var again []Entry
		for _, name := range file.Names() {
			tensor, _ := file.Lookup(name)
			bytesOfAll += len(tensor.Data())
			if bits := tensor.Elements() * tensor.DType.Bits(); bits != 8*len(tensor.Data()) {
				t.Fatalf("tensor %q: %d elements of %s in %d bytes", name, tensor.Elements(), tensor.DType, len(tensor.Data()))
			}
			tensor.CheckFinite()
			tensor.Float32s()
			again = append(again, Entry{Name: name, DType: tensor.DType, Shape: tensor.Shape, Data: tensor.Data()})
		}
		if header := binary.LittleEndian.Uint64(data); uint64(bytesOfAll)+header+8 != uint64(len(data)) {
			t.Fatalf("tensors have %d bytes of %d after a header of %d", bytesOfAll, len(data), header)
		}
		var b bytes.Buffer
		if err := Write(&b, again, file.Metadata()); err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		second, err := Parse("again", b.Bytes())
		if err != nil || !slices.Equal(second.Names(), file.Names()) {
			t.Fatalf("read again: %v", err)
		}
	})
}

func FuzzIndex(f *testing.F) {
	f.Add([]byte(`{"weight_map":{"a":"x.safetensors"}}`))
	f.Add([]byte(`{"metadata":{"total_size":1},"weight_map":{"a":"../x"}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		shardOf, err := parseIndex(text)
		for tensor, shard := range shardOf {
			if err == nil && filepath.Base(shard) != shard {
				t.Errorf("tensor %q in shard %q", tensor, shard)
			}
		}
	})
}
