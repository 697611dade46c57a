package synth

import (
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// DType is the type of the weights in model.safetensors.
type DType string

const (
	F32  DType = "F32"
	F16  DType = "F16"
	BF16 DType = "BF16"
)

func (d DType) bytes() int {
	if d == F32 {
		return 4
	}
	return 2
}

// Layout says how model.safetensors is laid out.
type Layout int

const (
	// Plain is what today's libraries write: only the parameters, in a file whose data
	// section is aligned to 8 bytes.
	Plain Layout = iota
	// Published is the layout of the published model.safetensors of
	// ms-marco-MiniLM-L-6-v2, byte for byte at its shape: position_ids is
	// there, as I64 and first, since the Rust library sorts by the dtype's size
	// before the name; and the header is followed by as many spaces as it is
	// long modulo 8, which is how safetensors 0.3.0 aligned by mistake
	// (safetensors pull request 235). The data section starts at byte 12,098.
	Published
)

// positionIDs is a tensor's name after the checkpoint's prefix.
const positionIDs = "embeddings.position_ids"

// file is a model.safetensors whose length is known and whose contents are not yet made.
type file struct {
	seed    uint64
	dtype   DType
	tensors []tensor
	ids     int    // entries of position_ids, 0 without it
	header  []byte // including its length
}

// newFile lays out the file of a resolved checkpoint.
func newFile(c Checkpoint) *file {
	f := &file{seed: c.Seed, dtype: c.DType, tensors: c.tensors()}
	if c.Layout == Published {
		f.ids = c.Shape.Positions
	}
	var h strings.Builder
	h.WriteString(`{"__metadata__":{"format":"pt"}`)
	offset := 0
	entry := func(name, dtype string, shape []int, bytes int) {
		fmt.Fprintf(&h, `,%q:{"dtype":%q,"shape":%s,"data_offsets":[%d,%d]}`,
			name, dtype, strings.ReplaceAll(fmt.Sprint(shape), " ", ","), offset, offset+bytes)
		offset += bytes
	}
	if f.ids > 0 {
		entry(c.prefix()+positionIDs, "I64", []int{1, f.ids}, 8*f.ids)
	}
	for i := range f.tensors {
		t := &f.tensors[i]
		entry(t.name, string(c.DType), t.shape, t.elements()*c.DType.bytes())
	}
	h.WriteByte('}')
	spaces := (8 - h.Len()%8) % 8
	if c.Layout == Published {
		spaces = h.Len() % 8
	}
	h.WriteString(strings.Repeat(" ", spaces))

	f.header = binary.LittleEndian.AppendUint64(nil, uint64(h.Len()))
	f.header = append(f.header, h.String()...)
	return f
}

// size is the file's length in bytes.
func (f *file) size() int {
	n := len(f.header) + 8*f.ids
	for i := range f.tensors {
		n += f.tensors[i].elements() * f.dtype.bytes()
	}
	return n
}

// bytes makes the file.
func (f *file) bytes() []byte {
	out := make([]byte, f.size())
	offset := copy(out, f.header)
	for id := range f.ids {
		binary.LittleEndian.PutUint64(out[offset:], uint64(id))
		offset += 8
	}
	starts := make([]int, len(f.tensors))
	for i := range f.tensors {
		starts[i] = offset
		offset += f.tensors[i].elements() * f.dtype.bytes()
	}
	fillAll(f.seed, f.tensors, func(t, row int, values []float32) {
		bytes := f.dtype.bytes() * len(values)
		f.dtype.encode(out[starts[t]+row*bytes:][:bytes], values)
	})
	return out
}

// encode writes values to dst, rounded to the nearest and to even.
func (d DType) encode(dst []byte, values []float32) {
	for i, v := range values {
		b := math.Float32bits(v)
		switch d {
		case F32:
			binary.LittleEndian.PutUint32(dst[4*i:], b)
		case BF16:
			binary.LittleEndian.PutUint16(dst[2*i:], uint16((b+0x7fff+b>>16&1)>>16))
		case F16:
			binary.LittleEndian.PutUint16(dst[2*i:], float16(v))
		}
	}
}

// float16 rounds v, whose size must be under 65,504, to IEEE 754 binary16.
func float16(v float32) uint16 {
	b := math.Float32bits(v)
	sign, magnitude := uint16(b>>16&0x8000), b&0x7fffffff
	if magnitude < 0x38800000 { // under 2^-14: a multiple of 2^-24
		// Adding 1/2 leaves a float32 whose last bit is worth 2^-24.
		return sign | uint16(math.Float32bits(math.Float32frombits(magnitude)+0.5)-0x3f000000)
	}
	magnitude -= (127 - 15) << 23
	return sign | uint16((magnitude+0xfff+magnitude>>13&1)>>13)
}

// ParseDType reads "f32", "f16" or "bf16", in any case.
func ParseDType(s string) (DType, error) {
	switch d := DType(strings.ToUpper(s)); d {
	case F32, F16, BF16:
		return d, nil
	}
	return "", fmt.Errorf("synth: dtype %s, want f32, f16 or bf16", strconv.Quote(s))
}
