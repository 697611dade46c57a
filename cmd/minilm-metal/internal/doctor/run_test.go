package doctor

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// child, in the environment, makes the test's program a part that ends in that way.
const child = "DOCTOR_TEST_CHILD"

func TestMain(m *testing.M) {
	switch os.Getenv(child) {
	case "":
		os.Exit(m.Run())
	case "good":
		fmt.Println("found something")
	case "fails":
		fmt.Println("found something")
		fmt.Fprintln(os.Stderr, "minilm-metal: first\nminilm-metal: the last line says why\nand more of it")
		os.Exit(1)
	case "panics":
		fmt.Println("found something")
		panic("as was planted")
	case "killed":
		fmt.Println("found something")
		p, err := os.FindProcess(os.Getpid())
		if err == nil {
			err = p.Kill()
		}
		fmt.Println(err)
		time.Sleep(time.Minute)
	case "hangs":
		fmt.Println("found something")
		time.Sleep(time.Hour)
	case "absent":
		fmt.Println("found something")
		if err := SayAbsent(os.Args[len(os.Args)-1], "there is none"); err != nil {
			panic(err)
		}
	case "interrupted":
		fmt.Println("found something")
		os.Exit(interruptedCode)
	}
}

// start runs a part as the test's program, in the way that the part's name begins with.
func start(ctx context.Context, part Part, dir string, stdout, stderr io.Writer) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	way, _, _ := strings.Cut(part.Name, "-")
	running, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	if way == "hangs" { // it says what it has found, however long the machine takes to start it
		stdout = &first{stdout, func() { context.AfterFunc(ctx, end) }}
	} else {
		context.AfterFunc(ctx, end)
	}
	c := exec.CommandContext(running, self, dir)
	c.Env = append(os.Environ(), child+"="+way)
	c.Stdout, c.Stderr, c.WaitDelay = stdout, stderr, time.Second
	return c.Run()
}

// first calls wrote when something was written to it.
type first struct {
	io.Writer
	wrote func()
}

func (f *first) Write(b []byte) (int, error) {
	defer f.wrote()
	return f.Writer.Write(b)
}

// Whatever one process does, the parts after it run, and what it had said is kept.
func TestProcesses(t *testing.T) {
	ways := []struct {
		name   string
		status Status
		why    string
	}{
		{"fails", Failed, "the last line says why"},
		{"panics", Failed, "panic: as was planted"},
		{"killed", Failed, "found something"}, // and how it ended, as the system has it
		{"hangs", Failed, "no end after 1ms"},
		{"absent", Absent, "there is none"},
		{"interrupted", Interrupted, "interrupted; "},
		{"good", Good, ""},
	}
	var parts []Part
	for _, w := range ways {
		limit := time.Minute
		if w.name == "hangs" {
			limit = time.Millisecond
		}
		parts = append(parts, Part{Name: w.name + "-part", What: "a part that " + w.name, Limit: limit})
	}
	told := 0
	all := Run(t.Context(), parts, start, func(Result) { told++ })
	if len(all) != len(ways) || told != len(ways) {
		t.Fatalf("%d results, %d told, of %d", len(all), told, len(ways))
	}
	for i, w := range ways {
		r := all[i]
		why := w.why
		if w.name == "killed" {
			why = ""
			if r.Why == "" {
				t.Error("killed: it does not say how it ended")
			}
		}
		if r.Status != w.status || !strings.Contains(r.Why, why) || !strings.Contains(string(r.Output), "found something") || len(r.Files) != 0 {
			t.Errorf("%s: %s, %q, output %q, %d files", w.name, r.Status, r.Why, r.Output, len(r.Files))
		}
	}
}

// unzip returns the files of a zip file, by name.
func unzip(t *testing.T, data []byte) map[string]string {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		all[f.Name] = string(text)
	}
	return all
}

// Each part has its file, whose first line is the verdict, and what it left in its folder;
// README.txt names all of them; nothing hidden is in any.
func TestBundle(t *testing.T) {
	parts := []Part{{"one", "the first", time.Minute}, {"two", "the second", time.Minute}, {"three", "the third", time.Minute}}
	ctx, cancel := context.WithCancel(t.Context())
	all := Run(ctx, parts, func(_ context.Context, part Part, dir string, stdout, stderr io.Writer) error {
		if part.Name == "two" {
			cancel()
			return context.Canceled
		}
		fmt.Fprint(stdout, strings.Repeat("planted ", 3*mostEnd))
		fmt.Fprint(stderr, "a word for planted")
		if err := os.WriteFile(filepath.Join(dir, "report.md"), []byte("by planted"), 0o666); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(dir, "large"), make([]byte, mostFile+1), 0o666)
	}, func(Result) {})
	b := Bundle{Folder: "here", Made: time.Unix(1e9, 0), Intro: "planted made this", Results: all, Hide: new(Scrubber)}
	b.Hide.HideName("planted", "USER")
	var out bytes.Buffer
	if err := b.Write(&out); err != nil {
		t.Fatal(err)
	}
	files := unzip(t, out.Bytes())
	for name, want := range map[string][]string{
		"README.txt": {"USER made this", "one.txt ", "the first", "one/report.md ", "two.txt ", "three.txt ", "good", "not done"},
		"one.txt":    {"one: good after ", "the first", "USER USER", "bytes are left out here", "--- and to standard error ---\na word for USER"},
		"two.txt":    {"two: not done after ", "interrupted; what it had"},
		"three.txt":  {"three: not done: interrupted before it began"},

		"one/report.md": {"by USER"}, "one/large.left-out": {"4194305 bytes"},
	} {
		for _, text := range want {
			if !strings.Contains(files["here/"+name], text) {
				t.Errorf("%s lacks %q:\n%.600s", name, text, files["here/"+name])
			}
		}
	}
	if len(files) != 6 {
		t.Errorf("%d files", len(files))
	}
	for name, text := range files {
		if strings.Contains(text, "planted") {
			t.Errorf("%s has a name that is hidden", name)
		}
	}
}

func TestScrubber(t *testing.T) {
	s := new(Scrubber)
	s.HidePath("/home/janedoe", "~")
	s.HidePath("/home/janedoe/work/", "HERE")
	s.HidePath(`C:\Users\Jane Doe`, "~")
	s.HidePath("/", "NO")
	s.HidePath("", "NO")
	s.HideName("janedoe", "USER")
	s.HideName("Jané", "USER")
	s.HideName("Janes-Mac", "HOST")
	s.HideName("root", "NO")
	s.HideName("x", "NO")
	for text, want := range map[string]string{
		"/home/janedoe/work/a.go:1":             "HERE/a.go:1",
		"/home/janedoe/workshop":                "~/workshop",
		"/home/janedoe":                         "~",
		"/home/janedoes":                        "/home/janedoes",
		"/private/home/janedoe/a":               "/private~/a",
		`{"a":"C:\\Users\\Jane Doe\\m"}`:        `{"a":"~\\m"}`,
		`c:\users\jane doe\m C:/Users/Jane Doe`: `~\m ~`,
		"janedoe@janes-mac.local, JaneDoe_2":    "USER@HOST.local, USER_2",
		"janedoejanedoe janedoe":                "janedoejanedoe USER",
		"Jané's, Janée":                         "USER's, Janée",
		"the root of x is /":                    "the root of x is /",
	} {
		if got := s.Scrub(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
