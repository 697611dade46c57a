package workbench

import (
	"context"
	"math"
	"runtime"
	"slices"
	"time"

	"github.com/minilm-metal/minilm-metal/kernels"
)

// Default values of Options.
const (
	DefaultCount = 10
	DefaultTime  = 3 * time.Millisecond
)

// Options say how to measure. The zero value means the defaults.
type Options struct {
	Count int           // repeats of each case; 0 is DefaultCount
	Time  time.Duration // approximate time of one repeat; 0 is DefaultTime
	// Progress, if not nil, is called with the number of repeats that are done.
	Progress func(stage string, done, total int)
}

// Measure measures cases, in turns, on this goroutine's thread.
//
// If ctx ends, it returns what was measured so far, which may be nothing, and ctx's error.
func Measure(ctx context.Context, cases []*Case, o Options) (*Report, error) {
	m := &meter{
		now:    time.Now,
		peak:   func(v kernels.Variant, budget time.Duration) float64 { return v.PeakFLOPS(budget) },
		read:   func(isa kernels.ISA, x []float32, budget time.Duration) float64 { return isa.ReadBandwidth(x, budget) },
		levels: Levels(),
	}
	return m.measure(ctx, cases, o)
}

// meter holds the functions that a measurement depends on; tests replace them.
type meter struct {
	now    func() time.Time
	peak   func(v kernels.Variant, budget time.Duration) float64            // operations a second
	read   func(isa kernels.ISA, x []float32, budget time.Duration) float64 // bytes a second
	levels []Level
}

// ceilingTime is the time for measuring one ceiling in a round.
const ceilingTime = 2 * time.Millisecond

func (m *meter) measure(ctx context.Context, cases []*Case, o Options) (*Report, error) {
	if o.Count == 0 {
		o.Count = DefaultCount
	}
	if o.Time == 0 {
		o.Time = DefaultTime
	}
	if o.Progress == nil {
		o.Progress = func(string, int, int) {}
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	report := &Report{Count: o.Count, Time: o.Time, Levels: m.levels, Ceilings: newCeilings(cases, m.levels)}
	for _, c := range cases {
		report.Results = append(report.Results, &Result{Case: c})
	}
	jobs, err := m.prepare(ctx, report, o)
	if err != nil {
		return report, err
	}
	memory := make([]float32, m.levels[len(m.levels)-1].Read/float)
	for i := range memory {
		memory[i] = 1 // a page that was never written has no memory of its own
	}
	runtime.GC() // so that it does not run in the middle of a repeat
	clock := m.clock()
	for round := range o.Count {
		for _, ceiling := range report.Ceilings {
			if err := ctx.Err(); err != nil {
				return report, err
			}
			m.raise(ceiling, memory)
		}
		for i, r := range report.Results {
			if err := ctx.Err(); err != nil {
				return report, err
			}
			jobs[i].repeat(m, r, clock)
			o.Progress("kernels", round*len(cases)+i+1, o.Count*len(cases))
		}
	}
	return report, nil
}

// prepare makes the operands of all cases and finds out how many calls take about o.Time.
func (m *meter) prepare(ctx context.Context, report *Report, o Options) ([]job, error) {
	var cases []*Case
	for _, r := range report.Results {
		cases = append(cases, r.Case)
	}
	operands := newOperands(cases)
	jobs := make([]job, len(cases))
	for i, r := range report.Results {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		jobs[i] = r.Case.prepare(operands)
		jobs[i].run()
		r.Calls = m.calls(jobs[i], o.Time)
		o.Progress("preparing", i+1, len(cases))
	}
	return jobs, nil
}

// Calibration takes the fastest of several calls, since a call that is interrupted can take
// a hundred times as long. If a call is certainly long enough, it does not try more.
const (
	calibrations = 3
	long         = 100 * time.Millisecond
)

// calls returns how many calls of j take about that long.
func (m *meter) calls(j job, repeat time.Duration) int {
	calls, fastest := 1, math.Inf(1) // nanoseconds a call
	for tries := 0; tries < calibrations; {
		took := m.time(j, calls, 0)
		fastest = min(fastest, float64(took)/float64(calls))
		switch {
		case took < repeat/4:
			calls *= 2
		case calls == 1 && took > long:
			return 1
		default:
			tries++
		}
	}
	return max(1, int(float64(repeat)/fastest))
}

// raise measures a variant's ceilings once more and keeps the best values.
func (m *meter) raise(c *Ceiling, memory []float32) {
	c.Peak = max(c.Peak, m.peak(c.Variant, ceilingTime))
	for i, l := range m.levels {
		c.Read[i] = max(c.Read[i], m.read(c.Variant.ISA, memory[:l.Read/float], ceilingTime))
	}
}

// repeat measures one sample.
func (j job) repeat(m *meter, r *Result, clock time.Duration) {
	if r.Calls > 1 {
		// An untimed call first, so that operands are where a call leaves them.
		m.time(j, 1, 0)
	}
	took := m.time(j, r.Calls, clock)
	r.Samples = append(r.Samples, float64(took)/float64(r.Calls))
}

// time returns how long calls of j take. If j is reset before each call, it reads the clock
// around each call and subtracts the time for reading it.
func (m *meter) time(j job, calls int, clock time.Duration) (total time.Duration) {
	if j.reset == nil {
		begun := m.now()
		for range calls {
			j.run()
		}
		return m.now().Sub(begun)
	}
	for range calls {
		j.reset()
		begun := m.now()
		j.run()
		total += m.now().Sub(begun)
	}
	return max(total-time.Duration(calls)*clock, 1)
}

// clock returns how long it takes to read the clock: the median of many readings.
func (m *meter) clock() time.Duration {
	const times = 101
	all := make([]time.Duration, times)
	for i := range all {
		begun := m.now()
		all[i] = m.now().Sub(begun)
	}
	slices.Sort(all)
	return all[times/2]
}
