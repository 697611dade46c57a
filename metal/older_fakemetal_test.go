//go:build fakemetal

package metal

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/progrium/darwinkit/objc"

	"github.com/minilm-metal/minilm-metal/metal/internal/gpu"
)

// A GPU of an older family that compiles the shaders, as hosted Macs have, is never
// opened unasked, and by request where AnyGPU is set. It has a process of its own: what
// the stand-in says of families is changed for good.
func TestOlderGPU(t *testing.T) {
	const child = "METAL_TEST_CHILD"
	if os.Getenv(child) == "" {
		self, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		c := exec.CommandContext(t.Context(), self, "-test.run=^TestOlderGPU$", "-test.v")
		c.Env = append(os.Environ(), child+"=1", "XDG_CACHE_HOME="+t.TempDir())
		if out, err := c.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS: TestOlderGPU") {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	objc.ReplaceMethod(objc.GetClass("FMDevice"), objc.Sel("supportsFamily:"), func(_ objc.Object, f int64, _, _ uint64) bool { return f <= 1005 })
	w := tinyWeights(t, 1, 32)
	for _, set := range []string{"", "1"} {
		t.Setenv(AnyGPU, set)
		if _, err := Open(w, Opening{}); !errors.Is(err, gpu.ErrOlder) || !errors.Is(err, ErrUnavailable) || !strings.Contains(err.Error(), AnyGPU+"=1 tries it") {
			t.Errorf("%s=%q: %v, want that it is too old, and how to have it", AnyGPU, set, err)
		}
	}
	d, err := Open(w, Opening{Requested: true})
	if err != nil {
		t.Fatal(err)
	}
	if first := d.Choices()[0]; !strings.Contains(first, "Apple family 5 (let in by "+AnyGPU) {
		t.Errorf("its choices begin with %q", first)
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	t.Setenv(AnyGPU, "")
	if _, err := Open(w, Opening{Requested: true}); !errors.Is(err, gpu.ErrOlder) {
		t.Errorf("by request, %s not set: %v", AnyGPU, err)
	}
}
