//go:build (darwin && cgo) || fakemetal

package darwinkit

import (
	"fmt"

	"github.com/progrium/darwinkit/macos/metal"
	"github.com/progrium/darwinkit/objc"

	"github.com/minilm-metal/minilm-metal/metal/internal/gpu"
)

const (
	// needed is M1's family, the first with simdgroup matrices.
	needed = metal.GPUFamilyApple7
	// newest is the last family that is asked for.
	newest = metal.GPUFamilyApple7 + 5
)

// Open compiles the source for the machine's GPU. The error wraps
// gpu.ErrUnavailable where there is none that the shaders run on, and is a
// *gpu.SourceError where the source is wrong.
func Open(source string) (gpu.Driver, error) {
	d := &Driver{
		messages:  messages{sel: lookUp()},
		open:      make(chan struct{}, mostOpen),
		buffers:   map[*buffer]struct{}{},
		pipelines: map[*pipeline]struct{}{},
	}
	err := inPool(func() error { return d.start(source) })
	if err != nil {
		_ = d.Close() // releases what there is already
		return nil, err
	}
	return d, nil
}

// start opens the device, describes it and compiles the source.
func (d *Driver) start(source string) error {
	if d.device = d.choose(); d.device.IsNil() {
		return fmt.Errorf("%w: no Metal device", gpu.ErrUnavailable)
	}
	d.describe()
	if d.info.Family == 0 {
		return fmt.Errorf("%w: it needs an Apple GPU of family 7 (M1) or later; %s is not", gpu.ErrUnavailable, d.info.Name)
	}
	if d.queue = d.newQueue(d.device); d.queue.IsNil() {
		return fmt.Errorf("%w: %s gives no command queue", gpu.ErrUnavailable, d.info.Name)
	}
	options, err := d.create("MTLCompileOptions")
	if err != nil {
		return err
	}
	defer options.Release()
	o := metal.CompileOptions{Object: options}
	d.withoutFastMath(o)
	if d.library, err = d.newLibrary(d.device, source, o); err != nil {
		return &gpu.SourceError{Log: err.Error()}
	}
	return nil
}

// choose returns the default device, or else the first of the list that serves,
// or else the first: processes without a window server have had no default.
func (d *Driver) choose() metal.DeviceObject {
	if o := defaultDevice(); !o.IsNil() {
		return metal.DeviceObject{Object: o}
	}
	list := allDevices()
	if list.IsNil() {
		return metal.DeviceObject{}
	}
	defer list.Release()
	var chosen objc.Object
	for _, o := range d.elements(list) {
		if chosen.IsNil() || d.supportsFamily(metal.DeviceObject{Object: o}, needed) {
			chosen = o
		}
		if d.supportsFamily(metal.DeviceObject{Object: chosen}, needed) {
			break
		}
	}
	if !chosen.IsNil() {
		chosen.Retain()
	}
	return metal.DeviceObject{Object: chosen}
}

func (d *Driver) describe() {
	d.info = gpu.Info{
		Name:              d.name(d.device),
		System:            system(),
		ThreadgroupMemory: d.threadgroupMemory(d.device),
		LargestBuffer:     d.largestBuffer(d.device),
		WorkingSet:        d.workingSet(d.device),
	}
	for f := needed; f <= newest; f++ {
		if d.supportsFamily(d.device, f) {
			d.info.Family = int(f-needed) + 7
		}
	}
	if d.samplesStages(d.device) {
		for _, set := range d.counterSets(d.device) {
			if d.name(set) == "timestamp" {
				d.counters = set.Retain()
			}
		}
	}
	d.info.Counters = !d.counters.IsNil()
}
