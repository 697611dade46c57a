package safetensors

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"
)

// longestFuzzed bounds the inputs that are looked at, in bytes: room for three tensors.
// go test makes each input that reaches something new smaller by trying all of its parts,
// quadratically many: of some kilobytes that takes the minute that it may, for each.
const longestFuzzed = 200

// Whatever is accepted has tensors that tile the data section, those that slowParse
// finds, and comes back the same after it was written. What is refused, slowParse
// refuses.
func FuzzParse(f *testing.F) {
	for _, header := range []string{
		`{}`, " \n{}\t ", `{"__metadata__":{"a":"b"}}`, `{"__metadata__":null}`, `{"":` + f32(1, 0, 4) + `}`,
		`{"a":` + f32(1, 0, 4) + `}`, `{"b":` + f32(0, 4, 4) + `,"a":` + f32(1, 0, 4) + `}`,
		`{"a":` + f32(1, 0, 4) + `,"a":` + f32(0, 4, 4) + `}`, `{"__metadata__":{"a":"\u0062","a":""}}`,
		`{"a":{"dtype":"F4","shape":[2,4],"data_offsets":[0,4]}}`,
		`{"a":{"dtype":"F16","shape":[],"data_offsets":[0,2]},"b":{"dtype":"I16","shape":[1],"data_offsets":[2,4]}}`,
		`{"a":{"dtype":"F32","shape":[2,18446744073709551614],"data_offsets":[0,4]}}`,
		`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":[[[{}]]]}}`,
		`{"\ud800":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}`,
	} {
		f.Add([]byte(header), int8(0), uint8(4))
		f.Add([]byte(header), int8(0), uint8(0))
	}
	f.Add([]byte(`{} `), int8(-1), uint8(1))
	f.Fuzz(func(t *testing.T, header []byte, more int8, data uint8) {
		if len(header) > longestFuzzed {
			return
		}
		file := binary.LittleEndian.AppendUint64(nil, uint64(len(header)+int(more)))
		file = append(file, header...)
		for i := range data {
			file = append(file, i)
		}
		fuzzParse(t, file)
	})
}

func fuzzParse(t *testing.T, data []byte) {
	first, err := Parse("fuzz", data)
	slow, metadata, slowErr := slowParse(data)
	if err != nil {
		if message := err.Error(); !strings.HasPrefix(message, "safetensors: fuzz: ") || len(message) > 5000 {
			t.Fatalf("error %q", message)
		}
		stricter := strings.Contains(err.Error(), "surrogate") || strings.Contains(err.Error(), "in each other")
		if slowErr == nil && !stricter {
			t.Fatalf("refused with %v, but the slow loader finds %v", err, slow)
		}
		return
	}
	if slowErr != nil {
		t.Fatalf("accepted, but the slow loader says %v", slowErr)
	}
	if len(slow) != len(first.names) || !maps.Equal(metadata, first.metadata) {
		t.Fatalf("tensors %q, metadata %q, want %v, %q", first.names, first.metadata, slow, metadata)
	}
	section := data[8+binary.LittleEndian.Uint64(data):]
	for _, want := range slow {
		got, ok := first.Lookup(want.name)
		if !ok || string(got.DType) != want.dtype || !slices.Equal(got.Shape, want.shape) || !bytes.Equal(got.Data(), section[want.begin:want.end]) {
			t.Fatalf("tensor %+v, want %+v", got, want)
		}
	}
	tensors := slices.SortedFunc(maps.Values(first.tensors), func(a, b *Tensor) int {
		return cmp.Or(cmp.Compare(a.Offset, b.Offset), cmp.Compare(len(a.data), len(b.data)))
	})
	var entries []Entry
	at := 8 + int64(binary.LittleEndian.Uint64(data))
	for _, tensor := range tensors {
		raw := tensor.Data()
		if tensor.Offset != at || !bytes.Equal(raw, data[at:at+int64(len(raw))]) {
			t.Fatalf("tensor %q is at %d, want %d", tensor.Name, tensor.Offset, at)
		}
		at += int64(len(raw))
		if bits := tensor.Elements() * tensor.DType.Bits(); bits != 8*len(raw) {
			t.Fatalf("tensor %q: %d elements of %s in %d bytes", tensor.Name, tensor.Elements(), tensor.DType, len(raw))
		}
		if values, err := tensor.Float32s(); err == nil && len(values) != tensor.Elements() {
			t.Fatalf("tensor %q: %d values of %d", tensor.Name, len(values), tensor.Elements())
		}
		_ = tensor.CheckFinite() // must not panic
		entries = append(entries, Entry{Name: tensor.Name, DType: tensor.DType, Shape: tensor.Shape, Data: raw})
	}
	if at != int64(len(data)) {
		t.Fatalf("tensors end at %d of %d", at, len(data))
	}

	text, err := encode(Layout{}, entries, first.Metadata())
	if err != nil {
		t.Fatalf("what was read cannot be written: %v", err)
	}
	second, err := Parse("again", text)
	if err != nil {
		t.Fatalf("what was written cannot be read: %v", err)
	}
	if !slices.Equal(first.Names(), second.Names()) || !maps.Equal(first.Metadata(), second.Metadata()) {
		t.Fatalf("names %q, metadata %q; were %q, %q", second.Names(), second.Metadata(), first.Names(), first.Metadata())
	}
	for name, a := range first.tensors {
		if b := second.tensors[name]; a.DType != b.DType || !slices.Equal(a.Shape, b.Shape) || !bytes.Equal(a.Data(), b.Data()) {
			t.Fatalf("tensor %q is %+v, was %+v", name, b, a)
		}
	}
}

// Whatever an index says, its shards are files beside it.
func FuzzIndex(f *testing.F) {
	for _, text := range []string{
		`{"weight_map":{"a":"x.safetensors"}}`, `{"metadata":{"total_size":1},"weight_map":{"a":"x","b":"y"}}`,
		`{"weight_map":{"a":"../x"}}`, `{"weight_map":{"a":"/x"}}`, `{"weight_map":{"a":"\\x"}}`, `{"weight_map":{"a":"x\u0000"}}`,
		`{"weight_map":{}}`, `{"weight_map":[]}`, `{}`, `[]`, `{"x":[[[[`, `{"weight_map":{"a":"x","a":"y"}}`, lfsPointer,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) > longestFuzzed {
			return
		}
		shardOf, err := parseIndex(text)
		if (err == nil) != (len(shardOf) > 0) {
			t.Fatalf("%d tensors and %v", len(shardOf), err)
		}
		for tensor, shard := range shardOf {
			if !fs.ValidPath(shard) || shard == "." || strings.ContainsAny(shard, "/\\:") {
				t.Errorf("tensor %q in shard %q", tensor, shard)
			}
		}
	})
}
