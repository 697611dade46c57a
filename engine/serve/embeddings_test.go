package serve

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/engine/enginetest"
	"github.com/minilm-metal/minilm-metal/engine/vectors"
	"github.com/minilm-metal/minilm-metal/model/tokenizer"
)

// embeds are the paths of OpenAI's form, with the dialect that is pinned.
var embeds = [][2]string{{"", "/v1/embeddings"}, {"", "/embeddings"}, {"vllm", "/v1/embeddings"}}

type embedded struct {
	Data []struct {
		Index     int
		Embedding json.RawMessage
	}
	Usage usage
}

// vectorsIn returns the values of an answer, one row after the other.
func vectorsIn(t *testing.T, a embedded) (all []float32) {
	t.Helper()
	for i, d := range a.Data {
		if d.Index != i {
			t.Errorf("index %d at %d", d.Index, i)
		}
		var text string
		var row []float32
		if json.Unmarshal(d.Embedding, &text) != nil {
			if err := json.Unmarshal(d.Embedding, &row); err != nil {
				t.Fatal(err)
			}
			all = append(all, row...)
			continue
		}
		bytes, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		for b := range slices.Chunk(bytes, 4) {
			all = append(all, math.Float32frombits(binary.LittleEndian.Uint32(b)))
		}
	}
	return all
}

// Embeddings are the engine's bits, as numbers and as base64, whole and shortened.
func TestEmbeddingsAreTheEngines(t *testing.T) {
	texts := someTexts(100)
	list, err := json.Marshal(texts)
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range embeds {
		h, eng := open(t, embedding, Dialect(at[0]))
		var stats engine.CallStats
		want, err := eng.Embed(t.Context(), nil, texts, engine.StatsTo(&stats))
		if err != nil {
			t.Fatal(err)
		}
		var short []float32
		for row := range slices.Chunk(want, 32) {
			row = slices.Clone(row[:7])
			vectors.Normalize(row)
			short = append(short, row...)
		}
		for more, want := range map[string][]float32{
			"": want, `, "encoding_format": "float"`: want, `, "encoding_format": "base64"`: want,
			`, "dimensions": 32`: want, `, "dimensions": 7`: short, `, "dimensions": 7, "encoding_format": "base64"`: short,
		} {
			w := send(h, "POST", at[1], fmt.Sprintf(`{"model": "m", "input": %s%s}`, list, more))
			a := decoded[embedded](t, w)
			if got := vectorsIn(t, a); !slices.Equal(got, want) {
				t.Errorf("%v%s: other values than the engine's", at, more)
			}
			if a.Usage.Prompt != stats.Tokens || a.Usage.Total != stats.Tokens {
				t.Errorf("%v: usage %+v, want %d", at, a.Usage, stats.Tokens)
			}
		}
		one := decoded[embedded](t, send(h, "POST", at[1], fmt.Sprintf(`{"input": %q}`, texts[0])))
		if got := vectorsIn(t, one); !slices.Equal(got, want[:32]) {
			t.Errorf("%v: one text by itself has another embedding", at)
		}
	}
}

// An engine that keeps the first values of its vectors leaves them shorter than 1. Clients that ask for
// nothing else have them of length 1 all the same, and those that want them as they are have the engine's.
func TestEmbeddingsOfShortenedVectors(t *testing.T) {
	eng := enginetest.OpenEmbedder(t, engine.Dimensions(5))
	h := ready(t, eng)
	want, err := eng.Embed(t.Context(), nil, []string{"a river"})
	if err != nil {
		t.Fatal(err)
	}
	long, err := eng.Embed(t.Context(), nil, []string{"a river"}, engine.Unnormalized())
	if err != nil {
		t.Fatal(err)
	}
	vectors.Normalize(want)
	for more, want := range map[string][]float32{"": want, `, "dimensions": 5`: want, `, "normalize": false`: long} {
		w := send(h, "POST", "/embed", `{"inputs": "a river"`+more+`}`)
		if got := decoded[[][]float32](t, w); len(got) != 1 || !slices.Equal(got[0], want) {
			t.Errorf("%q: %v, want %v", more, got, want)
		}
	}
}

