package pickle

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"path/filepath"
	"strings"
	"testing"
)

// hostileFile is a file that is refused, and a part of the error.
type hostileFile struct {
	name    string
	content func() []byte
	want    string
}

func repeated(n int, f func(i int) string) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(f(i))
	}
	return b.String()
}

// hostileFiles are files of a few bytes that would run something, that tell sizes nobody has,
// or that are wrong in other ways.
func hostileFiles() []hostileFile {
	const header, pkl = "\x80\x02", "archive/data.pkl: byte "
	system := pGlobal("posix", "system") + pText("id") + "\x85R"
	typed := pGlobal("torch._tensor", "_rebuild_from_type_v2")
	float := func(n int64) string { return pStorage("FloatStorage", "0", n) }
	one := func(sizes, strides string, offset int64) string {
		return pDict("w", pTensor(float(1), offset, sizes, strides))
	}
	keyed := func(key string, more ...string) string {
		return pTensor(pStorage("FloatStorage", key, 1, more...), 0, pInts(1), pInts(1))
	}
	inZip := func(pickled string, more ...string) func() []byte {
		return func() []byte { return zipOf(pickled, more...) }
	}
	just := func(s string) func() []byte { return func() []byte { return []byte(s) } }
	legacy := func(pickled, keys string, storages ...string) func() []byte {
		return func() []byte { return legacyOf(pickled, keys, storages...) }
	}
	four := content(4)
	return []hostileFile{
		// What would run.
		{"os.system", inZip(header + system + "."), pkl + `2: global "posix.system": weights need no such`},
		{"os.system as a tensor", inZip(pDict("w", system)), `: global "posix.system": weights need no such`},
		{"eval", inZip(header + pGlobal("__builtin__", "eval") + pText("1") + "\x85R."), `global "__builtin__.eval"`},
		{"os.system, legacy", legacy(pDict("w", system), pKeys()), `global "posix.system": weights need no such`},
		{"os.system for a magic number", just(header + system + "."), `byte 2: global "posix.system": weights need no such`},
		{"os.system for facts about the system", just(strings.TrimSuffix(legacyHead, "}.") + system + "."), `global "posix.system"`},
		{"os.system after the weights", legacy(pDict("w", keyed("0", "N")), header+system+"."), `global "posix.system"`},
		{"a call of a text", inZip(header + pText("system") + ")R."), "a call of a str"},
		{"a call of a type", inZip(header + pGlobal("torch", "FloatStorage") + ")R."), "torch.FloatStorage: not a file"},
		{"a method of a class", inZip(header + pGlobal("torch", "FloatStorage.mro") + ")R."), `global "torch.FloatStorage.mro": unsupported`},
		{"numpy", inZip(header + pGlobal("numpy.core.multiarray", "_reconstruct") + "."), `global "numpy.core.multiarray._reconstruct": weights`},
		{"a whole module", inZip(header + pGlobal("torch.nn.modules.linear", "Linear") + ")\x81."), "it is a module, and not its state_dict()"},
		{"attributes of a list", inZip(header + "]}b."), "attributes for a list, want a dict"},
		{"a type of a type of a tensor", inZip(header + typed + pTuple(typed, pGlobal("torch", "Tensor"), ")", "}") + "R."), `unsupported: "torch._tensor._rebuild_from_type_v2" itself of "torch.Tensor" itself`},
		{"something else beside", legacy(header+pTuple(pText("module"), "N")+"Q.", pKeys()), `a "module" beside the pickle`},
		{"a persistent id that is an int", inZip(header + "K\x01Q."), "a persistent id is an int"},
		{"a name of 100 KB", inZip(header + pGlobal("os", strings.Repeat("x", 100_000)) + "."), `global "os.xxxx`},

		// Opcodes.
		{"BINBYTES8 of a terabyte", inZip("\x80\x04\x8e\x00\x00\x00\x00\x00\x01\x00\x00."), pkl + "2: not a file that torch.save wrote, or a damaged one: opcode 0x8e"},
		{"FRAME of a terabyte", inZip("\x80\x04\x95\x00\x00\x00\x00\x00\x01\x00\x00."), "opcode 0x95"},
		{"LONG4 of 2 GB", inZip(header + "\x8b\xff\xff\xff\x7f."), "opcode 0x8b"},
		{"a text of 4 GB", inZip(header + "X\xff\xff\xff\xff."), "a text of 4294967295 bytes"},
		{"a text that is none", inZip(header + pText("\xff") + "."), "a text that is not UTF-8"},
		{"no end", inZip(header + "N"), pkl + "3: not a file"},
		{"no pickle", inZip(""), pkl + "0: not a file"},
		{"more than an end", inZip(tensors("w") + "N."), "2 bytes are left over"},
		{"values left over", inZip(header + "NN."), "1 values are left over"},
		{"a mark left over", inZip(header + "(N."), "0 values are left over"},
		{"an empty stack", inZip(header + "."), "the stack is empty"},
		{"a tuple of nothing", inZip(header + "N\x86."), "the stack has 1 values, want 2"},
		{"below a mark", inZip(header + "N(\x85."), "the stack has 0 values, want 1"},
		{"no mark", inZip(header + "Nt."), "no mark"},
		{"nothing to remember", inZip(header + "q\x00."), "the stack is empty"},
		{"nothing remembered", inZip(header + "h\x07."), "nothing is remembered as 7"},
		{"a key alone", inZip(header + "}(Nu."), "a key without a value"},
		{"a key for a list", inZip(header + "]NNs."), "keys for a list"},
		{"an item for a dict", inZip(header + "}Na."), "items for a dict"},
		{"pairs that are none", inZip(header + pGlobal("collections", "OrderedDict") + "]Na\x85R."), "an item is None, want a list of two"},
		{"a list that holds itself", inZip(header + "]q\x00h\x00a."), "but a list"},
		{"a dict that holds itself", inZip(header + "}q\x00" + pText("w") + "h\x00s."), `entry "w" is a dict`},
		{"a tuple of tuples of tuples", inZip(header + "})" + strings.Repeat("q\x00h\x00\x86", 60) + "Ns."), "a key is a tuple"},

		// Tensors.
		{"an element outside", inZip(one(pInts(2), pInts(1), 0)), "shape [2] with strides [1] from element 0 on is not within a storage of 4 bytes (F32)"},
		{"an offset outside", inZip(one(pInts(1), pInts(1), 1)), "is not within a storage"},
		{"an offset that overflows", inZip(one(pInts(1), pInts(1), 1<<62)), "is not within a storage"},
		{"a negative offset", inZip(one(pInts(1), pInts(1), -1)), "is not within a storage"},
		{"a negative size", inZip(one(pInts(-1), pInts(1), 0)), "dimension 0: size or stride"},
		{"a negative stride", inZip(one(pInts(1, 1), pInts(1, -1), 0)), "dimension 1: size or stride"},
		{"sizes that overflow", inZip(one(pInts(1<<32, 1<<32), pInts(0, 0), 0)), "is not within a storage"},
		{"a stride that overflows", inZip(one(pInts(3, 3), pInts(1<<62, 1<<62), 0)), "is not within a storage"},
		{"a size that is a text", inZip(one(pTuple(pText("1")), pInts(1), 0)), "dimension 0: size or stride"},
		{"a size beyond 8 bytes", inZip(one(pTuple("\x8a\x09\x01\x00\x00\x00\x00\x00\x00\x00\x01"), pInts(1), 0)), "dimension 0: size or stride"},
		{"65 dimensions", inZip(one(pInts(make([]int64, 65)...), pInts(make([]int64, 65)...), 0)), "65 sizes and 65 strides"},
		{"sizes without strides", inZip(one(pInts(1), ")", 0)), "1 sizes and 0 strides"},
		{"a terabyte of one element", inZip(one(pInts(1<<38), pInts(0), 0)), `tensor "w": over the limit`},
		{"no arguments", inZip(header + pGlobal("torch._utils", "_rebuild_tensor_v2") + ")R."), "_rebuild_tensor_v2: not a file that torch.save wrote, or a damaged one: 0 arguments, want 6"},
		{"a tensor of a text", inZip(pDict("w", pTensor(pText("x"), 0, ")", ")"))), "of a str, an int, a tuple and a tuple"},
		{"a tensor without a type", inZip(pDict("w", strings.ReplaceAll(pTensor(float(4), 0, ")", ")"), "torch\nFloat", "torch.storage\nUntyped"))), "a tensor without a type"},
		{"a parameter of a text", inZip(header + pGlobal("torch._utils", "_rebuild_parameter") + pTuple(pText("x"), "\x88", "N") + "R."), "a str, want a tensor"},
		{"a name for two", inZip(tensors("w", "w")), `two entries "w"`},

		// Storages.
		{"a storage of a terabyte", inZip(pDict("w", pTensor(float(1<<38), 0, pInts(1<<38), pInts(1)))), "archive/data/0: not a file that torch.save wrote, or a damaged one: it has 4 bytes, and the pickle says 1099511627776"},
		{"a storage that overflows", inZip(pDict("w", pTensor(float(1<<62), 0, ")", ")"))), "a storage of 4611686018427387904 elements"},
		{"a negative storage", inZip(pDict("w", pTensor(float(-1), 0, ")", ")"))), "an int from 0 on"},
		{"a storage in two ways", inZip(pDict("a", pTensor(float(1), 0, ")", ")"), "b", pTensor(pStorage("IntStorage", "0", 1), 0, ")", ")"))), `storage "0" is told in two ways`},
		{"a storage that is not there", inZip(pDict("w", keyed("1"))), `no entry "archive/data/1" for a storage`},
		{"a storage elsewhere", inZip(pDict("w", keyed("../../../etc/passwd"))), `no entry "archive/data/../../../etc/passwd"`},
		{"a storage of no type", inZip(pDict("w", pTensor(pStorage("QInt8Storage", "0", 1), 0, ")", ")"))), `global "torch.QInt8Storage": unsupported`},
		{"a storage of a tensor", inZip(pDict("w", pTensor(pTuple(pText("storage"), pGlobal("torch", "Tensor"), pText("0"), "N", pInt(1))+"Q", 0, ")", ")"))), `a storage of "torch.Tensor" itself`},
		{"too few facts", inZip(header + pTuple(pText("storage"), "N") + "Q."), "a storage with 1 facts, want 4"},

		// The zip file.
		{"two pickles", inZip(tensors("w"), "archive/data.pkl", tensors("w")), `two entries "archive/data.pkl"`},
		{"two storages of one key", inZip(tensors("w"), "archive/data/0", four), `two entries "archive/data/0"`},
		{"another byte order", inZip(tensors("w"), "archive/byteorder", "middle"), `"middle", want little or big`},
		{"another version", inZip(tensors("w"), "archive/version", "11\n"), "archive/version: unsupported"},
		{"TorchScript", inZip(tensors("w"), "archive/constants.pkl", ""), "a TorchScript program"},
		{"no data.pkl", func() []byte { return pack(zip.Store, "model/weights", "") }, `no entry "model/data.pkl"`},
		{"cut off", func() []byte { return zipOf(tensors("w"))[:200] }, "zip: not a valid zip file"},
		{"encrypted", func() []byte { return patched(zipOf(tensors("w")), "PK\x01\x02", 8, 1) }, "compressed by method 0, or encrypted"},
		{"another method", func() []byte { return patched(zipOf(tensors("w")), "PK\x01\x02", 10, 12) }, "compressed by method 12"},
		{"two lengths", func() []byte { return patched(zipOf(tensors("w")), "PK\x01\x02", 20, 255) }, "in place of"},

		// Legacy files.
		{"a storage that is not listed", legacy(pDict("w", keyed("0", "N")), pKeys()), `storage "0": not a file that torch.save wrote, or a damaged one: it is used, but not listed`},
		{"one that is not used", legacy(pDict("w", keyed("0", "N")), pKeys("0", "1"), lStorage(1, four), lStorage(1, four)), `storage "1" is listed, but not used`},
		{"one that is listed twice", legacy(pDict("w", keyed("0", "N")), pKeys("0", "0"), lStorage(1, four), lStorage(1, four)), `storage "0" is listed, but not used, or twice`},
		{"another length", legacy(pDict("w", keyed("0", "N")), pKeys("0"), lStorage(1<<40, four)), "1099511627776 elements at byte"},
		{"a length alone", legacy(pDict("w", keyed("0", "N")), pKeys("0"), lStorage(1, "")), "1 elements at byte"},
		{"no length", legacy(pDict("w", keyed("0", "N")), pKeys("0")), "its length at byte"},
		{"no list", legacy(pDict("w", keyed("0", "N")), header+"N."), "keys are None, want a list"},
		{"a part outside", legacy(pDict("w", keyed("0", pTuple(pText("1"), pInt(0), pInt(2)))), pKeys("0"), lStorage(1, four)), `a part of storage "0" is not within it`},
		{"a part that overflows", legacy(pDict("w", keyed("0", pTuple(pText("1"), pInt(1), pInt(1<<62)))), pKeys("0"), lStorage(1, four)), `a part of storage "0" is not within it`},
		{"a part that is a text", legacy(pDict("w", keyed("0", pText("x"))), pKeys("0"), lStorage(1, four)), "a part of a storage is a str"},
		{"a tuple of tuples for a protocol, with 2^40 in it", just("\x80\x02\x8a\x0a" + string(legacyMagic) + ".()q\x00" + strings.Repeat("h\x00h\x00\x86q\x00", 40) + "t."), "protocol a tuple, want 1001"},
		{"tuples in tuples for a protocol", just("\x80\x02\x8a\x0a" + string(legacyMagic) + ".)" + strings.Repeat("\x85", 900_000) + "."), "protocol a tuple, want 1001"},
		{"another protocol", just("\x80\x02\x8a\x0a" + string(legacyMagic) + ".K\x01."), "protocol 1, want 1001"},
		{"tar", just(strings.Repeat("\x00", 257) + "ustar" + strings.Repeat("\x00", 300)), "the tar format"},

		// No such files.
		{"nothing", just(""), "0 bytes, neither a zip file nor"},
		{"git-lfs", just("version https://git-lfs.github.com/spec/v1\noid sha256:0\n"), "git lfs pull"},
		{"a page", just("<!DOCTYPE html><html>"), "not a file that torch.save wrote"},
	}
}

