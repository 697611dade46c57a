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
	alone  context.Context // a context that has this stage's labels and nothing else
}

// newStage prepares everything, so that begin allocates nothing.
func newStage(name string) stage {
	labels := pprof.Labels("stage", name)
	return stage{name, labels, pprof.WithLabels(context.Background(), labels)}
}

// begin adds the stage's label to those of ctx, on this goroutine, and starts a region. It
// returns the labels, so that the caller can set them again after others.
func (s *stage) begin(ctx context.Context) (labels context.Context, region *trace.Region) {
	labels = s.alone
	pprof.ForLabels(ctx, func(string, string) bool {
		labels = nil
		return false
	})
	if labels == nil { // the caller's context has labels of its own: joining them allocates
		labels = pprof.WithLabels(ctx, s.labels)
	}
	pprof.SetGoroutineLabels(labels)
	return labels, trace.StartRegion(ctx, s.name)
}

// labelled returns a context that has ctx's labels and nothing else. Passes use it, because
// they may outlive the caller, and ctx is the caller's.
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

// task makes a call a task in the execution trace. It returns a nil task if none is being
// recorded.
func task(ctx context.Context, name string) (context.Context, *trace.Task) {
	if !trace.IsEnabled() {
		return ctx, nil
	}
	return trace.NewTask(ctx, name)
}