// Token ids have the embedding of the text that they are of, bit for bit, with special tokens
// around them and without. Ids are no items: a text has many of them.
func TestEmbeddingsOfTokenIDs(t *testing.T) {
	long := strings.Repeat("rivers and museums ", 300) + "end"
	texts := []string{"A river.", long, "", "Berlin has museums."}
	for _, opts := range [][]engine.Option{nil, {engine.Truncation(tokenizer.TruncateLeft)}} {
		eng := enginetest.OpenEmbedder(t, opts...)
		h := ready(t, eng, MaxItems(len(texts)))
		want, err := eng.Embed(t.Context(), nil, texts)
		if err != nil {
			t.Fatal(err)
		}
		for _, special := range []bool{false, true} {
			var ids [][]int32
			list, _ := json.Marshal(texts)
			w := send(h, "POST", "/tokenize", fmt.Sprintf(`{"inputs": %s, "add_special_tokens": %v}`, list, special))
			for _, tokens := range decoded[[][]struct{ ID int32 }](t, w) {
				of := []int32{}
				for _, token := range tokens {
					of = append(of, token.ID)
				}
				ids = append(ids, of)
			}
			input, _ := json.Marshal(ids)
			w = send(h, "POST", "/v1/embeddings", fmt.Sprintf(`{"input": %s}`, input))
			if got := vectorsIn(t, decoded[embedded](t, w)); !slices.Equal(got, want) {
				t.Errorf("special tokens %v: other values than those of the texts", special)
			}
			first, _ := json.Marshal(ids[0])
			w = send(h, "POST", "/v1/embeddings", fmt.Sprintf(`{"input": %s}`, first))
			if got := vectorsIn(t, decoded[embedded](t, w)); !slices.Equal(got, want[:32]) {
				t.Errorf("one list of ids: other values than those of the text")
			}
		}
	}
	// A model's prompt cannot be put before ids.
	prompted := enginetest.OpenEmbedder(t, engine.Prompts(map[string]string{"query": "query: "}), engine.DefaultPrompt("query"))
	if w := send(ready(t, prompted), "POST", "/v1/embeddings", `{"input": [142]}`); w.Code != 400 || !strings.Contains(w.Body.String(), "puts a prompt before each text") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// In vLLM's dialect a text or list of ids that is too long is an error that says how many tokens
// there are, unless it may be cut.
func TestEmbeddingsUncut(t *testing.T) {
	h, eng := open(t, embedding, Dialect("vllm"))
	ids, _ := json.Marshal(slices.Repeat([]int32{142}, 600))
	for _, input := range []string{fmt.Sprintf("%q", strings.Repeat("A ", 600)), string(ids)} {
		w := send(h, "POST", "/v1/embeddings", fmt.Sprintf(`{"input": %s}`, input))
		if w.Code != 400 || !strings.Contains(w.Body.String(), "text 0 has 602 tokens, and must have at most 512") {
			t.Errorf("%d %s", w.Code, w.Body)
		}
		for _, most := range []int{-1, 20} {
			opts := []engine.CallOption{}
			if most > 0 {
				opts = append(opts, engine.AtMost(most))
			}
			want, err := eng.Embed(t.Context(), nil, []string{strings.Repeat("A ", 600)}, opts...)
			if err != nil {
				t.Fatal(err)
			}
			w := send(h, "POST", "/v1/embeddings", fmt.Sprintf(`{"input": %s, "truncate_prompt_tokens": %d}`, input, most))
			if got := vectorsIn(t, decoded[embedded](t, w)); !slices.Equal(got, want) {
				t.Errorf("cut to %d: other values than the engine's", most)
			}
		}
	}
}
