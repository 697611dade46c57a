//go:build (darwin && cgo) || fakemetal

package darwinkit

import "github.com/progrium/darwinkit/objc"

// selectors are the names of all messages, looked up once. Package darwincheck
// holds each to darwinkit's own list and to the arguments that it is sent with.
type selectors struct {
	// Objects of any class, arrays, errors
	create, count, objectAtIndex, name, code, localizedDescription objc.Selector

	// Device
	supportsFamily, maxThreadgroupMemoryLength, maxBufferLength        objc.Selector
	recommendedMaxWorkingSetSize, currentAllocatedSize                 objc.Selector
	newCommandQueue, newBuffer, newLibrary, newPipeline                objc.Selector
	supportsCounterSampling, counterSets, newSamples, sampleTimestamps objc.Selector

	// What they make
	setMathMode, setMathFunctions, setFastMathEnabled objc.Selector
	setLanguageVersion                                objc.Selector
	setConstantValue, newFunction                     objc.Selector
	maxThreads, executionWidth, staticMemory          objc.Selector
	contents, setLabel                                objc.Selector

	// Command buffers
	commandBuffer, computeEncoder, computeEncoderWith, commit, wait objc.Selector
	status, failure, gpuStartTime, gpuEndTime                       objc.Selector

	// Encoders
	setPipeline, setBuffer, setBufferOffset, dispatch, endEncoding objc.Selector

	// Counters
	setCounterSet, setSampleCount, setStorageMode, resolve objc.Selector
	passDescriptor, attachments, attachmentAt              objc.Selector
	setSampleBuffer, setStartIndex, setEndIndex            objc.Selector
}

func lookUp() selectors {
	return selectors{
		create:               objc.Sel("new"),
		count:                objc.Sel("count"),
		objectAtIndex:        objc.Sel("objectAtIndex:"),
		name:                 objc.Sel("name"),
		code:                 objc.Sel("code"),
		localizedDescription: objc.Sel("localizedDescription"),

		supportsFamily:               objc.Sel("supportsFamily:"),
		maxThreadgroupMemoryLength:   objc.Sel("maxThreadgroupMemoryLength"),
		maxBufferLength:              objc.Sel("maxBufferLength"),
		recommendedMaxWorkingSetSize: objc.Sel("recommendedMaxWorkingSetSize"),
		currentAllocatedSize:         objc.Sel("currentAllocatedSize"),
		newCommandQueue:              objc.Sel("newCommandQueue"),
		newBuffer:                    objc.Sel("newBufferWithLength:options:"),
		newLibrary:                   objc.Sel("newLibraryWithSource:options:error:"),
		newPipeline:                  objc.Sel("newComputePipelineStateWithFunction:error:"),
		supportsCounterSampling:      objc.Sel("supportsCounterSampling:"),
		counterSets:                  objc.Sel("counterSets"),
		newSamples:                   objc.Sel("newCounterSampleBufferWithDescriptor:error:"),
		sampleTimestamps:             objc.Sel("sampleTimestamps:gpuTimestamp:"),

		setMathMode:        objc.Sel("setMathMode:"),
		setMathFunctions:   objc.Sel("setMathFloatingPointFunctions:"),
		setFastMathEnabled: objc.Sel("setFastMathEnabled:"),
		setLanguageVersion: objc.Sel("setLanguageVersion:"),
		setConstantValue:   objc.Sel("setConstantValue:type:atIndex:"),
		newFunction:        objc.Sel("newFunctionWithName:constantValues:error:"),
		maxThreads:         objc.Sel("maxTotalThreadsPerThreadgroup"),
		executionWidth:     objc.Sel("threadExecutionWidth"),
		staticMemory:       objc.Sel("staticThreadgroupMemoryLength"),
		contents:           objc.Sel("contents"),
		setLabel:           objc.Sel("setLabel:"),

		commandBuffer:      objc.Sel("commandBuffer"),
		computeEncoder:     objc.Sel("computeCommandEncoder"),
		computeEncoderWith: objc.Sel("computeCommandEncoderWithDescriptor:"),
		commit:             objc.Sel("commit"),
		wait:               objc.Sel("waitUntilCompleted"),
		status:             objc.Sel("status"),
		failure:            objc.Sel("error"),
		gpuStartTime:       objc.Sel("GPUStartTime"),
		gpuEndTime:         objc.Sel("GPUEndTime"),

		setPipeline:     objc.Sel("setComputePipelineState:"),
		setBuffer:       objc.Sel("setBuffer:offset:atIndex:"),
		setBufferOffset: objc.Sel("setBufferOffset:atIndex:"),
		dispatch:        objc.Sel("dispatchThreadgroups:threadsPerThreadgroup:"),
		endEncoding:     objc.Sel("endEncoding"),

		setCounterSet:   objc.Sel("setCounterSet:"),
		setSampleCount:  objc.Sel("setSampleCount:"),
		setStorageMode:  objc.Sel("setStorageMode:"),
		resolve:         objc.Sel("resolveCounterRange:"),
		passDescriptor:  objc.Sel("computePassDescriptor"),
		attachments:     objc.Sel("sampleBufferAttachments"),
		attachmentAt:    objc.Sel("objectAtIndexedSubscript:"),
		setSampleBuffer: objc.Sel("setSampleBuffer:"),
		setStartIndex:   objc.Sel("setStartOfEncoderSampleIndex:"),
		setEndIndex:     objc.Sel("setEndOfEncoderSampleIndex:"),
	}
}
