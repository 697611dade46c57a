package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"github.com/minilm-metal/minilm-metal/bench"
	"github.com/minilm-metal/minilm-metal/bench/report"
	"github.com/minilm-metal/minilm-metal/kernels/workbench"
	"github.com/minilm-metal/minilm-metal/model/hub"
)

// This file is all of doctor that calls package bench.

func (x *exam) writeEnvironment(w io.Writer) {
	e := bench.NewEnvironment(nil)
	fmt.Fprintf(w, "processor\t%s\nsystem\t%s, %s\nmemory\t%.1f GiB\nGOMAXPROCS\t%d\nbuild\t%s\n", e.CPU, e.OS, e.Arch, float64(e.MemoryBytes)/(1<<30), e.GOMAXPROCS, aboutRun(&e))
}

// The examination's bench is long enough to say whether a machine is twice as fast as
// another, and no longer.
const (
	examPairs = 320
	examBound = 30 * time.Second
)

func (x *exam) bench(ctx context.Context) error {
	found, err := x.checkpoint(x.model, hub.Complete)
	if err != nil {
		return err
	}
	rec, runErr := bench.Measure(ctx, bench.Options{
		Name: "doctor", Args: x.args, CalibrationFile: x.calibrationFile(), Stages: true, Pairs: examPairs, TimeBound: examBound,
		Model: bench.Checkpoint{Files: found.files, ID: modelID(x.model, found), Synthetic: found.synthetic},
	})
	if rec == nil {
		return runErr
	}
	figures := report.Derive(rec)
	for name, write := range map[string]func(io.Writer) error{report.MarkdownFile: figures.WriteMarkdown, report.JSONFile: figures.WriteJSON} {
		f, err := os.Create(filepath.Join(x.dir, name))
		if err != nil {
			return err
		}
		if err := errors.Join(write(f), f.Close()); err != nil {
			return err
		}
	}
	err = figures.WriteSummary(x.stdout)
	for _, note := range rec.Notes {
		fmt.Fprintf(x.stdout, "\nNote: %s", note)
	}
	fmt.Fprintf(x.stdout, "\n\nAll of it is in the folder bench: %s and %s.\n", report.MarkdownFile, report.JSONFile)
	return errors.Join(runErr, err)
}

// examKernels are those of 128 rows, which is about a pass: one number of rows in place of
// seven.
const examKernels = `rows=128(/|$)`

// kernels measures the kernels of MiniLM's sizes.
func (x *exam) kernels(ctx context.Context) error {
	selection := kernelSelection{}
	variants, err := selection.variants()
	if err != nil {
		return err
	}
	cases := workbench.Cases(workbench.Selection{Variants: variants, Focus: regexp.MustCompile(examKernels)})
	e := bench.NewEnvironment(x.args)
	report, runErr := workbench.Measure(ctx, cases, workbench.Options{Count: 3})
	return errors.Join(runErr, writeKernelsBenchstat(x.stdout, report, &e))
}
