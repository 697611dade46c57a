package engine

import (
	"bytes"
	"context"
	"runtime/pprof"
	"runtime/trace"
	"strings"
	"testing"
	"time"

	"github.com/minilm-metal/minilm-metal/model"
)

// watched is a device that sees the labels of the goroutines that use it, and
// has kernels to time.
type watched struct {
	faulty
	labels *string
	timing *bool
}

func (w watched) Begin(b *model.Batch) (model.Pass, error) {
	*w.labels = goroutineLabels()
	return w.faulty.Begin(b)
}

func (w watched) TimeKernels() func() []model.KernelTime {
	*w.timing = true
	return func() []model.KernelTime {
		*w.timing = false
		return []model.KernelTime{{Layer: 3, Kernel: "gemm", Calls: 2, Time: time.Second}}
	}
}

// goroutineLabels returns the labels of all goroutines that run this function.
func goroutineLabels() string {
	var b strings.Builder
	if err := pprof.Lookup("goroutine").WriteTo(&b, 1); err != nil {
		return err.Error()
	}
	var labels []string
	for stack := range strings.SplitSeq(b.String(), "\n\n") {
		if _, text, found := strings.Cut(stack, "# labels: "); found && strings.Contains(stack, "engine.goroutineLabels") {
			line, _, _ := strings.Cut(text, "\n")
			labels = append(labels, line)
		}
	}
	return strings.Join(labels, " ")
}

func openWatched(t *testing.T) (e *Engine, labels *string, timing *bool) {
	t.Helper()
	e, labels, timing = openFaulty(t), new(string), new(bool)
	e.device = watched{e.device.(faulty), labels, timing}
	return e, labels, timing
}

func TestStageLabels(t *testing.T) {
	e, seen, _ := openWatched(t)
	for _, test := range []struct {
		ctx    context.Context
		inside string
	}{
		{t.Context(), `{"stage":"forward"}`},
		{pprof.WithLabels(t.Context(), pprof.Labels("request", "7")), `{"request":"7", "stage":"forward"}`},
	} {
		if _, err := e.Score(test.ctx, nil, []Pair{{"a", "b"}}); err != nil {
			t.Fatal(err)
		}
		if *seen != test.inside {
			t.Errorf("labels in the pass: %s, want %s", *seen, test.inside)
		}
		if got := goroutineLabels(); got != "" {
			t.Errorf("labels after the call: %s, want the caller's own, none", got)
		}
		_, region := e.tokenizing.begin(test.ctx)
		want := strings.ReplaceAll(test.inside, "forward", "tokenize")
		if got := goroutineLabels(); got != want {
			t.Errorf("labels while tokenizing: %s, want %s", got, want)
		}
		region.End()
		pprof.SetGoroutineLabels(t.Context())
	}
}

func TestStagesAllocateNothing(t *testing.T) {
	e := openFaulty(t)
	ctx := t.Context()
	defer pprof.SetGoroutineLabels(ctx)
	if n := testing.AllocsPerRun(100, func() {
		ctx, task := task(ctx, "score")
		_, region := e.tokenizing.begin(ctx)
		region.End()
		pprof.SetGoroutineLabels(ctx)
		if task != nil {
			t.Error("a task without a trace")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestTraceHasStages(t *testing.T) {
	if trace.IsEnabled() {
		t.Skip("the tests are being traced")
	}
	e := openFaulty(t)
	var b bytes.Buffer
	if err := trace.Start(&b); err != nil {
		t.Fatal(err)
	}
	_, err := e.Score(t.Context(), nil, []Pair{{"a", "b"}})
	trace.Stop()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"score", "tokenize", "queue", "forward"} {
		// The table of strings has each after its length.
		if !bytes.Contains(b.Bytes(), append([]byte{byte(len(name))}, name...)) {
			t.Errorf("the trace has no %q", name)
		}
	}
}

func TestTimeKernels(t *testing.T) {
	e, _, timing := openWatched(t)
	stop, known := e.TimeKernels()
	if !known || !*timing {
		t.Fatalf("known %v, timing %v", known, *timing)
	}
	if got := stop(); len(got) != 1 || got[0].Layer != 3 || *timing {
		t.Errorf("%+v, timing %v", got, *timing)
	}
	stop, _ = e.TimeKernels()
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if got := stop(); got != nil {
		t.Errorf("%+v of a closed engine", got)
	}
	if _, known := e.TimeKernels(); known {
		t.Error("a closed engine times its kernels")
	}
	if _, known := openFaulty(t).TimeKernels(); known {
		t.Error("a device without kernels times them")
	}
}
