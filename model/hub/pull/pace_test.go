package pull

import (
	"context"
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/minilm-metal/minilm-metal/model/hub"
	"github.com/minilm-metal/minilm-metal/model/hub/pull/pulltest"
)

// onClock runs test in a bubble whose pauses between attempts take their time.
func onClock(t *testing.T, name string, test func(t *testing.T, r *rig)) {
	t.Helper()
	bubble(t, name, func(t *testing.T) {
		r := newMemoryRig(t)
		r.Sleep = nil
		test(t, r)
	})
}

// A server that brings a byte a second is alive, and no use. The error says the
// rate seen, the rate wanted and over how long.
func TestTooSlow(t *testing.T) {
	onClock(t, "a byte a second", func(t *testing.T, r *rig) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
		defer cancel()
		r.Fault(pulltest.Fault{Storage: true, Do: pulltest.Drip(weightLen, time.Second)})
		began := time.Now()
		_, err := Pull(ctx, r.Options)
		if !errors.Is(err, errSlow) {
			t.Fatal(err)
		}
		if !regexp.MustCompile(`6 attempts.* too slow: 1(\.\d+)? B/s over 1m0s, want at least 1024 B/s`).MatchString(err.Error()) {
			t.Errorf("the error reads %q", err)
		}
		// Six windows, each from its first byte on, and 31 s of pauses.
		if took := time.Since(began); took < 6*time.Minute || took > 7*time.Minute {
			t.Errorf("it took %v", took)
		}
	})
	onClock(t, "the answer to the first question, never whole", func(t *testing.T, r *rig) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
		defer cancel()
		r.Fault(pulltest.Fault{Method: "HEAD", Do: func(_ http.ResponseWriter, q *http.Request, _ http.Handler) { <-q.Context().Done() }})
		if _, err := Pull(ctx, r.Options); !errors.Is(err, errStalled) || !strings.Contains(err.Error(), "brings nothing for 1m0s") {
			t.Error(err)
		}
	})
	onClock(t, "once, and then as usual", func(t *testing.T, r *rig) {
		r.Fault(storageOnce(pulltest.Drip(weightLen, time.Second)))
		r.mustPull(t)
		if got := r.ranges(); len(got) != 2 || !strings.HasPrefix(got[1], "bytes=6") { // 60 bytes, or 61
			t.Errorf("went on with %q", got)
		}
	})
}

// What is slow, but no slower than is allowed, takes as long as it takes.
func TestSlowEnough(t *testing.T) {
	onClock(t, "2 kB/s", func(t *testing.T, r *rig) {
		r.Fault(storageOnce(pulltest.Drip(1500, time.Second)))
		began := time.Now()
		r.mustPull(t)
		if got := r.ranges(); !slices.Equal(got, []string{""}) || time.Since(began) != 1500*time.Second {
			t.Errorf("ranges %q in %v", got, time.Since(began))
		}
	})
	onClock(t, "any rate is allowed", func(t *testing.T, r *rig) {
		r.MinRate = -1
		r.Files = []string{hub.VocabFile}
		r.Fault(pulltest.Fault{Method: "GET", File: hub.VocabFile, Do: pulltest.Drip(12, 50*time.Second)})
		if _, err := r.pull(); err != nil {
			t.Error(err)
		}
	})
	onClock(t, "another window", func(t *testing.T, r *rig) {
		r.Stall, r.MinRate = 10*time.Second, 4096
		r.Fault(pulltest.Fault{Storage: true, Do: pulltest.Drip(1500, time.Second)})
		if _, err := r.pull(); err == nil || !strings.Contains(err.Error(), "over 10s, want at least 4096 B/s") {
			t.Error(err)
		}
	})
}
