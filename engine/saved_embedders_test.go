package engine_test

import (
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/model"
	"github.com/minilm-metal/minilm-metal/model/modeltest"
)

// savedEmbedder is the expected.json of a folder that SentenceTransformer opens.
type savedEmbedder struct {
	MaxLength     *int              `json:"max_length"`
	Prompts       map[string]string `json:"prompts"`
	DefaultPrompt string            `json:"default_prompt_name"`
	Inputs        []string          `json:"inputs"`
	AsIs          *savedEmbeddings  `json:"as_is"`
	Query         *savedEmbeddings  `json:"prompt_name=query"`
	Passage       *savedEmbeddings  `json:"prompt_name=passage"`
}

type savedEmbeddings struct {
	Prompt     string
	IDs        [][]int32 `json:"input_ids"`
	Embeddings [][]float64
}

// savedEmbedders are the folders of data/saved that make embeddings, and our error about each;
// "" opens, and gives the library's tokens and embeddings.
var savedEmbedders = map[string]string{
	"st-2.2.2+tf-4.30/emb-dense-prompts": "",
	"st-2.2.2+tf-4.30/emb-mean-norm":     "",
	"st-2.2.2+tf-4.30/hf-automodel-bin":  "",
	"st-2.7.0+tf-4.40/emb-dense-prompts": "",
	"st-2.7.0+tf-4.40/emb-maxlen32":      "",
	"st-2.7.0+tf-4.40/emb-mean-norm":     "",
	"st-3.4.1+tf-4.48/emb-dense-prompts": "",
	"st-4.1.0+tf-4.51/emb-dense-prompts": "",
	"st-5.1.1+tf-4.56/emb-dense-prompts": "",
	"st-5.4.0+tf-4.57/emb-dense-prompts": "",
	"st-6.2.0+tf-5.24/emb-cls":           "",
	"st-6.2.0+tf-5.24/emb-dense-prompts": "",
	"st-6.2.0+tf-5.24/emb-maxlen32":      "",
	"st-6.2.0+tf-5.24/emb-mean-norm":     "",
	"st-6.2.0+tf-5.24/hf-automodel":      "",
}

// Folders that real versions of the library wrote open as embedders and embed as there, or are
// refused for what they are.
func TestSavedEmbedders(t *testing.T) {
	modeltest.OnlyValues(t)
	root := savedFolder(t)
	found := 0
	for name := range saved {
		kind := filepath.Base(name)
		if _, embeds := savedEmbedders[name]; embeds != (strings.HasPrefix(kind, "emb-") || strings.HasPrefix(kind, "hf-automodel")) {
			t.Errorf("%s: nobody has said what becomes of this folder", name)
		} else if embeds {
			found++
		}
	}
	if found != len(savedEmbedders) {
		t.Errorf("%d folders, want %d", found, len(savedEmbedders))
	}
	for name, says := range savedEmbedders {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(root, filepath.FromSlash(name))
			for device, precision := range map[string]string{"cpu": "f32", "reference": "f64"} {
				e, err := engine.Open(dir, engine.Embedder(), engine.Device(device), engine.Precision(precision))
				if says != "" {
					if err == nil {
						e.Close()
					}
					inPlainWords(t, err)
					if want := strings.ReplaceAll(says, "DIR", dir); !errors.Is(err, engine.ErrModel) || err.Error() != want {
						t.Errorf("error %v, want %q", err, want)
					}
					continue
				}
				if err != nil {
					t.Fatal(err)
				}
				checkSavedEmbedder(t, e, dir)
				if err := e.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

func checkSavedEmbedder(t *testing.T, e *engine.Engine, dir string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, "expected.json"))
	if err != nil {
		t.Fatal(err)
	}
	var want savedEmbedder
	if err := json.Unmarshal(data, &want); err != nil {
		t.Fatal(err)
	}
	info := e.Info()
	// transformers writes no modules, and sentence-transformers warns of the means, too.
	warned := strings.Join(info.Warnings, "\n")
	if _, err := os.Stat(filepath.Join(dir, "modules.json")); err != nil && strings.HasPrefix(warned, "there is no modules.json") {
		_, warned, _ = strings.Cut(warned, "\n")
	}
	if warned != "" {
		t.Errorf("warnings %q of what a library wrote", info.Warnings)
	}
	if want.MaxLength == nil || info.MaxLength != min(*want.MaxLength, info.Config.MaxPositions) {
		t.Errorf("at most %d tokens, by %q", info.MaxLength, info.MaxLengthFrom)
	}
	if info.DefaultPrompt != want.DefaultPrompt {
		t.Errorf("default prompt %q, want %q", info.DefaultPrompt, want.DefaultPrompt)
	}
	compared := 0
	for _, c := range []struct {
		name string
		opts []engine.CallOption
		want *savedEmbeddings
	}{
		{"as it is", nil, want.AsIs},
		{"query", []engine.CallOption{engine.PromptName("query")}, want.Query},
		{"passage", []engine.CallOption{engine.PromptName("passage")}, want.Passage},
	} {
		if c.want == nil {
			continue
		}
		got, err := e.Embed(t.Context(), nil, want.Inputs, c.opts...)
		if err != nil || len(got) != len(want.Inputs)*info.Dimensions {
			t.Errorf("%s: %d values, %v", c.name, len(got), err)
			continue
		}
		for i, text := range want.Inputs {
			var b model.Batch
			if err := e.Tokenize(&b, []engine.Pair{{Query: text}}, c.opts...); err != nil || !slices.Equal(b.IDs, c.want.IDs[i]) {
				t.Errorf("%s, text %d: tokens %v, %v, want %v", c.name, i, b.IDs, err, c.want.IDs[i])
			}
			compared++
			for j, v := range c.want.Embeddings[i] {
				if got := float64(got[i*info.Dimensions+j]); len(c.want.Embeddings[i]) != info.Dimensions || !(math.Abs(got-v) <= 1e-5) {
					t.Errorf("%s, text %d: value %d of %d is %g, want %g", c.name, i, j, info.Dimensions, got, v)
					break
				}
			}
		}
	}
	if compared < 12 {
		t.Errorf("only %d texts to compare", compared)
	}
}
