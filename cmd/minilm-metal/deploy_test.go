package main

import (
	"encoding/json"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
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
	for _, line := range append(set["Service.ExecStart"], regexp.MustCompile(`(?m)^#\s*ExecStart=(/.+)$`).FindStringSubmatch(string(text))[1]) {
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
