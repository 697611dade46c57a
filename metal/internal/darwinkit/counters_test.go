//go:build fakemetal

package darwinkit

import (
	"encoding/binary"
	"slices"
	"testing"
	"time"
	"unsafe"

	"github.com/progrium/darwinkit/objc"

	"github.com/minilm-metal/minilm-metal/metal/internal/gpu"
)

// standIn is counters for the stand-in for Metal, which has none: classes made at
// run time, for good, so that the test has a process of its own.
type standIn struct {
	stage    uint64      // ticks of each stage
	sampled  [][3]uint64 // sample buffer, begin, end of each encoder
	now      [3]uint64
	requests []uint64 // samples of each buffer
}

// install adds the classes and the methods.
func (s *standIn) install() {
	class := func(name string) objc.Class { return objc.AllocateClass(objc.GetClass("NSObject"), name, 0) }
	create := func(c objc.Class) objc.Object { return objc.Call[objc.Object](c, objc.Sel("new")) }

	set := class("StandInCounterSet")
	addMethod(set, "name", func(objc.Object) string { return "timestamp" })
	objc.RegisterClass(set)

	how := class("MTLCounterSampleBufferDescriptor")
	addMethod(how, "setCounterSet:", func(_, _ objc.Object) {})
	addMethod(how, "setStorageMode:", func(objc.Object) {})
	addMethod(how, "setSampleCount:", func(_ objc.Object, n uint64) { s.requests = append(s.requests, n) })
	objc.RegisterClass(how)

	samples := class("StandInSamples")
	addMethod(samples, "resolveCounterRange:", func(_ objc.Object, r nsRange) []byte {
		var raw []byte
		for i := r.Location; i < r.Location+r.Length; i++ { // each stage begins where one ended
			raw = binary.LittleEndian.AppendUint64(raw, 1+(i+1)/2*s.stage)
		}
		return raw
	})
	objc.RegisterClass(samples)

	pass := class("MTLComputePassDescriptor") // and its attachments, and the first of them
	addClassMethod(pass, "computePassDescriptor", func(c objc.Class) objc.Object { return create(c).Autorelease() })
	addMethod(pass, "sampleBufferAttachments", func(o objc.Object) objc.Object { return o })
	addMethod(pass, "objectAtIndexedSubscript:", func(o objc.Object) objc.Object { return o })
	addMethod(pass, "setSampleBuffer:", func(_, b objc.Object) { s.now[0] = uint64(uintptr(b.Ptr())) })
	addMethod(pass, "setStartOfEncoderSampleIndex:", func(_ objc.Object, i uint64) { s.now[1] = i })
	addMethod(pass, "setEndOfEncoderSampleIndex:", func(_ objc.Object, i uint64) {
		s.now[2] = i
		s.sampled = append(s.sampled, s.now)
	})
	objc.RegisterClass(pass)

	device, only := objc.GetClass("FMDevice"), create(set)
	replaceMethod(device, "counterSets", func(objc.Object) []objc.Object { return []objc.Object{only} })
	addMethod(device, "newCounterSampleBufferWithDescriptor:error:", func(_, _ objc.Object, _ unsafe.Pointer) objc.Object { return create(samples) })
	addMethod(device, "sampleTimestamps:gpuTimestamp:", func(_ objc.Object, cpu, gpu unsafe.Pointer) {
		*(*uint64)(cpu), *(*uint64)(gpu) = uint64(clock()), uint64(clock())
	})
}

func TestCounters(t *testing.T) {
	if !alone(t) {
		return
	}
	s := &standIn{stage: 1000}
	s.install()
	const n = 64
	f := newFixture(t, n)
	if !f.Info().Counters {
		t.Fatal("no counters")
	}
	x, y, a := f.vector(t, "x", ramp(n, 1)...), f.vector(t, "y", ramp(n, 0)...), f.vector(t, "a", 1)
	work := make([]gpu.Dispatch, perSamples+100)
	for i := range work {
		work[i] = f.on(f.saxpy, "y += x", at(x), at(a), at(y))
	}
	each := make([]time.Duration, len(work))

	before := live(t)
	whole, err := f.RunApart(work, each)
	if err != nil {
		t.Fatal(err)
	}
	if got := live(t) - before; got != leakedCommandBuffer {
		t.Errorf("%d objects more, the stand-in keeps %d", got, leakedCommandBuffer)
	}
	want(t, "y", load(y), ramp(n, float32(len(work))))
	if whole.Busy <= 0 {
		t.Errorf("%+v of the whole", whole)
	}
	// What a tick lasts is found from two clocks, between whose readings a busy machine
	// may do other work: how long 1000 ticks are is not certain, but that all are.
	for i, one := range each {
		if one != each[0] || one <= 0 {
			t.Fatalf("dispatch %d took %v, want as many ticks as the first, which took %v", i, one, each[0])
		}
	}
	if want := []uint64{2 * perSamples, 200}; !slices.Equal(s.requests, want) {
		t.Errorf("buffers of %v samples, want %v", s.requests, want)
	}
	for i, e := range s.sampled {
		if b := uint64(i % perSamples); e[1] != 2*b || e[2] != 2*b+1 {
			t.Fatalf("encoder %d is sampled at %v", i, e)
		}
		if first := i < perSamples; first != (e[0] == s.sampled[0][0]) {
			t.Fatalf("encoder %d is in the wrong buffer", i)
		}
	}

	// Stamps that cannot be: the work has run once, and its parts are unknown.
	s.stage = uint64(time.Hour)
	work, each = work[:2], each[:2]
	if _, err := f.RunApart(work, each); err != nil || each[0] != 0 || each[1] != 0 {
		t.Errorf("%v, %v, want times that are unknown", each, err)
	}
	want(t, "y", load(y), ramp(n, perSamples+102))
	if f.Info().Counters {
		t.Error("the counters are still in use")
	}
	encoders := len(s.sampled)
	if whole, err = f.RunApart(work, each); err != nil || whole.Busy != each[0]+each[1] || each[0] <= 0 {
		t.Errorf("%v of %v, %v, want the sum", whole, each, err)
	}
	if len(s.sampled) != encoders {
		t.Error("encoders are still sampled")
	}
}
