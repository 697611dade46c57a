package load

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/minilm-metal/minilm-metal/bench/recording"
)

// even is a point of n requests at even times of 10 s, each of that latency.
func even(n int, latency func(i int) time.Duration) *recording.LoadPoint {
	p := &recording.LoadPoint{Purpose: recording.PurposeSearch, Rate: float64(n) / 10, Seed: 1, Length: 10 * time.Second}
	for i := range n {
		p.Answered = append(p.Answered, recording.BatchSample{Start: time.Duration(i) * 10 * time.Second / time.Duration(n), Latency: latency(i), Pairs: 1})
	}
	return p
}

func constant(d time.Duration) func(int) time.Duration {
	return func(int) time.Duration { return d }
}

// Of 58 requests in the window P95 has no bound, and no load holds; of 59 it may.
func TestFewestRequests(t *testing.T) {
	for n, bounded := range map[int]bool{64: false, 66: true} { // 90 % of them are in the window
		p := Judge(even(n, constant(20*time.Millisecond)), 1, 100*time.Millisecond)
		if want := n - (n+9)/10; p.Requests != want {
			t.Fatalf("%d requests, want %d", p.Requests, want)
		}
		if (p.P95Upper != nil) != bounded || p.Holds != bounded || !bounded && p.Why != "too few requests to bound P95" {
			t.Errorf("%d requests: %+v", p.Requests, p)
		}
	}
}

// Rates by hand: 100 requests/s for 9 s, one in ten beyond the bound, one in 25 missed.
func TestJudge(t *testing.T) {
	rec := even(1000, func(i int) time.Duration {
		if i%10 == 0 {
			return 150 * time.Millisecond
		}
		return 20 * time.Millisecond
	})
	kept := rec.Answered[:0]
	for i, b := range rec.Answered {
		if i%25 == 1 {
			rec.Missed = append(rec.Missed, recording.Miss{Due: b.Start, After: time.Second, Reason: "lost"})
		} else {
			kept = append(kept, b)
		}
	}
	rec.Answered = kept
	p := Judge(rec, 1, 100*time.Millisecond)
	if p.Requests != 900 || p.Seconds != 9 || p.Offered != 100 || p.Slow != 90 || p.Missed != 36 || math.Abs(*p.Good-86) > 1e-9 {
		t.Errorf("%+v", p)
	}
	if *p.P50 != 20 || *p.P95 != 150 || p.P95Upper != nil || p.Holds {
		t.Errorf("%+v", p)
	}
	if none := Judge(&recording.LoadPoint{Length: time.Second}, 1, 0); none.Holds || none.P50 != nil || none.Good != nil || none.Why != "no request was due" {
		t.Errorf("%+v", none)
	}
}

// Requests that are slow in clumps tell less than as many independent ones, and their P95
// has a higher bound.
func TestDependence(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	scattered := make([]time.Duration, 2000)
	for i := range scattered {
		scattered[i] = time.Duration(10+90*random.Float64()) * time.Millisecond
	}
	clumped := slices.Clone(scattered)
	for lo := 0; lo < len(clumped); lo += 100 {
		slices.Sort(clumped[lo : lo+100]) // the same in each block
	}
	slices.Sort(clumped[:1000]) // the slow ones of the first half together
	one := Judge(even(2000, func(i int) time.Duration { return scattered[i] }), 1, time.Second)
	two := Judge(even(2000, func(i int) time.Duration { return clumped[i] }), 1, time.Second)
	if one.Dependence > 2 || two.Dependence < 5 || *one.P95 != *two.P95 && math.Abs(*one.P95-*two.P95) > 2 || *two.P95Upper <= *one.P95Upper || *one.P95Upper < *one.P95 {
		t.Errorf("scattered %+v\nclumped %+v", one, two)
	}
}

// search runs a search on a system whose loads hold below the share.
func search(holds func(Step) bool) (steps []Step, points []Point) {
	var s Search
	for step, ok := s.Next(); ok; step, ok = s.Next() {
		h := holds(step)
		good := step.Share
		steps, points = append(steps, step), append(points, Point{Purpose: step.Purpose, Rate: step.Share, Seed: step.Seed, Holds: h, Good: &good})
		s.Add(step, h)
		if len(steps) > 100 {
			panic("the search does not end")
		}
	}
	return steps, points
}