// greedyFiles are files that are made to take memory or time.
func greedyFiles() []hostileFile {
	const header, size = "\x80\x02", mostPickled - 64
	tooMany := "over the limit: the pickle makes more than " // how many depends on how it is opened
	run := func(name, opcode string, want string) hostileFile {
		return hostileFile{name, func() []byte { return zipOf(header + strings.Repeat(opcode, size/len(opcode)) + ".") }, want}
	}
	number := func(i int) string { return string(binary.LittleEndian.AppendUint32(nil, uint32(i))) }
	wide := pInts(append(make([]int64, 63), 1)...)
	return []hostileFile{
		run("lists without end", "]", tooMany),
		run("dicts without end", "}", tooMany),
		run("marks without end", "(", tooMany),
		run("ints without end", "K\x07", tooMany),
		run("big ints without end", pInt(1<<40), tooMany),
		run("texts without end", pText("abc"), tooMany),
		run("globals without end", pGlobal("torch", "uint64"), tooMany),
		run("tuples in tuples", ")\x85", tooMany),
		{"a memo without end", func() []byte {
			return zipOf(header + "N" + repeated(1<<20+8, func(i int) string { return "r" + number(i) }) + ".")
		}, tooMany},
		{"a list in dicts without end", func() []byte {
			pairs := "](" + strings.Repeat("](NNe", 1<<15) + "e"
			return zipOf(header + pairs + "q\x00" + strings.Repeat(pGlobal("collections", "OrderedDict")+"h\x00\x85R", 1<<15) + ".")
		}, tooMany},
		{"tensors without end", func() []byte {
			return zipOf(header + pGlobal("torch._utils", "_rebuild_tensor_v2") + "q\x00" +
				pTuple(pStorage("FloatStorage", "0", 1), pInt(0), wide, wide, "\x89", "N") + "q\x01" + strings.Repeat("h\x00h\x01R", 1<<20) + ".")
		}, tooMany},
		{"a pickle of 16 MB", func() []byte { return zipOf(strings.Repeat("N", mostPickled+1)) }, "archive/data.pkl: over the limit: 16777217 bytes"},
		{"a text of 16 MB", func() []byte { return zipOf(pDict("w", pText(strings.Repeat("x", size-64)))) }, `entry "w" is a str`},
		{"a legacy pickle of 17 MB", func() []byte {
			return legacyOf(pDict(strings.Repeat("x", 17<<20), "N"), pKeys())
		}, "(of a pickle at most 16777216 bytes are read)"},
		{"a bomb for a pickle", func() []byte { return pack(zip.Deflate, "a/data.pkl", strings.Repeat("N", 64<<20)) }, "a/data.pkl: over the limit: 67108864 bytes"},
		{"a bomb for a storage", func() []byte {
			const n = 64 << 20
			return pack(zip.Deflate, "a/data.pkl", pDict("w", pTensor(pStorage("ByteStorage", "0", n), 0, pInts(n), pInts(1))), "a/data/0", strings.Repeat("\x00", n))
		}, `tensor "w": over the limit: up to it`},
		{"a storage a thousand times", func() []byte {
			const n = 1 << 16
			whole := pTensor(pStorage("ByteStorage", "0", n), 0, pInts(n), pInts(1))
			return pack(zip.Store, "a/data.pkl", header+"}("+repeated(1000, func(i int) string {
				return pText(string(rune(0x4e00+i))) + whole
			})+"u.", "a/data/0", content(n))
		}, "over the limit: up to it"},
		{"parts of a compressed storage", func() []byte {
			const n = 1 << 20
			return pack(zip.Deflate, "a/data.pkl", header+"}("+repeated(100, func(i int) string {
				return pText(string(rune(0x4e00+i))) + pTensor(pStorage("ByteStorage", "0", n), int64(i), ")", ")")
			})+"u.", "a/data/0", content(n))
		}, "over the limit: up to it"},
		{"entries without end", func() []byte { return directoryOf(1 << 19) }, "over the limit: a directory of more than "},
	}
}

