package compare

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/minilm-metal/minilm-metal/bench/recording/recordingtest"
	"github.com/minilm-metal/minilm-metal/model/memorytest"
)

// peakFile is the name of the variable with the file to be read.
const peakFile = "MINILM_TEST_HOSTILE_PATH"

// A file that says little in each of many values takes less than four times its size, and so
// does one that says much: the first is refused.
func TestPeak(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the most memory of a process is read as Linux tells it")
	}
	if path := os.Getenv(peakFile); path != "" {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		_, err = Parse(f)
		memorytest.Report(t, errors.Join(err, f.Close()))
		return
	}
	const size = 24 << 20
	batch, err := json.MarshalIndent(recordingtest.SeedLike().Runs[0].Batches[7], "    ", " ")
	if err != nil {
		t.Fatal(err)
	}
	for name, of := range map[string]struct{ head, element, tail, want string }{
		"nothing": {`{"schema":1,"runs":[`, `{}`, `]}`, `takes too much memory: field "runs": `},
		"spaced":  {`{"schema":1,"runs":[`, `{"batch":1,"concurrency":1,"loop":"open"}` + strings.Repeat(" ", 400), `]}`, " runs, want at most 16384"},
		"configs": {`{"schema":1,"configs":[`, `{"batch":1,"concurrency":1}` + strings.Repeat(" ", 900), `]}`, "configs, want at most 16384"},
		"batches": {`{"schema":1,"accuracy":{"passed":true},"runs":[{"batch":32,"concurrency":1,"loop":"open","elapsed_ns":9,"batches":[`, string(batch), `]}]}`, "error: <nil>"},
	} {
		path := filepath.Join(t.TempDir(), name+".json")
		text := of.head + strings.Repeat(of.element+",\n", size/(len(of.element)+2)) + of.element + of.tail
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		message, peak := memorytest.Peak(t, "TestPeak", peakFile, path)
		if !strings.Contains(message, of.want) || peak > 4*size {
			t.Errorf("%s: %s, with %d MB for a file of %d", name, message, peak>>20, size>>20)
		}
	}
}
