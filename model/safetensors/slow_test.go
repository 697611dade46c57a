package safetensors

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/big"
	"regexp"
	"slices"
	"unicode/utf8"
)

// slowTensor is a tensor as slowParse finds it.
type slowTensor struct {
	name       string
	dtype      string
	shape      []int
	begin, end int // bytes of the data section
}

// slowParse reads a file as the format's description has it, with encoding/json and
// integers of any size, and without a thought to speed or to what an error says. It
// knows nothing of the caps, of half surrogate pairs, and of depths over 127.
func slowParse(file []byte) (tensors []slowTensor, metadata map[string]string, err error) {
	if len(file) < 8 {
		return nil, nil, errors.New("short")
	}
	n := binary.LittleEndian.Uint64(file)
	if n > 100_000_000 || n > uint64(len(file)-8) {
		return nil, nil, errors.New("length")
	}
	header, section := file[8:8+n], file[8+n:]
	if !utf8.Valid(header) {
		return nil, nil, errors.New("not UTF-8")
	}
	members, err := slowObject(header)
	if err != nil {
		return nil, nil, err
	}
	seen := map[string]bool{}
	for _, m := range members {
		if seen[m.key] {
			return nil, nil, errors.New("duplicate")
		}
		seen[m.key] = true
		if m.key == "__metadata__" {
			if metadata, err = slowMetadata(m.value); err != nil {
				return nil, nil, err
			}
			continue
		}
		t, err := slowInfo(m.value)
		if err != nil {
			return nil, nil, err
		}
		t.name = m.key
		tensors = append(tensors, t)
	}
	slices.SortFunc(tensors, func(a, b slowTensor) int {
		return cmp.Or(cmp.Compare(a.begin, b.begin), cmp.Compare(a.end, b.end), cmp.Compare(a.name, b.name))
	})
	at := 0
	for _, t := range tensors {
		if t.begin != at {
			return nil, nil, errors.New("gap or overlap")
		}
		at = t.end
	}
	if at != len(section) {
		return nil, nil, errors.New("not filled")
	}
	return tensors, metadata, nil
}

type slowMember struct {
	key   string
	value json.RawMessage
}

// slowObject reads an object, its members in order, equal keys and all.
func slowObject(text []byte) (members []slowMember, err error) {
	d := json.NewDecoder(bytes.NewReader(text))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return nil, fmt.Errorf("no object: %v", err)
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, err
		}
		m := slowMember{key: key.(string)}
		if err := d.Decode(&m.value); err != nil {
			return nil, err
		}
		members = append(members, m)
	}
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("text after the end")
	}
	return members, nil
}

func slowMetadata(text []byte) (map[string]string, error) {
	if string(text) == "null" {
		return nil, nil
	}
	members, err := slowObject(text)
	if err != nil {
		return nil, err
	}
	metadata := map[string]string{}
	for _, m := range members {
		var value *string
		if err := json.Unmarshal(m.value, &value); err != nil || value == nil {
			return nil, errors.New("no string")
		}
		if _, ok := metadata[m.key]; ok {
			return nil, errors.New("duplicate")
		}
		metadata[m.key] = *value
	}
	return metadata, nil
}

// slowBits are the sizes of the dtypes in bits.
var slowBits = map[string]int64{
	"F4": 4, "F6_E2M3": 6, "F6_E3M2": 6, "BOOL": 8, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8,
	"I16": 16, "U16": 16, "F16": 16, "BF16": 16, "I32": 32, "U32": 32, "F32": 32, "C64": 64, "F64": 64, "I64": 64, "U64": 64,
}

func slowInfo(text []byte) (t slowTensor, err error) {
	members, err := slowObject(text)
	if err != nil {
		return t, err
	}
	var shape, offsets []*big.Int
	count := map[string]int{}
	for _, m := range members {
		count[m.key]++
		switch m.key {
		case "dtype":
			err = json.Unmarshal(m.value, &t.dtype)
		case "shape":
			shape, err = slowNaturals(m.value)
		case "data_offsets":
			offsets, err = slowNaturals(m.value)
		}
		if err != nil {
			return t, err
		}
	}
	bits := big.NewInt(slowBits[t.dtype])
	if count["dtype"] != 1 || count["shape"] != 1 || count["data_offsets"] != 1 || bits.Sign() == 0 || len(offsets) != 2 || len(shape) > 64 {
		return t, errors.New("fields")
	}
	most := new(big.Int).SetUint64(math.MaxUint64)
	elements := big.NewInt(1)
	for _, n := range shape {
		// Each dimension and each product of the first ones, even where a later one is 0.
		if elements.Mul(elements, n); elements.Cmp(most) > 0 || n.Cmp(big.NewInt(math.MaxInt)) > 0 {
			return t, errors.New("overflow")
		}
		t.shape = append(t.shape, int(n.Int64()))
	}
	size := bits.Mul(bits, elements)
	if size.Cmp(most) > 0 || elements.Cmp(big.NewInt(math.MaxInt)) > 0 {
		return t, errors.New("overflow")
	}
	size, rest := size.DivMod(size, big.NewInt(8), new(big.Int))
	if rest.Sign() != 0 || new(big.Int).Sub(offsets[1], offsets[0]).Cmp(size) != 0 {
		return t, errors.New("size")
	}
	if offsets[1].Cmp(big.NewInt(math.MaxInt)) > 0 {
		return t, errors.New("past any file's end")
	}
	t.begin, t.end = int(offsets[0].Int64()), int(offsets[1].Int64())
	return t, nil
}

var slowDigits = regexp.MustCompile(`^[0-9]+$`)

func slowNaturals(text []byte) ([]*big.Int, error) {
	var list []json.RawMessage
	if err := json.Unmarshal(text, &list); err != nil || list == nil {
		return nil, fmt.Errorf("no array: %v", err)
	}
	numbers := []*big.Int{}
	for _, text := range list {
		n, ok := new(big.Int).SetString(string(text), 10)
		if !ok || !slowDigits.Match(text) || n.BitLen() > 64 {
			return nil, errors.New("no natural number")
		}
		numbers = append(numbers, n)
	}
	return numbers, nil
}
