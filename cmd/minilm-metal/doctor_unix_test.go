//go:build unix

package main

import (
	"bufio"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// An interrupt leaves a file with what there is, and nothing in it, nor on standard output,
// has the names of the user, of his home folder, or of the machine.
func TestDoctorInterrupted(t *testing.T) {
	caught := make(chan os.Signal, 1) // as in TestSignals
	signal.Notify(caught, syscall.SIGINT)
	defer signal.Stop(caught)
	home := filepath.Join(t.TempDir(), "plantedhome")
	model := filepath.Join(home, "plantedmodels", "tiny")
	if err := os.MkdirAll(filepath.Dir(model), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(tiny(t), model); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "all.zip")
	c := command(t, "", `exec "$@"`, "doctor", "--out", out, "--model", model)
	c.Stdin = nil
	c.Env = append(c.Env, "HOME="+home, "USER=planteduser", "LOGNAME=planteduser", "HOSTNAME=plantedhost.local", "HF_HOME="+filepath.Join(home, "plantedhub"),
		"MINILM_SHARED="+filepath.Join(home, "by-planteduser-on-PlantedHost"), "SECRET=plantedsecret",
		urlKey+"=plantedkey", "MINILM_METAL_REQUIRED=https://someone:plantedword@example.org/")
	_, stdout, stderr := pipes(t, c)
	lines, said := bufio.NewReader(stdout), ""
	for range 2 { // parts that are done
		line, err := lines.ReadString('\n')
		if err != nil {
			t.Fatal(err, stderr)
		}
		said += line
	}
	if err := c.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	rest, err := io.ReadAll(lines)
	if err != nil {
		t.Fatal(err)
	}
	said += string(rest)
	c.Wait()
	if code := c.ProcessState.ExitCode(); code != interrupted || !strings.Contains(stderr.String(), "interrupted; what there was until then is in ") {
		t.Errorf("code %d, stderr %q", code, stderr)
	}
	files := unzipped(t, out)
	for _, one := range examParts {
		if !strings.HasPrefix(files[one.Name+".txt"], one.Name+": ") {
			t.Errorf("%s.txt is %q", one.Name, files[one.Name+".txt"])
		}
	}
	if !strings.HasPrefix(files["machine.txt"], "machine: good") || !strings.HasPrefix(files["bench.txt"], "bench: not done") {
		t.Errorf("%.60q, %.60q", files["machine.txt"], files["bench.txt"])
	}
	if want := "MINILM_SHARED=~/by-USER-on-HOST"; !strings.Contains(files["machine.txt"], want) {
		t.Errorf("no %s in\n%s", want, files["machine.txt"])
	}
	if want := urlKey + " is set, and its value left out"; !strings.Contains(files["machine.txt"], want) {
		t.Errorf("no %s in\n%s", want, files["machine.txt"])
	}
	if want := "MODEL-FOLDER/tiny"; !strings.Contains(files["info.txt"], want) {
		t.Errorf("no %s in\n%s", want, files["info.txt"])
	}
	files["standard output"] = said
	for name, text := range files {
		if at := strings.Index(strings.ToLower(text), "planted"); at >= 0 {
			t.Errorf("%s has ...%.60s", name, text[max(0, at-20):])
		}
	}
}
