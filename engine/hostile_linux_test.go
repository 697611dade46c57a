//go:build !race

package engine

import (
	"archive/zip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/minilm-metal/minilm-metal/model/memorytest"
	"github.com/minilm-metal/minilm-metal/model/synth"
)

// hostileDir names, to a child process, the checkpoint that it shall open.
const hostileDir = "MINILM_TEST_HOSTILE_DIR"

// peakOf opens the checkpoint in dir in a process of its own, and returns its error and
// the most memory that the process had, in bytes.
func peakOf(t *testing.T, dir string) (message string, peak int64) {
	t.Helper()
	return memorytest.Peak(t, "TestHostileFiles", hostileDir, dir)
}

// header is a safetensors file with that header, over no data.
func header(text string) string {
	return string(binary.LittleEndian.AppendUint64(nil, uint64(len(text)))) + text
}

// many is a list of n items, format having place for their number.
func many(n int, format string) string {
	var text strings.Builder
	for i := range n {
		if i > 0 {
			text.WriteByte(',')
		}
		fmt.Fprintf(&text, format, i)
	}
	return text.String()
}

// Files of a checkpoint that are made to take memory are refused, for what they are, and
// cost less than four times what they have on disk, a mapped file's pages included.
func TestHostileFiles(t *testing.T) {
	if dir := os.Getenv(hostileDir); dir != "" {
		e, err := Open(dir, Device("cpu"), Precision("f32"), NoCalibrationFile())
		if err == nil {
			err = e.Close()
		}
		memorytest.Report(t, err)
		return
	}
	if testing.Short() {
		t.Skip("writes files of 8 MB")
	}
	const size = 8 << 20 // of most files, about
	fsys, err := synth.FS(1, synth.Shape{Layers: 1, Hidden: 32, Heads: 2, Intermediate: 64, Vocab: 30522, Positions: 64, Types: 2, Labels: 1})
	if err != nil {
		t.Fatal(err)
	}
	const (
		weights, index = "model.safetensors", "model.safetensors.index.json"
		entry          = `"t%d":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}`
		tensor         = `{"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]`
	)
	long := strings.Repeat("n", size)
	_, idle := peakOf(t, t.TempDir()) // what the process itself takes
	const pickled = "pytorch_model.bin"
	zipped := func(method uint16, content string) string {
		var b strings.Builder
		w := zip.NewWriter(&b)
		f, err := w.CreateHeader(&zip.FileHeader{Name: "archive/data.pkl", Method: method})
		if err == nil {
			_, err = io.WriteString(f, content)
		}
		if err = errors.Join(err, w.Close()); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	for _, c := range []struct {
		name, file string
		content    func() string
		want       string
	}{
		{"lists without end", pickled, func() string { return zipped(zip.Store, "\x80\x02"+strings.Repeat("]", size)) }, "the pickle makes more than"},
		{"dicts in a legacy pickle", pickled, func() string { return "\x80\x02" + strings.Repeat("}", size) }, "not a file that torch.save wrote"},
		{"a long text", pickled, func() string { return zipped(zip.Store, "\x80\x02}(X\x00\x00\x80\x00"+long+"Nu.") }, "is None"},
		{"a bomb for a pickle", pickled, func() string { return zipped(zip.Deflate, "\x80\x02"+strings.Repeat("N", 16<<20-64)) }, "archive/data.pkl: over the limit: "},
		{"entries without end", pickled, func() string {
			var b strings.Builder
			w := zip.NewWriter(&b)
			for i := range size / 100 {
				if _, err := w.CreateHeader(&zip.FileHeader{Name: fmt.Sprint(i)}); err != nil {
					t.Fatal(err)
				}
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			return b.String()
		}, "over the limit: a directory of more than"},
		{"a directory that is none", pickled, func() string { return zipped(zip.Store, "") + strings.Repeat("PK\x01\x02", size/4) }, "not a file that torch.save wrote"},
		{"metadata without end", weights, func() string { return header(`{"__metadata__":{` + many(size/13, `"%d":""`) + "}}") }, `"4096": byte 39874: more than 4096 entries`},
		{"tensors without end", weights, func() string { return header("{" + many(size/60, entry) + "}") }, "more than 65536 tensors"},
		{"a long name", weights, func() string { return header(`{"` + long + `":1}`) }, `"nnnnnnnn`},
		{"a long name in escapes", weights, func() string { return header(`{"` + strings.Repeat(`\u006e`, size/6) + `":1}`) }, `"nnnnnnnn`},
		{"a long text in the metadata", weights, func() string { return header(`{"__metadata__":{"a":"` + long + `"}}`) }, "is missing"},
		{"a long dtype", weights, func() string { return header(`{"a":{"dtype":"` + long + `"}}`) }, "unknown dtype"},
		{"a field of many arrays", weights, func() string { return header(tensor + `,"x":[` + many(size/9, `[%d]`) + `]}}`) }, "is missing"},
		{"many fields", weights, func() string { return header(tensor + `,` + many(size/11, `"%d":0`) + `}}`) }, "is missing"},
		{"a shape without end", weights, func() string { return header(`{"a":{"shape":[` + many(size/8, `%d`) + `]}}`) }, "more than 64 integers"},
		{"depth", weights, func() string { return header(tensor + `,"x":` + strings.Repeat("[", size)) }, "more than 127 objects and arrays in each other"},
		{"white space", weights, func() string { return header(strings.Repeat(" ", size)) }, "unexpected EOF"},
		{"an index without end", index, func() string { return `{"weight_map":{` + many(size/11, `"%d":"x"`) + `}}` }, "more than 65536 entries"},
		{"an index with much beside", index, func() string {
			return `{"metadata":[` + many(size/10, `{"":%d}`) + `],"weight_map":{"a":"x.safetensors"}}`
		}, "x.safetensors"},
		{"an index with a long name", index, func() string { return `{"weight_map":{"a":"` + long + `"}}` }, "want a plain name ending in .safetensors"},
		{"a vocabulary without end", "tokenizer.json", func() string { return `{"model":{"vocab":{` + many(size/14, `"%[1]d":%[1]d`) + `}}}` }, "more than 524288 tokens"},
		{"much beside the vocabulary", "tokenizer.json", func() string { return `{"added_tokens":[` + many(size/10, `{"id":%d}`) + `]}` }, "more than 131072 values"},
		{"long tokens", "tokenizer.json", func() string { return `{"model":{"vocab":{"a` + long + `":0}}}` }, `tokenizer.json: model: type "" is not supported`},
		{"a vocabulary in capitals", "tokenizer.json", func() string { return `{"MODEL":{"VOCAB":{` + many(size/14, `"%[1]d":%[1]d`) + `}}}` }, "more than 131072 values"},
		{"merges", "tokenizer.json", func() string { return `{"model":{"type":"BPE","merges":[` + many(size/10, `"%d b"`) + `]}}` }, `type "BPE" is not supported`},
		{"over 32 MB", "tokenizer.json", func() string { return strings.Repeat(" ", 32<<20) + "{}" }, "too large"},
		{"lines", "vocab.txt", func() string { return strings.Repeat("\n", size) }, "8388608 lines, want at most 524288"},
		{"lines of a byte", "vocab.txt", func() string { return strings.Repeat("a\n", size/2) }, "4194304 lines, want at most 524288"},
		{"one line", "vocab.txt", func() string { return long }, "no [UNK]"},
		{"tokens decoded", "tokenizer_config.json", func() string { return `{"added_tokens_decoder":{` + many(300_000, `"%d":{}`) + `}}` }, "more than 131072 values"},
		{"special tokens", "special_tokens_map.json", func() string { return `{"additional_special_tokens":[` + many(300_000, `"%d"`) + `]}` }, "more than 131072 values"},
		{"added tokens", "added_tokens.json", func() string { return `{` + many(300_000, `"a":%d`) + `}` }, "more than 131072 values"},
		{"labels", "config.json", func() string { return `{"id2label":{` + many(50_000, `"%d":""`) + `}}` }, "more than 32768 values"},
		{"over 1 MB", "config.json", func() string { return strings.Repeat(" ", 1<<20) + "{}" }, "too large"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.CopyFS(dir, fsys); err != nil {
				t.Fatal(err)
			}
			switch c.file {
			case index, pickled:
				err = os.Remove(filepath.Join(dir, weights))
			case "vocab.txt", "special_tokens_map.json", "added_tokens.json":
				err = os.Remove(filepath.Join(dir, "tokenizer.json"))
			}
			if err != nil {
				t.Fatal(err)
			}
			content := c.content()
			if err := os.WriteFile(filepath.Join(dir, c.file), []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			message, peak := peakOf(t, dir)
			if !strings.Contains(message, c.want) || !strings.Contains(message, "error: engine: cannot use this model: ") || len(message) > 3000 {
				t.Errorf("%.3000s, want %s", message, c.want)
			}
			// And some for the collector, which lets garbage be as much as what is kept.
			if most := idle + 4*int64(len(content)) + 8<<20; peak > most {
				t.Errorf("%d MB for a file of %d, of which %d are the process's", peak>>20, len(content)>>20, idle>>20)
			}
		})
	}
}
