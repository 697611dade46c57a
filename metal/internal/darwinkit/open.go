//go:build (darwin && cgo) || fakemetal

package darwinkit

import (
	"fmt"
	"strings"

	"github.com/progrium/darwinkit/objc"

	"github.com/minilm-metal/minilm-metal/metal/internal/gpu"
)

const (
	// needed is M1's family, the first with simdgroup matrices.
	needed = familyApple7
	// oldest and newest are the families that are asked for.
	oldest, newest = familyApple7 - 6, familyApple7 + 5
)

// Open compiles the source for the machine's GPU. The error wraps
// gpu.ErrUnavailable where there is none that the shaders run on, and is a
// *gpu.SourceError where the source is wrong.
//
// What a GPU can is known by its family, but a virtual one may say an old one and do
// it all the same. With anyFamily, whatever compiles the source is taken.
func Open(source string, anyFamily bool) (gpu.Driver, error) {
	d := &Driver{
		messages:  messages{sel: lookUp()},
		open:      make(chan struct{}, mostOpen),
		buffers:   map[*buffer]struct{}{},
		pipelines: map[*pipeline]struct{}{},
	}
	err := inPool(func() error { return d.start(source, anyFamily) })
	if err != nil {
		_ = d.Close() // releases what there is already
		return nil, err
	}
	return d, nil
}

// start opens the device, describes it and compiles the source.
func (d *Driver) start(source string, anyFamily bool) error {
	if d.device = d.choose(); d.device.IsNil() {
		return fmt.Errorf("%w: no Metal device", gpu.ErrUnavailable)
	}
	d.describe()
	if d.queue = d.newQueue(d.device); d.queue.IsNil() {
		return fmt.Errorf("%w: %s gives no command queue", gpu.ErrUnavailable, d.info.Name)
	}
	// Compiled first: of a GPU that is not known to do, it is worth knowing.
	err := d.compile(source)
	switch known := d.info.Family >= gpu.LeastFamily; {
	case err == nil && (known || anyFamily):
		return nil
	case known:
		return err
	case err != nil:
		return fmt.Errorf("%w; %s is of family %d, and: %w", gpu.ErrOlder, d.info.Name, d.info.Family, err)
	default:
		return fmt.Errorf("%w; %s is of family %d, though it compiles the shaders", gpu.ErrOlder, d.info.Name, d.info.Family)
	}
}

// compile makes the library. The language is Metal 3.0, of macOS 13, so that a later
// compiler takes the source as it was meant; one that refuses that is asked once more
// for what it has.
func (d *Driver) compile(source string) error {
	err := d.compileAs(source, language3)
	if err == nil {
		d.info.Language = "Metal 3.0"
		return nil
	}
	if d.compileAs(source, 0) != nil {
		return &gpu.SourceError{Log: err.Error()}
	}
	said, _, _ := strings.Cut(err.Error(), "\n")
	d.info.Language = fmt.Sprintf("Metal of the compiler's choice, which refuses 3.0: %s", said)
	return nil
}

// compileAs compiles for a version of the language, 0 for the compiler's default.
func (d *Driver) compileAs(source string, version uint64) error {
	options, err := d.create("MTLCompileOptions")
	if err != nil {
		return err
	}
	defer options.Release()
	o := mtlCompileOptions{Object: options}
	d.withoutFastMath(o)
	if version != 0 {
		d.setLanguage(o, version)
	}
	d.library, d.info.Log, err = d.newLibrary(d.device, source, o)
	return err
}

// choose returns the default device, or else the first of the list that serves,
// or else the first: processes without a window server have had no default.
func (d *Driver) choose() mtlDevice {
	if o := defaultDevice(); !o.IsNil() {
		return mtlDevice{Object: o}
	}
	list := allDevices()
	if list.IsNil() {
		return mtlDevice{}
	}
	defer list.Release()
	var chosen objc.Object
	for _, o := range d.elements(list) {
		if chosen.IsNil() || d.supportsFamily(mtlDevice{Object: o}, needed) {
			chosen = o
		}
		if d.supportsFamily(mtlDevice{Object: chosen}, needed) {
			break
		}
	}
	if !chosen.IsNil() {
		chosen.Retain()
	}
	return mtlDevice{Object: chosen}
}

func (d *Driver) describe() {
	d.info = gpu.Info{
		Name:              d.name(d.device),
		System:            system(),
		ThreadgroupMemory: d.threadgroupMemory(d.device),
		LargestBuffer:     d.largestBuffer(d.device),
		WorkingSet:        d.workingSet(d.device),
	}
	for f := oldest; f <= newest; f++ {
		if d.supportsFamily(d.device, f) {
			d.info.Family = int(f-oldest) + 1
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
