package bench

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/google/pprof/profile"

	"github.com/minilm-metal/minilm-metal/model"
)

// WriteProfile writes what the kernels cost in the format of google/pprof, for
// go tool pprof and every other tool that reads it. A recording without kernel
// times has an empty profile.
//
// A stack is bench > forward > layer n > block > kernel with its shape. A
// kernel has the same name in every layer, so that lists add it up over them,
// and flame graphs show both. Its values are time (of the workers, summed),
// calls, FLOPs and bytes; its labels are device, precision, shape, and the
// configuration's batch and concurrency.
func (rec *Recording) WriteProfile(w io.Writer) error {
	p := rec.profile()
	if err := p.CheckValid(); err != nil {
		return fmt.Errorf("bench: profile: %w", err)
	}
	return p.Write(w)
}

// WriteProfileFile is WriteProfile to a file, at once or not at all.
func WriteProfileFile(path string, rec *Recording) error {
	if err := writeFile(path, rec.WriteProfile); err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	return nil
}

func (rec *Recording) profile() *profile.Profile {
	nanoseconds := &profile.ValueType{Type: "time", Unit: "nanoseconds"}
	e := &rec.Environment
	about := fmt.Sprintf("%s: %s, %s %s, %d workers, %s", rec.Name, rec.Model.ID, rec.Device, rec.Precision, e.Workers, e.CPU)
	s := stacks{
		Profile: &profile.Profile{
			SampleType: []*profile.ValueType{
				nanoseconds, {Type: "calls", Unit: "count"}, {Type: "flops", Unit: "count"}, {Type: "bytes", Unit: "bytes"},
			},
			DefaultSampleType: nanoseconds.Type,
			PeriodType:        nanoseconds,
			Period:            1,
			TimeNanos:         rec.Started.UnixNano(),
			Comments:          []string{strings.Join(strings.Fields(about), " ")}, // one line of the reports
			// Names are final: no tool need look for a program to find them in.
			Mapping: []*profile.Mapping{{ID: 1, File: rec.Backend, HasFunctions: true}},
		},
		frames: map[string]*profile.Location{},
	}
	for i := range rec.Runs {
		run := &rec.Runs[i]
		s.DurationNanos += run.Elapsed.Nanoseconds()
		for _, k := range run.Kernels {
			sample := &profile.Sample{
				Location: s.stack(k.frames()...),
				Value:    []int64{k.Time.Nanoseconds(), k.Calls, k.FLOPs, k.Bytes},
				Label: map[string][]string{
					"device": {rec.Device}, "precision": {rec.Precision},
					"batch": {strconv.Itoa(run.Batch)}, "concurrency": {strconv.Itoa(run.Concurrency)},
				},
			}
			if k.Shape != "" {
				sample.Label["shape"] = []string{k.Shape}
			}
			s.Sample = append(s.Sample, sample)
		}
	}
	return s.Profile
}

// frames returns the names on the kernel's stack, the outermost first.
func (k *Kernel) frames() []string {
	names := []string{"bench", "forward"}
	if k.Layer >= 0 {
		names = append(names, fmt.Sprintf("layer %d", k.Layer))
	}
	if k.Block != "" {
		names = append(names, k.Block)
	}
	return append(names, strings.TrimSuffix(k.Kernel+" "+k.Shape, " "))
}

// stacks is a profile whose frames are known by their names.
type stacks struct {
	*profile.Profile
	frames map[string]*profile.Location
}

// stack returns the locations of frames that are named outermost first, in
// pprof's order, which is the other.
func (s *stacks) stack(names ...string) []*profile.Location {
	locations := make([]*profile.Location, len(names))
	for i, name := range names {
		at, known := s.frames[name]
		if !known {
			id := uint64(len(s.Function) + 1)
			f := &profile.Function{ID: id, Name: name, SystemName: name}
			at = &profile.Location{ID: id, Mapping: s.Mapping[0], Line: []profile.Line{{Function: f}}}
			s.Function, s.Location = append(s.Function, f), append(s.Location, at)
			s.frames[name] = at
		}
		locations[len(names)-1-i] = at
	}
	return locations
}

// kernelTimer is what an engine whose device can time its kernels offers.
type kernelTimer interface {
	// TimeKernels begins to add up what each kernel costs. stop ends that.
	TimeKernels() (stop func() []model.KernelTime, known bool)
}

// timeKernels begins to time the kernels. The function that it returns ends it.
func (s *session) timeKernels() (stop func() []Kernel, err error) {
	if timer, ok := s.engine.(kernelTimer); ok {
		if end, known := timer.TimeKernels(); known {
			return func() (kernels []Kernel) {
				for _, k := range end() {
					kernels = append(kernels, Kernel(k))
				}
				return kernels
			}, nil
		}
	}
	return nil, fmt.Errorf("device %q cannot time its kernels", s.rec.Device)
}

// noteProfile says that the kernels were timed, and how much of the time
// inside passes they account for.
func (s *session) noteProfile() {
	var between, all float64
	for i := range s.rec.Runs {
		for _, k := range s.rec.Runs[i].Kernels {
			all += k.Time.Seconds()
			if k.Block == "" {
				between += k.Time.Seconds()
			}
		}
	}
	if all > 0 {
		s.note("The kernels were timed while the batches were measured, which is part of these figures. %.1f %% of the time inside passes was spent in them.",
			100*(all-between)/all)
	}
}
