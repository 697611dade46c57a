package engine_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/kernels"
	"github.com/minilm-metal/minilm-metal/model"
	"github.com/minilm-metal/minilm-metal/model/modeltest"
	"github.com/minilm-metal/minilm-metal/model/safetensors"
	"github.com/minilm-metal/minilm-metal/testdata"
)

// embedderCase is a case of testdata/embedders.json.
type embedderCase struct {
	Name       string
	Files      map[string]json.RawMessage
	Dense      map[string][3]any
	Tensors    map[string]map[string][]int // shapes by folder and name
	Prompt     *string
	Dim        int      // the argument truncate_dim; 0: none
	Texts      []string // nil: those of all cases
	Embeddings [][]float64
}

func embedderCases(t *testing.T) (texts []string, cases []embedderCase) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "testdata", "embedders.json"))
	if err != nil {
		t.Fatal(err)
	}
	var all struct {
		Texts []string
		Cases []embedderCase
	}
	if err := json.Unmarshal(data, &all); err != nil || len(all.Cases) < 30 {
		t.Fatalf("%d cases, %v", len(all.Cases), err)
	}
	return all.Texts, all.Cases
}

// embedder returns the tiny checkpoint with files beside it: those of a case, and the weights
// that testdata/embedders.py gives each Dense.
func embedder(t *testing.T, files map[string]json.RawMessage, dense map[string][3]any) fstest.MapFS {
	t.Helper()
	all := fstest.MapFS{}
	for _, name := range []string{"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"} {
		data, err := fs.ReadFile(testdata.Tiny(), name)
		if err != nil {
			t.Fatal(err)
		}
		all[name] = &fstest.MapFile{Data: data}
	}
	for name, content := range files {
		all[name] = &fstest.MapFile{Data: content}
	}
	for folder, size := range dense {
		out, in := int(size[0].(float64)), int(size[1].(float64))
		tensors := []safetensors.Entry{floats("linear.weight", []int{out, in}, func(k float64) float64 { return math.Sin(k) / math.Sqrt(float64(in)) })}
		if size[2].(bool) {
			tensors = append(tensors, floats("linear.bias", []int{out}, math.Cos))
		}
		var b bytes.Buffer
		if err := safetensors.Write(&b, tensors, nil); err != nil {
			t.Fatal(err)
		}
		all[folder+"/model.safetensors"] = &fstest.MapFile{Data: b.Bytes()}
	}
	return all
}

// files returns the checkpoint of a case.
func (c *embedderCase) files(t *testing.T) fstest.MapFS {
	t.Helper()
	all := embedder(t, c.Files, c.Dense)
	for folder, shapes := range c.Tensors {
		var tensors []safetensors.Entry
		for name, shape := range shapes {
			value := math.Cos
			if len(shape) == 2 {
				value = func(k float64) float64 { return math.Sin(k) / math.Sqrt(float64(shape[1])) }
			}
			tensors = append(tensors, floats(name, shape, value))
		}
		var b bytes.Buffer
		if err := safetensors.Write(&b, tensors, nil); err != nil {
			t.Fatal(err)
		}
		all[folder+"/model.safetensors"] = &fstest.MapFile{Data: b.Bytes()}
	}
	return all
}

// Every way of pooling, in both layouts, with every module after it, gives what
// sentence-transformers makes of it, on each device and instruction set.
func TestEmbedders(t *testing.T) {
	modeltest.OnlyValues(t)
	texts, cases := embedderCases(t)
	devices := [][]engine.Option{{engine.Device("reference")}}
	for _, isa := range kernels.Permitted() {
		devices = append(devices, []engine.Option{engine.Device("cpu"), engine.InstructionSet(isa.String()), engine.Precision("f32")})
	}
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			fsys, texts := c.files(t), texts
			if c.Texts != nil {
				texts = c.Texts
			}
			for _, device := range devices {
				e, err := engine.OpenFS(fsys, append([]engine.Option{engine.Embedder(), engine.Dimensions(c.Dim), engine.NoCalibrationFile()}, device...)...)
				if err != nil {
					t.Fatal(err)
				}
				defer e.Close()
				var opts []engine.CallOption
				if c.Prompt != nil {
					opts = append(opts, engine.PromptName(*c.Prompt))
				}
				before := []float32{7}
				got, err := e.Embed(t.Context(), before, texts, opts...)
				width := e.Info().Dimensions
				if err != nil || len(got) != 1+len(texts)*width || got[0] != 7 || width != len(c.Embeddings[0]) {
					t.Fatalf("%d values of %d dimensions, %v, want %d", len(got), width, err, len(c.Embeddings[0]))
				}
				for i, row := range c.Embeddings {
					for j, want := range row {
						if v := float64(got[1+i*width+j]); !(math.Abs(v-want) <= 1e-5*max(1, math.Abs(want))) {
							t.Fatalf("%s: text %d: value %d is %g, want %g", e.Info().InstructionSet, i, j, v, want)
						}
					}
				}
			}
		})
	}
}