// patched sets a byte of every record of a zip file that begins with magic.
func patched(file []byte, magic string, at int, to byte) []byte {
	for i := 0; ; {
		n := bytes.Index(file[i:], []byte(magic))
		if n < 0 {
			return file
		}
		file[i+n+at] = to
		i += n + len(magic)
	}
}

// directoryOf is a zip file with so many empty entries, all at one place and of names as
// short as they can be.
func directoryOf(entries int) []byte {
	file := pack(zip.Store, "a", "")
	begin := bytes.Index(file, []byte("PK\x01\x02"))
	end := bytes.Index(file, []byte("PK\x05\x06"))
	record := file[begin:end]
	out := append(bytes.Clone(file[:begin]), bytes.Repeat(record, entries)...)
	tail := bytes.Clone(file[end:])
	binary.LittleEndian.PutUint16(tail[8:], uint16(entries))
	binary.LittleEndian.PutUint16(tail[10:], uint16(entries))
	binary.LittleEndian.PutUint32(tail[12:], uint32(entries*len(record)))
	return append(out, tail...)
}

// Each is refused for what it is, by the file's name.
func TestHostileFiles(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "pytorch_model.bin")
	for _, c := range hostileFiles() {
		write(t, dir, "pytorch_model.bin", c.content())
		f, err := Open(path)
		if err == nil {
			f.Close()
		}
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "pickle: "+path+": ") || len(err.Error()) > 2000 {
			t.Errorf("%s: error %.3000v, want one with %s", c.name, err, c.want)
		}
	}
}
