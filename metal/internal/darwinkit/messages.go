//go:build (darwin && cgo) || fakemetal

package darwinkit

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/progrium/darwinkit/objc"
)

// messages sends every message to Metal, and counts them. Its methods are called
// in a pool.
//
// darwinkit's generated methods cannot be used: those that take an object panic,
// and those that return a bool write eight bytes where there is one.
type messages struct {
	sel  selectors
	sent atomic.Int64
}

// reply is what a message may be said to return. Nothing is narrower than the
// eight bytes that libffi writes, for objc.Call gives it a variable of the type.
type reply interface {
	objc.Void | objc.Object | uint64 | float64
}

func send[T reply](m *messages, to objc.Handle, s objc.Selector, arguments ...any) T {
	m.sent.Add(1)
	return objc.Call[T](to, s, arguments...)
}

// made returns an object that a method with an error: parameter returned.
func (m *messages) made(o, e objc.Object) (objc.Object, error) {
	switch {
	case !o.IsNil():
		return o, nil
	case !e.IsNil():
		return o, errors.New(m.description(e))
	default:
		return o, errors.New("nothing was made, and no reason given")
	}
}

func (m *messages) create(class string) (objc.Object, error) {
	c := objc.GetClass(class)
	if c.Ptr() == nil {
		return objc.Object{}, fmt.Errorf("metal: there is no class %s", class)
	}
	return send[objc.Object](m, c, m.sel.create), nil
}

// Objects

func (m *messages) name(o objc.Handle) string {
	return objc.ToGoString(send[objc.Object](m, o, m.sel.name).Ptr())
}

func (m *messages) description(e objc.Object) string {
	return objc.ToGoString(send[objc.Object](m, e, m.sel.localizedDescription).Ptr())
}

func (m *messages) code(e objc.Object) int { return int(send[uint64](m, e, m.sel.code)) }

func (m *messages) setLabel(o objc.Handle, label string) {
	send[objc.Void](m, o, m.sel.setLabel, label)
}

func (m *messages) elements(array objc.Object) []objc.Object {
	if array.IsNil() {
		return nil
	}
	all := make([]objc.Object, send[uint64](m, array, m.sel.count))
	for i := range all {
		all[i] = send[objc.Object](m, array, m.sel.objectAtIndex, uint64(i))
	}
	return all
}

// Devices. Of a BOOL only the low byte is set.

func (m *messages) supportsFamily(d mtlDevice, f mtlFamily) bool {
	return send[uint64](m, d, m.sel.supportsFamily, int64(f))&0xff != 0
}

func (m *messages) threadgroupMemory(d mtlDevice) int {
	return int(send[uint64](m, d, m.sel.maxThreadgroupMemoryLength))
}

func (m *messages) largestBuffer(d mtlDevice) uint64 {
	return send[uint64](m, d, m.sel.maxBufferLength)
}

func (m *messages) workingSet(d mtlDevice) uint64 {
	return send[uint64](m, d, m.sel.recommendedMaxWorkingSetSize)
}

func (m *messages) allocated(d mtlDevice) uint64 {
	return send[uint64](m, d, m.sel.currentAllocatedSize)
}

func (m *messages) newQueue(d mtlDevice) mtlQueue {
	return mtlQueue{Object: send[objc.Object](m, d, m.sel.newCommandQueue)}
}

func (m *messages) newBuffer(d mtlDevice, bytes int) mtlBuffer {
	return mtlBuffer{Object: send[objc.Object](m, d, m.sel.newBuffer, uint64(bytes), storageShared)}
}

func (m *messages) contents(b mtlBuffer) unsafe.Pointer {
	return send[objc.Object](m, b, m.sel.contents).Ptr()
}

// newLibrary returns what the compiler says of a source that it takes, too: its warnings
// come as an error beside the library.
func (m *messages) newLibrary(d mtlDevice, source string, o mtlCompileOptions) (l mtlLibrary, warnings string, err error) {
	var e objc.Object
	l.Object, err = m.made(send[objc.Object](m, d, m.sel.newLibrary, source, o, &e), e)
	if err == nil && !e.IsNil() {
		warnings = m.description(e)
	}
	return l, warnings, err
}

func (m *messages) setLanguage(o mtlCompileOptions, version uint64) {
	send[objc.Void](m, o, m.sel.setLanguageVersion, version)
}

