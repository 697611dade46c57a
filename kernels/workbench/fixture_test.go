package workbench

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/minilm-metal/minilm-metal/kernels"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares text with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s: want\n%s\ngot\n%s", path, want, got)
	}
}

var (
	fast = kernels.Variant{ISA: set("avx512"), Format: kernels.F32}
	tiny = kernels.Variant{ISA: set("avx512vnni"), Format: kernels.Int8}
	slow = kernels.Variant{ISA: kernels.Generic, Format: kernels.F32}
)

// set returns an instruction set by its name, whether or not this processor runs it.
func set(name string) kernels.ISA {
	isa, err := kernels.ParseISA(name)
	if err != nil {
		panic(err)
	}
	return isa
}

// made is a report of a machine that does not exist: 100 GFLOP/s and 10 to 1000
// GB/s. The last case has not had its turn.
func made() *Report {
	p := &Report{
		Count: 3, Time: 2 * time.Millisecond,
		Levels: []Level{
			{Name: "L1", Bytes: 32 << 10, Read: 16 << 10},
			{Name: "L2", Bytes: 3 << 19, Read: 3 << 18, Assumed: true},
			{Name: "DRAM", Read: 64 << 20},
		},
		Ceilings: []*Ceiling{
			{Variant: fast, Peak: 100e9, Read: []float64{1000e9, 100e9, 10e9}},
			{Variant: tiny, Peak: 400e9, Read: []float64{1000e9, 100e9, 10e9}},
			{Variant: slow, Read: make([]float64, 3)},
		},
	}
	shapes := map[string]Shape{"qkv": {1, 384, 1152}, "down-norm": {32, 1536, 384}, "attention": {512, 1152, 384}, "addnorm": {1, 384, 384}, "input-384": {32, 384, 384}}
	add := func(kernel string, v kernels.Variant, calls int, samples ...float64) {
		for _, c := range Cases(Selection{Variants: []kernels.Variant{v}}) {
			if c.Kernel == kernel && c.Shape == shapes[kernel] {
				p.Results = append(p.Results, &Result{Case: c, Calls: calls, Samples: samples})
			}
		}
	}
	add("qkv", fast, 20, 100e3, 104e3, 90e3)
	add("qkv", slow, 10, 1000e3, 1000e3, 1000e3)
	add("attention", fast, 1, 4.5e6, 5e6)
	add("down-norm", fast, 5, 400e3, 420e3, 410e3)
	add("down-norm", slow, 1, 2e9)
	add("addnorm", fast, 30000, 71.5, 72.5, 70.5)
	add("input-384", tiny, 100, 650)
	add("addnorm", slow, 1)
	return p
}

// fake is a machine whose time passes only when something runs.
type fake struct {
	at  time.Time
	log []string
	// every reading of the clock takes this long
	tick time.Duration
}

func (f *fake) now() time.Time {
	f.at = f.at.Add(f.tick)
	return f.at
}

func (f *fake) meter() *meter {
	return &meter{
		now: f.now,
		peak: func(v kernels.Variant, budget time.Duration) float64 {
			f.log = append(f.log, "peak "+v.String())
			f.at = f.at.Add(budget)
			return float64(len(f.log)) // the last is the best
		},
		read: func(isa kernels.ISA, x []float32, budget time.Duration) float64 {
			f.at = f.at.Add(budget)
			return 1e12 / float64(len(x))
		},
		levels: levels([3]int64{32 << 10, 1 << 20, 0}),
	}
}

// fakeCase takes that long a call, and as long again to reset if that is wanted.
func (f *fake) fakeCase(name string, v kernels.Variant, took time.Duration, reset bool) *Case {
	run := func() { f.at = f.at.Add(took); f.log = append(f.log, name) }
	j := job{run: run}
	if reset {
		j.reset = func() { f.at = f.at.Add(took) }
	}
	return &Case{Kernel: name, Variant: v, Shape: Shape{1, 1, 1}, Work: Work{1, 1, 1}, prepare: func(*operands) job { return j }}
}
