package engine_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/model"
)

// skipping are the files of an embedder that pools in that way, without the prompt.
func skipping(mode string) map[string]json.RawMessage {
	return map[string]json.RawMessage{
		"modules.json": json.RawMessage(`[{"idx":0,"name":"0","path":"","type":"sentence_transformers.models.Transformer"},
			{"idx":1,"name":"1","path":"1_Pooling","type":"sentence_transformers.models.Pooling"}]`),
		"1_Pooling/config.json": json.RawMessage(`{"embedding_dimension":32,"pooling_mode":` + mode + `,"include_prompt":false}`),
	}
}

// Where a prompt is left out of what is pooled, calls with different prompts share passes, and
// every text has the embedding that it has alone, bit for bit.
func TestPromptsThatAreLeftOut(t *testing.T) {
	prompts := []string{"", "the people of ", "who ", strings.Repeat("how many people live in the city ", 12)}
	texts := []string{"how many people live in the city", "", "a b c", "who"}
	for _, mode := range []string{`"mean"`, `["cls","lasttoken"]`, `["max","mean"]`} {
		e, err := engine.OpenFS(embedder(t, skipping(mode), nil), engine.Embedder(), engine.Device("cpu"), engine.Precision("f32"), engine.Workers(1), engine.NoCalibrationFile())
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		width := e.Info().Dimensions
		want := make([][]float32, len(prompts))
		for i, prompt := range prompts {
			for _, text := range texts {
				if want[i], err = e.Embed(t.Context(), want[i], []string{text}, engine.Prompt(prompt)); err != nil {
					t.Fatal(err)
				}
			}
		}
		for i := range 3 {
			for j := i + 1; j < 4; j++ {
				if slices.Equal(want[i], want[j]) {
					t.Errorf("%s: prompts %q and %q are the same", mode, prompts[i], prompts[j])
				}
			}
		}
		// A prompt that fills the texts leaves nothing but the end.
		if full := want[3]; !slices.Equal(full[:width], full[width:2*width]) || slices.Max(full) == 0 {
			t.Errorf("%s: a prompt of all tokens: %v", mode, full)
		}
		var callers sync.WaitGroup
		for range 4 {
			for i, prompt := range prompts {
				callers.Go(func() {
					got, err := e.Embed(t.Context(), nil, texts, engine.Prompt(prompt))
					if err != nil || !slices.Equal(got, want[i]) {
						t.Errorf("%s, prompt %q: not the same as alone: %v", mode, prompt, err)
					}
				})
			}
		}
		callers.Wait()
	}
}

// A prompt may join the text in fewer tokens than it has by itself, so that nothing is left of a
// text: then there is no largest, where the library has -Inf. The other texts have theirs.
func TestPromptThatLeavesNothing(t *testing.T) {
	for _, device := range []engine.Option{engine.Device("cpu"), engine.Device("reference")} {
		e, err := engine.OpenFS(embedder(t, skipping(`"max"`), nil), engine.Embedder(), device, engine.NoCalibrationFile())
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		got, err := e.Embed(t.Context(), nil, []string{"live", "o"}, engine.Prompt("wh")) // "wh" is two tokens, "who" is one
		one, ok := errors.AsType[*engine.TextError](err)
		if !ok || one.Index != 1 || len(got) != 64 || got[0] != got[0] || got[32] == got[32] {
			t.Errorf("%v, %v: want an error about text 1, and values of text 0", got, err)
		}
	}
}

// A tokenizer.json that was saved after a call has that call's padding and length in it, which
// count for nobody else.
func TestPaddingOfTheLastCall(t *testing.T) {
	texts := []string{"how many people live in the city", "", "a b c d e f g h i j k l m n o p q r s t u v w x y z 1 2 3"}
	var want []float32
	for _, padded := range []bool{false, true} {
		files := embedder(t, skipping(`"mean"`), nil)
		if padded {
			const rule = `"truncation":{"direction":"Right","max_length":9,"strategy":"LongestFirst","stride":0},
				"padding":{"strategy":{"Fixed":48},"direction":"Right","pad_to_multiple_of":null,"pad_id":0,"pad_type_id":0,"pad_token":"[PAD]"},`
			var all map[string]json.RawMessage
			if err := json.Unmarshal(files["tokenizer.json"].Data, &all); err != nil {
				t.Fatal(err)
			}
			delete(all, "truncation")
			delete(all, "padding")
			data, err := json.Marshal(all)
			if err != nil {
				t.Fatal(err)
			}
			files["tokenizer.json"] = &fstest.MapFile{Data: bytes.Replace(data, []byte("{"), []byte("{"+rule), 1)}
		}
		e, err := engine.OpenFS(files, engine.Embedder(), engine.Device("cpu"), engine.Precision("f32"), engine.NoCalibrationFile())
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		got, err := e.Embed(t.Context(), nil, texts)
		if err != nil || want != nil && !slices.Equal(got, want) {
			t.Errorf("padded %t: %v, %v, want %v", padded, got, err, want)
		}
		want = got
		var b model.Batch
		if err := e.Tokenize(&b, []engine.Pair{{Query: ""}, {Query: "a b c"}}); err != nil || !slices.Equal(b.Start, []int32{0, 2, 7}) {
			t.Errorf("padded %t: sequences begin at %d, %v", padded, b.Start, err)
		}
	}
}

// The model itself may be in a folder, as sentence-transformers before version 2 saved it.
func TestEmbedderInAFolder(t *testing.T) {
	texts := []string{"how many people live in the city", "who"}
	files, moved := embedder(t, skipping(`"mean"`), nil), fstest.MapFS{}
	for name, file := range files {
		switch {
		case name == "modules.json":
			file = &fstest.MapFile{Data: bytes.Replace(file.Data, []byte(`"path":""`), []byte(`"path":"0_Transformer"`), 1)}
		case !strings.Contains(name, "/"):
			name = "0_Transformer/" + name
		}
		moved[name] = file
	}
	var want []float32
	for _, fsys := range []fstest.MapFS{files, moved} {
		dir := t.TempDir()
		if err := os.CopyFS(dir, fsys); err != nil {
			t.Fatal(err)
		}
		e, err := engine.Open(dir, engine.Embedder(), engine.Device("cpu"), engine.Precision("f32"), engine.NoCalibrationFile())
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		got, err := e.Embed(t.Context(), nil, texts)
		if err != nil || want != nil && !slices.Equal(got, want) {
			t.Errorf("%v, %v, want %v", got, err, want)
		}
		want = got
	}
	_, err := engine.OpenFS(moved)
	if inPlainWords(t, err); !errors.Is(err, engine.ErrModel) || !errors.Is(err, model.ErrNoHead) || !strings.Contains(err.Error(), "there is no config.json, and the modules of modules.json make embeddings") {
		t.Errorf("for scores: %v", err)
	}
}
