package pickle

import (
	"archive/zip"
	"bytes"
	"errors"
	"strings"
	"testing"
)

// longestFuzzed bounds the inputs that are looked at, in bytes: room for two tensors. go test
// makes each input that reaches something new smaller by trying all of its parts,
// quadratically many.
const longestFuzzed = 300

// Whatever a pickle says, it is refused with an error that says what is wrong, or gives
// tensors of the bytes that their shape and strides choose from the storage.
func FuzzPickle(f *testing.F) {
	short := func(class string, offset byte, sizes, strides string) string {
		return "ctorch._utils\n_rebuild_tensor_v2\n((U\x07storagectorch\n" + class + "\nU\x010NK\x10tQK" + string(offset) + sizes + strides + "\x89NtR"
	}
	for _, seed := range []string{
		"}U\x01w" + short("ByteStorage", 3, "K\x02K\x03\x86", "K\x03K\x01\x86") + "s.",
		"}U\x01w" + short("ShortStorage", 1, "K\x02K\x03\x86", "K\x01K\x04\x86") + "s.",
		"}(U\x01a" + short("BoolStorage", 0, "K\x10\x85", "K\x01\x85") + "q\x00U\x01bh\x00u}b.",
		"ccollections\nOrderedDict\n](](U\x01a" + short("HalfStorage", 9, ")", ")") + "ee\x85R.",
		"}U\x01wctorch._utils\n_rebuild_parameter\n" + short("CharStorage", 0, "K\x00\x85", "K\x01\x85") + "\x88N\x87Rs.",
		"}U\x01wctorch._utils\n_rebuild_tensor_v3\n((U\x07storagectorch.storage\nUntypedStorage\nU\x010NK\x10tQK\x01K\x03\x85K\x02\x85\x88Nctorch\nuint16\ntRs.",
		"cposix\nsystem\nU\x02id\x85R.", "\x80\x02N.", "\x8a\x03abcG12345678X\x01\x00\x00\x00aJabcdr\x01\x00\x00\x00j\x01\x00\x00\x00.",
	} {
		if len(seed) > longestFuzzed/2 {
			f.Fatalf("a seed has %d bytes", len(seed))
		}
		f.Add([]byte(seed), false)
		f.Add([]byte(seed), true)
	}
	f.Fuzz(func(t *testing.T, pickled []byte, legacy bool) {
		if len(pickled) > longestFuzzed {
			return
		}
		// The same 16 elements at least are there for every class: 128 bytes.
		file := pack(zip.Store, "a/data.pkl", string(pickled), "a/data/0", content(16), "a/data/1", content(32), "a/data/2", content(64))
		if legacy {
			file = legacyOf(string(pickled), pKeys("0"), lStorage(16, content(128)))
		}
		tensors, err := read("fuzz", bytes.NewReader(file), int64(len(file)))
		if err != nil {
			checkRefusal(t, pickled, err)
			return
		}
		for _, tensor := range tensors {
			checkView(t, tensor.view)
		}
		checkInPlace(t, tensors, file)
	})
}

// checkRefusal holds an error to be one of ours, short, and without a wrong verb of fmt: a
// message that quotes the file may have what looks like one, if the file has it.
func checkRefusal(t *testing.T, file []byte, err error) {
	for _, known := range []error{ErrFormat, ErrGlobal, ErrNotWeights, ErrUnsupported, ErrLimit, ErrChecksum} {
		if message := err.Error(); errors.Is(err, known) && len(message) < 2000 && (!strings.Contains(message, "%!") || bytes.Contains(file, []byte("%!"))) {
			return
		}
	}
	t.Fatalf("error %q", err)
}

// checkView holds a view against its definition: the element at an index is where the index
// times the strides says.
func checkView(t *testing.T, v *view) {
	var got bytes.Buffer
	if err := v.write(&got); err != nil {
		t.Fatal(err)
	}
	width := v.dtype.Size()
	all := content(int(v.in.in.size))
	// Where each element begins: the first one, then with every index of every dimension.
	offsets := []int{int(v.first)}
	for i := range v.shape {
		var next []int
		for _, o := range offsets {
			for n := range v.shape[i] {
				next = append(next, o+n*int(v.strides[i])*width)
			}
		}
		offsets = next
	}
	var want []string
	for _, o := range offsets {
		want = append(want, all[o:o+width])
	}
	if text := strings.Join(want, ""); text != got.String() || int64(len(text)) != v.size {
		t.Fatalf("%+v: wrote %q, want %q", v, got.String(), text)
	}
}

// checkInPlace holds the tensors of a file that is opened in place to what is written of them.
// All are within what copies may take.
func checkInPlace(t *testing.T, tensors []tensor, file []byte) {
	t.Helper()
	all, err := ranges("fuzz", file)
	if err != nil || len(all) != len(tensors) {
		t.Fatalf("%d tensors, %v, want %d", len(all), err, len(tensors))
	}
	for i, r := range all {
		var want bytes.Buffer
		if err := tensors[i].view.write(&want); err != nil {
			t.Fatal(err)
		}
		got := r.Data
		if got == nil {
			got = file[r.Offset:][:want.Len()]
		}
		if r.Name != tensors[i].name || !bytes.Equal(got, want.Bytes()) {
			t.Fatalf("%s: %q, want %q", r.Name, got, want.Bytes())
		}
	}
}
