package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/minilm-metal/minilm-metal/engine/enginetest"
	"github.com/minilm-metal/minilm-metal/engine/serve"
)

// Each file of deploy is parsed as what it is, and what it asks of this program is there: flags
// and their values, paths, and metrics. Its own tools check the rest (deploy/README.md).
func TestDeploy(t *testing.T) {
	checks := map[string]func(*testing.T, []byte){
		"Dockerfile":                      checkDockerfile,
		"README.md":                       checkText,
		"grafana.json":                    checkDashboard,
		"kubernetes.yaml":                 checkKubernetes,
		"minilm-metal.service":            checkService,
		"minilm-metal.socket":             checkSocket,
		"compose/minilm-metal.yaml":       checkCompose,
		"compose/dify/compose.yaml":       checkCompose,
		"compose/milvus/compose.yaml":     checkCompose,
		"compose/open-webui/compose.yaml": checkCompose,
		"compose/weaviate/compose.yaml":   checkCompose,
		"compose/dify/README.md":          checkText,
		"compose/milvus/README.md":        checkText,
		"compose/open-webui/README.md":    checkText,
		"compose/weaviate/README.md":      checkText,
	}
	var found []string
	err := fs.WalkDir(os.DirFS("deploy"), ".", func(name string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			found = append(found, name)
		}
		return err
	})
	if want := slices.Sorted(maps.Keys(checks)); err != nil || !slices.Equal(slices.Sorted(slices.Values(found)), want) {
		t.Errorf("deploy has %q, want %q: %v", found, want, err)
	}
	for _, name := range found {
		if check := checks[name]; check != nil {
			t.Run(name, func(t *testing.T) {
				text, err := os.ReadFile(path.Join("deploy", name))
				if err != nil {
					t.Fatal(err)
				}
				check(t, text)
			})
		}
	}
}

// checkCommand holds arguments of this program to its commands and their flags.
func checkCommand(t *testing.T, args []string) {
	t.Helper()
	p := &program{stdin: strings.NewReader(""), stdout: io.Discard, stderr: io.Discard, getenv: func(string) string { return "" }}
	c, rest, err := p.root().Find(args)
	if err != nil || !c.Runnable() {
		t.Errorf("%q: no such command: %v", args, err)
		return
	}
	if err := c.ParseFlags(rest); err != nil {
		t.Errorf("%q: %v", args, err)
	} else if err := c.ValidateArgs(c.Flags().Args()); err != nil {
		t.Errorf("%q: %v", args, err)
	}
}

var instruction = regexp.MustCompile(`^([A-Z]+) (.+)$`)

func checkDockerfile(t *testing.T, text []byte) {
	var from, user string
	commands := 0
	for line := range strings.Lines(strings.ReplaceAll(string(text), "\\\n", " ")) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		m := instruction.FindStringSubmatch(line)
		if m == nil {
			t.Errorf("no instruction: %s", line)
			continue
		}
		switch name, rest := m[1], m[2]; name {
		case "FROM":
			if from, user = rest, ""; rest != "scratch" && !strings.Contains(rest, "@sha256:") {
				t.Errorf("an image that is not pinned: %s", rest)
			}
		case "USER":
			user = rest
		case "ENTRYPOINT", "CMD":
			if args := listed(t, rest); name == "ENTRYPOINT" && !slices.Equal(args, []string{"/minilm-metal"}) {
				t.Errorf("entrypoint %q", args)
			} else if name == "CMD" {
				commands++
				checkCommand(t, args)
			}
		case "HEALTHCHECK":
			_, exec, _ := strings.Cut(rest, "CMD ")
			args := listed(t, exec)
			if len(args) < 3 || args[0] != "/minilm-metal" || !slices.Contains(args, "--health") {
				t.Fatalf("health check %q", args)
			}
			commands++
			checkCommand(t, args[1:])
		case "ARG", "COPY", "ENV", "EXPOSE", "LABEL", "RUN", "STOPSIGNAL", "VOLUME", "WORKDIR":
		default:
			t.Errorf("unknown instruction %s", name)
		}
	}
	if from != "scratch" || user != "65532:65532" || commands < 2 {
		t.Errorf("the image is from %s, of user %s, with %d commands", from, user, commands)
	}
}

