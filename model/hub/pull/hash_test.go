package pull

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/minilm-metal/minilm-metal/model/hub"
	"github.com/minilm-metal/minilm-metal/model/hub/pull/pulltest"
)

// brokenResume answers a GET of the whole with its first cut bytes, and one of a
// range with other bytes than were asked for, each time other ones.
func brokenResume(cut int) pulltest.Act {
	resumed := byte(0)
	return func(w http.ResponseWriter, q *http.Request, next http.Handler) {
		if q.Header.Get("Range") == "" {
			pulltest.Cut(cut)(w, q, next)
			return
		}
		resumed++
		pulltest.Body(func(b []byte) []byte {
			b[0] ^= resumed
			return b
		})(w, q, next)
	}
}

// A server whose resumed bytes are wrong, though its first ones are right and
// its size too, is tried twice: hashes are counted across what was resumed.
func TestWrongBytesAcrossResumes(t *testing.T) {
	const cut = 1_500_000
	wrong := func(flip byte) string {
		data := weights()
		data[cut] ^= flip
		etag, err := pulltest.Etag(bytes.NewReader(data), hub.WeightsFile, weightLen)
		if err != nil {
			t.Fatal(err)
		}
		return etag
	}
	truth, _ := etagOf(t, hub.WeightsFile)
	for _, c := range []struct {
		name   string
		before []byte
		want   []string
	}{
		{"from nothing", nil, []string{"", "bytes=1500000-", "", "bytes=1500000-"}},
		{"from what an earlier pull left", weights()[:cut], []string{"bytes=1500000-", "", "bytes=1500000-"}},
	} {
		bubble(t, c.name, func(t *testing.T) {
			r := newMemoryRig(t)
			if c.before != nil {
				r.plantPart(t, c.before)
			}
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			requests, act := 0, brokenResume(cut)
			r.Fault(pulltest.Fault{Storage: true, Do: func(w http.ResponseWriter, q *http.Request, next http.Handler) {
				if requests++; requests > 20 {
					cancel() // it would never end
				}
				act(w, q, next)
			}})
			_, err := Pull(ctx, r.Options)
			if !errors.Is(err, ErrMismatch) {
				t.Fatalf("after %d requests: %v", requests, err)
			}
			for _, hash := range []string{wrong(1), wrong(2), truth} {
				if !strings.Contains(err.Error(), hash) {
					t.Errorf("error %q does not name %s", err, hash)
				}
			}
			if got := r.ranges(); !slices.Equal(got, c.want) {
				t.Errorf("asked for the ranges %q, want %q", got, c.want)
			}
		})
	}
}
