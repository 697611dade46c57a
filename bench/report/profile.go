package report

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/google/pprof/profile"

	"github.com/minilm-metal/minilm-metal/bench/internal/file"
	"github.com/minilm-metal/minilm-metal/bench/recording"
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
func WriteProfile(w io.Writer, rec *recording.Recording) error {
	p := kernelProfile(rec)
	if err := p.CheckValid(); err != nil {
		return fmt.Errorf("bench: profile: %w", err)
	}
	return p.Write(w)
}

// WriteProfileFile is WriteProfile to a file, at once or not at all.
func WriteProfileFile(path string, rec *recording.Recording) error {
	if err := file.Write(path, func(w io.Writer) error { return WriteProfile(w, rec) }); err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	return nil
}

func kernelProfile(rec *recording.Recording) *profile.Profile {
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
				Location: s.stack(frames(&k)...),
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
func frames(k *recording.Kernel) []string {
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
