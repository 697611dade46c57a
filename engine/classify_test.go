package engine_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
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

// labelCase is a case of testdata/labels.json.
type labelCase struct {
	Name           string
	Config         map[string]any
	N              int
	Labels         []string
	Logits, Values [][]float64
}

// labelCases returns the cases, and what is classified: single texts and then pairs.
func labelCases(t *testing.T) (texts []string, pairs []engine.Pair, cases []labelCase) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "testdata", "labels.json"))
	if err != nil {
		t.Fatal(err)
	}
	var all struct {
		Inputs []json.RawMessage
		Cases  []labelCase
	}
	if err := json.Unmarshal(data, &all); err != nil || len(all.Cases) < 9 {
		t.Fatalf("%d cases, %v", len(all.Cases), err)
	}
	texts, pairs = textsAndPairs(t, all.Inputs)
	return texts, pairs, all.Cases
}

// textsAndPairs reads inputs that are texts and then pairs of them.
func textsAndPairs(t *testing.T, inputs []json.RawMessage) (texts []string, pairs []engine.Pair) {
	t.Helper()
	for _, raw := range inputs {
		var text string
		var pair [2]string
		if json.Unmarshal(raw, &text) == nil {
			texts = append(texts, text)
		} else if err := json.Unmarshal(raw, &pair); err != nil {
			t.Fatal(err)
		} else {
			pairs = append(pairs, engine.Pair{Query: pair[0], Passage: pair[1]})
		}
	}
	return texts, pairs
}

// classifier returns the tiny checkpoint with a changed configuration, and with n labels: the
// weights that testdata/labels.py gives them; none if n is 0.
func classifier(t *testing.T, config map[string]any, n int) fstest.MapFS {
	t.Helper()
	all := embedder(t, nil, nil)
	var whole map[string]any
	if err := json.Unmarshal(all["config.json"].Data, &whole); err != nil {
		t.Fatal(err)
	}
	delete(whole, "label2id")
	maps.Copy(whole, config)
	data, err := json.Marshal(whole)
	if err != nil {
		t.Fatal(err)
	}
	all["config.json"] = &fstest.MapFile{Data: data}
	file, err := safetensors.OpenCheckpoint(all)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var tensors []safetensors.Entry
	for _, name := range file.Names() {
		if one, _ := file.Lookup(name); !strings.HasPrefix(name, "classifier.") {
			tensors = append(tensors, safetensors.Entry{Name: name, DType: one.DType, Shape: one.Shape, Data: one.Data()})
		}
	}
	if n > 0 {
		tensors = append(tensors, floats("classifier.weight", []int{n, 32}, func(k float64) float64 { return 4 * math.Sin(k) / math.Sqrt(32) }), floats("classifier.bias", []int{n}, math.Cos))
	}
	var b bytes.Buffer
	if err := safetensors.Write(&b, tensors, nil); err != nil {
		t.Fatal(err)
	}
	all["model.safetensors"] = &fstest.MapFile{Data: b.Bytes()}
	return all
}

// near compares rows with what the library has.
func near(t *testing.T, what string, got []float32, want [][]float64, off float64) {
	t.Helper()
	width := len(want[0])
	if len(got) != len(want)*width {
		t.Fatalf("%s: %d values, want %d of %d", what, len(got), len(want), width)
	}
	for i, row := range want {
		for j, v := range row {
			if g := float64(got[i*width+j]); !(math.Abs(g-v) <= off) {
				t.Errorf("%s: input %d: value %d is %g, want %g", what, i, j, g, v)
			}
		}
	}
}

