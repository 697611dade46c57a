package report

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/pprof/profile"

	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/bench/recording/recordingtest"
)

// profiled is a recording of two configurations with kernel times.
func profiled() *recording.Recording {
	rec := recordingtest.Loads()
	rec.Description = "two\nlines"
	kernels := func(scale int64) []recording.Kernel {
		ms := time.Duration(scale) * time.Millisecond
		return []recording.Kernel{
			{Layer: -1, Block: "embed", Kernel: "embed+norm", Shape: "384", Calls: 2 * scale, Time: 3 * ms, Bytes: 500 * scale},
			{Layer: 0, Block: "attention", Kernel: "gemm qkv", Shape: "384x1152", Calls: 2 * scale, Time: 40 * ms, FLOPs: 9000 * scale, Bytes: 700 * scale},
			{Layer: 0, Block: "attention", Kernel: "attention", Shape: "12x32", Calls: 2 * scale, Time: 10 * ms, FLOPs: 800 * scale, Bytes: 70 * scale},
			{Layer: 1, Block: "attention", Kernel: "gemm qkv", Shape: "384x1152", Calls: 2 * scale, Time: 41 * ms, FLOPs: 9000 * scale, Bytes: 700 * scale},
			{Layer: 1, Block: "attention", Kernel: "attention", Shape: "12x32", Calls: 2 * scale, Time: 11 * ms, FLOPs: 800 * scale, Bytes: 70 * scale},
			{Layer: -1, Kernel: "between kernels", Calls: scale, Time: 1 * ms},
		}
	}
	rec.Runs = rec.Runs[:2]
	rec.Runs[0].Kernels, rec.Runs[1].Kernels = kernels(1), kernels(10)
	return rec
}

// readBack writes the profile and reads it as a tool would.
func readBack(t *testing.T, rec *recording.Recording) *profile.Profile {
	t.Helper()
	path := filepath.Join(t.TempDir(), "kernels.pprof")
	if err := WriteProfileFile(path, rec); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	p, err := profile.ParseData(data)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// stackOf returns a sample's stack, outermost first.
func stackOf(s *profile.Sample) string {
	var names []string
	for _, at := range slices.Backward(s.Location) {
		for _, line := range at.Line {
			names = append(names, line.Function.Name)
		}
	}
	return strings.Join(names, " > ")
}

func TestProfile(t *testing.T) {
	rec := profiled()
	p := readBack(t, rec)
	var types []string
	for _, typ := range p.SampleType {
		types = append(types, typ.Type+"/"+typ.Unit)
	}
	if got := strings.Join(types, " "); got != "time/nanoseconds calls/count flops/count bytes/bytes" || p.DefaultSampleType != "time" {
		t.Errorf("sample types %s, default %q", got, p.DefaultSampleType)
	}
	if p.TimeNanos != rec.Started.UnixNano() || p.DurationNanos != int64(rec.Runs[0].Elapsed+rec.Runs[1].Elapsed) {
		t.Errorf("time %d, duration %d", p.TimeNanos, p.DurationNanos)
	}
	if len(p.Comments) != 1 || strings.Contains(p.Comments[0], "\n") || !strings.Contains(p.Comments[0], "cpu f32, 2 workers, Some CPU") {
		t.Errorf("comments %q", p.Comments)
	}

	type key struct{ stack, batch string }
	got, leaves := map[key][]int64{}, map[string]int64{}
	var sum int64
	for _, s := range p.Sample {
		got[key{stackOf(s), s.Label["batch"][0]}] = s.Value
		leaves[s.Location[0].Line[0].Function.Name] += s.Value[0]
		sum += s.Value[0]
		if s.Label["device"][0] != "cpu" || s.Label["precision"][0] != "f32" {
			t.Errorf("labels %v", s.Label)
		}
		shape := strings.Join(s.Label["shape"], "")
		if leaf := s.Location[0].Line[0].Function.Name; !strings.HasSuffix(leaf, shape) || (shape == "") != (leaf == "between kernels") {
			t.Errorf("%s has the shape %q", leaf, shape)
		}
	}
	want := map[key][]int64{}
	for batch, scale := range map[string]int64{"32": 1, "8": 10} {
		ms := scale * 1e6
		want[key{"bench > forward > embed > embed+norm 384", batch}] = []int64{3 * ms, 2 * scale, 0, 500 * scale}
		want[key{"bench > forward > between kernels", batch}] = []int64{ms, scale, 0, 0}
		for layer := range int64(2) {
			at := fmt.Sprintf("bench > forward > layer %d > attention > ", layer)
			want[key{at + "gemm qkv 384x1152", batch}] = []int64{(40 + layer) * ms, 2 * scale, 9000 * scale, 700 * scale}
			want[key{at + "attention 12x32", batch}] = []int64{(10 + layer) * ms, 2 * scale, 800 * scale, 70 * scale}
		}
	}
	if !maps.EqualFunc(got, want, slices.Equal[[]int64]) {
		t.Errorf("samples\n%v\nwant\n%v", got, want)
	}
	if sum != 11*106e6 || leaves["gemm qkv 384x1152"] != 11*81e6 {
		t.Errorf("%d ns in all, %v", sum, leaves)
	}
	names := map[string]bool{}
	for _, f := range p.Function {
		if names[f.Name] {
			t.Errorf("two functions %q", f.Name)
		}
		names[f.Name] = true
	}
}

func TestProfileOfNothing(t *testing.T) {
	if p := readBack(t, recordingtest.Loads()); len(p.Sample) != 0 || len(p.SampleType) != 4 {
		t.Errorf("%v", p)
	}
	if err := WriteProfileFile(filepath.Join(t.TempDir(), "no", "such"), profiled()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v", err)
	}
}
