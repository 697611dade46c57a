package bench

import (
	"context"
	"runtime/pprof"
	"runtime/trace"
)

// phase runs f as a part of the run that Go's own profiles can tell apart: its goroutines
// carry the label phase=NAME, beside the engine's stage=..., and an execution trace has a
// task of that name. Otherwise the reference of the accuracy gate would be part of a CPU
// profile of the measurement.
func phase(ctx context.Context, name string, f func(ctx context.Context) error) (err error) {
	ctx, task := trace.NewTask(ctx, name)
	defer task.End()
	pprof.Do(ctx, pprof.Labels("phase", name), func(ctx context.Context) { err = f(ctx) })
	return err
}
