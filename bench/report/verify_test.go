package report

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/bench/recording/recordingtest"
)

// written is what each file of a recording's report has.
func written(t *testing.T, rec *recording.Recording) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	for _, f := range Derive(rec).forms() {
		var b bytes.Buffer
		if err := f.write(&b); err != nil {
			t.Fatal(err)
		}
		out[f.name] = b.Bytes()
	}
	return out
}

// Any digit of any file that is changed is found; that there are other line ends, or that
// JSON is laid out otherwise, is no difference.
func TestVerifyEveryDigit(t *testing.T) {
	digits := regexp.MustCompile(`[0-9]`)
	for name, rec := range map[string]*recording.Recording{
		"seed-like": recordingtest.SeedLike(), "loads": recordingtest.Loads(), "mixed": recordingtest.Mixed(), "flooded": recordingtest.Flooded(), "loaded": recordingtest.Loaded(), "failed": recordingtest.Failed(), "judged": recordingtest.Judged(), "ablated": recordingtest.Ablated(6),
	} {
		rec.Environment.Arch = runtime.GOARCH
		for file, text := range written(t, rec) {
			if err := Verify(rec, file, text); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if err := Verify(rec, file, bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n"))); err != nil {
				t.Errorf("%s, with Windows' line ends: %v", name, err)
			}
			places := digits.FindAllIndex(text, -1)
			for i := 0; i < len(places); i += 1 + len(places)/60 {
				at := places[i][0]
				changed := slices.Clone(text)
				changed[at] = '0' + (changed[at]-'0'+1)%10
				err := Verify(rec, file, changed)
				// A 0 in front of a number is no JSON any more, and an error all the same.
				if _, found := errors.AsType[*Mismatch](err); !found && !strings.HasSuffix(file, ".json") || err == nil {
					t.Errorf("%s, %s: a digit at %d is another, and the error is %v", name, file, at, err)
				}
			}
		}
	}
}

// The error names what it is.
func TestVerifyNames(t *testing.T) {
	rec := recordingtest.SeedLike()
	rec.Environment.Arch = runtime.GOARCH
	text := written(t, rec)
	for _, c := range []struct{ file, from, to, want string }{
		{MarkdownFile, "| P95 | 139.39 |", "| P95 | 139.40 |", ", Latency (ms), row P95, column Value: has 139.40, and the recording says 139.39"},
		{MarkdownFile, "| 32 | 1 | 3200 | 7.00 |", "| 32 | 1 | 3200 | 7.01 |", ", Results Summary, row 32, column Time(s): has 7.01, and the recording says 7.00"},
		{MarkdownFile, "**Correlation:** -0.900", "**Correlation:** -0.901", `has "**Correlation:** -0.901`},
		{JSONFile, `"p95": 139.38999949999996`, `"p95": 139.38999949999997`, "field configs[0].latency_ms.p95: has 139.38999949999997"},
		{JSONFile, `"withheld": ""`, `"withheld": null`, `field withheld: has null, and the recording says ""`},
		{JSONFile, `"schema": 1,`, ``, "field schema: is not there, and the recording says it comes here, in the place of name"},
		{JSONFile, `"schema": 1,`, `"schema": 1, "more": 2,`, "field name: is not there"},
		{JSONFile, `"notes": [`, `"notes": ["x",`, `field notes[0]: has "x"`},
		{JSONFile, "Nothing here was measured.\"", "Nothing here was measured.\", 7", "field notes: has one more value, 7, of which the recording says nothing"},
		{CSVFile, "01_backend_seedlike,", "other,", "row 2, column name: has other, and the recording says 01_backend_seedlike"},
		{CSVFile, "metal,f16", "metal,f32", "row 2, column precision: has f32"},
	} {
		if !bytes.Contains(text[c.file], []byte(c.from)) {
			t.Fatalf("%s has no %q", c.file, c.from)
		}
		err := Verify(rec, c.file, bytes.Replace(text[c.file], []byte(c.from), []byte(c.to), 1))
		if _, ok := errors.AsType[*Mismatch](err); !ok || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), c.file+": ") {
			t.Errorf("%q for %q: error %v\nwant %s", c.to, c.from, err, c.want)
		}
	}
	for file, whole := range text { // cut off
		if err := Verify(rec, file, whole[:len(whole)/2]); err == nil {
			t.Errorf("half of %s is right", file)
		}
		if err := Verify(rec, file, append(slices.Clone(whole), "1\n"...)); err == nil {
			t.Errorf("more than %s is right", file)
		}
	}
	if err := Verify(rec, "other.txt", nil); err == nil {
		t.Error("other.txt is right")
	}
}

// Another kind of processor may round the last digit otherwise, and nothing above it.
func TestVerifyElsewhere(t *testing.T) {
	rec := recordingtest.SeedLike()
	rec.Environment.Arch = "another"
	text := written(t, rec)
	mean := regexp.MustCompile(`"mean": (69\.\d{10,})`).FindSubmatch(text[JSONFile])
	if mean == nil {
		t.Fatal("no mean with many digits")
	}
	last := slices.Clone(mean[1])
	last[len(last)-1] = '0' + (last[len(last)-1]-'0'+1)%10
	changed := bytes.Replace(text[JSONFile], mean[1], last, 1)
	if err := Verify(rec, JSONFile, changed); err != nil {
		t.Error(err)
	}
	rec.Environment.Arch = runtime.GOARCH
	if err := Verify(rec, JSONFile, bytes.Replace(changed, []byte(`"another"`), []byte(`"`+runtime.GOARCH+`"`), 1)); err == nil {
		t.Error("the last digit is another, on the processor that wrote it")
	}
}

func TestVerifyFolder(t *testing.T) {
	dir, rec := t.TempDir(), recordingtest.Loaded()
	rec.Environment.Arch = runtime.GOARCH
	if _, err := VerifyFolder(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("an empty folder: %v", err)
	}
	if err := recording.Write(dir, rec); err != nil {
		t.Fatal(err)
	}
	if _, err := VerifyFolder(dir); err == nil || !strings.Contains(err.Error(), "no report beside recording.json") {
		t.Errorf("a recording alone: %v", err)
	}
	if err := Write(dir, Derive(rec)); err != nil {
		t.Fatal(err)
	}
	if right, err := VerifyFolder(dir); err != nil || !slices.Contains(right, LoadCSVFile) {
		t.Errorf("%q, %v", right, err)
	}
	if err := os.Remove(filepath.Join(dir, CSVFile)); err != nil {
		t.Fatal(err)
	}
	if right, err := VerifyFolder(dir); err != nil || slices.Contains(right, CSVFile) || !slices.Contains(right, JSONFile) {
		t.Errorf("%q, %v", right, err)
	}
	if _, err := VerifyFolder(dir, CSVFile); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that is named and not there: %v", err)
	}
}