// listed is an instruction's list of arguments: there is no shell in the image.
func listed(t *testing.T, text string) (args []string) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &args); err != nil {
		t.Errorf("%s: %v", text, err)
	}
	return args
}

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
var pinned = regexp.MustCompile(`^[a-z0-9./-]+:[A-Za-z]*[0-9][A-Za-z0-9.-]*$`)

func checkCompose(t *testing.T, text []byte) {
	ours := 0
	for _, file := range documents(t, text) {
		declared, _ := file["volumes"].(map[string]any)
		included := file["include"] != nil
		services, _ := file["services"].(map[string]any)
		for name, v := range services {
			s := v.(map[string]any)
			image, _ := s["image"].(string)
			switch {
			case image == "minilm-metal":
				ours++
				checkCommand(t, texts(s["command"]))
			case image != "" && !pinned.MatchString(image):
				t.Errorf("%s: image %s has no version", name, image)
			}
			wanted, _ := s["depends_on"].(map[string]any)
			for other := range wanted {
				if services[other] == nil && !(included && (other == "minilm-metal" || other == "pull")) {
					t.Errorf("%s depends on %s, which is not there", name, other)
				}
			}
			for _, mount := range texts(s["volumes"]) {
				volume, _, _ := strings.Cut(mount, ":")
				if _, has := declared[volume]; !has && !(included && volume == "hub") {
					t.Errorf("%s: volume %s is not declared", name, volume)
				}
			}
			for _, port := range texts(s["ports"]) {
				if !strings.HasPrefix(port, "127.0.0.1:") {
					t.Errorf("%s: port %s is open to the network", name, port)
				}
			}
		}
		if ours == 0 && !included {
			t.Error("no service is ours")
		}
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

// unit is a unit file's settings, as "Section.Name"; what is set again adds to a list.
func unit(t *testing.T, text []byte) map[string][]string {
	t.Helper()
	all, section := map[string][]string{}, ""
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		name, value, is := strings.Cut(line, "=")
		switch {
		case line == "" || line[0] == '#':
		case line[0] == '[':
			section = strings.Trim(line, "[]")
		case !is || section == "":
			t.Errorf("no setting: %s", line)
		default:
			all[section+"."+name] = append(all[section+"."+name], value)
		}
	}
	return all
}

func checkService(t *testing.T, text []byte) {
	set := unit(t, text)
	if len(set["Service.ExecStart"]) != 1 || !slices.Equal(set["Unit.Requires"], []string{"minilm-metal.socket"}) {
		t.Fatalf("%q", set)
	}
	for _, line := range append(set["Service.ExecStart"], regexp.MustCompile(`(?m)^#\s*ExecStart=(.+)$`).FindStringSubmatch(string(text))[1]) {
		args := strings.Fields(line)
		if args[0] != "/usr/local/bin/minilm-metal" {
			t.Errorf("it starts %s", args[0])
		}
		checkCommand(t, args[1:])
	}
}

func checkSocket(t *testing.T, text []byte) {
	if set := unit(t, text); len(set["Socket.ListenStream"]) != 1 || !slices.Equal(set["Install.WantedBy"], []string{"sockets.target"}) {
		t.Errorf("%q", set)
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
			if !known[name] {
				t.Errorf("no metric %s, in %s", name, expr)
			}
		}
	}
}

// shell is a line of this program in a text, without what a shell does with its output.
var shell = regexp.MustCompile("(?m)^\\s*(?:HF_HOME=\\S+ )?minilm-metal ([^|<>#\n`]+)")

func checkText(t *testing.T, text []byte) {
	for _, m := range shell.FindAllSubmatch(text, -1) {
		checkCommand(t, strings.Fields(string(m[1])))
	}
	for _, name := range named.FindAllString(string(text), -1) {
		if !metricNames(t)[name] {
			t.Errorf("no metric %s", name)
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
