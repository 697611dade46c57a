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

// begin adds the label to those that ctx has, for this goroutine, and begins a region. It
// returns the labels, for who sets others meanwhile and these again.
func (s *stage) begin(ctx context.Context) (labels context.Context, region *trace.Region) {
	labels = s.alone
	pprof.ForLabels(ctx, func(string, string) bool {
		labels = nil
		return false
	})
	if labels == nil { // the caller has labels of his own, and pays for both
		labels = pprof.WithLabels(ctx, s.labels)
	}
	pprof.SetGoroutineLabels(labels)
	return labels, trace.StartRegion(ctx, s.name)
}

// labelled returns a context with ctx's labels and nothing else: passes have it when the
// caller has gone, whose context is his own then.
func labelled(ctx context.Context) context.Context {
	var labels []string
	pprof.ForLabels(ctx, func(key, value string) bool {
		labels = append(labels, key, value)
		return true
	})
	if len(labels) == 0 {
		return context.Background()
	}
	return pprof.WithLabels(context.Background(), pprof.Labels(labels...))
}

// task makes a call a task of its own in an execution trace, if there is one; nil: there
// is none.
func task(ctx context.Context, name string) (context.Context, *trace.Task) {
	if !trace.IsEnabled() {
		return ctx, nil
	}
	return trace.NewTask(ctx, name)
}
