package model_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/minilm-metal/minilm-metal/model"
)

// What the files of well-known models say, as people keep them in public, is understood or
// refused by its name, for embeddings and for scores: data/configs, which has no weights.
func TestRealConfigs(t *testing.T) {
	shared := os.Getenv("MINILM_SHARED")
	if shared == "" {
		t.Skip("MINILM_SHARED is not set: the files of real models are not read")
	}
	const (
		mean   = "pooling: mean"
		unit   = "normalize: to length 1"
		bert   = `architectures is ["BertModel"], which has no classification head`
		xlm    = `model_type: "xlm-roberta": this is an XLM-RoBERTa model`
		noHead = "" // nothing but the weights would tell
	)
	for name, want := range map[string]struct {
		modules  []string // nil: refused as embedder says
		embedder string
		scores   string // what CheckKind says
	}{
		"LaBSE":                               {[]string{"pooling: cls", "dense: 768 to 768, tanh", unit}, "", bert},
		"NoInstruct-small-Embedding-v0":       {nil, `1_Pooling/config.json: output_key: "sentence_embedding" is not supported`, bert}, // for all that its id2label says
		"acge_text_embedding":                 {[]string{mean, "dense: 1024 to 1792, identity"}, "", bert},
		"all-MiniLM-L6-v2":                    {nil, `modules.json: module 0: "word_embedding_dimension": 384 is not supported`, bert}, // its owner's edit
		"all-MiniLM-L6-v2-resaved-4.15":       {[]string{mean, unit}, "", bert},
		"bge-m3":                              {nil, xlm, xlm},
		"bge-reranker-base-st54":              {nil, xlm, xlm},
		"bge-reranker-v2-m3":                  {nil, xlm, xlm},
		"bge-small-en-v1.5":                   {[]string{mean}, "", bert}, // the copy has no modules, which is warned of
		"deberta-v3-base":                     {nil, `model_type: "deberta-v2": this is a DeBERTa model`, "this is a DeBERTa model"},
		"distilbert-sst2":                     {[]string{mean}, "", `architectures is ["DistilBertModel"], which has no classification head`}, // and names of labels
		"e5-small-v2":                         {[]string{mean, unit}, "", bert},
		"gte-small":                           {[]string{mean}, "", bert},
		"ms-marco-MiniLM-L-6-v2":              {[]string{mean}, "", ""},
		"multi-qa-MiniLM-L6-cos-v1":           {[]string{mean, unit}, "", bert},
		"multilingual-e5-large-instruct-like": {nil, xlm, xlm},
		"paraphrase-MiniLM-L6-v2":             {[]string{mean}, "", bert},
		"roberta-base":                        {[]string{mean}, "", noHead}, // without a model_type: its tokenizer is what refuses it
	} {
		dir := os.DirFS(filepath.Join(shared, "data", "configs", name))
		s, err := model.ReadEmbedder(dir)
		switch {
		case want.modules == nil:
			if !errors.Is(err, model.ErrConfig) || !strings.Contains(err.Error(), want.embedder) {
				t.Errorf("%s: %v, want %q", name, err, want.embedder)
			}
		case err != nil || !slices.Equal(s.Modules(), want.modules):
			t.Errorf("%s: %v, want %q", name, err, want.modules)
		default:
			_, noModules := fs.Stat(dir, "modules.json")
			if warned := strings.Contains(fmt.Sprint(s.Warnings), "there is no modules.json"); warned != (noModules != nil) {
				t.Errorf("%s: warnings %q", name, s.Warnings)
			}
		}
		s, err = model.ReadSpec(dir)
		if err == nil {
			err = s.CheckKind()
		}
		if (err == nil) != (want.scores == "") || err != nil && !strings.Contains(err.Error(), want.scores) {
			t.Errorf("%s: %v, want %q", name, err, want.scores)
		}
	}
}
