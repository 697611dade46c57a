package bench

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/bench/report"
	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/model/synth"
)

// encoder is a small model that makes embeddings of 32 values, and no scores.
func encoder(t *testing.T) fstest.MapFS {
	t.Helper()
	files, err := synth.FS(1, synth.Shape{Layers: 2, Hidden: 32, Heads: 4, Intermediate: 64, Vocab: 3000})
	if err != nil {
		t.Fatal(err)
	}
	all := fstest.MapFS{}
	err = fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := fs.ReadFile(files, name)
		if name == "config.json" {
			data = bytes.ReplaceAll(data, []byte("BertForSequenceClassification"), []byte("BertModel"))
		}
		all[name] = &fstest.MapFile{Data: data}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// The whole way with an engine that makes embeddings, which the model's kind decides, and in a
// sweep of precisions: texts are what is counted, everywhere.
func TestMeasureEmbeddings(t *testing.T) {
	files := encoder(t)
	r, err := Measure(t.Context(), Options{
		Device: "cpu", Model: Checkpoint{Files: files, ID: "tiny"}, Pairs: 48, Precisions: []string{"f32", "int8"},
		Batches: []int{8}, Concurrencies: []int{1, 2}, Workers: 2, TimeBound: 3 * time.Second, Profile: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	if r.Task != recording.TaskEmbed || len(r.Runs) != 4 || len(r.Variants) != 2 || r.Dataset.Pairs != 48 {
		t.Fatalf("task %q, %d runs, %d variants, %+v", r.Task, len(r.Runs), len(r.Variants), r.Dataset)
	}
	for i, v := range r.Variants {
		a := v.Accuracy
		if a == nil || a.Embeddings == nil || !a.Passed || a.Pairs < fewestEmbeddings || a.LogitSD == 0 || a.KendallTau < 0.9 {
			t.Fatalf("%s: %+v", v.Precision, a)
		}
		if e := a.Embeddings; !(e.MeanDistance <= e.WorstDistance) || !(e.WorstDistance < 1e-3) || e.AllowedDistance == 0 {
			t.Errorf("%s: %+v", v.Precision, e)
		}
		if i == 0 && a.Embeddings.Neighbours != nil {
			t.Errorf("float32 beside itself: %+v", a.Embeddings.Neighbours)
		}
	}
	for _, run := range r.Runs {
		texts, tokens := 0, 0
		for _, b := range run.Batches {
			texts, tokens = texts+b.Pairs, tokens+b.Tokens
			if b.Infer <= 0 || b.Computed != b.Tokens || b.FLOPs <= 0 || b.Handling == nil {
				t.Errorf("sample %+v", b)
			}
		}
		if !run.TimeBound && (texts != 48 || tokens != r.Dataset.Tokens) {
			t.Errorf("%d texts of %d tokens, want 48 of %d", texts, tokens, r.Dataset.Tokens)
		}
		if len(run.Kernels) == 0 {
			t.Error("no kernels")
		}
	}
	figures := report.Derive(r)
	if figures.Withheld != "" || figures.Summary.PairsPerSecond == nil || figures.Task != recording.TaskEmbed {
		t.Errorf("withheld %q, %+v", figures.Withheld, figures.Summary)
	}
}

// The gate without a limit of time: float64 for a few texts, float32 for the neighbours among
// more, which is asked once for all precisions.
func TestCheckEmbeddings(t *testing.T) {
	files, opened := encoder(t), 0
	open := func(device, precision string) (scorer, error) {
		opened++
		o := Options{Model: Checkpoint{Files: files}, Embed: true}
		return o.openEngine([]engine.Option{engine.Device(device), engine.Precision(precision), engine.NoCalibrationFile()})
	}
	w, err := openTexts("", 60)
	if err != nil {
		t.Fatal(err)
	}
	w.pairs = append(w.pairs, w.pairs[:30]...) // which are nobody's neighbours twice
	s := &session{Options: Options{Progress: func(string, int, int) {}}, open: open, work: w}
	for i, precision := range []string{"f32", "int8", "int8"} {
		measured, err := open("cpu", precision)
		if err != nil {
			t.Fatal(err)
		}
		reference, err := open("reference", "f64")
		if err != nil {
			t.Fatal(err)
		}
		if err := w.measureLengths(measured); err != nil {
			t.Fatal(err)
		}
		a, err := s.checkEmbeddings(t.Context(), measured, reference, w, 0, func(int, int) {})
		if err != nil || !a.Passed || a.Pairs != accuracyPairs || a.TopK != accuracyPairs/3 {
			t.Fatalf("%s: %+v, %v", precision, a, err)
		}
		near := a.Embeddings.Neighbours
		if i == 0 {
			if near != nil {
				t.Errorf("float32 beside itself: %+v", near)
			}
		} else if near.Texts != 60 || near.K != 10 || near.Reference != "f32" || near.Overlap < 0.7 || near.Overlap > 1 {
			t.Errorf("neighbours %+v", near)
		}
		if err := errors.Join(measured.Close(), reference.Close()); err != nil {
			t.Error(err)
		}
	}
	if opened != 7 {
		t.Errorf("opened %d engines, want two of each of three precisions, and float32 once", opened)
	}
}

func TestEmbedderRefuses(t *testing.T) {
	files := encoder(t)
	for says, o := range map[string]Options{
		"an ablation":                   {Ablate: &AblateOptions{}},
		"the accuracy on judged pairs":  {Judged: "judged.jsonl"},
		"texts of 600 tokens, where":    {Lengths: []int{600}},
		"gone.jsonl":                    {Dataset: filepath.Join(t.TempDir(), "gone.jsonl")},
		`no such device`:                {Device: "abacus"},
		"at most 4194304":               {Pairs: maxPairs + 1},
		"want 0 (closed loop) or more,": {Rate: -1},
	} {
		o.Model, o.TimeBound = Checkpoint{Files: files}, time.Second
		if r, err := Measure(t.Context(), o); r != nil || err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, error %v, want %q in it", r, err, says)
		}
	}
}

// Texts come from a file of texts or of pairs, whose queries are left out.
func TestOpenTexts(t *testing.T) {
	path := filepath.Join(t.TempDir(), "texts.jsonl")
	lines := "{\"text\": \"one\"}\n\n{\"query\": \"q\", \"passage\": \"two\"}\n{\"query\": \"q\", \"documents\": [\"three\", {\"text\": \"four\"}]}\n{\"text\": \"\"}\n"
	if err := os.WriteFile(path, []byte(lines), 0o666); err != nil {
		t.Fatal(err)
	}
	w, err := openTexts(path, 9)
	want := []engine.Pair{{Query: "one"}, {Query: "two"}, {Query: "three"}, {Query: "four"}, {Query: ""}}
	if err != nil || !w.texts || !slices.Equal(w.pairs, want) || w.sha256 != sum(lines) {
		t.Errorf("%+v, %v", w, err)
	}
	if w, err := openTexts(path, 3); err != nil || len(w.pairs) != 3 || w.sha256 != sum(lines) {
		t.Errorf("%+v, %v", w, err)
	}
	made, err := openTexts("", 5)
	if err != nil || len(made.pairs) != 5 {
		t.Fatalf("%+v, %v", made, err)
	}
	var text strings.Builder
	for i, p := range synth.Pairs(builtInSeed, 5) {
		if made.pairs[i].Query != p.Passage || made.pairs[i].Passage != "" {
			t.Errorf("text %d is %+v", i, made.pairs[i])
		}
		if err := json.NewEncoder(&text).Encode(map[string]string{"text": p.Passage}); err != nil {
			t.Fatal(err)
		}
	}
	if made.sha256 != sum(text.String()) {
		t.Errorf("hash %s", made.sha256)
	}
	for content, says := range map[string]string{"": "no texts", `{"input_ids": [1]}`: `"text"`, `{"query": "a"}`: `"text"`, "[]": "texts.jsonl:1"} {
		if err := os.WriteFile(path, []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := openTexts(path, 9); !errors.Is(err, ErrDataset) || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: error %v, want %q", content, err, says)
		}
	}
}

// Each figure of four embeddings in a plane, whose angles are known.
func TestCompareEmbeddings(t *testing.T) {
	at := func(degrees ...float64) (out []float64) {
		for _, d := range degrees {
			s, c := math.Sincos(d * math.Pi / 180)
			out = append(out, 3*c, 3*s) // the length is no part of a direction
		}
		return out
	}
	loose := recording.Tolerances{Tolerance: 9, CentredTolerance: 2, OffsetTolerance: 9}
	want := at(0, 10, 40, 90)
	a, broken := compareEmbeddings(want, want, 4, loose)
	if len(broken) > 0 || !a.Passed || a.Embeddings.WorstDistance != 0 || a.MaxError != 0 || a.KendallTau != 1 || a.TopK != 1 || a.TopKAgreement != 1 || *a.FlippedOrders != 0 {
		t.Errorf("the same: %+v %+v, %q", a, a.Embeddings, broken)
	}
	// A text that is alone has no neighbours, of which none can be lost.
	if a, broken := compareEmbeddings(at(10), at(10), 1, loose); len(broken) > 0 || !a.Passed || a.Pairs != 1 || a.TopK != 0 {
		t.Errorf("one text: %+v, %q", a, broken)
	}
	// The third is turned by 26°, so that it is nearer to the last than to the second.
	a, broken = compareEmbeddings(at(0, 10, 66, 90), want, 4, loose)
	turned := 1 - math.Cos(26*math.Pi/180)
	if e := a.Embeddings; math.Abs(e.WorstDistance-turned) > 1e-12 || math.Abs(e.MeanDistance-turned/4) > 1e-12 || e.AllowedDistance != 2 {
		t.Errorf("distances %+v, want %g at worst", e, turned)
	}
	// Its nearest is another now, and no other's; of 12 orders of two neighbours, its two of the
	// last are swapped.
	if a.TopKAgreement != 0.75 || math.Abs(*a.FlippedOrders-2./12) > 1e-12 || len(broken) > 0 {
		t.Errorf("%+v, swapped %g, %q", a, *a.FlippedOrders, broken)
	}
	strict := recording.Tolerances{Tolerance: 1e-3, CentredTolerance: 1e-3, OffsetTolerance: 1e-3}
	if a, broken := compareEmbeddings(at(0, 10, 66, 90), want, 4, strict); a.Passed || len(broken) != 4 || !strings.Contains(broken[3], "mean distance (1 - cosine)") {
		t.Errorf("%q", broken)
	}
	none := slices.Clone(want)
	none[2] = math.NaN()
	if a, broken := compareEmbeddings(none, want, 4, loose); a.Passed || a.Embeddings.WorstDistance != 2 || len(broken) == 0 {
		t.Errorf("not a number: %+v, %q", a.Embeddings, broken)
	}
	// One of zeros is half an embedding's length from any other, and from itself nowhere.
	zero := slices.Clone(want)
	zero[0], zero[1] = 0, 0
	if d := distances(zero, zero, 4); !reflect.DeepEqual(d, make([]float64, 4)) {
		t.Errorf("zeros: %v", d)
	}
}

// Texts of a wanted length are single ones, too.
func TestResizedTexts(t *testing.T) {
	w, err := openTexts("", 20)
	if err != nil {
		t.Fatal(err)
	}
	e, err := engine.OpenFS(encoder(t), engine.Embedder(), engine.Device("cpu"), engine.NoCalibrationFile())
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	for _, length := range []int{8, 33, 200} {
		out, err := w.resized(textEngine{e}, length, 12)
		if err != nil || len(out.pairs) != 12 || !out.texts {
			t.Fatalf("%d: %v", length, err)
		}
		if err := out.measureLengths(textEngine{e}); err != nil {
			t.Fatal(err)
		}
		for i, n := range out.tokens {
			if int(n) != length || out.pairs[i].Passage != "" {
				t.Errorf("%d: text %d has %d tokens: %+v", length, i, n, out.pairs[i])
			}
		}
	}
}
