package serve

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/minilm-metal/minilm-metal/engine/enginetest"
)

// asking are the routes of all dialects that read a body, in a fixed order.
func asking() (all []bound) {
	for _, d := range table() {
		for i := range d.routes {
			if d.routes[i].ask != nil {
				all = append(all, bound{&d.routes[i], d})
			}
		}
	}
	slices.SortFunc(all, func(a, b bound) int {
		return strings.Compare(a.dialect.name+a.method+a.path, b.dialect.name+b.method+b.path)
	})
	return all
}

// seeds adds the goldens' bodies, each once, for the route of its dialect and path.
func seeds(f *testing.F, routes []bound) {
	patterns := strings.NewReplacer("/tiny", "/{model}", "/versions/1", "/versions/{version}")
	for _, file := range goldenFiles(f) {
		added := map[string]bool{}
		for _, g := range goldens(f, file) {
			body, path := g.Request.bytes(), patterns.Replace(g.Request.Path)
			i := slices.IndexFunc(routes, func(r bound) bool { return r.path == path && r.dialect.name+".json" == filepath.Base(file) })
			if i < 0 || len(body) > 256 || added[string(body)] { // those that are long for the model say nothing here
				continue
			}
			added[string(body)] = true
			f.Add(uint8(i), uint8(scoring), body)
		}
	}
}

// Whatever a body has, a dialect makes a question of it that keeps to the limits and has valid
// text, or a failure that names what is wrong and has none of the body's strings.
func FuzzDecode(f *testing.F) {
	routes := asking()
	seeds(f, routes)
	const items = 20
	f.Fuzz(func(t *testing.T, which, does uint8, text []byte) {
		r := routes[int(which)%len(routes)]
		n := len(text)
		if r.prefix != "" && bytes.IndexByte(text, 0) >= 0 { // a binary tail
			n = bytes.IndexByte(text, 0)
		}
		b, failure := parseBody(text[:n])
		if failure == nil {
			b.rest, b.items, b.does = text[n:], items, task(does)%tokenizing
			b.value = func(string) string { return "tiny" }
			q, encode := r.ask(b)
			if failure = b.failed; failure == nil {
				sound(t, &q, encode, items)
				return
			}
		}
		if failure.message == "" || !utf8.ValidString(failure.message) || len(failure.message) > 1000 {
			t.Errorf("%s %s: failure %q", r.dialect.name, r.path, failure.message)
		}
		if p := r.dialect.word(failure); p.status < 400 || p.content == jsonType && !json.Valid(p.body) {
			t.Errorf("%s %s: %d %s", r.dialect.name, r.path, p.status, p.body)
		}
	})
}

// sound checks a question that a dialect has made.
func sound(t *testing.T, q *question, encode encoder, items int) {
	texts := slices.Clone(q.texts)
	for _, p := range q.pairs {
		texts = append(texts, p.Query, p.Passage)
	}
	for _, s := range q.sequences {
		texts = append(texts, s.first, s.second)
	}
	for _, text := range texts {
		if !utf8.ValidString(text) {
			t.Errorf("the text %q is not UTF-8", text)
		}
	}
	if encode == nil || q.items() > items+1 || q.top < 0 || q.most < 0 || q.first < 0 || q.second < 0 || q.dimensions < 0 {
		t.Errorf("question %+v", q)
	}
}

// A body means what encoding/json reads in it, or is refused.
func FuzzBody(f *testing.F) {
	for _, text := range []string{
		`{"a": 1, "b": [true, null], "c": {"d": "\u00e9\n"}}`, `{"a": "\ud83d\ude00"}`, `{"a": "\ud83d"}`, `{"a":1,"a":2}`, ` [] `, `{"a" 1}`, "{\"a\": \"\xff\"}", `{"a":1}x`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		b, failure := parseBody(text)
		var want map[string]json.RawMessage
		err := json.Unmarshal(text, &want)
		if failure != nil {
			return
		}
		if err != nil || len(want) != len(b.fields) {
			t.Fatalf("%q: %d fields, and encoding/json says %v and %d", text, len(b.fields), err, len(want))
		}
		for i := range b.fields {
			f := &b.fields[i]
			if !bytes.Equal(f.json, want[f.name]) {
				t.Errorf("%q: field %q is %q, want %q", text, f.name, f.json, want[f.name])
			}
			var s string
			if f.json[0] == '"' && (json.Unmarshal(f.json, &s) != nil || b.text(f.name) != s) {
				t.Errorf("%q: field %q is %q, want %q", text, f.name, b.text(f.name), s)
			}
		}
	})
}

// No request makes an internal error, and each answer is what its content type says.
func FuzzServe(f *testing.F) {
	routes := asking()
	seeds(f, routes)
	h := handler(f, MaxBody(4<<10), MaxItems(8))
	if err := h.Use(Model{"tiny", enginetest.Open(f)}, Model{"vectors", enginetest.OpenEmbedder(f)}, Model{"labels", enginetest.OpenClassifier(f)}); err != nil {
		f.Fatal(err)
	}
	models := []string{"tiny", "vectors", "labels", "huge"}
	f.Fuzz(func(t *testing.T, which, model uint8, text []byte) {
		r := routes[int(which)%len(routes)]
		path := strings.ReplaceAll(strings.ReplaceAll(r.path, "{model}", models[int(model)%len(models)]), "{version}", "1")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(r.method, path, bytes.NewReader(text)))
		if w.Code == http.StatusInternalServerError || w.Code == statusCancelled {
			t.Errorf("%s %q: %d %s", path, text, w.Code, w.Body)
		}
		switch content := w.Header().Get("Content-Type"); {
		case content == jsonType && !json.Valid(w.Body.Bytes()), content == "" && w.Body.Len() > 0, !utf8.Valid(w.Body.Bytes()) && content != oipBinary:
			t.Errorf("%s %q: %s %q", path, text, content, w.Body)
		}
	})
}
