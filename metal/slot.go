package metal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/minilm-metal/minilm-metal/metal/internal/gpu"
	"github.com/minilm-metal/minilm-metal/model"
)

// slot is the memory of one pass: its plan, and the buffers that the processor writes and
// reads while the GPU may be working on another pass.
type slot struct {
	d       *Device
	plan    plan
	buffers [placeCount]gpu.Buffer // those of a slot
	work    []gpu.Dispatch
	binds   []gpu.Binding // the bindings of all of work
	each    []time.Duration
	times   gpu.Times
	reduce  []model.Reduce // what the pass ends in, once it does
}

func newSlot(d *Device) *slot {
	s := &slot{d: d}
	s.plan.layout, s.plan.parts, s.plan.kernels = &d.layout, &d.parts, d.kernels
	return s
}

func (s *slot) release() {
	releaseAll(s.buffers[:])
	s.buffers = [placeCount]gpu.Buffer{}
}

func (s *slot) Embed()                               { s.plan.embed() }
func (s *slot) Attention(layer int, keep model.Rows) { s.plan.attention(layer, keep) }
func (s *slot) FeedForward(layer int)                { s.plan.feedForward(layer) }

// Hidden runs the plan up to this point. Later blocks run it again from the start, because
// other passes use the scratch memory in between.
func (s *slot) Hidden(dst []float32) error {
	h, width, rows := s.d.layout.config.HiddenSize, s.d.layout.width, s.plan.rows
	if len(dst) != rows*h {
		return fmt.Errorf("metal: hidden state has %d values, dst %d", rows*h, len(dst))
	}
	return s.run(true, func(b *[placeCount]gpu.Buffer) {
		x := b[s.plan.x].Bytes()
		for r := range rows {
			for i := range h {
				dst[r*h+i] = float32At(x, 4*(r*width+i))
			}
		}
	})
}

func (s *slot) Pool(r []model.Reduce, dst []float32) error {
	keep, h, width := model.AllRows, s.d.layout.config.HiddenSize, s.d.layout.width
	if s.plan.x == streamCls {
		keep = model.ClsRows
	}
	if err := model.CheckPool(r, s.plan.Batch, keep, h, len(dst)); err != nil {
		return fmt.Errorf("metal: %w", err)
	}
	s.reduce = r
	s.plan.pool(r)
	return s.run(false, func(b *[placeCount]gpu.Buffer) {
		for at := range len(dst) / h { // a row of dst: those of a sequence side by side
			from := b[pooled].Bytes()[(at%len(r))*s.plan.pooledBytes()+4*width*(at/len(r)):]
			for c := range h {
				v := float32At(from, 4*c)
				if v == -math.MaxFloat32 && r[at%len(r)].Kind == model.MaxOf { // the shader's word for no row: it knows no infinity
					v = float32(math.Inf(-1))
				}
				dst[at*h+c] = v
			}
		}
	})
}

// PassTime returns how long the pass waited for the GPU, and how long the GPU computed.
func (s *slot) PassTime() model.PassTime { return model.PassTime(s.times) }

func (s *slot) End() {
	s.plan.Batch, s.reduce = nil, nil
	s.d.slots <- s
	s.d.begun.Add(-1)
}

// run sends the plan to the GPU, waits, and then calls read with the buffers. read may use
// the scratch buffers only if alone is true.
func (s *slot) run(alone bool, read func(b *[placeCount]gpu.Buffer)) (err error) {
	d := s.d
	number := d.batches.Add(1)
	defer func() {
		if err != nil {
			err = fmt.Errorf("metal: batch %d, of %d sequences and %d tokens: %w", number, s.plan.Len(), s.plan.Tokens(), err)
		}
	}()
	if lost := d.lost.Load(); lost != nil {
		return *lost
	}
	if err := s.write(); err != nil {
		return err
	}
	rows, sequences := s.plan.Tokens(), s.plan.Len()
	if alone {
		d.scratch.mu.Lock()
		defer d.scratch.mu.Unlock()
		err = d.scratch.grow(d, rows, sequences)
	} else if err = d.scratch.hold(d, rows, sequences); err == nil {
		defer d.scratch.mu.RUnlock()
	}
	if err != nil {
		return err
	}
	buffers := d.scratch.buffers
	buffers[weights] = d.weights
	for _, p := range []place{tokens, starts, items, factors, pooled} {
		buffers[p] = s.buffers[p]
	}
	s.resolve(&buffers)
	if err := s.dispatch(); err != nil {
		return err
	}
	read(&buffers)
	return nil
}

