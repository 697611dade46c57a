//go:build unix

package pull

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/minilm-metal/minilm-metal/model/hub"
)

// A pipe in the place of a file to write is taken away: opening it would hang.
func TestPipesAreTakenAway(t *testing.T) {
	r := newSmallRig(t)
	etag, _ := etagOf(t, hub.ConfigFile)
	lock := filepath.Join(r.Cache.Dir, ".locks", "models--test-org--tiny-reranker", etag+".lock")
	for _, name := range []string{r.part(t), lock} {
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := syscall.Mkfifo(name, 0o666); err != nil {
			t.Skipf("no pipes here: %v", err)
		}
	}
	r.mustPull(t)
}
