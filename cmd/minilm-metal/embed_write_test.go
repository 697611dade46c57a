package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/engine/vectors"
	"github.com/minilm-metal/minilm-metal/model/modeltest"
)

// embeddings are those of texts, by the library.
func embeddings(t *testing.T, dir string, texts []string, opts ...engine.CallOption) [][]float32 {
	t.Helper()
	e, err := engine.Open(dir, engine.Embedder(), engine.Precision("f32"))
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	all, err := e.Embed(t.Context(), nil, texts, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return slices.Collect(slices.Chunk(all, e.Info().Dimensions))
}

// --dim counts, and not a truncate_dim of the model's files, which may be less.
func TestEmbedDimOrTheFiles(t *testing.T) {
	dir := embedderDir(t)
	all := embeddings(t, dir, []string{"who"}, engine.Prompt(""))[0]
	if err := os.WriteFile(filepath.Join(dir, "config_sentence_transformers.json"), []byte(`{"truncate_dim":5}`), 0o644); err != nil {
		t.Fatal(err)
	}
	for want, args := range map[int][]string{5: nil, 3: {"--dim", "3"}, 9: {"--dim", "9"}, 32: {"--dim", "32"}} {
		var one struct{ Embedding []float32 }
		got := ok(t, "who", append([]string{"embed", "--model", dir, "--precision", "f32"}, args...)...)
		if err := json.Unmarshal([]byte(got), &one); err != nil || !slices.Equal(one.Embedding, all[:want]) {
			t.Errorf("%q: %s, %v, want %g", args, got, err, all[:want])
		}
	}
	call(t, "who", "embed", "--model", dir, "--dim", "33").want(t, usage, "--dim 33: the model's embeddings have 32 values")
}

// array reads a .npy file by the format's description in numpy.lib.format, version 1.0.
func array(t *testing.T, path string) (kind string, rows, columns int, data []byte) {
	t.Helper()
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(file) < 10 || string(file[:8]) != "\x93NUMPY\x01\x00" {
		t.Fatalf("%s begins with %q", path, file[:min(len(file), 10)])
	}
	length := int(binary.LittleEndian.Uint16(file[8:]))
	header, data := string(file[10:10+length]), file[10+length:]
	is := regexp.MustCompile(`^\{'descr': '(<f4|\|i1|\|u1)', 'fortran_order': False, 'shape': \((\d+), (\d+)\), \} *\n$`).FindStringSubmatch(header)
	if (10+length)%64 != 0 || is == nil {
		t.Fatalf("a header of %d bytes: %q", length, header)
	}
	rows, _ = strconv.Atoi(is[2])
	columns, _ = strconv.Atoi(is[3])
	return is[1], rows, columns, data
}

// Every form of output has the same values: those of the library, cut, of unit length and
// quantized as asked for.
func TestEmbedForms(t *testing.T) {
	modeltest.OnlyValues(t)
	dir, texts := embedderDir(t), passages(30)
	sample := filepath.Join(t.TempDir(), "sample.txt")
	if err := os.WriteFile(sample, []byte(strings.Join(texts[:12], "\n")), 0o644); err != nil {
		t.Fatal(err)
	}
	all := embeddings(t, dir, texts)
	for _, dim := range []int{32, 11} {
		for _, unit := range []bool{false, true} {
			var rows [][]float32
			var ranges vectors.Ranges
			for i, row := range all {
				row = slices.Clone(row[:dim])
				if unit {
					vectors.Normalize(row)
				}
				if rows = append(rows, row); i < 12 {
					ranges.Add(row)
				}
			}
			for _, of := range []vectors.Type{vectors.Float32, vectors.Int8, vectors.Uint8, vectors.Binary, vectors.Ubinary} {
				args := []string{"embed", "--model", dir, "--precision", "f32", "--quantize", string(of), "--dim", fmt.Sprint(dim), fmt.Sprintf("--normalize=%t", unit)}
				if of.Ranged() {
					args = append(args, "--calibrate", sample)
				}
				name := strings.Join(args[5:], " ")
				var want []byte
				for _, row := range rows {
					want = of.Append(want, row, &ranges)
				}
				stdin := strings.Join(texts, "\n")
				raw := call(t, stdin, append(args, "--format", "raw")...)
				if raw.code != good || raw.stdout != string(want) || strings.Contains(raw.stderr, "of 12 texts") != of.Ranged() {
					t.Errorf("%s: %d, %d bytes, want %d: %s", name, raw.code, len(raw.stdout), len(want), raw.stderr)
				}
				out := filepath.Join(t.TempDir(), "vectors.npy")
				call(t, stdin, append(args, "--format", "npy", "--out", out)...).want(t, good)
				kind, n, columns, data := array(t, out)
				wantKind := map[vectors.Type]string{vectors.Float32: "<f4", vectors.Int8: "|i1", vectors.Binary: "|i1", vectors.Uint8: "|u1", vectors.Ubinary: "|u1"}[of]
				if size := len(want) / len(rows) / map[bool]int{true: 4, false: 1}[of == vectors.Float32]; kind != wantKind || n != len(rows) || columns != size || !slices.Equal(data, want) {
					t.Errorf("%s: %s, %d rows of %d, %d bytes; want %s, %d of %d, %d", name, kind, n, columns, len(data), wantKind, len(rows), size, len(want))
				}
				var got []byte
				for _, line := range lines(call(t, stdin, args...).stdout) {
					var one struct{ Embedding []float64 }
					if err := json.Unmarshal([]byte(line), &one); err != nil {
						t.Fatalf("%s: %s: %v", name, line, err)
					}
					for _, v := range one.Embedding {
						switch {
						case of == vectors.Float32:
							got = binary.LittleEndian.AppendUint32(got, math.Float32bits(float32(v)))
						case v != math.Trunc(v) || v < -128 || v > 255 || of.Signed() != (v < 0) && v < 0 || of.Signed() && v > 127:
							t.Fatalf("%s: %g", name, v)
						default:
							got = append(got, byte(int(v)))
						}
					}
				}
				if !slices.Equal(got, want) {
					t.Errorf("%s: JSON has other values", name)
				}
			}
		}
	}
}

// A line without an embedding leaves the rows at their lines, in a file too, whose beginning has
// all rows.
func TestEmbedRowsWithout(t *testing.T) {
	dir, folder := embedderDir(t), t.TempDir()
	out := filepath.Join(folder, "out")
	const stdin = "{\"text\":\"a\"}\n{}\n{\"text\":\"a\"}\n"
	o := call(t, stdin, "embed", "--model", dir, "--jsonl", "--format", "npy", "--out", out)
	o.want(t, failed, "1 of 3 lines are in error", `line 2: no "text"`)
	if _, n, columns, data := array(t, out); n != 3 || columns != 32 || len(data) != 3*4*32 || !math.IsNaN(float64(math.Float32frombits(binary.LittleEndian.Uint32(data[4*32:])))) || !slices.Equal(data[:128], data[256:]) || o.stdout != "" {
		t.Errorf("%d rows of %d, %d bytes", n, columns, len(data))
	}
	o = call(t, stdin, "embed", "--model", dir, "--jsonl", "--format", "raw", "--quantize", "ubinary")
	o.want(t, failed, "line 2: ")
	if len(o.stdout) != 12 || o.stdout[:4] != o.stdout[8:] || o.stdout[4:8] != "\x00\x00\x00\x00" || o.stdout[:4] == o.stdout[4:8] {
		t.Errorf("%q", o.stdout)
	}
	// Of no lines an array has no rows.
	ok(t, "", "embed", "--model", dir, "--format", "npy", "--out", out)
	if _, n, columns, data := array(t, out); n != 0 || columns != 32 || len(data) != 0 {
		t.Errorf("%d rows of %d, %d bytes", n, columns, len(data))
	}
	ok(t, "a\n", "embed", "--model", dir, "--out", out)
	if text, err := os.ReadFile(out); err != nil || string(text) != ok(t, "a\n", "embed", "--model", dir) {
		t.Errorf("%q, %v", text, err)
	}
}

func TestEmbedRefusesForms(t *testing.T) {
	dir, folder := embedderDir(t), t.TempDir()
	input := filepath.Join(folder, "texts.txt")
	if err := os.WriteFile(input, []byte("a\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	model := []string{"embed", "--model", dir, "--input", input, "--precision", "f32"}
	for _, c := range []struct {
		code int
		says string
		args []string
	}{
		{usage, "--format npy: want --out FILE", []string{"--format", "npy"}},
		{usage, "--format f32 with --quantize binary: want --format raw", []string{"--format", "f32", "--quantize", "binary"}},
		{usage, `--quantize "int4": want float32, int8`, []string{"--quantize", "int4"}},
		{usage, "--quantize int8: want --calibrate FILE", []string{"--quantize", "int8"}},
		{usage, "--calibrate, --ranges and --save-ranges are for --quantize int8 and uint8", []string{"--calibrate", input}},
		{usage, "--calibrate and --ranges: want one of them", []string{"--quantize", "int8", "--calibrate", input, "--ranges", input}},
		{usage, "--save-ranges: want --calibrate too", []string{"--quantize", "int8", "--ranges", input, "--save-ranges", input}},
		{failed, "texts.txt: not a .npy file", []string{"--quantize", "int8", "--ranges", input}},
		{usage, "--dim 0: want at least 1", []string{"--dim", "0"}},
		{usage, "--dim 33: the model's embeddings have 32 values", []string{"--dim", "33"}},
		{failed, "texts.txt: 1 texts, want at least 2", []string{"--quantize", "uint8", "--calibrate", input}},
		{failed, "no-such-file", []string{"--quantize", "uint8", "--calibrate", filepath.Join(folder, "no-such-file")}},
		{failed, "texts.txt: is a file that is read, too", []string{"--out", input}},
		{failed, "model.safetensors: is a file in the model's folder", []string{"--out", filepath.Join(dir, "model.safetensors")}},
		{failed, "--out and --save-ranges: both are ranges.npy", []string{"--quantize", "int8", "--calibrate", input, "--save-ranges", "./ranges.npy", "--out", "ranges.npy"}},
		{failed, "no-such-folder", []string{"--out", filepath.Join(folder, "no-such-folder", "x")}},
	} {
		if o := call(t, "", append(model, c.args...)...); o.code != c.code || !strings.Contains(o.stderr, c.says) || o.stdout != "" {
			t.Errorf("%q: %d, %q, want %d, %q", c.args, o.code, o.stderr, c.code, c.says)
		}
	}
	bad := filepath.Join(folder, "bad.jsonl")
	if err := os.WriteFile(bad, []byte("{\"text\":\"a\"}\n{\"text\":\"b\"}\n{}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	call(t, "", append(model, "--jsonl", "--quantize", "int8", "--calibrate", bad)...).want(t, failed, `bad.jsonl: line 3: no "text"`)
	calibrated := append(model[:3:3], "--jsonl", "--quantize", "int8", "--calibrate", bad)
	call(t, "", append(calibrated, "--out", bad)...).want(t, failed, "--out "+bad+": is a file that is read, too")
	call(t, "", append(calibrated, "--save-ranges", bad)...).want(t, failed, "--save-ranges "+bad+": is a file that is read, too")
	call(t, "", append(model[:3:3], "--format", "npy", "--out", folder)...).want(t, failed, "is not a file in which")
	stdin, err := os.Open(input) // as a shell does for "<"
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	var stderr strings.Builder
	code := run(t.Context(), append(model[:3:3], "--precision", "f32", "--out", input), stdin, io.Discard, &stderr, func(string) string { return "" })
	if code != failed || !strings.Contains(stderr.String(), "--out "+input+": is a file that is read, too") {
		t.Errorf("standard input: %d, %s", code, stderr.String())
	}
	for path, want := range map[string]string{input: "a\n", bad: "{\"text\":\"a\"}\n{\"text\":\"b\"}\n{}\n"} {
		if text, err := os.ReadFile(path); err != nil || string(text) != want {
			t.Errorf("%s is now %q, %v", path, text, err)
		}
	}
}

// Ranges that were kept make the bytes of those that were found, and what is no ranges is refused
// by name.
func TestRanges(t *testing.T) {
	modeltest.OnlyValues(t)
	dir, folder, stdin := embedderDir(t), t.TempDir(), strings.Join(passages(130), "\n")
	sample, kept := filepath.Join(folder, "sample.txt"), filepath.Join(folder, "ranges.npy")
	if err := os.WriteFile(sample, []byte(stdin), 0o644); err != nil {
		t.Fatal(err)
	}
	model := []string{"embed", "--model", dir, "--precision", "f32", "--quantize", "int8", "--dim", "20"}
	want := ok(t, stdin, append(model, "--calibrate", sample, "--save-ranges", kept)...)
	if got := ok(t, stdin, append(model, "--ranges", kept)...); got != want || len(lines(got)) != 130 {
		t.Error("with the ranges that were kept, other bytes")
	}
	if kind, rows, columns, data := array(t, kept); kind != "<f4" || rows != 2 || columns != 20 || len(data) != 2*20*4 {
		t.Errorf("%s, %d by %d, %d bytes", kind, rows, columns, len(data))
	}
	matrix := func(header string, values ...float32) string {
		file := "\x93NUMPY\x01\x00" + string([]byte{byte(len(header)), 0}) + header
		return string(vectors.Float32.Append([]byte(file), values, nil))
	}
	nan := float32(math.NaN())
	for says, file := range map[string]string{
		"not a .npy file of version 1":            "\x93NUMPY\x02\x00\x00\x00\x00\x00",
		"the .npy file ends in its beginning":     matrix("{}")[:11],
		"is not of a matrix":                      matrix("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", 1, 2),
		"has type <f8":                            matrix("{'descr': '<f8', 'fortran_order': False, 'shape': (2, 1), }", 1, 2),
		"has type <f4, Fortran's order True":      matrix("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 1), }", 1, 2),
		"12 bytes of values, want 2 by 2":         matrix("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }", 1, 2, 3),
		"0 bytes of values, want 0 by 0":          matrix("{'descr': '<f4', 'fortran_order': False, 'shape': (0, 0), }"),
		"2 by 2 values, want 2 by 20":             matrix("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }", 1, 2, 3, 4),
		"too large":                               matrix("{}", make([]float32, 1<<15)...),
		"the range of dimension 1 is from 3 to 2": matrix("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 20), }", slices.Concat([]float32{1, 3}, make([]float32, 18), []float32{1, 2}, make([]float32, 18))...),
		"dimension 0 is from NaN to 0":            matrix("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 20), }", append([]float32{nan}, make([]float32, 39)...)...),
	} {
		if err := os.WriteFile(kept, []byte(file), 0o644); err != nil {
			t.Fatal(err)
		}
		call(t, stdin, append(model, "--ranges", kept)...).want(t, failed, "ranges.npy: ", says)
	}
}

// Standard output is not missed where the results go to a file, and an interrupted run leaves an
// array of what was answered.
func TestEmbedToFile(t *testing.T) {
	dir, out := embedderDir(t), filepath.Join(t.TempDir(), "out.npy")
	var stderr bytes.Buffer
	getenv := func(string) string { return "" }
	into := func(ctx context.Context, stdin io.Reader, args ...string) int {
		stderr.Reset()
		return run(ctx, append([]string{"embed", "--model", dir, "--precision", "f32"}, args...), stdin, noOutput{}, &stderr, getenv)
	}
	if code := into(t.Context(), strings.NewReader("a\n")); code != failed || !strings.Contains(stderr.String(), "standard output is closed") {
		t.Errorf("%d: %s", code, &stderr)
	}
	if code := into(t.Context(), strings.NewReader("a\nb\n"), "--format", "npy", "--out", out); code != good {
		t.Errorf("%d: %s", code, &stderr)
	}
	if _, rows, _, _ := array(t, out); rows != 2 {
		t.Errorf("%d rows", rows)
	}
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	in, line := io.Pipe()
	defer in.Close()
	go func() {
		for i := 0; ; i++ {
			if _, err := io.WriteString(line, "a\n"); err != nil {
				return
			}
			if i == 300 {
				interrupt()
			}
		}
	}()
	code := into(ctx, in, "--format", "npy", "--out", out)
	_, rows, columns, data := array(t, out)
	says := "no line was answered yet"
	if rows > 0 {
		says = fmt.Sprintf("lines answered until then: %d", rows)
	}
	if code != interrupted || len(data) != rows*columns*4 || !strings.Contains(stderr.String(), says) {
		t.Errorf("%d rows, %d bytes, exit code %d: %s", rows, len(data), code, &stderr)
	}
}

// The ending .npy says what --format would; a format that is named counts.
func TestEmbedOutNamesFormat(t *testing.T) {
	dir, model := t.TempDir(), encoderDir(t)
	for flags, wants := range map[string]string{"": "\x93NUMPY", "--format jsonl": `{"embedding":[`} {
		out := filepath.Join(dir, strings.ReplaceAll(flags, " ", "")+"v.NPY")
		ok(t, "a text\n", append([]string{"embed", "--model", model, "--out", out}, strings.Fields(flags)...)...)
		if got := content(t, out); !strings.HasPrefix(got, wants) {
			t.Errorf("%q: it begins with %.20q, want %q", flags, got, wants)
		}
	}
}
