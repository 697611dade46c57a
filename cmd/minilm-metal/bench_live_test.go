package main

import (
	"slices"
	"testing"
	"time"

	"github.com/minilm-metal/minilm-metal/bench"
	"github.com/minilm-metal/minilm-metal/cmd/minilm-metal/internal/progress"
)

// What is shown has its unit, and what is not known is not shown.
func TestLiveFields(t *testing.T) {
	const ms = time.Millisecond
	l := &bench.Live{Batches: 7, PairsPerSecond: 312.44, P50: 95100 * time.Microsecond, P95: 121 * ms, Queue: 2340 * time.Microsecond, Infer: 93 * ms,
		CPU: new(97.6), RSS: new(301.2), Left: 72*time.Second + 400*ms}
	want := []string{"312.4 pairs/s", "P50 95.1 ms", "P95 121 ms", "1m12s left", "CPU 98 %", "memory 301 MB", "queue 2.34 ms", "inference 93.0 ms"}
	if got := liveFields(l); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if got := liveFields(new(bench.Live)); !slices.Equal(got, []string{"0.0 pairs/s"}) {
		t.Errorf("%q", got)
	}
	if live(nil) != nil || live(new(progress.Bar)) != nil {
		t.Error("a look is taken that nobody sees")
	}
}
