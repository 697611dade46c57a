package serve

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// Under a prefix of somebody's own mux, handlers with a model of each kind answer what they answer
// by themselves, and lead to nothing outside it.
func TestMounted(t *testing.T) {
	mux := http.NewServeMux()
	for does, c := range map[task]struct{ path, body string }{
		scoring:     {"/rerank", teiBody},
		embedding:   {"/embed", `{"inputs": "a"}`},
		classifying: {"/predict", `{"inputs": "a"}`},
	} {
		h, _ := open(t, does)
		prefix := "/" + kindOf[does]
		mux.Handle(prefix+"/", http.StripPrefix(prefix, h))
		want := send(h, "POST", c.path, c.body)
		if w := send(mux, "POST", prefix+c.path, c.body); w.Code != 200 || w.Body.String() != want.Body.String() {
			t.Errorf("%s%s: %d %s, want %s", prefix, c.path, w.Code, w.Body, want.Body)
		}
		if w := send(mux, "POST", prefix+"/", c.body); w.Code != 200 || w.Body.String() != want.Body.String() {
			t.Errorf("%s/: %d %s, want %s", prefix, w.Code, w.Body, want.Body)
		}
	}
	s := httptest.NewServer(mux)
	defer s.Close()
	// Doubled slashes are the client's, and no reason to send it elsewhere.
	h, _ := open(t, scoring)
	for _, path := range []string{"//rerank", "/./rerank", "/v1//../rerank"} {
		if w := send(http.StripPrefix("/a/b", h), "POST", "/a/b"+path, teiBody); w.Code != 200 {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	for path, body := range map[string]string{"/rerank": teiBody, "/info": "", "/v2/models/tiny": ""} { // as chi does
		method := "GET"
		if body != "" {
			method = "POST"
		}
		r := httptest.NewRequest(method, path, strings.NewReader(body))
		r.SetPathValue("model", "huge")
		r.SetPathValue("version", "3")
		if w := serveOne(h, r); w.Code != 200 {
			t.Errorf("%s under another router's wildcards: %d %s", path, w.Code, w.Body)
		}
	}
	if w := send(h, "GET", "//v2//models/tiny%2F..%2Ftiny", ""); w.Code != 404 {
		t.Errorf("a name with dots: %d %s", w.Code, w.Body)
	}
	for _, kind := range kindOf {
		reply, err := http.Get(s.URL + "/" + kind + "/docs")
		if err != nil {
			t.Fatal(err)
		}
		reply.Body.Close()
		if at := reply.Request.URL.Path; reply.StatusCode != 200 || at != "/"+kind+"/openapi.yaml" {
			t.Errorf("/%s/docs leads to %s: %s", kind, at, reply.Status)
		}
	}
}

// A model's name may have slashes, in paths as they are or as %2F. A model whose name is the
// beginning of another's is not taken for it.
func TestSlashesInNames(t *testing.T) {
	h := handler(t)
	names := []string{"org/small", "org/small/int8", "org"}
	for _, path := range []string{"/v1/models/org/small", "/v2/models/org/small/infer"} {
		if w := send(h, "GET", path, ""); w.Code != 503 || w.Header().Get("Retry-After") != "1" {
			t.Errorf("%s before there are models: %d %v", path, w.Code, w.Header())
		}
	}
	if w := send(h, "GET", "/v3/models/org/small", ""); w.Code != 404 {
		t.Errorf("no path before there are models: %d", w.Code)
	}
	var models []Model
	for _, name := range names {
		_, eng := open(t, scoring)
		models = append(models, Model{name, eng})
	}
	if err := h.Use(models...); err != nil {
		t.Fatal(err)
	}
	const body = `{"inputs": [{"name": "query", "shape": [1], "datatype": "BYTES", "data": ["a"]}, {"name": "documents", "shape": [1], "datatype": "BYTES", "data": ["b"]}]}`
	for _, name := range names {
		for _, written := range []string{name, strings.ReplaceAll(name, "/", "%2F")} {
			for _, c := range []struct{ method, path, body, want string }{
				{"GET", "/v1/models/%s", "", fmt.Sprintf(`"id":%q`, name)},
				{"GET", "/v2/models/%s", "", fmt.Sprintf(`"name":%q`, name)},
				{"GET", "/v2/models/%s/ready", "", fmt.Sprintf(`"name":%q`, name)},
				{"GET", "/v2/models/%s/versions/1", "", fmt.Sprintf(`"name":%q`, name)},
				{"POST", "/v2/models/%s/infer", body, fmt.Sprintf(`"model_name":%q`, name)},
				{"POST", "/v2/models/%s/versions/1/infer", body, fmt.Sprintf(`"model_name":%q`, name)},
			} {
				path := fmt.Sprintf(c.path, written)
				if w := send(h, c.method, path, c.body); w.Code != 200 || !strings.Contains(w.Body.String(), c.want) {
					t.Errorf("%s %s: %d %s, want %s", c.method, path, w.Code, w.Body, c.want)
				}
			}
		}
	}
	for _, path := range []string{"/v1/models/org/large", "/v2/models/org/large/infer", "/v2/models/organ", "/v3/models/org/small"} {
		if w := send(h, "GET", path, ""); w.Code != 404 && w.Code != 405 {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
}