// resolve converts the plan's steps to dispatches.
func (s *slot) resolve(buffers *[placeCount]gpu.Buffer) {
	s.work, s.binds = s.work[:0], s.binds[:0]
	for i := range s.plan.steps {
		for _, o := range s.plan.steps[i].operands {
			s.binds = append(s.binds, gpu.Binding{Buffer: buffers[o.place], Offset: o.offset})
		}
	}
	for i := range s.plan.steps {
		step := &s.plan.steps[i]
		binds := s.binds[i*len(step.operands):][:len(step.kernel.operands)]
		s.work = append(s.work, gpu.Dispatch{Name: step.what, Pipeline: step.kernel.pipeline, Bindings: binds, Groups: step.groups})
	}
}

// dispatch runs the work. If a kernel fails, the error says which.
func (s *slot) dispatch() (err error) {
	d := s.d
	if m := d.meter; m != nil {
		s.each = slices.Grow(s.each[:0], len(s.work))[:len(s.work)]
		s.times, err = d.driver.RunApart(s.work, s.each)
		if err == nil && slices.Max(s.each) == 0 {
			// All times are 0: the counters were wrong, and the driver does not use them
			// again. The work may run twice, because a plan begins with Embed.
			s.times, err = d.driver.RunApart(s.work, s.each)
		}
		if err == nil {
			m.add(&s.plan, s.each, s.times.Busy)
		}
	} else {
		s.times, err = d.driver.Run(s.work)
	}
	switch {
	case err == nil:
		d.busy.Add(int64(s.times.Busy))
	case errors.Is(err, ErrLost):
		d.lost.CompareAndSwap(nil, &err)
	case errors.Is(err, ErrFault):
		return s.blame(err)
	}
	return err
}

// blame runs the work again, one dispatch at a time, to find the kernel that fails: the GPU
// reports only the command buffer.
func (s *slot) blame(fault error) error {
	for i := range s.work {
		if _, err := s.d.driver.Run(s.work[i : i+1]); err != nil {
			step := &s.plan.steps[i]
			return fmt.Errorf("%s (kernel %s): %w", step.name(), step.kernel.name, err)
		}
	}
	return fmt.Errorf("some kernel of %d, none of them when run again alone: %w", len(s.work), fault)
}

// write fills the slot's buffers with the batch. Rows behind it that tiles compute are
// token 0; sequences behind it point to row 0.
func (s *slot) write() error {
	b, lists := s.plan.Batch, 0
	for i := range s.reduce {
		if s.reduce[i].Kind.Weighted() {
			lists++
		}
	}
	for _, r := range []struct {
		place place
		label string
		bytes int
	}{
		{tokens, "tokens", 8 * rowsFor(b.Tokens())},
		{starts, "starts", 4 * (1 + rowsFor(b.Len()))},
		{items, "attention's items", 16 * s.plan.items},
		{factors, "weights of tokens", lists * s.plan.factorBytes()},
		{pooled, "pooled rows", len(s.reduce) * s.plan.pooledBytes()},
	} {
		if err := s.room(r.place, r.label, r.bytes); err != nil {
			return err
		}
	}
	put := binary.LittleEndian.PutUint32
	tok, start, item := s.buffers[tokens].Bytes(), s.buffers[starts].Bytes(), s.buffers[items].Bytes()
	for i := range b.Len() {
		lo, hi := b.Bounds(i)
		put(start[4*i:], uint32(lo))
		for t := lo; t < hi; t++ {
			put(tok[8*t:], uint32(b.IDs[t]))
			put(tok[8*t+4:], uint32(t-lo)|uint32(b.Types[t])<<16)
		}
		for q := 0; q < hi-lo; q += queryBlock {
			put(item[0:], uint32(lo))
			put(item[4:], uint32(hi-lo))
			put(item[8:], uint32(q))
			put(item[12:], 0)
			item = item[16:]
		}
	}
	for i, at := 0, 0; i < len(s.reduce); i++ {
		if s.reduce[i].Kind.Weighted() {
			for t, weight := range s.reduce[i].Weights {
				put(s.buffers[factors].Bytes()[at+4*t:], math.Float32bits(weight))
			}
			at += s.plan.factorBytes()
		}
	}
	clear(tok[8*b.Tokens() : 8*rowsFor(b.Tokens())])
	put(start[4*b.Len():], uint32(b.Tokens()))
	clear(start[4*(b.Len()+1) : 4*(1+rowsFor(b.Len()))])
	return nil
}

// room makes sure that a buffer has at least so many bytes. A new buffer is somewhat
// larger. There is no buffer of which no pass has needed any.
func (s *slot) room(p place, label string, bytes int) error {
	if b := s.buffers[p]; bytes == 0 || b != nil && len(b.Bytes()) >= bytes {
		return nil
	}
	grown, err := s.d.driver.NewBuffer(label, roundUp(bytes+bytes/8, 4096))
	if err != nil {
		return err
	}
	if old := s.buffers[p]; old != nil {
		old.Release()
	}
	s.buffers[p] = grown
	return nil
}

func float32At(b []byte, at int) float32 {
	return math.Float32frombits(binary.LittleEndian.Uint32(b[at:]))
}