// withoutFastMath has the compiler keep to IEEE arithmetic and precise functions.
// macOS 15 splits the setting that it deprecates in two.
func (m *messages) withoutFastMath(o mtlCompileOptions) {
	if !o.RespondsToSelector(m.sel.setMathMode) {
		send[objc.Void](m, o, m.sel.setFastMathEnabled, false)
		return
	}
	send[objc.Void](m, o, m.sel.setMathMode, int64(0)) // MTLMathModeSafe
	if o.RespondsToSelector(m.sel.setMathFunctions) {
		send[objc.Void](m, o, m.sel.setMathFunctions, int64(1)) // MTLMathFloatingPointFunctionsPrecise
	}
}

// Functions and pipelines

func (m *messages) setUint(c mtlConstants, value uint32, index int) {
	send[objc.Void](m, c, m.sel.setConstantValue, &value, dataTypeUint, uint64(index))
}

func (m *messages) setFloat(c mtlConstants, value float32, index int) {
	send[objc.Void](m, c, m.sel.setConstantValue, &value, dataTypeFloat, uint64(index))
}

func (m *messages) setBool(c mtlConstants, value bool, index int) {
	send[objc.Void](m, c, m.sel.setConstantValue, &value, dataTypeBool, uint64(index))
}

func (m *messages) newFunction(l mtlLibrary, name string, c mtlConstants) (mtlFunction, error) {
	var e objc.Object
	f, err := m.made(send[objc.Object](m, l, m.sel.newFunction, name, c, &e), e)
	return mtlFunction{Object: f}, err
}

func (m *messages) newPipeline(d mtlDevice, f mtlFunction) (mtlPipeline, error) {
	var e objc.Object
	p, err := m.made(send[objc.Object](m, d, m.sel.newPipeline, f, &e), e)
	return mtlPipeline{Object: p}, err
}

func (m *messages) maxThreads(p mtlPipeline) int {
	return int(send[uint64](m, p, m.sel.maxThreads))
}

func (m *messages) executionWidth(p mtlPipeline) int {
	return int(send[uint64](m, p, m.sel.executionWidth))
}

func (m *messages) staticMemory(p mtlPipeline) int {
	return int(send[uint64](m, p, m.sel.staticMemory))
}

// Command buffers

func (m *messages) commandBuffer(q mtlQueue) mtlCommandBuffer {
	return mtlCommandBuffer{Object: send[objc.Object](m, q, m.sel.commandBuffer)}
}

// computeEncoder returns an encoder whose dispatches run one after the other.
func (m *messages) computeEncoder(c mtlCommandBuffer) mtlEncoder {
	return mtlEncoder{Object: send[objc.Object](m, c, m.sel.computeEncoder)}
}

func (m *messages) commit(c mtlCommandBuffer) { send[objc.Void](m, c, m.sel.commit) }

func (m *messages) wait(c mtlCommandBuffer) { send[objc.Void](m, c, m.sel.wait) }

func (m *messages) status(c mtlCommandBuffer) mtlStatus {
	return mtlStatus(send[uint64](m, c, m.sel.status))
}

// failure returns the error of a command buffer, which may be nil.
func (m *messages) failure(c mtlCommandBuffer) objc.Object {
	return send[objc.Object](m, c, m.sel.failure)
}

// gpuTimes returns when the GPU began with a command buffer and when it was done.
func (m *messages) gpuTimes(c mtlCommandBuffer) (start, end time.Duration) {
	s := send[float64](m, c, m.sel.gpuStartTime)
	e := send[float64](m, c, m.sel.gpuEndTime)
	return seconds(s), seconds(e)
}

// Encoders

func (m *messages) setPipeline(e mtlEncoder, p mtlPipeline) {
	send[objc.Void](m, e, m.sel.setPipeline, p)
}

func (m *messages) setBuffer(e mtlEncoder, b mtlBuffer, offset, index int) {
	send[objc.Void](m, e, m.sel.setBuffer, b, uint64(offset), uint64(index))
}

func (m *messages) setBufferOffset(e mtlEncoder, offset, index int) {
	send[objc.Void](m, e, m.sel.setBufferOffset, uint64(offset), uint64(index))
}

func (m *messages) dispatch(e mtlEncoder, groups [2]int, threads int) {
	grid := mtlSize{Width: uint64(groups[0]), Height: uint64(groups[1]), Depth: 1}
	send[objc.Void](m, e, m.sel.dispatch, grid, mtlSize{Width: uint64(threads), Height: 1, Depth: 1})
}

func (m *messages) endEncoding(e mtlEncoder) {
	send[objc.Void](m, e, m.sel.endEncoding)
}
