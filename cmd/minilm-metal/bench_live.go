package main

import (
	"cmp"
	"fmt"
	"time"

	"github.com/minilm-metal/minilm-metal/bench"
	"github.com/minilm-metal/minilm-metal/cmd/minilm-metal/internal/progress"
)

// live shows a measurement below the bar while it goes on.
func live(bar *progress.Bar) func(*bench.Live) {
	if !bar.Shown() {
		return nil
	}
	return func(l *bench.Live) {
		if l == nil {
			bar.Beneath()
			return
		}
		bar.Beneath(liveFields(l)...)
	}
}

// liveFields are what is shown, what matters most first.
func liveFields(l *bench.Live) []string {
	fields := []string{fmt.Sprintf("%.1f %s/s", l.PairsPerSecond, cmp.Or(l.Of, "pairs"))}
	if l.Batches > 0 {
		fields = append(fields, "P50 "+short(l.P50), "P95 "+short(l.P95))
	}
	if l.Left > 0 {
		fields = append(fields, l.Left.Round(time.Second).String()+" left")
	}
	if l.CPU != nil {
		fields = append(fields, fmt.Sprintf("CPU %.0f %%", *l.CPU))
	}
	if l.RSS != nil {
		fields = append(fields, fmt.Sprintf("memory %.0f MB", *l.RSS))
	}
	for _, stage := range []struct {
		name string
		d    time.Duration
	}{{"late", l.Late}, {"queue", l.Queue}, {"tokenize", l.Tokenize}, {"inference", l.Infer}, {"other", l.Other}} {
		if stage.d > 0 {
			fields = append(fields, stage.name+" "+short(stage.d))
		}
	}
	return fields
}

// short is a duration in ms with three digits or so.
func short(d time.Duration) string {
	ms := float64(d) / float64(time.Millisecond)
	switch {
	case ms >= 100:
		return fmt.Sprintf("%.0f ms", ms)
	case ms >= 10:
		return fmt.Sprintf("%.1f ms", ms)
	}
	return fmt.Sprintf("%.2f ms", ms)
}
