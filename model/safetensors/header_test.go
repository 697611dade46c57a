package safetensors

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// f32 is the header's entry of a vector of F32.
func f32(n, begin, end int) string {
	return fmt.Sprintf(`{"dtype":"F32","shape":[%d],"data_offsets":[%d,%d]}`, n, begin, end)
}

func TestParseRefuses(t *testing.T) {
	const max = "18446744073709551615" // 2^64 - 1
	deep := strings.Repeat("[", 100_000)
	long := strings.Repeat("n", 100_000)
	json := ErrInvalidHeaderDeserialization
	for _, c := range []struct {
		name string
		data []byte
		is   error
		want string // the message after the file's name
	}{
		{"empty", nil, ErrHeaderTooSmall, `header too small: the file has 0 bytes, want at least 8`},
		{"7 bytes", make([]byte, 7), ErrHeaderTooSmall, `header too small: the file has 7 bytes, want at least 8`},
		{"length 2^64-1", bytes.Repeat([]byte{255}, 20), ErrHeaderTooLarge, `header too large: ` + max + ` bytes, at most 100000000 are allowed`},
		{"length over 100 MB", []byte("\x01\xe1\xf5\x05\x00\x00\x00\x00{}"), ErrHeaderTooLarge, `header too large: 100000001 bytes, at most 100000000 are allowed`},
		{"length 100 MB", []byte("\x00\xe1\xf5\x05\x00\x00\x00\x00{}"), ErrInvalidHeaderLength, `invalid header length: 100000000 bytes after the first 8, but the file has 10`},
		{"length past the file", file("{}", 0)[:9], ErrInvalidHeaderLength, `invalid header length: 2 bytes after the first 8, but the file has 9`},
		{"length 0", make([]byte, 8), json, `invalid header: byte 0: unexpected EOF`},
		{"git-lfs pointer", []byte(lfsPointer), ErrGitLFS, `a git-lfs pointer, not the file itself: run git lfs pull`},

		{"not UTF-8", file("{\"\xff\":1}", 0), ErrInvalidHeader, `header is not UTF-8`},
		{"an array", file("[]", 0), json, `invalid header: byte 1: [, want an object`},
		{"a number", file("1", 0), json, `invalid header: byte 1: number 1, want an object`},
		{"null", file("null", 0), json, `invalid header: byte 4: null, want an object`},
		{"cut", file(`{"a":`, 0), json, `invalid header: "a": byte 5: unexpected EOF`},
		{"closed wrongly", file(`{]`, 0), json, `invalid header: byte 1: invalid character ']'`},
		{"byte order mark", file("\ufeff{}", 0), json, `invalid header: byte 0: invalid character '\ufeff'`},
		{"text after", file(`{} {}`, 0), json, `invalid header: byte 3: text after the end`},
		{"deep", file(`{"a":`+deep, 0), json, `invalid header: "a": byte 6: [, want an object`},
		{"deep in an unknown field", file(`{"a":{"x":`+deep, 0), json, `invalid header: "a": "x": byte 136: more than 127 objects and arrays in each other`},
		{"metadata not strings", file(`{"__metadata__":{"a":1}}`, 0), json, `invalid header: "__metadata__": "a": byte 22: number 1, want a string`},
		{"metadata twice", file(`{"__metadata__":{},"__metadata__":{}}`, 0), json, `invalid header: "__metadata__": byte 34: duplicate key`},
		{"metadata key twice", file(`{"__metadata__":{"k":"1","k":"2"}}`, 0), json, `invalid header: "__metadata__": "k": byte 29: duplicate key`},
		{"tensor twice", file(`{"a":`+f32(1, 0, 4)+`,"a":`+f32(1, 4, 8)+`}`, 8), json, `invalid header: "a": byte 58: duplicate key`},
		{"tensor twice by escape", file(`{"a":`+f32(1, 0, 4)+`,"\u0061":`+f32(1, 4, 8)+`}`, 8), json, `invalid header: "a": byte 63: duplicate key`},

		{"half a surrogate pair", file(`{"a":{"x":"\ud800","dtype":"U8","shape":[0],"data_offsets":[0,0]}}`, 0), json, `invalid header: "a": "x": byte 17: the escape of half a surrogate pair`},
		{"too many tensors", many(maxTensors+1, 0), json, `invalid header: "t65536": byte 3790006: more than 65536 tensors`},
		{"too much metadata", many(1, maxMetadata+1), json, `invalid header: "__metadata__": "k4096": byte 43971: more than 4096 entries`},

		{"not an object", file(`{"a":3}`, 0), json, `invalid header: "a": byte 6: number 3, want an object`},
		{"no dtype", file(`{"a":{"shape":[1],"data_offsets":[0,4]}}`, 4), json, `invalid header: "a": byte 39: no dtype`},
		{"no shape", file(`{"a":{"dtype":"F32","data_offsets":[0,4]}}`, 4), json, `invalid header: "a": byte 41: no shape`},
		{"no offsets", file(`{"a":{"dtype":"F32","shape":[1]}}`, 4), json, `invalid header: "a": byte 32: no data_offsets`},
		{"field twice", file(`{"a":{"dtype":"F32","dtype":"F16","shape":[1],"data_offsets":[0,4]}}`, 4), json, `invalid header: "a": "dtype": byte 28: duplicate key`},
		{"field in capitals", file(`{"a":{"DType":"F32","shape":[1],"data_offsets":[0,4]}}`, 4), json, `invalid header: "a": byte 53: no dtype`},
		{"unknown dtype", file(`{"a":{"dtype":"F33","shape":[1],"data_offsets":[0,4]}}`, 4), json, `invalid header: "a": "dtype": byte 19: unknown dtype "F33"`},
		{"empty dtype", file(`{"a":{"dtype":"","shape":[1],"data_offsets":[0,4]}}`, 4), json, `invalid header: "a": "dtype": byte 16: unknown dtype ""`},
		{"dtype in lower case", file(`{"a":{"dtype":"f32","shape":[1],"data_offsets":[0,4]}}`, 4), json, `invalid header: "a": "dtype": byte 19: unknown dtype "f32"`},
		{"long dtype", file(`{"a":{"dtype":"`+long+`"}}`, 4), json, `invalid header: "a": "dtype": byte 100016: unknown dtype "` + long[:128] + `"...`},
		{"long name", file(`{"`+long+`":{"dtype":"F32","shape":[1],"data_offsets":[0,0]}}`, 0), ErrTensorInvalidInfo, `tensor "` + long[:128] + `"...: shape and offsets disagree: F32 of shape [1] has 4 bytes, data_offsets [0, 0] 0`},
		{"negative dimension", file(`{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}`, 4), json, `invalid header: "a": "shape": byte 31: number -1, want an integer in [0, 2^64)`},
		{"dimension 2^64", file(`{"a":{"dtype":"F32","shape":[18446744073709551616],"data_offsets":[0,4]}}`, 4), json, `invalid header: "a": "shape": byte 49: number 18446744073709551616, want an integer in [0, 2^64)`},
		{"65 dimensions", file(`{"a":{"dtype":"F32","shape":[`+strings.Repeat("1,", 64)+`1],"data_offsets":[0,4]}}`, 4), json, `invalid header: "a": "shape": byte 158: more than 64 integers`},
		{"shape a number", file(`{"a":{"dtype":"F32","shape":1,"data_offsets":[0,4]}}`, 4), json, `invalid header: "a": "shape": byte 29: number 1, want an array`},
		{"float offset", file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0.0,4]}}`, 4), json, `invalid header: "a": "data_offsets": byte 51: number 0.0, want an integer in [0, 2^64)`},
		{"exponent offset", file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4e0]}}`, 4), json, `invalid header: "a": "data_offsets": byte 53: number 4e0, want an integer in [0, 2^64)`},
		{"negative offset", file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}}`, 4), json, `invalid header: "a": "data_offsets": byte 50: number -4, want an integer in [0, 2^64)`},
		{"string offset", file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":["0",4]}}`, 4), json, `invalid header: "a": "data_offsets": byte 51: string "0", want an integer`},
		{"one offset", file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}}`, 4), json, `invalid header: "a": "data_offsets": byte 50: 1 integers, want 2`},
		{"three offsets", file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}}`, 4), json, `invalid header: "a": "data_offsets": byte 53: more than 2 integers`},

		{"begin > end", file(`{"a":`+f32(1, 4, 0)+`}`, 4), ErrInvalidOffset, `tensor "a": invalid offset: data_offsets [4, 0] end before they begin`},
		{"all at the same place", file(`{"a":`+f32(1, 0, 4)+`,"b":`+f32(1, 0, 4)+`}`, 4), ErrInvalidOffset, `tensor "b": invalid offset: data_offsets [0, 4] overlap tensor "a", which ends at 4`},
		{"overlap", file(`{"b":`+f32(2, 4, 12)+`,"a":`+f32(2, 0, 8)+`}`, 12), ErrInvalidOffset, `tensor "b": invalid offset: data_offsets [4, 12] overlap tensor "a", which ends at 8`},
		{"empty inside another", file(`{"a":`+f32(2, 0, 8)+`,"b":`+f32(0, 4, 4)+`}`, 8), ErrInvalidOffset, `tensor "b": invalid offset: data_offsets [4, 4] overlap tensor "a", which ends at 8`},
		{"gap", file(`{"a":`+f32(1, 0, 4)+`,"b":`+f32(1, 8, 12)+`}`, 12), ErrInvalidOffset, `tensor "b": invalid offset: data_offsets [8, 12] leave a gap after byte 4`},
		{"gap at the start", file(`{"a":`+f32(1, 4, 8)+`}`, 8), ErrInvalidOffset, `tensor "a": invalid offset: data_offsets [4, 8] leave a gap after byte 0`},
		{"elements overflow", file(`{"a":{"dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,4]}}`, 4), ErrValidationOverflow, `tensor "a": shape overflows: U8 of shape [4294967296 4294967296]`},
		{"bits overflow", file(`{"a":{"dtype":"U8","shape":[4294967296,4294967295],"data_offsets":[0,4]}}`, 4), ErrValidationOverflow, `tensor "a": shape overflows: U8 of shape [4294967296 4294967295]`},
		{"empty but huge", file(`{"a":{"dtype":"U8","shape":[0,`+max+`],"data_offsets":[0,0]}}`, 0), ErrValidationOverflow, `tensor "a": shape overflows: U8 of shape [0 ` + max + `]`},
		{"half a byte", file(`{"a":{"dtype":"F4","shape":[3],"data_offsets":[0,1]}}`, 1), ErrMisalignedSlice, `tensor "a": shape ends inside a byte: F4 of shape [3]`},
		{"shape too large", file(`{"a":`+f32(2, 0, 4)+`}`, 4), ErrTensorInvalidInfo, `tensor "a": shape and offsets disagree: F32 of shape [2] has 8 bytes, data_offsets [0, 4] 4`},
		{"shape too small", file(`{"a":{"dtype":"BF16","shape":[],"data_offsets":[0,4]}}`, 4), ErrTensorInvalidInfo, `tensor "a": shape and offsets disagree: BF16 of shape [] has 2 bytes, data_offsets [0, 4] 4`},
		{"bytes left over", file(`{"a":`+f32(1, 0, 4)+`}`, 5), ErrMetadataIncompleteBuffer, `tensors do not fill the file: they end at byte 4 of the data section, which has 5`},
		{"bytes but no tensors", file(`{}`, 5), ErrMetadataIncompleteBuffer, `tensors do not fill the file: they end at byte 0 of the data section, which has 5`},
		{"past the end", file(`{"a":`+f32(1, 0, 4)+`,"b":`+f32(2, 4, 12)+`}`, 8), ErrMetadataIncompleteBuffer, `tensor "b": tensors do not fill the file: data_offsets [4, 12], but the data section has 8 bytes`},
		{"far past the end", file(`{"a":{"dtype":"U8","shape":[2305843009213693951],"data_offsets":[0,2305843009213693951]}}`, 0), ErrMetadataIncompleteBuffer, `tensor "a": tensors do not fill the file: data_offsets [0, 2305843009213693951], but the data section has 0 bytes`},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, err := Parse("bad.safetensors", c.data)
			if f != nil || !errors.Is(err, c.is) {
				t.Fatalf("error %v, want %v", err, c.is)
			}
			if want := "safetensors: bad.safetensors: " + c.want; err.Error() != want {
				t.Errorf("error\n%v, want\n%s", err, want)
			}
		})
	}
}

