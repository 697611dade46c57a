//go:build (darwin && cgo) || fakemetal

package darwinkit

import (
	"github.com/progrium/darwinkit/objc"
)

// samplesStages says whether a device samples counters where encoders begin and
// end.
func (m *messages) samplesStages(d mtlDevice) bool {
	at := samplingAtStages
	return send[uint64](m, d, m.sel.supportsCounterSampling, at)&0xff != 0
}

func (m *messages) counterSets(d mtlDevice) []objc.Object {
	return m.elements(send[objc.Object](m, d, m.sel.counterSets))
}

// newSamples makes room for n samples of a set's counters.
func (m *messages) newSamples(d mtlDevice, set objc.Object, n int) (mtlSamples, error) {
	var none mtlSamples
	how, err := m.create("MTLCounterSampleBufferDescriptor")
	if err != nil {
		return none, err
	}
	defer how.Release()
	send[objc.Void](m, how, m.sel.setCounterSet, set)
	send[objc.Void](m, how, m.sel.setSampleCount, uint64(n))
	send[objc.Void](m, how, m.sel.setStorageMode, storageShared)
	var e objc.Object
	samples, err := m.made(send[objc.Object](m, d, m.sel.newSamples, how, &e), e)
	return mtlSamples{Object: samples}, err
}

// gpuClock returns the GPU's timestamp of now.
func (m *messages) gpuClock(d mtlDevice) uint64 {
	var cpu, gpu uint64
	send[objc.Void](m, d, m.sel.sampleTimestamps, &cpu, &gpu)
	return gpu
}

// sampledEncoder returns an encoder that has its begin and its end sampled, at
// index and the one after.
func (m *messages) sampledEncoder(c mtlCommandBuffer, samples mtlSamples, index int) mtlEncoder {
	pass := send[objc.Object](m, objc.GetClass("MTLComputePassDescriptor"), m.sel.passDescriptor)
	all := send[objc.Object](m, pass, m.sel.attachments)
	first := send[objc.Object](m, all, m.sel.attachmentAt, uint64(0))
	send[objc.Void](m, first, m.sel.setSampleBuffer, samples)
	send[objc.Void](m, first, m.sel.setStartIndex, uint64(index))
	send[objc.Void](m, first, m.sel.setEndIndex, uint64(index+1))
	return mtlEncoder{Object: send[objc.Object](m, c, m.sel.computeEncoderWith, pass)}
}

// resolve returns the first n samples as the GPU wrote them, or nil.
func (m *messages) resolve(samples mtlSamples, n int) []byte {
	data := send[objc.Object](m, samples, m.sel.resolve, nsRange{Length: uint64(n)})
	return objc.ToGoBytes(data.Ptr())
}
