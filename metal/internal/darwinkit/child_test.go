//go:build fakemetal

package darwinkit

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// alone reports whether the process is there for this one test, with settings of
// its own. If not, it runs one that is.
func alone(t *testing.T, settings ...string) bool {
	t.Helper()
	const child = "DARWINKIT_TEST_CHILD"
	if os.Getenv(child) == t.Name() {
		return true
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), self, "-test.run=^"+t.Name()+"$", "-test.v")
	c.Env = append(append(os.Environ(), settings...), child+"="+t.Name())
	if out, err := c.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Errorf("%v\n%s", err, out)
	}
	return false
}
