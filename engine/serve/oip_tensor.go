package serve

import (
	"encoding/binary"
	"math"
	"slices"
	"unicode/utf8"
)

// The extension "binary tensor data": the JSON says how many bytes each tensor has, and these
// follow the JSON, whose own length is in a header.
const (
	oipPrefix = "Inference-Header-Content-Length"
	oipBinary = "application/octet-stream"
)

// oipInputs reads the input tensors, all of which are texts, by name.
func oipInputs(b *body) map[string][]string {
	all := map[string][]string{}
	v, ok := b.required("inputs")
	if !ok {
		return all
	}
	rest := b.rest
	v.each("an array of inputs", func(e value) {
		in := e.object()
		name := in.text("name")
		if !slices.Contains(oipNames, name) {
			in.fail(about("name", badValue, "no input %.80q, want %s", name, oneOf(oipNames)))
		}
		in.choice("datatype", oipBytes)
		want, size := oipSize(in), -1
		if p, ok := in.field("parameters"); ok {
			inner := p.object()
			size = inner.count("binary_data_size", 0, -1)
			in.fail(inner.failed)
		}
		var texts []string
		switch {
		case in.failed != nil:
		case size < 0:
			if data, ok := in.required("data"); ok {
				texts = oipFlat(data, nil, 1)
			}
		case size > len(rest):
			in.fail(about("binary_data_size", badValue, "input %q: binary_data_size: %d, and the body has %d bytes more", name, size, len(rest)))
		default:
			texts = oipUnpack(in, name, rest[:size])
			rest = rest[size:]
		}
		if _, twice := all[name]; twice {
			in.fail(about("inputs", badValue, "input %q is there twice", name))
		}
		if len(texts) != want {
			in.fail(about("shape", badValue, "input %q: the shape has %d elements, and there are %d", name, want, len(texts)))
		}
		b.fail(in.failed)
		all[name] = texts
	})
	if len(rest) > 0 {
		b.fail(failed(badValue, "%d bytes follow the inputs' own", len(rest)))
	}
	return all
}

// oipSize is how many elements an input's shape has.
func oipSize(in *body) int {
	shape, ok := in.required("shape")
	if !ok {
		return 0
	}
	n := 1
	shape.each("an array of whole numbers", func(d value) {
		size := d.integer()
		if size < 0 || size > in.items || n*size > in.items {
			in.fail(about("shape", tooManyItems, "shape: %d is negative, or more than %d elements, the limit of --max-items", size, in.items))
			return
		}
		n *= size
	})
	return n
}

// oipDeepest is how deep the arrays of a tensor may be nested: each level is read once more, and texts
// have a dimension or two.
const oipDeepest = 8

// oipFlat appends the strings of an array, which is so deep, and of the arrays in it.
func oipFlat(v value, texts []string, deep int) []string {
	v.each("an array of strings", func(e value) {
		if e.is('[') && deep == oipDeepest {
			e.b.fail(about("data", badValue, "data has more than %d arrays in each other", oipDeepest))
		} else if e.is('[') {
			texts = oipFlat(e, texts, deep+1)
		} else if texts = append(texts, e.text()); len(texts) > v.b.items {
			e.b.fail(about("data", tooManyItems, "data has more than %d elements, the limit of --max-items", v.b.items))
		}
	})
	return texts
}

// oipUnpack reads texts that each follow their length, in four bytes, the least first.
func oipUnpack(in *body, name string, data []byte) (texts []string) {
	const head = 4
	for len(data) > 0 && len(texts) <= in.items {
		if len(data) < head {
			in.fail(about("inputs", badValue, "input %q: the data ends within a length", name))
			return nil
		}
		n := uint64(binary.LittleEndian.Uint32(data))
		if data = data[head:]; n > uint64(len(data)) {
			in.fail(about("inputs", badValue, "input %q: element %d has %d bytes, and the data ends before", name, len(texts), n))
			return nil
		}
		if !utf8.Valid(data[:n]) {
			in.fail(about("inputs", badValue, "input %q: element %d is not UTF-8", name, len(texts)))
			return nil
		}
		texts = append(texts, string(data[:n]))
		data = data[n:]
	}
	return texts
}

// oipFloats are the values' bytes, the least first.
func oipFloats(values []float32) []byte {
	bytes := make([]byte, 0, 4*len(values))
	for _, v := range values {
		bytes = binary.LittleEndian.AppendUint32(bytes, math.Float32bits(v))
	}
	return bytes
}
