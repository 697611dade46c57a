package engine

import (
	"context"
	"runtime/pprof"
	"runtime/trace"
)

// stage is a part of a call that Go's own profiles can tell apart: its
// goroutines carry the label stage=NAME (go tool pprof -tagfocus stage=NAME),
// and an execution trace has regions of that name.
type stage struct {
	name   string
	labels pprof.LabelSet
	alone  context.Context // with these labels and no others
}

// newStage prepares all that a call needs, which then allocates nothing.
func newStage(name string) stage {
	labels := pprof.Labels("stage", name)
	return stage{name, labels, pprof.WithLabels(context.Background(), labels)}
}

// begin adds the label to those that ctx has, for this goroutine, and begins a
// region. As with pprof.Do, whoever goes on with the goroutine afterwards sets
// it back to ctx's labels.
func (s *stage) begin(ctx context.Context) *trace.Region {
	labelled := s.alone
	pprof.ForLabels(ctx, func(string, string) bool {
		labelled = nil
		return false
	})
	if labelled == nil { // the caller has labels of his own, and pays for both
		labelled = pprof.WithLabels(ctx, s.labels)
	}
	pprof.SetGoroutineLabels(labelled)
	return trace.StartRegion(ctx, s.name)
}

// task makes a call a task of its own in an execution trace, if there is one.
func task(ctx context.Context, name string) (context.Context, func()) {
	if !trace.IsEnabled() {
		return ctx, func() {}
	}
	ctx, t := trace.NewTask(ctx, name)
	return ctx, t.End
}