func TestSearch(t *testing.T) {
	for _, at := range []float64{0.1, 0.3, 0.31, 0.5, 0.62, 0.8, 0.949, 0.95, 2} {
		steps, points := search(func(s Step) bool { return s.Share <= at })
		k := KneeOf(points)
		switch {
		case at < Lowest:
			if k != nil || len(steps) != 1 {
				t.Errorf("%v: %+v in %d steps", at, k, len(steps))
			}
			continue
		case k == nil || k.Rate > at || at < Highest && at-k.Rate > Width || k.AtLeast != (at >= Highest) || math.Abs(k.Good-k.Rate) > 1e-9:
			t.Fatalf("%v: %+v", at, k)
		}
		if len(steps) > UsualSteps {
			t.Errorf("%v: %d steps, want %d at most", at, len(steps), UsualSteps)
		}
		seeds := map[uint64]bool{}
		for _, s := range steps[len(steps)-Confirmations:] {
			seeds[s.Seed] = true
		}
		if len(seeds) != Confirmations || seeds[1] {
			t.Errorf("%v: confirmed with seeds %v, want others than the search's", at, seeds)
		}
	}
}

// A knee that other seeds do not confirm is moved down until one is, with fresh seeds.
func TestSearchGoesDown(t *testing.T) {
	steps, points := search(func(s Step) bool {
		return s.Share <= 0.8 && (s.Purpose == recording.PurposeSearch || s.Share <= 0.65)
	})
	if k := KneeOf(points); k == nil || k.Rate > 0.65 || k.Rate < 0.55 || k.AtLeast {
		t.Errorf("%+v in %+v", k, steps)
	}
	seen := map[uint64]bool{}
	for _, s := range steps {
		if s.Purpose == recording.PurposeConfirm {
			if seen[s.Seed] {
				t.Errorf("seed %d confirms twice", s.Seed)
			}
			seen[s.Seed] = true
		}
	}
	_, points = search(func(s Step) bool { return s.Purpose == recording.PurposeSearch })
	if k := KneeOf(points); k != nil {
		t.Errorf("%+v was never confirmed", k)
	}
}

// A point that was measured again is not one that did not hold.
func TestKneeAfterTooFew(t *testing.T) {
	_, points := search(func(s Step) bool { return true })
	good := points[0].Rate
	var again []Point
	for i, p := range points {
		if i != 1 {
			again = append(again, Point{Purpose: p.Purpose, Rate: p.Rate, Seed: p.Seed, Why: tooFew, Good: &good})
		}
		again = append(again, p)
	}
	want, got := KneeOf(points), KneeOf(again)
	if want == nil || got == nil || *got != *want || !got.AtLeast {
		t.Errorf("%+v, want %+v", got, want)
	}
	if k := KneeOf(again[:len(again)-1]); k != nil {
		t.Errorf("%+v is not confirmed", k)
	}
}

// The knee says which loads above it may hold, for all that is known.
func TestKneePerhaps(t *testing.T) {
	good := 1.0
	at := func(purpose string, rate float64, seed uint64, why string) Point {
		return Point{Purpose: purpose, Rate: rate, Seed: seed, Why: why, Holds: why == "", Good: &good}
	}
	for _, c := range []struct {
		of45, of50, of60 string
		want             float64
	}{
		{"", "", "saturated", 0},
		{tooFew, tooFew, "saturated", 50},
		{tooFew, "P95 is above the bound", tooFew, 45},
		{"saturated", tooFew, tooFew, 0},
	} {
		points := []Point{at(recording.PurposeSearch, 30, 1, tooFew), at(recording.PurposeSearch, 30, 1, ""), at(recording.PurposeSearch, 60, 1, c.of60),
			at(recording.PurposeSearch, 45, 1, c.of45), at(recording.PurposeSearch, 50, 1, c.of50)}
		for seed := range uint64(Confirmations) {
			points = append(points, at(recording.PurposeConfirm, 40, 2+seed, ""))
		}
		if k := KneeOf(points); k == nil || k.Rate != 40 || k.Perhaps != c.want {
			t.Errorf("%+v: %+v", c, k)
		}
	}
}
