package engine_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/minilm-metal/minilm-metal/engine"
)

// ourPackages are the names of all packages of ours below this one.
func ourPackages(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	for _, root := range []string{"model", "kernels", "metal"} {
		err := filepath.WalkDir(filepath.Join("..", root), func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() {
				names[filepath.Base(path)] = true
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(names) < 12 {
		t.Fatalf("only %d packages", len(names))
	}
	return names
}

// inPlainWords holds an error of this package to name it, and it alone: not which packages
// below the error came through, nor their words for what is not there or not good. It is for
// every test in which a checkpoint is refused.
func inPlainWords(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		return
	}
	text := err.Error()
	parts := strings.Split(text, ": ")
	ours := ourPackages(t)
	for i, part := range parts {
		switch {
		case i == 0 && part == "engine":
		case i > 0 && part == "model" && strings.HasSuffix(parts[i-1], "tokenizer.json"): // its field of that name
		case i == 0, part == "engine", ours[part]:
			t.Errorf("part %d of %q is no word of a user's", i+1, text)
		}
	}
	for _, words := range []string{"bad model", "bad config", "bad weights", "incomplete model", "unmarshal", "%!"} {
		if strings.Contains(text, words) {
			t.Errorf("%q says %q", text, words)
		}
	}
}

// What kind of model it is comes before what a folder of it lacks, and what a folder lacks
// is said of the folder.
func TestKindComesFirst(t *testing.T) {
	const bert = `"hidden_size":32,"num_hidden_layers":1,"num_attention_heads":2,"intermediate_size":64,"vocab_size":99,"max_position_embeddings":64`
	for _, c := range []struct {
		name, config string
		files        []string
		says         string
	}{
		{"a RoBERTa with a tokenizer of its own", `{"model_type":"roberta"}`, []string{"vocab.json", "merges.txt", "model.safetensors"}, `this is a RoBERTa model, and only these are supported: "bert", `},
		{"an old one", `{"architectures":["RobertaModel"]}`, []string{"vocab.json"}, `model_type: missing, and architectures is ["RobertaModel"]`},
		{"an encoder without weights", `{"architectures":["BertModel"],` + bert + `}`, []string{"vocab.txt"}, `architectures is ["BertModel"], which has no classification head`},
		{"three labels in PyTorch's format", `{"architectures":["BertForSequenceClassification"],"num_labels":3,` + bert + `}`, []string{"pytorch_model.bin", "vocab.txt"}, "config.json has 3 labels, want 1"},
		{"one label in PyTorch's format", `{"architectures":["BertForSequenceClassification"],"num_labels":1,` + bert + `}`, []string{"pytorch_model.bin", "vocab.txt"},
			"pytorch_model.bin: not a file that torch.save wrote, or a damaged one (1 bytes, neither a zip file nor"},
		{"in several files", `{"model_type":"bert",` + bert + `}`, []string{"pytorch_model.bin.index.json", "vocab.txt"}, "DIR lacks pytorch_model.bin.index.json (invalid index: byte 0: "},
		{"of TensorFlow", `{"model_type":"bert",` + bert + `}`, []string{"tf_model.h5", "vocab.txt"}, "DIR lacks model.safetensors: its weights are in tf_model.h5, in the format of TensorFlow, which is not read"},
		{"of ONNX", `{"model_type":"bert",` + bert + `}`, []string{"onnx/model.onnx", "tokenizer.json"}, "onnx/model.onnx, in the format of ONNX"},
		{"nothing else", `{"model_type":"bert",` + bert + `}`, nil, "engine: cannot use this model: DIR lacks tokenizer.json or vocab.txt, model.safetensors"},
		{"nothing", "", nil, "engine: cannot use this model: DIR lacks config.json, tokenizer.json or vocab.txt, model.safetensors"},
	} {
		t.Run(c.name, func(t *testing.T) {
			fsys := fstest.MapFS{}
			for _, name := range c.files {
				fsys[name] = &fstest.MapFile{Data: []byte("x")}
			}
			if c.config != "" {
				fsys["config.json"] = &fstest.MapFile{Data: []byte(c.config)}
			}
			dir := t.TempDir()
			if err := os.CopyFS(dir, fsys); err != nil {
				t.Fatal(err)
			}
			e, err := engine.Open(dir)
			if e != nil || !errors.Is(err, engine.ErrModel) || !strings.Contains(err.Error(), strings.ReplaceAll(c.says, "DIR", dir)) {
				t.Errorf("%v, want %q", err, c.says)
			}
			inPlainWords(t, err)
		})
	}
}

// Errors of a device and of options are in plain words, too.
func TestOtherErrorsInPlainWords(t *testing.T) {
	fsys := modularFiles(t, askedByNature, forScores)
	for _, opt := range []engine.Option{engine.Device("tpu"), engine.Precision("f8"), engine.InstructionSet("mmx"), engine.MaxLength(9999), engine.MaxLength(2),
		engine.Workers(0), engine.TokenBudget(0), engine.DefaultPrompt("nobody")} {
		e, err := engine.OpenFS(fsys, engine.NoCalibrationFile(), opt)
		if err == nil {
			e.Close()
			t.Error("opened")
		}
		inPlainWords(t, err)
		if n := strings.Count(fmt.Sprint(err), "engine"); n != 1 {
			t.Errorf("%v: named %d times", err, n)
		}
	}
}