// Labels have the names, the logits and the probabilities that transformers gives them, of
// single texts and of pairs, on each device and instruction set.
func TestClassify(t *testing.T) {
	modeltest.OnlyValues(t)
	texts, pairs, cases := labelCases(t)
	devices := [][]engine.Option{{engine.Device("reference")}}
	for _, isa := range kernels.Permitted() {
		devices = append(devices, []engine.Option{engine.Device("cpu"), engine.InstructionSet(isa.String()), engine.Precision("f32")})
	}
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			fsys := classifier(t, c.Config, c.N)
			for _, device := range devices {
				for _, raw := range []bool{false, true} {
					opts, want, off := append([]engine.Option{engine.Classifier(), engine.NoCalibrationFile()}, device...), c.Values, 1e-6
					if raw || c.Config["problem_type"] == "regression" {
						off = 1e-5
					}
					if raw {
						opts, want = append(opts, engine.Logits()), c.Logits
					}
					e, err := engine.OpenFS(fsys, opts...)
					if err != nil {
						t.Fatal(err)
					}
					info := e.Info()
					if !slices.Equal(info.Labels, c.Labels) || info.Dimensions != 0 {
						t.Errorf("labels %q, want %q", info.Labels, c.Labels)
					}
					got, err := e.Classify(t.Context(), []float32{7}, texts)
					if err != nil || got[0] != 7 {
						t.Fatalf("%g, %v", got, err)
					}
					near(t, "texts", got[1:], want[:len(texts)], off)
					if got, err = e.ClassifyPairs(t.Context(), nil, pairs); err != nil {
						t.Fatal(err)
					}
					near(t, "pairs", got, want[len(texts):], off)
					if err := e.Close(); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
}

// A classifier of one label is the cross-encoder with the same files: the same bits.
func TestClassifierOfCrossEncoder(t *testing.T) {
	pairs := []engine.Pair{{Query: "how many people", Passage: "people of the city"}, {Query: "", Passage: "a"}, {}}
	open := func(opts ...engine.Option) *engine.Engine {
		e, err := engine.OpenFS(testdata.Tiny(), append(opts, engine.Device("cpu"), engine.Precision("f32"), engine.NoCalibrationFile())...)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { e.Close() })
		return e
	}
	for _, c := range []struct{ labels, scores []engine.Option }{{[]engine.Option{engine.Logits()}, nil}, {nil, []engine.Option{engine.Sigmoid()}}} {
		got, err := open(append(c.labels, engine.Classifier())...).ClassifyPairs(t.Context(), nil, pairs)
		if want := score(t, open(c.scores...), pairs); err != nil || !slices.Equal(got, want) {
			t.Errorf("%g, %v, want %g", got, err, want)
		}
	}
}

// Probabilities are the same, bit for bit, at every precision, alone and beside any others.
func TestClassifyDependsOnNoOthers(t *testing.T) {
	words := strings.Fields(strings.Repeat("how many people live in the city of the river and who asks for a book there ", 4))
	_, _, cases := labelCases(t)
	fsys := classifier(t, cases[1].Config, cases[1].N)
	isa := kernels.Permitted()[0]
	for _, format := range isa.Formats() {
		e, err := engine.OpenFS(fsys, engine.Classifier(), engine.Device("cpu"), engine.InstructionSet(isa.String()), engine.Precision(format.String()), engine.Workers(2))
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		var texts []string
		var pairs []engine.Pair
		var want, wantPairs []float32
		for n := 0; n < len(words); n += 5 {
			texts, pairs = append(texts, strings.Join(words[:n], " ")), append(pairs, engine.Pair{Query: "who", Passage: strings.Join(words[:n], " ")})
			one, err := e.Classify(t.Context(), nil, texts[len(texts)-1:])
			pair, failed := e.ClassifyPairs(t.Context(), nil, pairs[len(pairs)-1:])
			if sum := float64(one[0]) + float64(one[1]) + float64(one[2]); err != nil || failed != nil || math.Abs(sum-1) > 1e-6 {
				t.Fatalf("%g, %v, %v", one, err, failed)
			}
			want, wantPairs = append(want, one...), append(wantPairs, pair...)
		}
		if slices.Equal(want, wantPairs) {
			t.Errorf("%v: texts and pairs are the same", format)
		}
		var callers sync.WaitGroup
		for i := range 6 {
			callers.Go(func() {
				got, err := e.Classify(t.Context(), nil, texts[i:])
				gotPairs, failed := e.ClassifyPairs(t.Context(), nil, pairs[i:])
				if err != nil || failed != nil || !slices.Equal(got, want[i*3:]) || !slices.Equal(gotPairs, wantPairs[i*3:]) {
					t.Errorf("%v: those from %d on are not the same as alone: %v, %v", format, i, err, failed)
				}
			})
		}
		callers.Wait()
	}
}

// What is opened for labels gives no scores and no embeddings, and the other way round; each
// says what it is.
func TestClassifyOnly(t *testing.T) {
	_, _, cases := labelCases(t)
	e, err := engine.OpenFS(classifier(t, cases[1].Config, 3), engine.Classifier(), engine.Device("cpu"), engine.Precision("f32"))
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	pairs := []engine.Pair{{Query: "a", Passage: "b"}}
	_, scored := e.Score(t.Context(), nil, pairs)
	_, ranked := e.Rank(t.Context(), "a", []string{"b"})
	var streamed error
	for _, err := range e.Stream(t.Context(), slices.Values(pairs)) {
		streamed = err
	}
	_, embedded := e.Embed(t.Context(), nil, []string{"a"})
	for i, err := range []error{scored, ranked, streamed, embedded} {
		want := "opened with Classifier: it makes probabilities of labels, and no scores"
		if i == 3 {
			want = strings.Replace(want, "scores", "embeddings", 1)
		}
		if err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	if got, err := openEmbedder(t).Classify(t.Context(), []float32{1}, []string{"a"}); len(got) != 1 || err == nil || !strings.HasSuffix(err.Error(), "opened with Embedder: it makes embeddings, and no probabilities of labels") {
		t.Errorf("%v, %v", got, err)
	}
	if got, err := e.Classify(t.Context(), []float32{1}, nil); err != nil || len(got) != 1 {
		t.Errorf("no texts: %v, %v", got, err)
	}
	if _, err := e.Classify(t.Context(), nil, []string{"a"}, engine.PromptName("none")); !errors.Is(err, engine.ErrPrompt) {
		t.Errorf("an unknown prompt: %v", err)
	}
	if info := e.Info(); info.Final != model.Softmax || info.Precision != "f32" {
		t.Errorf("%+v", info)
	}
}

// Several labels are no score, and no labels are none: each is refused for what it is, and
// id2label alone makes no classifier, but an encoder that embeds.
func TestLabelsRefused(t *testing.T) {
	nli := map[string]any{"id2label": map[string]string{"0": "a", "1": "b", "2": "c"}}
	for _, c := range []struct {
		fsys fs.FS
		opts []engine.Option
		says string
		is   error
	}{
		{classifier(t, nli, 3), nil, "config.json has 3 labels, want 1: the model sorts pairs into classes, and gives them no single score", model.ErrLabels},
		{classifier(t, map[string]any{"architectures": nil, "id2label": nil}, 3), nil, "the classifier has 3 labels, want 1", model.ErrLabels},
		{classifier(t, nli, 0), []engine.Option{engine.Classifier()}, "no classification head", model.ErrNoHead},
		{classifier(t, nli, 2), []engine.Option{engine.Classifier()}, `tensor "classifier.weight": shape [2 32], want [3 32] by config.json`, model.ErrWeights},
		{classifier(t, map[string]any{"id2label": map[string]string{"1": "a"}}, 1), []engine.Option{engine.Classifier()}, "id2label: 1 labels, and none is number 0", model.ErrConfig},
		{classifier(t, map[string]any{"problem_type": "x"}, 1), []engine.Option{engine.Classifier()}, "problem_type: x, want regression", model.ErrConfig},
	} {
		e, err := engine.OpenFS(c.fsys, append(c.opts, engine.Device("cpu"), engine.NoCalibrationFile())...)
		if err == nil {
			e.Close()
		}
		inPlainWords(t, err)
		if !errors.Is(err, engine.ErrModel) || !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("error %v, want %q", err, c.says)
		}
	}
	e, err := engine.OpenFS(classifier(t, nli, 0), engine.Embedder(), engine.Device("cpu"), engine.Precision("f32"))
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	if got, err := e.Embed(t.Context(), nil, []string{"a"}); err != nil || len(got) != 32 {
		t.Errorf("%d values, %v", len(got), err)
	}
}

// An error of one text or pair leaves the others as they are.
func TestClassifyTooLong(t *testing.T) {
	files := classifier(t, map[string]any{"id2label": map[string]string{"0": "a", "1": "b"}}, 2)
	files["modules.json"] = &fstest.MapFile{Data: []byte(`[{"idx":0,"name":"0","path":"","type":"sentence_transformers.base.modules.transformer.Transformer"}]`)}
	files["config_sentence_transformers.json"] = &fstest.MapFile{Data: []byte(`{"model_type":"CrossEncoder"}`)}
	files["sentence_bert_config.json"] = &fstest.MapFile{Data: []byte(`{"transformer_task":"sequence-classification","processing_kwargs":{"text":{"truncation":false}}}`)}
	e, err := engine.OpenFS(files, engine.Classifier(), engine.Device("cpu"), engine.Precision("f32"))
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	long := strings.Repeat("a ", 100)
	got, err := e.Classify(t.Context(), nil, []string{"a", long, "b"})
	one, isText := errors.AsType[*engine.TextError](err)
	if !isText || one.Index != 1 || !errors.Is(err, engine.ErrTooLong) || len(got) != 6 || got[2] == got[2] || got[3] == got[3] || math.Abs(float64(got[0]+got[1])-1) > 1e-6 || got[4] != got[4] {
		t.Errorf("%g, %v", got, err)
	}
	got, err = e.ClassifyPairs(t.Context(), nil, []engine.Pair{{Query: long}, {Query: "a"}})
	if pair, isPair := errors.AsType[*engine.PairError](err); !isPair || pair.Index != 0 || got[0] == got[0] || got[2] != got[2] {
		t.Errorf("%g, %v", got, err)
	}
}
