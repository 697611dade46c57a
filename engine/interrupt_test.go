package engine

import (
	"testing"
	"time"
)

// Urgent passes have half of the time where they could have all of it, and as much as
// they ask for where that is less.
func TestInterruptions(t *testing.T) {
	const pass = 9 * time.Millisecond
	for _, test := range []struct {
		gap  time.Duration // between the end of an urgent pass and the next that comes
		want float64       // their share of the time
	}{
		{0, 0.5},
		{pass / 2, 0.5},
		{pass, 0.5},
		{9 * pass, 0.1},
	} {
		var i interruptions
		begun := time.Unix(1e9, 0)
		now, urgent := begun, time.Duration(0)
		for now.Sub(begun) < time.Minute {
			for !i.allowed(now) {
				now = now.Add(time.Millisecond) // to the next pause
			}
			now = now.Add(pass)
			i.took(pass)
			urgent += pass
			now = now.Add(test.gap)
		}
		if share := urgent.Seconds() / now.Sub(begun).Seconds(); share < test.want-0.03 || share > test.want+0.03 {
			t.Errorf("with %v between them, urgent passes have %.3f of the time, want %.2f", test.gap, share, test.want)
		}
	}
}
