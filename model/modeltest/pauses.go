package modeltest

import (
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/minilm-metal/minilm-metal/model"
)

// urgent tests passes that pause, and urgent passes, if the device has them.
func (s *suite) urgent(t *testing.T) {
	d := s.device(t, 2)
	interrupter, ok := d.(model.Interrupter)
	if !ok {
		t.Skip("no pass goes before others")
	}
	t.Run("Busy", func(t *testing.T) { s.urgentBusy(t, d, interrupter) })
	t.Run("Pauses", func(t *testing.T) { s.pauses(t, d, interrupter) })
	t.Run("Storm", func(t *testing.T) {
		st := s.newStorm(t, d, interrupter)
		st.run(t)
		timer, ok := d.(model.KernelTimer)
		if !ok {
			return
		}
		stop, begun, before := timer.TimeKernels(), time.Now(), st.flops.Load()
		st.run(t)
		counted, spent := int64(0), time.Duration(0)
		for _, k := range stop() {
			counted += k.FLOPs
			spent += k.Time
		}
		if want := st.flops.Load() - before; counted != want {
			t.Errorf("%d FLOPs counted, the passes have %d", counted, want)
		}
		if most := time.Since(begun) * time.Duration(2*d.Passes()); spent <= 0 || spent > most {
			t.Errorf("%v spent, want above 0 and at most %v", spent, most)
		}
		st.timer = timer
		st.run(t)
	})
}

// urgentBusy asks for one urgent pass too many, and for normal passes beside the urgent
// ones.
func (s *suite) urgentBusy(t *testing.T, d model.Device, i model.Interrupter) {
	b := s.batch(rand.New(rand.NewPCG(7, 7)), 3)
	for range 2 { // an ended pass frees its place
		func() {
			for range d.Passes() {
				p, err := i.BeginUrgent(b)
				if err != nil {
					t.Fatal(err)
				}
				defer p.End()
				defer Begin(t, d, b).End()
			}
			if _, err := i.BeginUrgent(b); !errors.Is(err, model.ErrBusy) {
				t.Errorf("an urgent pass too many: %v", err)
			}
		}()
	}
}

// pauses runs an urgent pass in every pause of a pass.
func (s *suite) pauses(t *testing.T, d model.Device, i model.Interrupter) {
	r := rand.New(rand.NewPCG(8, 8))
	b, small := s.batch(r, 200, 7, 130), s.batch(r, 33)
	want, wantSmall := s.encode(t, d, b), s.encode(t, d, small)
	inside, count := false, 0
	pause := func() {
		if inside {
			t.Error("an urgent pass pauses")
			return
		}
		inside = true
		defer func() { inside = false }()
		count++
		got, err := s.encodeIn(i.BeginUrgent, small, func() { t.Error("an urgent pass pauses") })
		if err != nil {
			t.Error(err)
			return
		}
		s.same(t, got, wantSmall)
	}
	got, err := s.encodeIn(d.Begin, b, pause)
	if err != nil {
		t.Fatal(err)
	}
	s.same(t, got, want)
	if least := 2 * s.w.Config.Layers; count < least {
		t.Errorf("%d pauses, want at least one a block: %d", count, least)
	}
	before := count
	if got, err = s.encodeIn(d.Begin, b, nil); err != nil {
		t.Fatal(err)
	}
	s.same(t, got, want)
	if count != before {
		t.Error("a pass pauses as the one before did")
	}
}

// encodeIn encodes b in a pass that calls f in its pauses.
func (s *suite) encodeIn(begin func(*model.Batch) (model.Pass, error), b *model.Batch, f func()) ([]float32, error) {
	p, err := begin(b)
	if err != nil {
		return nil, err
	}
	defer p.End()
	p.(model.Pauser).OnPause(f)
	rows := make([]float32, b.Len()*s.w.Config.HiddenSize)
	return rows, model.Forward(p, s.w.Config.Layers, model.Firsts, rows)
}

// storm is many passes at the same time: normal ones, and urgent ones that begin in pauses
// and elsewhere.
type storm struct {
	s       *suite
	d       model.Device
	i       model.Interrupter
	batches []*model.Batch
	want    [][]float32
	rounds  int // passes of each caller

	ordinary, urgent Places
	flops            atomic.Int64      // of all passes that have ended
	timer            model.KernelTimer // nil: kernels are not timed meanwhile
}

func (s *suite) newStorm(t *testing.T, d model.Device, i model.Interrupter) *storm {
	st := &storm{s: s, d: d, i: i, ordinary: NewPlaces(d), urgent: NewPlaces(d)}
	r := rand.New(rand.NewPCG(9, 9))
	longest := 30
	st.rounds = 1
	if Thorough() && !testing.Short() {
		st.rounds, longest = 3, 100
	}
	for range 6 {
		b := s.batch(r, 1+r.IntN(longest/2), 1+r.IntN(longest), 1+r.IntN(9))
		st.batches, st.want = append(st.batches, b), append(st.want, s.encode(t, d, b))
	}
	return st
}

// encode encodes one of the batches and compares the result with that of it alone.
func (st *storm) encode(t *testing.T, r *rand.Rand, begin func(*model.Batch) (model.Pass, error), f func()) {
	n := r.IntN(len(st.batches))
	b := st.batches[n]
	got, err := st.s.encodeIn(begin, b, f)
	if err != nil {
		t.Error(err)
		return
	}
	st.s.same(t, got, st.want[n])
	for i := range b.Len() {
		lo, hi := b.Bounds(i)
		st.flops.Add(st.s.w.Config.FLOPs(hi-lo, model.ClsRows))
	}
}

func (st *storm) run(t *testing.T) {
	var callers, timing sync.WaitGroup
	for caller := range uint64(2 * st.d.Passes()) {
		callers.Go(func() {
			r := rand.New(rand.NewPCG(caller, 10))
			for range st.rounds {
				out := st.ordinary.In()
				st.encode(t, r, st.d.Begin, func() {
					if r.IntN(4) > 0 {
						return
					}
					select { // do not wait in a pause
					case st.urgent <- struct{}{}:
						st.encode(t, r, st.i.BeginUrgent, nil)
						<-st.urgent
					default:
					}
				})
				out()
			}
		})
		callers.Go(func() {
			r := rand.New(rand.NewPCG(caller, 11))
			for range st.rounds {
				out := st.urgent.In()
				st.encode(t, r, st.i.BeginUrgent, nil)
				out()
				time.Sleep(time.Duration(r.IntN(1000)) * time.Microsecond)
			}
		})
	}
	done := make(chan struct{})
	if st.timer != nil {
		timing.Go(func() {
			for {
				st.timer.TimeKernels()()
				select {
				case <-done:
					return
				case <-time.After(time.Millisecond):
				}
			}
		})
	}
	callers.Wait()
	close(done)
	timing.Wait()
}
