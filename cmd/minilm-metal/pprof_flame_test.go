package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/pprof/driver"
)

// page returns the flame graph of a profile as it is served.
func page(t *testing.T, path string) string {
	t.Helper()
	prof, err := readProfile(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("HOME", t.TempDir()) // where pprof looks for its settings
	var body string
	p := &program{stderr: t.Output()}
	v := view{http: "localhost:", noBrowser: true}
	options := p.driverOptions(prof, &v, func(args *driver.HTTPServerArgs) error {
		r := httptest.NewRecorder()
		args.Handlers[flameGraph].ServeHTTP(r, httptest.NewRequest(http.MethodGet, flameGraph, nil))
		body = r.Body.String()
		if r.Code != http.StatusOK || r.Header().Get("Content-Length") != fmt.Sprint(len(body)) {
			t.Errorf("status %d, %s of %d bytes", r.Code, r.Header().Get("Content-Length"), len(body))
		}
		return nil
	})
	if err := driver.PProf(options); err != nil {
		t.Fatal(err)
	}
	return body
}

// Layers stand in the flame graph as they run, though the second costs more; what is called
// within one too.
func TestFlameGraphOrder(t *testing.T) {
	body := page(t, kernelProfile(t))
	if strings.Count(body, byExecution) != 1 || strings.Contains(body, byCost) {
		t.Fatal("the page has another comparison than the one that is known: look at pprof's stacks.js")
	}
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("the page's own code is not run: ", err)
	}
	// The page's function that groups stacks by the frame at a depth, over the page's data.
	_, code, _ := strings.Cut(body, "function partitionPlaces(places) {")
	code, _, _ = strings.Cut(code, "\n  }\n")
	_, data, _ := strings.Cut(body, "stackViewer({")
	data, _, _ = strings.Cut(data, "}, [")
	script := `const stacks = {` + data + `};
function partitionPlaces(places) {` + code + `}
const names = depth => partitionPlaces(stacks.Stacks.map((s, i) => ({Stack: i, Pos: depth}))).map(g => g.name).join(", ");
console.log([2, 3, 4, 5].map(names).join("; "));`
	out, err := exec.Command(node, "-e", script).CombinedOutput()
	const want = "forward; layer 0, layer 1; attention; gemm qkv 384x1152, attention 12x32\n"
	if err != nil || string(out) != want {
		t.Errorf("%v: %s\nwant %s", err, out, want)
	}
}
