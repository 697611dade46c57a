package file_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/minilm-metal/minilm-metal/bench/ab"
	"github.com/minilm-metal/minilm-metal/bench/internal/file"
	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/bench/recording/recordingtest"
	"github.com/minilm-metal/minilm-metal/bench/report"
)

// lists calls found with the text of each list that a type has, around the list's elements,
// its path and the least that an element can be.
func lists(t reflect.Type, before, after, path string, found func(before, after, path, element string)) {
	switch t.Kind() {
	case reflect.Pointer:
		lists(t.Elem(), before, after, path, found)
	case reflect.Slice:
		found(before+"[", "]"+after, path, leastOf(t.Elem()))
		lists(t.Elem(), before+"[", "]"+after, path, found)
	case reflect.Struct:
		for _, f := range reflect.VisibleFields(t) {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if f.IsExported() && name != "" && name != "-" {
				lists(f.Type, before+`{"`+name+`":`, "}"+after, strings.TrimPrefix(path+"."+name, "."), found)
			}
		}
	}
}

func leastOf(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Struct, reflect.Map:
		return "{}"
	case reflect.Slice:
		return "[]"
	case reflect.Pointer: // which null would not cost
		return leastOf(t.Elem())
	case reflect.String:
		return `""`
	case reflect.Bool:
		return "true"
	}
	return "0"
}

// A list of elements that say nothing is refused wherever it is, by its name and with its
// number; whatever it is, reading it takes less than four times the size of its text.
func TestListsOfNothing(t *testing.T) {
	const size = 2 << 20
	seen := map[string]bool{}
	for _, root := range []any{recording.Recording{}, report.Report{}, ab.Trial{}} {
		of := reflect.TypeOf(root)
		lists(of, "", "", "", func(before, after, path, element string) {
			name := of.Name() + "." + path
			seen[name] = true
			text := []byte(before + strings.Repeat(element+",", size/(len(element)+1)) + element + after)
			var start, end runtime.MemStats
			runtime.ReadMemStats(&start)
			err := file.ReadJSON(text, reflect.New(of).Interface())
			runtime.ReadMemStats(&end)
			taken := float64(end.TotalAlloc-start.TotalAlloc) / float64(len(text))
			// Growing a list copies it some times, which the collector takes away.
			if taken > 10 || err != nil && taken > 4 {
				t.Errorf("%s: took %.1f times its size", name, taken)
			}
			if err != nil && (!errors.Is(err, file.ErrCrowded) || !strings.Contains(err.Error(), fmt.Sprintf("field %q: ", path))) {
				t.Errorf("%s: %v", name, err)
			}
			if err == nil && strings.HasSuffix(element, "}") {
				t.Errorf("%s: a list of %s is read", name, element)
			}
		})
	}
	for _, name := range []string{"Recording.runs", "Recording.runs.batches", "Recording.load.points.missed", "Recording.environment.args", "Report.configs.samples.latency_ms", "Trial.rounds"} {
		if !seen[name] {
			t.Errorf("%s is not among the lists", name)
		}
	}
	if len(seen) < 60 {
		t.Errorf("%d lists", len(seen))
	}
}

// What the bench writes is read, also without any white space.
func TestCompact(t *testing.T) {
	for name, rec := range map[string]*recording.Recording{
		"seed-like": recordingtest.SeedLike(), "loads": recordingtest.Loads(), "mixed": recordingtest.Mixed(), "flooded": recordingtest.Flooded(), "loaded": recordingtest.Loaded(),
	} {
		// Enough of it that what any file may take is not what matters.
		big := *rec
		for range 6 {
			big.Runs = slices.Concat(big.Runs, big.Runs)
		}
		for what, v := range map[string]any{"recording": &big, "report": report.Derive(&big)} {
			text, err := json.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%s, %s: %d bytes", name, what, len(text))
			if err := file.ReadJSON(text, reflect.New(reflect.TypeOf(v).Elem()).Interface()); err != nil {
				t.Errorf("%s, %s: %v", name, what, err)
			}
		}
	}
}

// Keys count in any case, twice where they are there twice; what the type does not know
// takes nothing; and what is no JSON has its line.
func TestReadJSON(t *testing.T) {
	nothing := "[" + strings.Repeat("{},", 1<<20) + "{}]"
	for text, want := range map[string]string{
		`{"RUNS":` + nothing + `}`:               `field "runs": `,
		`{"x":` + nothing + `}`:                  "",
		`{"load":` + nothing + `}`:               `field "load": array is no`,
		"{\n\"runs\": [{]}":                      "line 2: ",
		"{}{}":                                   "line 1: ",
		`{"name":"\ud800"}`:                      "surrogate",
		`{"runs":[{"batches":` + nothing + `}]}`: `field "runs.batches": `,
		"":                                       "line 1: ",
		`{"dataset":{"pairs":"1"}}`:              `field "dataset.pairs": string is no int`,
	} {
		err := file.ReadJSON([]byte(text), new(recording.Recording))
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%.40s: %v, want %q", text, err, want)
		}
	}
	var b bytes.Buffer
	if err := file.WriteJSON(&b, recordingtest.SeedLike()); err != nil {
		t.Fatal(err)
	}
	if err := file.ReadJSON(b.Bytes(), new(recording.Recording)); err != nil {
		t.Error(err)
	}
}
