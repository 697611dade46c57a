//go:build (darwin && cgo) || fakemetal

package darwinkit

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/progrium/darwinkit/macos/foundation"
	"github.com/progrium/darwinkit/macos/metal"
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

func (m *messages) supportsFamily(d metal.DeviceObject, f metal.GPUFamily) bool {
	return send[uint64](m, d, m.sel.supportsFamily, int64(f))&0xff != 0
}

func (m *messages) threadgroupMemory(d metal.DeviceObject) int {
	return int(send[uint64](m, d, m.sel.maxThreadgroupMemoryLength))
}

func (m *messages) largestBuffer(d metal.DeviceObject) uint64 {
	return send[uint64](m, d, m.sel.maxBufferLength)
}

func (m *messages) workingSet(d metal.DeviceObject) uint64 {
	return send[uint64](m, d, m.sel.recommendedMaxWorkingSetSize)
}

func (m *messages) allocated(d metal.DeviceObject) uint64 {
	return send[uint64](m, d, m.sel.currentAllocatedSize)
}

func (m *messages) newQueue(d metal.DeviceObject) metal.CommandQueueObject {
	return metal.CommandQueueObject{Object: send[objc.Object](m, d, m.sel.newCommandQueue)}
}

func (m *messages) newBuffer(d metal.DeviceObject, bytes int) metal.BufferObject {
	shared := uint64(metal.ResourceStorageModeShared)
	return metal.BufferObject{Object: send[objc.Object](m, d, m.sel.newBuffer, uint64(bytes), shared)}
}

func (m *messages) contents(b metal.BufferObject) unsafe.Pointer {
	return send[objc.Object](m, b, m.sel.contents).Ptr()
}

func (m *messages) newLibrary(d metal.DeviceObject, source string, o metal.CompileOptions) (metal.LibraryObject, error) {
	var e objc.Object
	l, err := m.made(send[objc.Object](m, d, m.sel.newLibrary, source, o, &e), e)
	return metal.LibraryObject{Object: l}, err
}

// withoutFastMath has the compiler keep to IEEE arithmetic and precise functions.
// macOS 15 splits the setting that it deprecates in two.
func (m *messages) withoutFastMath(o metal.CompileOptions) {
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

func (m *messages) setUint(c metal.FunctionConstantValues, value uint32, index int) {
	send[objc.Void](m, c, m.sel.setConstantValue, &value, uint64(metal.DataTypeUInt), uint64(index))
}

func (m *messages) setFloat(c metal.FunctionConstantValues, value float32, index int) {
	send[objc.Void](m, c, m.sel.setConstantValue, &value, uint64(metal.DataTypeFloat), uint64(index))
}

func (m *messages) setBool(c metal.FunctionConstantValues, value bool, index int) {
	send[objc.Void](m, c, m.sel.setConstantValue, &value, uint64(metal.DataTypeBool), uint64(index))
}

func (m *messages) newFunction(l metal.LibraryObject, name string, c metal.FunctionConstantValues) (metal.FunctionObject, error) {
	var e objc.Object
	f, err := m.made(send[objc.Object](m, l, m.sel.newFunction, name, c, &e), e)
	return metal.FunctionObject{Object: f}, err
}

func (m *messages) newPipeline(d metal.DeviceObject, f metal.FunctionObject) (metal.ComputePipelineStateObject, error) {
	var e objc.Object
	p, err := m.made(send[objc.Object](m, d, m.sel.newPipeline, f, &e), e)
	return metal.ComputePipelineStateObject{Object: p}, err
}

func (m *messages) maxThreads(p metal.ComputePipelineStateObject) int {
	return int(send[uint64](m, p, m.sel.maxThreads))
}

func (m *messages) executionWidth(p metal.ComputePipelineStateObject) int {
	return int(send[uint64](m, p, m.sel.executionWidth))
}

// Command buffers

func (m *messages) commandBuffer(q metal.CommandQueueObject) metal.CommandBufferObject {
	return metal.CommandBufferObject{Object: send[objc.Object](m, q, m.sel.commandBuffer)}
}

// computeEncoder returns an encoder whose dispatches run one after the other.
func (m *messages) computeEncoder(c metal.CommandBufferObject) metal.ComputeCommandEncoderObject {
	return metal.ComputeCommandEncoderObject{Object: send[objc.Object](m, c, m.sel.computeEncoder)}
}

func (m *messages) commit(c metal.CommandBufferObject) { send[objc.Void](m, c, m.sel.commit) }

func (m *messages) wait(c metal.CommandBufferObject) { send[objc.Void](m, c, m.sel.wait) }

func (m *messages) status(c metal.CommandBufferObject) metal.CommandBufferStatus {
	return metal.CommandBufferStatus(send[uint64](m, c, m.sel.status))
}

// failure returns the error of a command buffer, which may be nil.
func (m *messages) failure(c metal.CommandBufferObject) foundation.Error {
	return foundation.Error{Object: send[objc.Object](m, c, m.sel.failure)}
}

// gpuTimes returns when the GPU began with a command buffer and when it was done.
func (m *messages) gpuTimes(c metal.CommandBufferObject) (start, end time.Duration) {
	s := send[float64](m, c, m.sel.gpuStartTime)
	e := send[float64](m, c, m.sel.gpuEndTime)
	return seconds(s), seconds(e)
}

// Encoders

func (m *messages) setPipeline(e metal.ComputeCommandEncoderObject, p metal.ComputePipelineStateObject) {
	send[objc.Void](m, e, m.sel.setPipeline, p)
}

func (m *messages) setBuffer(e metal.ComputeCommandEncoderObject, b metal.BufferObject, offset, index int) {
	send[objc.Void](m, e, m.sel.setBuffer, b, uint64(offset), uint64(index))
}

func (m *messages) setBufferOffset(e metal.ComputeCommandEncoderObject, offset, index int) {
	send[objc.Void](m, e, m.sel.setBufferOffset, uint64(offset), uint64(index))
}

func (m *messages) dispatch(e metal.ComputeCommandEncoderObject, groups [2]int, threads int) {
	grid := metal.Size{Width: uint64(groups[0]), Height: uint64(groups[1]), Depth: 1}
	send[objc.Void](m, e, m.sel.dispatch, grid, metal.Size{Width: uint64(threads), Height: 1, Depth: 1})
}

func (m *messages) endEncoding(e metal.ComputeCommandEncoderObject) {
	send[objc.Void](m, e, m.sel.endEncoding)
}
