package pickle

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"strings"
)

// Pickles are written here opcode by opcode, as no library would.

func pGlobal(module, name string) string { return "c" + module + "\n" + name + "\n" }

func pText(s string) string {
	return "X" + string(binary.LittleEndian.AppendUint32(nil, uint32(len(s)))) + s
}

// pInt is an int of any size, as LONG1.
func pInt(n int64) string {
	return "\x8a\x08" + string(binary.LittleEndian.AppendUint64(nil, uint64(n)))
}

func pTuple(items ...string) string { return "(" + strings.Join(items, "") + "t" }

func pInts(n ...int64) string {
	var items []string
	for _, n := range n {
		items = append(items, pInt(n))
	}
	return pTuple(items...)
}

// pStorage is a storage of a zip file; more is what the legacy format has beyond.
func pStorage(class, key string, elements int64, more ...string) string {
	id := []string{pText("storage"), pGlobal("torch", class), pText(key), pText("cpu"), pInt(elements)}
	return pTuple(append(id, more...)...) + "Q"
}

const pHooks = "ccollections\nOrderedDict\n)R"

// pTensor is a tensor over a storage.
func pTensor(storage string, offset int64, sizes, strides string) string {
	return pGlobal("torch._utils", "_rebuild_tensor_v2") + pTuple(storage, pInt(offset), sizes, strides, "\x89", pHooks) + "R"
}

// pDict is a whole pickle, of a dict of names and values in turns.
func pDict(items ...string) string {
	out := "\x80\x02}("
	for i := 0; i < len(items); i += 2 {
		out += pText(items[i]) + items[i+1]
	}
	return out + "u."
}

// tensors is a pickle of scalars with those names, all of one storage.
func tensors(names ...string) string {
	var items []string
	for _, name := range names {
		items = append(items, name, pTensor(pStorage("FloatStorage", "0", 1), 0, ")", ")"))
	}
	return pDict(items...)
}

// content is a storage of n bytes.
func content(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(7*i + 1)
	}
	return string(b)
}

// zipOf is a zip file with that pickle, a storage "0" of four bytes and more entries: names
// and contents in turns. One named as another is there twice.
func zipOf(pickled string, more ...string) []byte {
	return pack(zip.Store, append([]string{"archive/data.pkl", pickled, "archive/data/0", content(4)}, more...)...)
}

// pack is a zip file of names and contents in turns.
func pack(method uint16, entries ...string) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := 0; i < len(entries); i += 2 {
		f, err := w.CreateHeader(&zip.FileHeader{Name: entries[i], Method: method})
		if err == nil {
			_, err = f.Write([]byte(entries[i+1]))
		}
		if err != nil {
			panic(err) // memory has place
		}
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}

const legacyHead = "\x80\x02\x8a\x0a" + string(legacyMagic) + ".\x80\x02M\xe9\x03.\x80\x02}."

// legacyOf is a legacy file: the dict's pickle, that of the keys, and the storages.
func legacyOf(pickled, keys string, storages ...string) []byte {
	return []byte(legacyHead + pickled + keys + strings.Join(storages, ""))
}

// pKeys is the pickle of the storages' keys.
func pKeys(keys ...string) string {
	out := "\x80\x02]("
	for _, key := range keys {
		out += pText(key)
	}
	return out + "e."
}

// lStorage is a storage of a legacy file.
func lStorage(elements int64, data string) string {
	return string(binary.LittleEndian.AppendUint64(nil, uint64(elements))) + data
}
