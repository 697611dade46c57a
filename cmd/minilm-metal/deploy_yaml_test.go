package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/minilm-metal/minilm-metal/engine/enginetest"
	"github.com/minilm-metal/minilm-metal/engine/serve"
)

// documents are those of a YAML text.
func documents(t *testing.T, text []byte) (all []map[string]any) {
	t.Helper()
	for d := yaml.NewDecoder(bytes.NewReader(text)); ; {
		var v map[string]any
		if err := d.Decode(&v); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, v)
	}
}

// each calls visit with each object in a YAML value, the outer ones first.
func each(v any, visit func(map[string]any)) {
	switch v := v.(type) {
	case map[string]any:
		visit(v)
		for _, key := range slices.Sorted(maps.Keys(v)) {
			each(v[key], visit)
		}
	case []any:
		for _, e := range v {
			each(e, visit)
		}
	}
}

func texts(v any) (all []string) {
	list, _ := v.([]any)
	for _, e := range list {
		all = append(all, fmt.Sprint(e))
	}
	return all
}

// pinned is an image of others at one version.
var pinned = regexp.MustCompile(`^[a-z0-9./-]+:[A-Za-z.]*[0-9][A-Za-z0-9.-]*$`)

func checkCompose(t *testing.T, text []byte) {
	ours := 0
	for _, file := range documents(t, text) {
		declared, _ := file["volumes"].(map[string]any)
		services, _ := file["services"].(map[string]any)
		// What is included has these.
		included := map[string]bool{}
		if file["include"] != nil {
			included = map[string]bool{"minilm-metal": true, "pull": true}
			ours++
		}
		for name, v := range services {
			s := v.(map[string]any)
			image, _ := s["image"].(string)
			_, extends := s["extends"]
			command := texts(s["command"])
			switch {
			case image == "minilm-metal", extends && command != nil:
				ours++
				checkCommand(t, command)
			case image != "" && !pinned.MatchString(image):
				t.Errorf("%s: image %s has no version", name, image)
			}
			wanted, _ := s["depends_on"].(map[string]any)
			for other := range wanted {
				if services[other] == nil && !included[other] {
					t.Errorf("%s depends on %s, which is not there", name, other)
				}
			}
			for _, mount := range texts(s["volumes"]) {
				volume, _, _ := strings.Cut(mount, ":")
				if _, has := declared[volume]; !has {
					t.Errorf("%s: volume %s is not declared", name, volume)
				}
			}
			for _, port := range texts(s["ports"]) {
				if !strings.HasPrefix(port, "127.0.0.1:") {
					t.Errorf("%s: port %s is open to the network", name, port)
				}
			}
		}
	}
	if ours == 0 {
		t.Error("no service is ours")
	}
}

func checkKubernetes(t *testing.T, text []byte) {
	h, err := serve.New()
	if err != nil {
		t.Fatal(err)
	}
	commands, probes := 0, 0
	var kinds, scaled []string
	for _, d := range documents(t, text) {
		kinds = append(kinds, fmt.Sprint(d["kind"]))
		each(d, func(o map[string]any) {
			if o["image"] == "minilm-metal" {
				commands++
				checkCommand(t, texts(o["args"]))
			}
			if get, ok := o["httpGet"].(map[string]any); ok {
				probes++
				w := httptest.NewRecorder()
				h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, fmt.Sprint(get["path"]), nil))
				if want := map[bool]int{true: http.StatusOK, false: http.StatusServiceUnavailable}[strings.HasSuffix(fmt.Sprint(get["path"]), "live")]; w.Code != want {
					t.Errorf("probe %v: %d before the model is there, want %d", get["path"], w.Code, want)
				}
			}
			if m, ok := o["metric"].(map[string]any); ok {
				scaled = append(scaled, fmt.Sprint(m["name"]))
			}
		})
	}
	if want := []string{"Deployment", "Service", "HorizontalPodAutoscaler", "PodDisruptionBudget"}; !slices.Equal(kinds, want) || commands != 2 || probes != 2 {
		t.Errorf("%q, want %q; %d commands, %d probes", kinds, want, commands, probes)
	}
	if known := metricNames(t); !slices.Equal(scaled, []string{"te_queue_size"}) || !known["te_queue_size"] {
		t.Errorf("it scales by %q", scaled)
	}
}

// named is what an expression of Prometheus calls a metric; its functions and labels have other
// forms.
var named = regexp.MustCompile(`\b(?:te_|vllm:|http_server_|process_|go_)[a-z0-9_:]+`)

func checkDashboard(t *testing.T, text []byte) {
	var d struct {
		UID, Title    string
		SchemaVersion int
		Panels        []struct {
			ID                 int
			Title, Description string
			GridPos            struct{ H, W, X, Y int }
			Targets            []struct{ Expr string }
		}
		Templating struct{ List []struct{ Definition string } }
	}
	if err := json.Unmarshal(text, &d); err != nil || d.UID == "" || d.SchemaVersion == 0 || len(d.Panels) < 8 {
		t.Fatalf("%v: %+v", err, d)
	}
	known := metricNames(t)
	var exprs []string
	for _, v := range d.Templating.List {
		exprs = append(exprs, v.Definition)
	}
	ids := map[int]bool{}
	taken := map[[2]int]string{}
	for _, p := range d.Panels {
		if ids[p.ID] || p.Description == "" || len(p.Targets) == 0 {
			t.Errorf("panel %d %q", p.ID, p.Title)
		}
		ids[p.ID] = true
		for _, target := range p.Targets {
			if !named.MatchString(target.Expr) {
				t.Errorf("%s: no metric in %s", p.Title, target.Expr)
			}
			exprs = append(exprs, target.Expr)
		}
		for x := range p.GridPos.W {
			for y := range p.GridPos.H {
				at := [2]int{p.GridPos.X + x, p.GridPos.Y + y}
				if taken[at] != "" || at[0] >= 24 {
					t.Fatalf("%s lies on %s, or beside the grid", p.Title, taken[at])
				}
				taken[at] = p.Title
			}
		}
	}
	for _, expr := range exprs {
		for _, name := range named.FindAllString(expr, -1) {
			// What is told of a process depends on the system.
			if !known[name] && (runtime.GOOS == "linux" || !strings.HasPrefix(name, "process_")) {
				t.Errorf("no metric %s, in %s", name, expr)
			}
		}
	}
}

// metricNames are those of a server that has answered, and refused, a request of each kind.
func metricNames(t *testing.T) map[string]bool {
	t.Helper()
	h, err := serve.New()
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	ask := func(method, path, body string) string {
		r := httptest.NewRequest(method, path, strings.NewReader(body))
		if body != "" {
			r.Header.Set("Content-Type", "application/json")
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Body.String()
	}
	if err := h.Use(serve.Model{Name: "ranks", Engine: enginetest.Open(t)}, serve.Model{Name: "embeds", Engine: enginetest.OpenEmbedder(t)}); err != nil {
		t.Fatal(err)
	}
	ask(http.MethodPost, "/rerank", `{"query":"a","texts":["b"]}`)
	ask(http.MethodPost, "/rerank", `{"query":"a","texts":[]}`)
	ask(http.MethodPost, "/embed", `{"inputs":["a"],"model":"embeds"}`)
	for line := range strings.Lines(ask(http.MethodGet, "/metrics", "")) {
		if name := named.FindString(line); name != "" && !strings.HasPrefix(line, "#") {
			names[name] = true
		}
	}
	return names
}
