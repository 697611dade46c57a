package serve

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
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

// Each operation says that the server may be busy, or not ready, and when to ask again.
func TestOpenAPIBusy(t *testing.T) {
	doc := description(t)
	for path, methods := range paths(table()) {
		for method, routes := range methods {
			var want []int
			if r := routes[0]; !r.open {
				want = append(want, http.StatusServiceUnavailable)
			}
			if routes[0].ask != nil {
				want = append(want, http.StatusTooManyRequests)
			}
			for _, status := range want {
				r := doc.Paths.Value(path).Operations()[method].Responses.Status(status)
				if r == nil || r.Value.Headers["Retry-After"] == nil {
					t.Errorf("%s %s: no answer with %d and Retry-After", method, path, status)
				}
			}
		}
	}
}

// No field of a body is described that no dialect of its path reads.
func TestOpenAPIFieldsAreRead(t *testing.T) {
	routes := paths(table())
	for path, item := range description(t).Paths.Map() {
		if item.Post == nil {
			continue
		}
		media := item.Post.RequestBody.Value.Content[jsonType]
		for _, name := range fieldsOf(media.Schema) {
			read := slices.ContainsFunc(routes[path]["POST"], func(r bound) bool {
				return r.asksFor(t, name, scoring) || r.asksFor(t, name, embedding) || r.asksFor(t, name, classifying)
			})
			if !read {
				t.Errorf("%s: nothing reads the field %s", path, name)
			}
		}
	}
}

// asksFor reports whether a route reads a field, where the model is of that kind.
func (r bound) asksFor(t *testing.T, name string, does task) bool {
	if r.ask == nil {
		return false
	}
	b, f := parseBody(fmt.Appendf(nil, "{%q: null}", name))
	if f != nil {
		t.Fatal(f)
	}
	b.does, b.value = does, func(string) string { return "" }
	r.ask(b)
	return len(b.unknown()) == 0
}

// fieldsOf are the names of the members of an object, or of each that it may be.
func fieldsOf(s *openapi3.SchemaRef) (names []string) {
	for name := range s.Value.Properties {
		names = append(names, name)
	}
	for _, one := range slices.Concat(s.Value.AnyOf, s.Value.OneOf, s.Value.AllOf) {
		names = append(names, fieldsOf(one)...)
	}
	return names
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
