package engine_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/model/synth"
)

// spoilt is a checkpoint on disk that a test may spoil.
type spoilt struct {
	t   *testing.T
	dir string
}

func (f spoilt) path(name string) string { return filepath.Join(f.dir, name) }

func (f spoilt) check(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

func (f spoilt) read(name string) []byte {
	f.t.Helper()
	data, err := os.ReadFile(f.path(name))
	f.check(err)
	return data
}

func (f spoilt) write(name, content string) {
	f.t.Helper()
	f.check(os.WriteFile(f.path(name), []byte(content), 0o600))
}

func (f spoilt) remove(names ...string) {
	f.t.Helper()
	for _, name := range names {
		f.check(os.Remove(f.path(name)))
	}
}

// set changes fields of a JSON file.
func (f spoilt) set(name string, fields map[string]any) {
	f.t.Helper()
	var all map[string]any
	f.check(json.Unmarshal(f.read(name), &all))
	for key, value := range fields {
		all[key] = value
	}
	data, err := json.Marshal(all)
	f.check(err)
	f.write(name, string(data))
}

// poke puts bytes over those of the weights, from so many before the end.
func (f spoilt) poke(before int, with ...byte) {
	f.t.Helper()
	data := f.read(weightsFile)
	copy(data[len(data)-before:], with)
	f.write(weightsFile, string(data))
}

// link puts a symbolic link in a file's place.
func (f spoilt) link(target, name string) {
	f.t.Helper()
	_ = os.Remove(f.path(name))
	if err := os.Symlink(target, f.path(name)); err != nil && runtime.GOOS == "windows" {
		f.t.Skip(err)
	} else {
		f.check(err)
	}
}

// shard moves the weights to a shard of that name, and writes an index that names it.
func (f spoilt) shard(name string) {
	f.t.Helper()
	f.check(os.Rename(f.path(weightsFile), f.path("model-1.safetensors")))
	f.write(indexFile, fmt.Sprintf(`{"weight_map":{"classifier.bias":%q}}`, name))
}

const (
	configFile    = "config.json"
	weightsFile   = "model.safetensors"
	indexFile     = "model.safetensors.index.json"
	tokenizerFile = "tokenizer.json"
	lfsPointer    = "version https://git-lfs.github.com/spec/v1\noid sha256:0123456789abcdef\nsize 90870598\n"
)

// Every file of a checkpoint that is not what it should be is an error that names it and
// what is wrong, when the model is opened.
func TestBadCheckpoints(t *testing.T) {
	fsys, err := synth.FS(1, synth.Shape{Layers: 1, Hidden: 32, Heads: 2, Intermediate: 64, Vocab: 30522, Positions: 64, Types: 2, Labels: 1})
	if err != nil {
		t.Fatal(err)
	}
	type row struct {
		name  string
		spoil func(f spoilt)
		want  string
	}
	rows := []row{
		{"hidden 0", func(f spoilt) { f.set(configFile, map[string]any{"hidden_size": 0}) }, "config.json: hidden_size: 0"},
		{"hidden not divisible", func(f spoilt) { f.set(configFile, map[string]any{"num_attention_heads": 5}) }, "not divisible by num_attention_heads 5"},
		{"hidden another", func(f spoilt) { f.set(configFile, map[string]any{"hidden_size": 64}) }, `embeddings.word_embeddings.weight": shape [30522 32], want [30522 64]`},
		{"more rows than the vocabulary", func(f spoilt) { f.set(configFile, map[string]any{"vocab_size": 30000}) }, "shape [30522 32], want [30000 32]"},
		{"fewer positions", func(f spoilt) { f.set(configFile, map[string]any{"max_position_embeddings": 512}) }, `position_embeddings.weight": shape [64 32], want [512 32]`},
		{"another layer", func(f spoilt) { f.set(configFile, map[string]any{"num_hidden_layers": 2}) }, `layer.1.attention.self.query.weight" is missing`},
		{"another type", func(f spoilt) { f.set(configFile, map[string]any{"type_vocab_size": 3}) }, `token_type_embeddings.weight": shape [2 32], want [3 32]`},
		{"a NaN", func(f spoilt) { f.poke(4, 0, 0, 0xc0, 0x7f) }, "not finite: element 31 of shape [1 32] is NaN"},
		{"an infinity", func(f spoilt) { f.poke(4, 0, 0, 0x80, 0xff) }, "not finite: element 31 of shape [1 32] is -Inf"},
		{"half the weights", func(f spoilt) { f.check(os.Truncate(f.path(weightsFile), 1<<20)) }, "model.safetensors: tensor "},
		{"a byte more of weights", func(f spoilt) { f.write(weightsFile, string(append(f.read(weightsFile), 0))) }, "model.safetensors: tensors do not fill the file"},
		{"no weights", func(f spoilt) { f.remove(weightsFile) }, "lacks model.safetensors"},
		{"safetensors by PyTorch's name", func(f spoilt) { f.check(os.Rename(f.path(weightsFile), f.path("pytorch_model.bin"))) }, "pytorch_model.bin: not a file that torch.save wrote, or a damaged one"},
		{"a program for weights", func(f spoilt) {
			f.remove(weightsFile)
			f.write("pytorch_model.bin", "\x80\x02cposix\nsystem\nU\x04true\x85R.")
		}, `pytorch_model.bin: byte 2: global "posix.system": weights need no such function or class, and none was called`},
		{"weights that are a zip", func(f spoilt) { f.write(weightsFile, "PK\x03\x04\x14\x00\x00\x00\x08\x00") }, "model.safetensors: header too large"},
		{"a vocabulary larger than the rows", func(f spoilt) {
			f.write(tokenizerFile, string(bytes.Replace(f.read(tokenizerFile), []byte(`"vocab": {`), []byte(`"vocab": {"brandnewtoken":30522,`), 1)))
		}, "the tokenizer has ids up to 30522, config.json has vocab_size 30522"},
		{"an id twice", func(f spoilt) {
			f.write(tokenizerFile, string(bytes.Replace(f.read(tokenizerFile), []byte(`"vocab": {`), []byte(`"vocab": {"brandnewtoken":5,`), 1)))
		}, "tokenizer.json: "},
		{"no vocabulary", func(f spoilt) { f.remove(tokenizerFile, "vocab.txt") }, "lacks tokenizer.json or vocab.txt"},
		{"half a tokenizer.json", func(f spoilt) { f.check(os.Truncate(f.path(tokenizerFile), 1000)) }, "tokenizer.json: "},
		{"a shard that is missing", func(f spoilt) { f.shard("model-2.safetensors") }, "lacks model-2.safetensors"},
		{"a shard elsewhere", func(f spoilt) { f.shard("../../etc/passwd") }, "not the name of a file beside the index"},
		{"a shard anywhere", func(f spoilt) { f.shard("/etc/passwd") }, "not the name of a file beside the index"},
		{"a shard linked to elsewhere", func(f spoilt) { f.shard("model-2.safetensors"); f.link("/dev/zero", "model-2.safetensors") }, "model-2.safetensors"},
		{"an index of half the tensors", func(f spoilt) { f.shard("model-1.safetensors") }, `embeddings.word_embeddings.weight" is missing`},
		{"an index that is empty", func(f spoilt) { f.remove(weightsFile); f.write(indexFile, "") }, "model.safetensors.index.json"},
	}
	for _, name := range []string{configFile, weightsFile, tokenizerFile, "tokenizer_config.json"} {
		rows = append(rows,
			row{name + " is a git-lfs pointer", func(f spoilt) { f.write(name, lfsPointer) }, name + ": a git-lfs pointer, not the file itself: run git lfs pull"},
			row{name + " is empty", func(f spoilt) { f.write(name, "") }, name + ": "},
			row{name + " is no UTF-8", func(f spoilt) {
				f.write(name, "\x40\x00\x00\x00\x00\x00\x00\x00{\"\xff\xfe\":1}"+strings.Repeat(" ", 64))
			}, name + ": "},
			row{name + " is a folder", func(f spoilt) { f.remove(name); f.check(os.Mkdir(f.path(name), 0o700)) }, name},
			row{name + " is a link to itself", func(f spoilt) { f.link(name, name) }, name},
		)
	}
	for _, name := range []string{"vocab.txt", "special_tokens_map.json"} { // read where there is no tokenizer.json
		rows = append(rows, row{name + " is a git-lfs pointer", func(f spoilt) { f.remove(tokenizerFile); f.write(name, lfsPointer) },
			name + ": a git-lfs pointer, not the file itself: run git lfs pull"})
	}
	rows = append(rows,
		row{"the index is a git-lfs pointer", func(f spoilt) { f.remove(weightsFile); f.write(indexFile, lfsPointer) }, "model.safetensors.index.json (a git-lfs pointer"},
		row{"a shard is a git-lfs pointer", func(f spoilt) { f.shard("model-1.safetensors"); f.write("model-1.safetensors", lfsPointer) },
			"model-1.safetensors: a git-lfs pointer"})
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			f := spoilt{t, t.TempDir()}
			f.check(os.CopyFS(f.dir, fsys))
			r.spoil(f)
			e, err := engine.Open(f.dir, engine.Device("cpu"), engine.Precision("f32"), engine.NoCalibrationFile())
			if e != nil {
				defer e.Close()
			}
			inPlainWords(t, err)
			if !errors.Is(err, engine.ErrModel) || !strings.Contains(err.Error(), r.want) || len(err.Error()) > 1000 {
				t.Errorf("%v, want %s", err, r.want)
			}
		})
	}
}