// A cross-encoder without modules makes means that nobody trained, which is said.
func TestEmbedderOfCrossEncoder(t *testing.T) {
	e, err := engine.OpenFS(testdata.Tiny(), engine.Embedder(), engine.Precision("f32"))
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	if got := strings.Join(e.Info().Warnings, "\n"); !strings.Contains(got, "no modules.json") {
		t.Errorf("warnings %q", got)
	}
}

// openEmbedder opens the tiny checkpoint, of which embeddings are means of unit length.
func openEmbedder(t *testing.T, opts ...engine.Option) *engine.Engine {
	t.Helper()
	_, cases := embedderCases(t)
	at := slices.IndexFunc(cases, func(c embedderCase) bool { return c.Name == "unit" })
	e, err := engine.OpenFS(embedder(t, cases[at].Files, nil), append([]engine.Option{engine.Embedder(), engine.Device("cpu"), engine.Precision("f32")}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

// An embedding is the same, bit for bit, at every precision, alone and beside any others of
// any caller.
func TestEmbedDependsOnNoOthers(t *testing.T) {
	words := strings.Fields(strings.Repeat("how many people live in the city of the river and who asks for a book there ", 6))
	var texts []string
	for n := 0; n < len(words); n += 3 {
		texts = append(texts, strings.Join(words[:n], " "))
	}
	for _, isa := range kernels.Permitted()[:1] {
		for _, format := range isa.Formats() {
			e := openEmbedder(t, engine.InstructionSet(isa.String()), engine.Precision(format.String()), engine.Workers(2))
			width := e.Info().Dimensions
			var want []float32
			for _, text := range texts {
				one, err := e.Embed(t.Context(), nil, []string{text})
				if err != nil || len(one) != width {
					t.Fatalf("%d values, %v", len(one), err)
				}
				want = append(want, one...)
				length := 0.0
				for _, v := range one {
					length += float64(v) * float64(v)
				}
				if math.Abs(length-1) > 1e-6 {
					t.Errorf("%v: of length %g", format, math.Sqrt(length))
				}
			}
			var callers sync.WaitGroup
			for i := range 8 {
				callers.Go(func() {
					got, err := e.Embed(t.Context(), nil, texts[i:])
					if err != nil || !slices.Equal(got, want[i*width:]) {
						t.Errorf("%v: texts from %d on are not the same as alone: %v", format, i, err)
					}
				})
			}
			callers.Wait()
		}
	}
}

// An engine makes scores or embeddings, and says which where the other is asked for.
func TestEmbedOrScore(t *testing.T) {
	e := openEmbedder(t)
	if got, err := e.Embed(t.Context(), []float32{1}, nil); err != nil || len(got) != 1 {
		t.Errorf("no texts: %v, %v", got, err)
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if got, err := e.Embed(over, []float32{1}, []string{"a"}); !errors.Is(err, context.Canceled) || len(got) != 1 {
		t.Errorf("a context that is over: %v, %v", got, err)
	}
	var none context.Context
	if got, err := e.Embed(none, []float32{1}, []string{"a"}); err == nil || len(got) != 1 {
		t.Errorf("no context: %v, %v", got, err)
	}
	if _, err := e.Embed(t.Context(), nil, []string{"a"}, engine.PromptName("none"), nil); !errors.Is(err, engine.ErrPrompt) {
		t.Errorf("an unknown prompt: %v", err)
	}
	pairs := []engine.Pair{{Query: "a", Passage: "b"}}
	_, scoring := e.Score(t.Context(), nil, pairs)
	_, ranking := e.Rank(t.Context(), "a", []string{"b"})
	var b model.Batch
	b.Append([]int32{2, 3}, []int32{0, 0})
	_, tokens := e.ScoreTokens(t.Context(), nil, &b)
	var streaming error
	for _, err := range e.Stream(t.Context(), slices.Values(pairs)) {
		streaming = err
	}
	for _, err := range []error{scoring, ranking, tokens, streaming} {
		if err == nil || !strings.Contains(err.Error(), "it makes embeddings, and no scores") {
			t.Errorf("a score of an embedder: %v", err)
		}
	}
	scorer, err := engine.OpenFS(testdata.Tiny(), engine.Device("cpu"), engine.Precision("f32"), engine.NoCalibrationFile())
	if err != nil {
		t.Fatal(err)
	}
	defer scorer.Close()
	if got, err := scorer.Embed(t.Context(), []float32{1}, []string{"a"}); err == nil || !strings.Contains(err.Error(), "it makes scores, and no embeddings") || len(got) != 1 {
		t.Errorf("an embedding of a cross-encoder: %v, %v", got, err)
	}
	if scorer.Info().Dimensions != 0 {
		t.Errorf("a cross-encoder of %d dimensions", scorer.Info().Dimensions)
	}
}

// floats is a float32 tensor whose k-th value is a function of k.
func floats(name string, shape []int, value func(k float64) float64) safetensors.Entry {
	n := 1
	for _, size := range shape {
		n *= size
	}
	e := safetensors.Entry{Name: name, DType: "F32", Shape: shape}
	for k := range n {
		e.Data = binary.LittleEndian.AppendUint32(e.Data, math.Float32bits(float32(value(float64(k)))))
	}
	return e
}

// Tokens of texts have the embeddings that the texts have, bit for bit, and are neither cut nor
// put between special tokens.
func TestEmbedTokens(t *testing.T) {
	e := openEmbedder(t)
	texts := []string{"how many people live in the city", "", "who"}
	want, err := e.Embed(t.Context(), nil, texts)
	if err != nil {
		t.Fatal(err)
	}
	var b model.Batch
	pairs := make([]engine.Pair, len(texts))
	for i, text := range texts {
		pairs[i].Query = text
	}
	if err := e.Tokenize(&b, pairs); err != nil {
		t.Fatal(err)
	}
	var stats engine.CallStats
	got, err := e.EmbedTokens(t.Context(), []float32{7}, &b, engine.StatsTo(&stats))
	if err != nil || got[0] != 7 || !slices.Equal(got[1:], want) {
		t.Errorf("%v, %v, want %v", got, err, want)
	}
	if stats.Pairs != len(texts) || stats.Tokens != b.Tokens() {
		t.Errorf("stats of %d texts and %d tokens, want %d and %d", stats.Pairs, stats.Tokens, len(texts), b.Tokens())
	}
	var bare, long, unknown model.Batch
	bare.Append([]int32{b.IDs[1]}, []int32{0})
	if got, err := e.EmbedTokens(t.Context(), nil, &bare); err != nil || slices.Equal(got, want[:len(got)]) {
		t.Errorf("a token without special tokens: %v, %v", got, err)
	}
	long.Append(make([]int32, 2000), make([]int32, 2000))
	if got, err := e.EmbedTokens(t.Context(), []float32{7}, &long); !errors.Is(err, engine.ErrTooLong) || len(got) != 1 {
		t.Errorf("too many tokens: %v, %v", got, err)
	}
	unknown.Append([]int32{40000}, []int32{0})
	if _, err := e.EmbedTokens(t.Context(), nil, &unknown); err == nil || !strings.Contains(err.Error(), "40000") {
		t.Errorf("an id outside the vocabulary: %v", err)
	}
	if got, err := e.EmbedTokens(t.Context(), []float32{7}, nil); err == nil || len(got) != 1 {
		t.Errorf("no batch: %v, %v", got, err)
	}
}
