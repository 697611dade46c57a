package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/pprof/profile"

	"github.com/minilm-metal/minilm-metal/engine/vectors"
)

// longestFuzzed bounds the profiles that are looked at, in bytes: go test makes what
// reaches something new smaller by trying all of its parts, quadratically many.
const longestFuzzed = 200

// fuzzProfiles gives a target seeds, and calls it with each profile that is read.
func fuzzProfiles(f *testing.F, read func(t *testing.T, prof *profile.Profile)) {
	// One stack with a label, and nothing at all. (What bench writes is ten times as long.)
	function := &profile.Function{ID: 1, Name: "f"}
	location := &profile.Location{ID: 1, Line: []profile.Line{{Function: function, Line: 2}}}
	small := profile.Profile{SampleType: []*profile.ValueType{{Type: "time", Unit: "ns"}}, PeriodType: &profile.ValueType{}}
	var empty, one bytes.Buffer
	if err := small.WriteUncompressed(&empty); err != nil {
		f.Fatal(err)
	}
	small.Function, small.Location = []*profile.Function{function}, []*profile.Location{location}
	small.Sample = []*profile.Sample{{Location: []*profile.Location{location, location}, Value: []int64{3}, Label: map[string][]string{"k": {"v"}}}}
	if err := small.WriteUncompressed(&one); err != nil {
		f.Fatal(err)
	}
	for _, seed := range [][]byte{empty.Bytes(), one.Bytes(), {}, []byte("go 1.22 trace"), {0x1f, 0x8b}, []byte("heap profile: 1: 2 [3: 4] @ heapprofile\n1: 2 [3: 4] @ 0x10\n"), []byte("--- contention:\ncycles/second=1\n1 1 @ 0x1\n")} {
		if len(seed) > longestFuzzed/2 {
			f.Fatalf("a seed has %d bytes", len(seed))
		}
		f.Add(seed)
	}
	path := filepath.Join(f.TempDir(), "x.pprof")
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > longestFuzzed {
			return
		}
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		prof, err := readProfile(path)
		if err == nil {
			read(t, prof)
			return
		}
		if message := err.Error(); !strings.HasPrefix(message, path+": ") || len(message) > 5000 {
			t.Fatalf("error %q", message)
		}
	})
}

// Whatever a file holds, it is refused with its name, or is a profile that can be
// written again.
func FuzzReadProfile(f *testing.F) {
	fuzzProfiles(f, func(t *testing.T, prof *profile.Profile) {
		if err := prof.CheckValid(); err != nil {
			t.Fatalf("accepted: %v", err)
		}
		if err := prof.WriteUncompressed(io.Discard); err != nil {
			t.Fatal(err)
		}
	})
}

// Whatever a profile says, showing it ends. (An error is the driver's to give.)
func FuzzViewProfile(f *testing.F) {
	fuzzProfiles(f, func(_ *testing.T, prof *profile.Profile) {
		p := program{stdout: io.Discard, stderr: io.Discard}
		_ = p.view(context.Background(), prof, &view{top: true})
	})
}

// Whatever --shape is given, what is accepted has matrices that can be allocated.
func FuzzShape(f *testing.F) {
	for _, text := range []string{"128x384x1536", "1x1x1", "0x1x1", "-1x1x1", "1x2", "1x2x3x4", "9223372036854775807x2x2", "67108864x1x1", "+1x 2x3", "1x2x3\n", ""} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var shapes shapesFlag
		if err := shapes.Set(text); err != nil {
			if len(shapes) > 0 {
				t.Errorf("%+v, %v", shapes, err)
			}
			return
		}
		s := shapes[0]
		if len(shapes) != 1 || min(s.Rows, s.In, s.Out) < 1 || max(s.Rows, s.In, s.Out) > largestMatrix || max(s.Rows*s.In, s.In*s.Out, s.Rows*s.Out) > largestMatrix {
			t.Errorf("%q is accepted: %+v", text, shapes)
		}
	})
}

// Whatever a file holds, it is refused, or is a matrix of as many values as it has bytes for; and
// one that is written reads back.
func FuzzMatrix(f *testing.F) {
	f.Add([]byte("\x93NUMPY\x01\x00\x02\x00{}"))
	f.Add(append(npyHeader(npyFloat32, 1, 2), make([]byte, 8)...))
	f.Add(append(npyHeader(npyFloat32, 999999999, 999999999), make([]byte, 8)...))
	f.Fuzz(func(t *testing.T, file []byte) {
		rows, err := readMatrix(file)
		if err != nil {
			return
		}
		again := npyHeader(npyFloat32, len(rows), len(rows[0]))
		for _, row := range rows {
			again = vectors.Float32.Append(again, row, nil)
		}
		if data := again[npyLength:]; len(file) < len(data) || !bytes.Equal(file[len(file)-len(data):], data) {
			t.Errorf("%d by %d values of %d bytes", len(rows), len(rows[0]), len(file))
		}
		if back, err := readMatrix(again); err != nil || len(back) != len(rows) {
			t.Errorf("what was written again: %v", err)
		}
	})
}
