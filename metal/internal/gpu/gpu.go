// Package gpu is the seam between the Metal device, which is plain Go, and what
// runs its kernels: package darwinkit on a Mac, package emulator in tests.
//
// It knows nothing of models: source text, buffers, kernels and lists of
// dispatches.
package gpu

import (
	"errors"
	"fmt"
	"time"

	"github.com/minilm-metal/minilm-metal/model"
)

var (
	// ErrUnavailable is in every error about a machine or a build without a GPU
	// that the shaders run on. The text says what is missing.
	ErrUnavailable = errors.New("metal: not available")
	// ErrOlder is in every error about a GPU that is of no family from LeastFamily on. It
	// wraps ErrUnavailable, and comes with a *SourceError where the GPU's compiler refuses
	// the source as well.
	ErrOlder = fmt.Errorf("%w: it needs an Apple GPU of family %d (M1) or later", ErrUnavailable, LeastFamily)
	// ErrOutOfMemory is in every error about memory that the GPU has not got.
	ErrOutOfMemory error = failure("metal: out of memory")
	// ErrLost is in every error of a GPU that is gone: removed, or taken away from
	// this process. It does not come back.
	ErrLost error = failure("metal: device lost")
	// ErrFault is in every error about a kernel that was ended: it read or wrote
	// where it must not, or took too long.
	ErrFault error = failure("metal: kernel fault")
)

// failure is a kind of model.ErrHardware.
type failure string

func (f failure) Error() string        { return string(f) }
func (f failure) Is(target error) bool { return target == model.ErrHardware }

// Driver runs kernels on a GPU. Its methods are safe for concurrent use, Close
// aside.
type Driver interface {
	Info() Info
	// NewBuffer allocates memory that CPU and GPU share. What is in it is unknown.
	// The error wraps ErrOutOfMemory where that is the reason.
	NewBuffer(label string, bytes int) (Buffer, error)
	// NewPipeline specialises a kernel of the source that the driver was opened
	// with.
	NewPipeline(f Function) (Pipeline, error)
	// Run encodes the dispatches into one command buffer, commits it, and waits
	// until it has completed. Dispatches run one after the other, each seeing what
	// those before it wrote; so do command buffers, in the order of their commits.
	// While it waits, others may encode. The slice is not kept.
	Run(work []Dispatch) (Times, error)
	// RunApart is Run that also measures each dispatch alone: each[i] becomes the
	// GPU time of work[i], as the GPU's counters say, or as the time of a command
	// buffer of its own where there are no counters. All are 0 where the counters turn
	// out to be wrong: the next call does without them. Times are of the whole.
	RunApart(work []Dispatch, each []time.Duration) (Times, error)
	// Allocated returns the bytes that the process has allocated on the GPU.
	Allocated() uint64
	// Close releases the driver and whatever it made that is not released yet. No
	// Run may be under way.
	Close() error
}

// LeastFamily is the first Apple GPU family that the shaders are known to run on: M1's.
const LeastFamily = 7

// Info says what a GPU is.
type Info struct {
	Name              string // "Apple M1 Pro"
	System            string // operating system and its version, what tuning depends on beside the name
	Family            int    // n of Apple's GPU family n: 7 is M1; 0: none of Apple's
	Language          string // that the source was compiled as: "Metal 3.0", or why another
	Log               string // what the compiler said of a source that it took: warnings; "" is nothing
	ThreadgroupMemory int    // bytes
	LargestBuffer     uint64 // bytes
	WorkingSet        uint64 // bytes that the GPU can use without being slowed down
	Counters          bool   // RunApart measures with the GPU's counters
}

// Buffer is memory that CPU and GPU share.
type Buffer interface {
	// Bytes returns the memory itself. It may be used while no command buffer
	// that uses the buffer is under way, and not after Release.
	Bytes() []byte
	// Release frees the memory. It is called once.
	Release()
}

// Function is a kernel specialised by its function constants.
type Function struct {
	Name      string // as the source has it
	Constants []Constant
	Threads   int // of a threadgroup, which is one-dimensional
}

// Constant is the value of a function constant: a uint32, a float32 or a bool.
type Constant struct {
	Index int // n of [[function_constant(n)]]
	Value any
}

// Pipeline is a compiled Function.
type Pipeline interface {
	// Limits says what the compiler made of it.
	Limits() Limits
	Release()
}

// Limits are a pipeline's own; what is 0 is not known.
type Limits struct {
	MostThreads       int // of a threadgroup: the fewer, the more registers a thread has
	ExecutionWidth    int // threads of a simdgroup
	ThreadgroupMemory int // bytes that the kernel declares itself
}

// Binding is what a kernel finds at one of its buffer indices. No buffer: the
// kernel has no such index.
type Binding struct {
	Buffer Buffer
	Offset int // bytes
}

// Dispatch is one run of a kernel.
type Dispatch struct {
	Name     string // for errors: "layer 3 attention"
	Pipeline Pipeline
	Bindings []Binding // by buffer index
	Groups   [2]int    // threadgroups in x and y
}

// Times is what a command buffer took.
type Times struct {
	Wait time.Duration // from its commit until the GPU began with it
	Busy time.Duration // from then until the GPU had done it
}

// SourceError is what a compiler says of the shaders.
type SourceError struct {
	Log string // with lines that count from the source's first, as "NAME:LINE:COLUMN: ..."
}

func (e *SourceError) Error() string {
	return fmt.Sprintf("metal: the shaders do not compile:\n%s", e.Log)
}