// many is a file of so many empty tensors and entries of metadata.
func many(tensors, metadata int) []byte {
	text := []byte(`{"__metadata__":{`)
	for i := range metadata {
		text = fmt.Appendf(text, `"k%d":"",`, i)
	}
	text = append(bytes.TrimSuffix(text, []byte(",")), '}')
	for i := range tensors {
		text = fmt.Appendf(text, `,"t%d":%s`, i, f32(0, 0, 0))
	}
	return file(string(text)+"}", 0)
}

const lfsPointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0123456789abcdef\nsize 90870598\n"

func TestParseAccepts(t *testing.T) {
	for name, data := range map[string][]byte{
		"no tensors":              file(`{}`, 0),
		"empty metadata":          file(`{"__metadata__":{}}`, 0),
		"null metadata":           file(`{"__metadata__":null}`, 0),
		"as many as there may be": many(maxTensors, maxMetadata),
		"unknown fields twice":    file(`{"a":{"x":1,"x":2,"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, 4),
		"a surrogate pair":        file(`{"\ud83d\ude00":`+f32(1, 0, 4)+`}`, 4),
		"127 deep":                file(`{"a":{"x":`+strings.Repeat("[", 125)+strings.Repeat("]", 125)+`,"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, 4),
		"any order of names":      file(`{"b":`+f32(1, 4, 8)+`,"a":`+f32(1, 0, 4)+`}`, 8),
		"an empty name":           file(`{"":`+f32(1, 0, 4)+`}`, 4),
		"unknown fields":          file(`{"a":{"x":[{"y":null}],"dtype":"F32","shape":[1],"data_offsets":[0,4],"z":1.5}}`, 4),
		"empty between others":    file(`{"a":`+f32(1, 0, 4)+`,"e":`+f32(0, 4, 4)+`,"f":`+f32(0, 4, 4)+`,"b":`+f32(1, 4, 8)+`}`, 8),
		"white space everywhere":  file(" \n{ \"a\" : "+f32(1, 0, 4)+"\t}\r\n ", 4),
		"64 dimensions":           file(`{"a":{"dtype":"F32","shape":[`+strings.Repeat("1,", 63)+`1],"data_offsets":[0,4]}}`, 4),
		"two F4 in a byte":        file(`{"a":{"dtype":"F4","shape":[2],"data_offsets":[0,1]}}`, 1),
		"four F6 in 3 bytes":      file(`{"a":{"dtype":"F6_E2M3","shape":[4],"data_offsets":[0,3]}}`, 3),
	} {
		if _, err := Parse("good.safetensors", data); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
