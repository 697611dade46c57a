//go:build (darwin && cgo) || fakemetal

package darwinkit

import (
	"fmt"
	"time"

	"github.com/minilm-metal/minilm-metal/metal/internal/gpu"
)

// perSamples is the number of dispatches whose stamps fit into a buffer of
// samples, which has at most 32 KiB.
const perSamples = 32 << 10 / stampsBytes

// RunApart measures with the GPU's counters where it has them. Where they give
// stamps that cannot be, each becomes zero, since running the work again could
// change its results, and calls from then on do without counters.
func (d *Driver) RunApart(work []gpu.Dispatch, each []time.Duration) (t gpu.Times, err error) {
	if len(each) != len(work) {
		return t, fmt.Errorf("metal: %d dispatches and room for the times of %d", len(work), len(each))
	}
	if err := d.check(work); err != nil || len(work) == 0 {
		return t, err
	}
	d.open <- struct{}{}
	defer func() { <-d.open }()
	run := d.runBuffers
	if d.Info().Counters {
		run = d.runCounters
	}
	err = inPool(func() (err error) { t, err = run(work, each); return err })
	return t, err
}

// runBuffers gives each dispatch a command buffer of its own. All are committed
// before another's, so that what other calls run stays before or after them.
func (d *Driver) runBuffers(work []gpu.Dispatch, each []time.Duration) (gpu.Times, error) {
	type pending struct {
		buffer    mtlCommandBuffer
		committed time.Duration
	}
	all := make([]pending, 0, len(work))
	commit := func() error {
		d.commits.Lock()
		defer d.commits.Unlock()
		for i := range work {
			c, err := d.newCommandBuffer()
			if err != nil {
				return err
			}
			if err := d.encode(c, d.computeEncoder(c), work[i:i+1]); err != nil {
				return err
			}
			all = append(all, pending{c, clock()})
			d.commit(c)
		}
		return nil
	}
	err := commit()
	var whole gpu.Times
	for i, p := range all { // those that are under way are waited for whatever happened
		t, failed := d.finish(p.buffer, p.committed)
		if failed != nil && err == nil {
			err = fmt.Errorf("dispatch %d, %q: %w", i, work[i].Name, failed)
		}
		if i == 0 {
			whole.Wait = t.Wait
		}
		each[i] = t.Busy
		whole.Busy += t.Busy
	}
	return whole, err
}

// runCounters gives each dispatch an encoder of its own in one command buffer,
// and has the GPU stamp where each begins and ends.
func (d *Driver) runCounters(work []gpu.Dispatch, each []time.Duration) (gpu.Times, error) {
	var samples []mtlSamples
	defer func() {
		for _, s := range samples {
			s.Release()
		}
	}()
	for left := len(work); left > 0; left -= perSamples {
		s, err := d.newSamples(d.device, d.counters, 2*min(left, perSamples))
		if err != nil {
			return d.withoutCounters(work, each)
		}
		samples = append(samples, s)
	}
	c, err := d.newCommandBuffer()
	if err != nil {
		return gpu.Times{}, err
	}
	for i := range work {
		e := d.sampledEncoder(c, samples[i/perSamples], 2*(i%perSamples))
		if err := d.encode(c, e, work[i:i+1]); err != nil {
			return gpu.Times{}, err
		}
	}
	committed, gpuBefore := clock(), d.gpuClock(d.device)
	d.commitNext(c)
	t, err := d.finish(c, committed)
	if err != nil {
		return t, err
	}
	rate := tickLength(gpuBefore, d.gpuClock(d.device), clock()-committed)
	var stamps []byte
	for i, s := range samples {
		stamps = append(stamps, d.resolve(s, 2*min(len(work)-i*perSamples, perSamples))...)
	}
	if !stages(each, stamps, rate, t.Busy) {
		d.unusable.Store(true)
		clear(each)
	}
	return t, nil
}

// withoutCounters is for counters that turn out not to be there before anything
// has run.
func (d *Driver) withoutCounters(work []gpu.Dispatch, each []time.Duration) (gpu.Times, error) {
	d.unusable.Store(true)
	return d.runBuffers(work, each)
}
