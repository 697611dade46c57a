package engine_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/engine/vectors"
)

// openWith opens the tiny checkpoint as an embedder, with these settings of the library.
func openWith(t *testing.T, settings string, opts ...engine.Option) (*engine.Engine, error) {
	t.Helper()
	_, cases := embedderCases(t)
	at := slices.IndexFunc(cases, func(c embedderCase) bool { return c.Name == "unit" })
	files := map[string]json.RawMessage{"config_sentence_transformers.json": json.RawMessage(settings)}
	for name, content := range cases[at].Files {
		files[name] = content
	}
	e, err := engine.OpenFS(embedder(t, files, nil), append([]engine.Option{engine.Embedder(), engine.Device("cpu"), engine.NoCalibrationFile()}, opts...)...)
	if err == nil {
		t.Cleanup(func() { e.Close() })
	}
	return e, err
}

// Info has the similarity that the files name, and cosine where they name none or one that the
// library does not know either.
func TestInfoSimilarity(t *testing.T) {
	for settings, want := range map[string]vectors.Similarity{
		`{}`: vectors.Cosine, `{"similarity_fn_name":null}`: vectors.Cosine, `{"similarity_fn_name":"cosine"}`: vectors.Cosine, `{"similarity_fn_name":"dot"}`: vectors.Dot,
		`{"similarity_fn_name":"euclidean"}`: vectors.Euclidean, `{"similarity_fn_name":"manhattan"}`: vectors.Manhattan, `{"similarity_fn_name":"maxsim"}`: vectors.Cosine,
	} {
		e, err := openWith(t, settings)
		if err != nil {
			t.Fatal(err)
		}
		info := e.Info()
		if warned := strings.Contains(strings.Join(info.Warnings, "\n"), `similarity_fn_name: "maxsim" is not known`); info.Similarity != want || warned != strings.Contains(settings, "maxsim") {
			t.Errorf("%s: %q, warnings %q", settings, info.Similarity, info.Warnings)
		}
	}
	if e, err := openWith(t, `{"similarity_fn_name":3}`); err == nil || !strings.Contains(err.Error(), "config_sentence_transformers.json: similarity_fn_name: 3, want a string") {
		t.Errorf("%v, %v", e, err)
	}
}

// Queries and documents have the prompts of their names, and no others, not even the default.
func TestQueriesAndDocuments(t *testing.T) {
	for _, c := range []struct {
		settings, query, document string
		opts                      []engine.Option
	}{
		{`{}`, "", "", nil},
		{`{"prompts":{"x":"who "},"default_prompt_name":"x"}`, "", "", nil},
		{`{"prompts":{"query":"who ","corpus":"city "},"default_prompt_name":"corpus"}`, "who ", "city ", nil},
		{`{"prompts":{"query":"who ","corpus":"city ","passage":"book "}}`, "who ", "book ", nil},
		{`{"prompts":{"corpus":"city ","passage":"book ","document":""},"default_prompt_name":"corpus"}`, "", "", nil},
		{`{"prompts":{"query":"who "}}`, "live ", "river ", []engine.Option{engine.Prompts(map[string]string{"query": "live ", "document": "river "})}},
	} {
		e, err := openWith(t, c.settings, c.opts...)
		if err != nil {
			t.Fatal(err)
		}
		for _, role := range []struct {
			opt  engine.CallOption
			want string
		}{{engine.AsQuery(), c.query}, {engine.AsDocument(), c.document}} {
			got, err := e.Embed(t.Context(), nil, []string{"the city"}, role.opt)
			want, failed := e.Embed(t.Context(), nil, []string{"the city"}, engine.Prompt(role.want))
			if err != nil || failed != nil || !slices.Equal(got, want) {
				t.Errorf("%s: not what the prompt %q gives: %v, %v", c.settings, role.want, err, failed)
			}
		}
		// The last option counts.
		got, err := e.Embed(t.Context(), nil, []string{"the city"}, engine.AsQuery(), engine.Prompt("many "))
		want, failed := e.Embed(t.Context(), nil, []string{"the city"}, engine.Prompt("x"), engine.AsDocument(), engine.Prompt("many "))
		if err != nil || failed != nil || !slices.Equal(got, want) {
			t.Errorf("%s: an earlier prompt counts: %v, %v", c.settings, err, failed)
		}
	}
}
