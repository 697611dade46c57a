package main

import (
	"errors"
	"io"
	"os"
	"runtime"
	"runtime/pprof"
	"runtime/trace"
	"slices"

	"github.com/spf13/pflag"
)

// profiles holds the flags for Go's own profiles of a command.
type profiles struct{ cpu, memory, trace string }

func (p *profiles) register(flags *pflag.FlagSet) {
	flags.StringVar(&p.cpu, "cpuprofile", "", "write Go's CPU profile to this file")
	flags.StringVar(&p.memory, "memprofile", "", "write Go's memory profile to this file, at the end")
	flags.StringVar(&p.trace, "trace", "", "write Go's execution trace to this file")
}

// check returns an error, before the run, if a file cannot be written.
func (p *profiles) check() error {
	return errors.Join(profileable("cpuprofile", p.cpu), profileable("memprofile", p.memory), profileable("trace", p.trace))
}

// start starts the CPU profile and the trace. stop writes all profiles.
func (p *profiles) start() (stop func() error, err error) {
	var ends []func() error
	stop = func() error {
		var errs []error
		for _, end := range slices.Backward(ends) {
			errs = append(errs, end())
		}
		return errors.Join(errs...)
	}
	begin := func(path string, start func(io.Writer) error, end func()) error {
		if path == "" {
			return nil
		}
		f, err := os.Create(path)
		if err != nil {
			return err
		}
		out := &output{w: f, name: path} // Go's profilers ignore errors of writing
		if err := start(out); err != nil {
			return errors.Join(err, f.Close())
		}
		ends = append(ends, func() error {
			end()
			return errors.Join(out.err, f.Close())
		})
		return nil
	}
	if p.memory != "" {
		ends = append(ends, func() error { return writeHeap(p.memory) })
	}
	if err = begin(p.cpu, pprof.StartCPUProfile, pprof.StopCPUProfile); err == nil {
		err = begin(p.trace, trace.Start, trace.Stop)
	}
	if err != nil {
		return nil, errors.Join(err, stop())
	}
	return stop, nil
}

func writeHeap(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	runtime.GC() // the profile has the state at the last collection
	return errors.Join(pprof.Lookup("allocs").WriteTo(f, 0), f.Close())
}
