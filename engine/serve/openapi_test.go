package serve

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
)

func description(t testing.TB) *openapi3.T {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(openapiYAML)
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return doc
}

func TestOpenAPIJSON(t *testing.T) {
	doc := description(t)
	text, err := doc.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	var want bytes.Buffer
	if err := json.Indent(&want, text, "", " "); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile("openapi.json", append(want.Bytes(), '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if !bytes.Equal(bytes.TrimSpace(openapiJSON), want.Bytes()) {
		t.Error("openapi.json is not what openapi.yaml says: go test ./engine/serve -run TestOpenAPIJSON -update")
	}
}

// The description has the paths and methods of the table, and no others.
func TestOpenAPIHasAllPaths(t *testing.T) {
	var want, got []string
	for path, methods := range paths(table()) {
		for method := range methods {
			want = append(want, method+" "+path)
		}
	}
	for path, item := range description(t).Paths.Map() {
		for method := range item.Operations() {
			got = append(got, method+" "+path)
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("openapi.yaml has\n%s\nand the handler\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// Where the handler is mounted below a path, /docs leads to the description below it.
func TestDocsBelowAPath(t *testing.T) {
	h, err := New()
	if err != nil {
		t.Fatal(err)
	}
	for _, below := range []string{"", "/ai"} {
		r := httptest.NewRequest(http.MethodGet, below+"/docs", nil)
		w := httptest.NewRecorder()
		http.StripPrefix(below, h).ServeHTTP(w, r)
		to, err := r.URL.Parse(w.Header().Get("Location"))
		if want := below + "/openapi.yaml"; err != nil || w.Code != http.StatusSeeOther || to.Path != want {
			t.Errorf("%q: status %d, to %v, want %s: %v", below, w.Code, to, want, err)
		}
	}
}

// Requests that are answered, and all answers, are as the description says. So are the requests
// that it rejects: they are refused.
func TestOpenAPIFitsGoldens(t *testing.T) {
	router, err := gorillamux.NewRouter(description(t))
	if err != nil {
		t.Fatal(err)
	}
	models := openAll(t)
	for _, file := range goldenFiles(t) {
		for _, g := range goldens(t, file) {
			r := g.Request.http()
			route, in, err := router.FindRoute(r)
			if err != nil { // no such path, or method
				if g.Status < 400 && g.Request.Method != http.MethodOptions && g.Request.Method != http.MethodHead {
					t.Errorf("%s: %s: %v", file, g.Name, err)
				}
				continue
			}
			if err := fits(t, &g, r, route, in); err != nil {
				t.Errorf("%s: %s: %v", file, g.Name, err)
			}
			w := g.send(t, models)
			err = openapi3filter.ValidateResponse(t.Context(), &openapi3filter.ResponseValidationInput{
				RequestValidationInput: &openapi3filter.RequestValidationInput{Request: r, PathParams: in, Route: route},
				Status:                 w.Code, Header: w.Header(), Body: io.NopCloser(w.Body),
			})
			if err != nil {
				t.Errorf("%s: %s: answer: %v", file, g.Name, err)
			}
		}
	}
}

// fits compares what the description says of a request with what became of it.
func fits(t *testing.T, g *golden, r *http.Request, route *routers.Route, in map[string]string) error {
	r.Body = io.NopCloser(bytes.NewReader(g.Request.bytes()))
	if r.Header.Get("Content-Type") == "" && len(g.Request.Body) > 0 {
		r.Header.Set("Content-Type", jsonType) // which is what none counts as
	}
	err := openapi3filter.ValidateRequest(t.Context(), &openapi3filter.RequestValidationInput{
		Request: r, PathParams: in, Route: route,
		Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc},
	})
	switch {
	case err != nil && g.Status < 400:
		return fmt.Errorf("it is answered, and not as described: %w", err)
	}
	return nil
}
