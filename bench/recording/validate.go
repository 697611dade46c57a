package recording

import (
	"errors"
	"fmt"
	"time"

	"github.com/minilm-metal/minilm-metal/bench/internal/figure"
)

// ErrInvalid is in every error about a recording that cannot be right.
var ErrInvalid = errors.New("bench: bad recording")

// longestRun is the longest time that is accepted in a recording.
const longestRun = 366 * 24 * time.Hour

// MostRuns is the most runs of a recording, and configurations of a report. A sweep has
// hundreds, and each has a section of its own on every page.
const MostRuns = 1 << 14

// Smallest and Largest are the sizes that a figure of a recording may have, if it is not 0.
const (
	Smallest = figure.Smallest
	Largest  = figure.Largest
)

// Validate names the first thing in the recording that cannot have been measured.
func (rec *Recording) Validate() error {
	if rec.Schema != SchemaVersion {
		return fmt.Errorf("%w: field \"schema\": %d, this program knows %d", ErrInvalid, rec.Schema, SchemaVersion)
	}
	if err := figure.Check(rec); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if rec.Task != "" && rec.Task != TaskEmbed {
		return fmt.Errorf("%w: field \"task\": %.40q, want %q or none", ErrInvalid, rec.Task, TaskEmbed)
	}
	if n := len(rec.Runs); n > MostRuns {
		return fmt.Errorf("%w: %d runs, want at most %d", ErrInvalid, n, MostRuns)
	}
	for i := range rec.Runs {
		if err := rec.Runs[i].validate(); err != nil {
			return fmt.Errorf("%w: runs[%d] %w", ErrInvalid, i, err)
		}
		if err := rec.validateSweep(&rec.Runs[i]); err != nil {
			return fmt.Errorf("%w: runs[%d]: %w", ErrInvalid, i, err)
		}
	}
	if err := rec.Mix.validate(); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if err := rec.Overload.validate(); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if err := rec.Load.validate(); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if err := errors.Join(rec.Judged.validate(), rec.Ablation.validate()); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return nil
}

func (run *Run) validate() error {
	at := fmt.Sprintf("(batch %d, concurrency %d)", run.Batch, run.Concurrency)
	switch {
	case run.Batch < 1 || run.Concurrency < 1:
		return fmt.Errorf("%s: want at least 1 and 1", at)
	case run.Loop != "closed" && run.Loop != "open":
		return fmt.Errorf("%s: field \"loop\": %q, want closed or open", at, run.Loop)
	case len(run.Batches) > 0 && run.Elapsed <= 0 || run.Elapsed > longestRun:
		return fmt.Errorf("%s: field \"elapsed_ns\": %v, want above 0 and at most %v", at, run.Elapsed, longestRun)
	}
	if err := validateBatches("batches", run.Batches, run.Batch); err != nil {
		return fmt.Errorf("%s: %w", at, err)
	}
	if err := validateKernels(run.Kernels); err != nil {
		return fmt.Errorf("%s: %w", at, err)
	}
	if err := run.Open.validate(); err != nil {
		return fmt.Errorf("%s: open: %w", at, err)
	}
	if err := run.Served.validate(); err != nil {
		return fmt.Errorf("%s: served: %w", at, err)
	}
	if err := run.Stages.validate(); err != nil {
		return fmt.Errorf("%s: stages: %w", at, err)
	}
	return nil
}

// validateBatches checks the samples of batches of at most most pairs. field is their name
// in the recording.
func validateBatches(field string, list []BatchSample, most int) error {
	for j, b := range list {
		bad := ""
		switch {
		case b.Latency <= 0 || b.Latency > longestRun:
			bad = fmt.Sprintf("field \"latency_ns\": %v, want above 0", b.Latency)
		case b.Start < 0 || b.Start > longestRun:
			bad = fmt.Sprintf("field \"start_ns\": %v, want at least 0", b.Start)
		case b.Tokenize < 0 || b.Queue < 0 || b.Infer < 0:
			bad = fmt.Sprintf("stages %v, %v, %v: want at least 0", b.Tokenize, b.Queue, b.Infer)
		case b.Overlapped < 0 || b.Overlapped > b.Tokenize:
			bad = fmt.Sprintf("field \"overlapped_ns\": %v, want 0 to the tokenization's %v", b.Overlapped, b.Tokenize)
		case b.Late < 0 || b.Late > b.Queue:
			bad = fmt.Sprintf("field \"late_ns\": %v, want 0 to the queue's %v", b.Late, b.Queue)
		case b.Pairs < 1 || b.Pairs > most:
			bad = fmt.Sprintf("field \"pairs\": %d, want 1 to %d", b.Pairs, most)
		case b.Tokens < 1:
			bad = fmt.Sprintf("field \"tokens\": %d, want at least 1", b.Tokens)
		case b.Padded < b.Tokens:
			bad = fmt.Sprintf("field \"padded\": %d, less than its %d tokens", b.Padded, b.Tokens)
		case b.Computed != 0 && b.Computed < b.Tokens:
			bad = fmt.Sprintf("field \"computed\": %d, less than its %d tokens", b.Computed, b.Tokens)
		case b.FLOPs < 0:
			bad = fmt.Sprintf("field \"flops\": %d, want at least 0", b.FLOPs)
		default:
			if err := b.Handling.validate(&b); err != nil {
				bad = err.Error()
			}
		}
		if bad != "" {
			return fmt.Errorf("%s[%d]: %s", field, j, bad)
		}
	}
	return nil
}

func (s *Stages) validate() error {
	switch {
	case s == nil:
		return nil
	case s.Batches < 1 || s.Pairs < s.Batches || s.Tokens < s.Pairs:
		return fmt.Errorf("%d batches, %d pairs, %d tokens: want at least 1, and each no less than the one before", s.Batches, s.Pairs, s.Tokens)
	case s.Fused < 0 || s.Timed < 0:
		return fmt.Errorf("inference %v, %v: want at least 0", s.Fused, s.Timed)
	}
	return validateKernels(s.Kernels)
}

func validateKernels(list []Kernel) error {
	for i, k := range list {
		if k.Layer < -1 || k.Kernel == "" || k.Calls < 0 || k.Time < 0 || k.FLOPs < 0 || k.Bytes < 0 {
			return fmt.Errorf("kernels[%d]: %+v: want a name, a layer of at least -1 and values of at least 0", i, k)
		}
	}
	return nil
}
