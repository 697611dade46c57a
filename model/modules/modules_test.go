package modules

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

func TestParse(t *testing.T) {
	list, err := Parse([]byte(`[{"idx":0,"name":"0","path":"./a//b/","type":"sentence_transformers.models.Transformer","kwargs":["task"],"new":null},
{"type":"sentence_transformers.base.modules.dense.Dense","path":""}]`))
	want := []Module{{"sentence_transformers.models.Transformer", "a/b"}, {"sentence_transformers.base.modules.dense.Dense", "."}}
	if err != nil || !slices.Equal(list, want) {
		t.Errorf("%+v, %v, want %+v", list, err, want)
	}
	for text, says := range map[string]string{
		`null`: "null, want a list", `{}`: "{}, want a list", `["x"]`: `["x"], want a list`, `[`: "modules.json: ", ``: "modules.json: ",
		`[{"path":""}]`:                   "module 0: type: missing",
		`[{"type":"x"}]`:                  "module 0: path: missing",
		`[{"type":5,"path":""}]`:          "type: 5, want a string",
		`[{"type":"x","path":null}]`:      "path: null, want a string",
		`[{"type":"x","path":"","a":1}]`:  `"a": 1 is not supported`,
		`[{"type":"x","path":"a/../b"}]`:  `path: "a/../b", want a folder`,
		`[{"type":"x","path":"/a"}]`:      `path: "/a", want`,
		`[{"type":"x","path":"C:a"}]`:     `path: "C:a", want`,
		`[{"type":"x","path":"a\\b"}]`:    `want a folder`,
		`[{"type":"x","path":"a\u0000"}]`: `want a folder`,
		"[" + strings.Repeat(`{"type":"x","path":""},`, 64) + `{"type":"x","path":""}]`: "65 modules, want at most 64",
		"[" + strings.Repeat("1,", 1<<16) + "1]":                                        "modules.json: ",
	} {
		if _, err := Parse([]byte(text)); err == nil || !strings.HasPrefix(err.Error(), File) || !strings.Contains(err.Error(), says) || len(err.Error()) > 300 {
			t.Errorf("%.60s: %v, want %s", text, err, says)
		}
	}
}

// The classes' names are those that import in sentence-transformers 2 to 6.
func TestIsTransformer(t *testing.T) {
	for name, want := range map[string]bool{
		"sentence_transformers.models.Transformer": true, "sentence_transformers.models.Transformer.Transformer": true,
		"sentence_transformers.base.modules.Transformer": true, "sentence_transformers.base.modules.transformer.Transformer": true,
		"sentence_transformers.sentence_transformer.modules.Transformer": true, "sentence_transformers.cross_encoder.modules.Transformer": true,
		"sentence_transformers.sparse_encoder.models.MLMTransformer": false, "sentence_transformers.models.Pooling": false,
		"mine.Transformer": false, "Transformer": false, "": false,
	} {
		if got := (Module{Type: name}).IsTransformer(); got != want {
			t.Errorf("%q: %t", name, got)
		}
	}
}

// A cross-encoder's modules say where the model is, and an embedder's where the top has none.
func TestRoot(t *testing.T) {
	const folder = `[{"type":"sentence_transformers.models.Transformer","path":"0_T"}]`
	for _, c := range []struct{ list, settings, want, without string }{ // with a config.json at the top, and without
		{folder, `{"model_type":"CrossEncoder"}`, "0_T", "0_T"}, {folder, `{"model_type":"SentenceTransformer"}`, ".", "0_T"}, {folder, "", ".", "0_T"}, {folder, "[]", ".", "0_T"},
		{"", `{"model_type":"CrossEncoder"}`, ".", "."}, {`[{"type":"x","path":"0_T"}]`, `{"model_type":"CrossEncoder"}`, ".", "."},
		{"[]", `{"model_type":"CrossEncoder"}`, ".", "."}, {"{", `{"model_type":"CrossEncoder"}`, ".", "."},
	} {
		fsys := fstest.MapFS{}
		for name, text := range map[string]string{File: c.list, Settings: c.settings} {
			if text != "" {
				fsys[name] = &fstest.MapFile{Data: []byte(text)}
			}
		}
		if got := Root(fsys); got != c.without {
			t.Errorf("%s, %s: %s, want %s", c.list, c.settings, got, c.without)
		}
		fsys["config.json"] = &fstest.MapFile{}
		if got := Root(fsys); got != c.want {
			t.Errorf("%s, %s, with a config.json: %s, want %s", c.list, c.settings, got, c.want)
		}
	}
}
