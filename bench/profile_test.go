package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/pprof/profile"

	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/model"
)

// profiled is a recording of two configurations with kernel times.
func profiled() *Recording {
	rec := loads()
	rec.Description = "two\nlines"
	kernels := func(scale int64) []Kernel {
		ms := time.Duration(scale) * time.Millisecond
		return []Kernel{
			{-1, "embed", "embed+norm", "384", 2 * scale, 3 * ms, 0, 500 * scale},
			{0, "attention", "gemm qkv", "384x1152", 2 * scale, 40 * ms, 9000 * scale, 700 * scale},
			{0, "attention", "attention", "12x32", 2 * scale, 10 * ms, 800 * scale, 70 * scale},
			{1, "attention", "gemm qkv", "384x1152", 2 * scale, 41 * ms, 9000 * scale, 700 * scale},
			{1, "attention", "attention", "12x32", 2 * scale, 11 * ms, 800 * scale, 70 * scale},
			{-1, "", "between kernels", "", scale, 1 * ms, 0, 0},
		}
	}
	rec.Runs = rec.Runs[:2]
	rec.Runs[0].Kernels, rec.Runs[1].Kernels = kernels(1), kernels(10)
	return rec
}

// readBack writes the profile and reads it as a tool would.
func readBack(t *testing.T, rec *Recording) *profile.Profile {
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
	if p := readBack(t, loads()); len(p.Sample) != 0 || len(p.SampleType) != 4 {
		t.Errorf("%v", p)
	}
	if err := WriteProfileFile(filepath.Join(t.TempDir(), "no", "such"), profiled()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v", err)
	}
}

func TestKernelsInRecordings(t *testing.T) {
	var text bytes.Buffer
	if err := writeJSON(&text, profiled()); err != nil {
		t.Fatal(err)
	}
	rec, err := decodeRecording(text.Bytes())
	if err != nil || !slices.Equal(rec.Runs[1].Kernels, profiled().Runs[1].Kernels) {
		t.Errorf("%v", err)
	}
	for _, bad := range []func(k *Kernel){
		func(k *Kernel) { k.Layer = -2 },
		func(k *Kernel) { k.Kernel = "" },
		func(k *Kernel) { k.Time = -1 },
		func(k *Kernel) { k.Calls = -1 },
		func(k *Kernel) { k.FLOPs = -1 },
		func(k *Kernel) { k.Bytes = -1 },
	} {
		rec := profiled()
		bad(&rec.Runs[1].Kernels[3])
		if err := rec.Validate(); !errors.Is(err, ErrRecording) || !strings.Contains(err.Error(), "kernels[3]") {
			t.Errorf("error %v", err)
		}
	}
}

// timed is a fake whose one kernel takes a millisecond for each pair.
type timed struct {
	*fake
	timing bool
	pairs  int
}

func (f *timed) ScoreStats(ctx context.Context, dst []float32, pairs []engine.Pair, _ ...engine.CallOption) ([]float32, engine.CallStats, error) {
	scores, stats, err := f.fake.ScoreStats(ctx, dst, pairs)
	if f.timing && err == nil {
		f.pairs += len(pairs)
	}
	return scores, stats, err
}

func (f *timed) TimeKernels() (stop func() []model.KernelTime, known bool) {
	if f.timing {
		panic("two timings at a time")
	}
	f.timing, f.pairs = true, 0
	return func() []model.KernelTime {
		f.timing = false
		if f.pairs == 0 {
			return nil
		}
		each := time.Duration(f.pairs) * time.Millisecond
		return []model.KernelTime{{Layer: 1, Block: "attention", Kernel: "gemm", Shape: "8x8", Calls: int64(f.pairs), Time: 3 * each, FLOPs: 2, Bytes: 1},
			{Layer: -1, Kernel: "between kernels", Time: each}}
	}, true
}

func (l *lab) runTimed(ctx context.Context) (*Recording, error) {
	return run(ctx, l.options, func(device, _ string) (scorer, error) {
		if device == "reference" {
			return l.reference, nil
		}
		return &timed{fake: l.measured}, nil
	})
}

// Kernels are timed while batches are measured, and at no other time.
func TestMeasureKernels(t *testing.T) {
	l := newLab(t, 50)
	l.options.Batches = []int{4, 10}
	for _, on := range []bool{true, false} {
		l.options.Profile = on
		synctest.Test(t, func(t *testing.T) {
			rec, err := l.runTimed(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if noted(rec, "The kernels were timed") != on || noted(rec, "75.0 % of the time inside passes") != on {
				t.Errorf("profile %v: notes %q", on, rec.Notes)
			}
			for _, run := range rec.Runs {
				if !on {
					if run.Kernels != nil {
						t.Errorf("not asked for: %+v", run.Kernels)
					}
					continue
				}
				want := []Kernel{{1, "attention", "gemm", "8x8", 50, 150 * time.Millisecond, 2, 1}, {-1, "", "between kernels", "", 0, 50 * time.Millisecond, 0, 0}}
				if !slices.Equal(run.Kernels, want) {
					t.Errorf("batch %d: %+v, want %+v", run.Batch, run.Kernels, want)
				}
			}
		})
	}
}

func TestMeasureKernelsInterrupted(t *testing.T) {
	l := newLab(t, 400)
	l.options.Profile = true
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		time.AfterFunc(16500*time.Millisecond, cancel)
		rec, err := l.runTimed(ctx)
		if !errors.Is(err, context.Canceled) || rec == nil || len(rec.Runs) != 1 {
			t.Fatalf("%+v, %v", rec, err)
		}
		if k := rec.Runs[0].Kernels; len(k) != 2 || int(k[0].Calls) != 4*len(rec.Runs[0].Batches) || !noted(rec, "The kernels were timed") {
			t.Errorf("%+v, notes %q", k, rec.Notes)
		}
	})
}

// A device that cannot is found out before time is spent on it.
func TestMeasureKernelsUnknown(t *testing.T) {
	l := newLab(t, 50)
	l.options.Profile = true
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		rec, err := l.run(t.Context())
		if rec != nil || !errors.Is(err, ErrOptions) || !strings.Contains(err.Error(), `device "cpu"`) {
			t.Errorf("%v, error %v", rec, err)
		}
		if took := time.Since(begun); took > time.Second {
			t.Errorf("took %v, want no more than the first score's second", took)
		}
	})
}
