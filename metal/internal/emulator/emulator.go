package emulator

import (
	"fmt"
	"runtime"
	"strconv"
	"sync"

	"github.com/minilm-metal/minilm-metal/metal/internal/gpu"
)

const (
	threadgroupMemory = 32768
	largestBuffer     = 1 << 32
	maxThreads        = 1024
)

// Options say how kernels run. The zero value is good.
type Options struct {
	// Order is the one in which simdgroups, and lanes between rendezvous, run: "f"
	// (or nothing), forward; "r", in reverse; "s7", shuffled from seed 7.
	Order string
	// OtherLanes: the elements of matrices lie in other lanes than on Apple's GPUs,
	// as a future chip's might.
	OtherLanes bool
	// Workers is how many threads run threadgroups side by side. 0: GOMAXPROCS.
	Workers int
}

func (o Options) arguments() ([]string, error) {
	order, seed := "f", "0"
	switch {
	case o.Order == "" || o.Order == "f":
	case o.Order == "r":
		order = "r"
	case o.Order[0] == 's':
		order, seed = "s", o.Order[1:]
		if _, err := strconv.ParseUint(seed, 10, 32); err == nil {
			break
		}
		fallthrough
	default:
		return nil, fmt.Errorf("emulator: order %q, where f, r and s with a number can be", o.Order)
	}
	other := "0"
	if o.OtherLanes {
		other = "1"
	}
	workers := o.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	return []string{order, seed, other, strconv.Itoa(workers)}, nil
}

// Emulator runs the kernels of one source.
type Emulator struct {
	program *program
	needs   [][]need // by kernel

	mu        sync.Mutex // held through each exchange with the child
	child     *process
	buffers   map[*buffer]bool
	ids       []int // of buffers released, to be used again
	allocated uint64
}

var _ gpu.Driver = (*Emulator)(nil)

// Open compiles the source, or finds it compiled. The error is a *gpu.SourceError
// where clang refuses it, and wraps ErrNoCompiler where there is no clang.
func Open(source string, o Options) (*Emulator, error) {
	arguments, err := o.arguments()
	if err != nil {
		return nil, err
	}
	c, err := newCompiler()
	if err != nil {
		return nil, err
	}
	p, err := c.preprocess(source)
	if err != nil {
		return nil, err
	}
	path, err := c.build(p)
	if err != nil {
		return nil, err
	}
	child, needs, err := start(path, arguments...)
	if err != nil {
		return nil, err
	}
	return &Emulator{program: p, needs: needs, child: child, buffers: map[*buffer]bool{}}, nil
}

// Info says what the emulator stands for: the oldest GPU that the shaders run on.
func (e *Emulator) Info() gpu.Info {
	return gpu.Info{Name: "emulator", System: runtime.GOOS, Family: gpu.LeastFamily, Language: "C++", ThreadgroupMemory: threadgroupMemory,
		LargestBuffer: largestBuffer, WorkingSet: largestBuffer, Counters: true}
}

// Allocated returns the sum of the buffers that are not released.
func (e *Emulator) Allocated() uint64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.allocated
}

// Close ends the process that runs the kernels, and releases all buffers.
func (e *Emulator) Close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	err := e.child.close()
	for b := range e.buffers {
		err = firstError(err, b.unmap())
	}
	clear(e.buffers)
	e.allocated = 0
	return err
}

func firstError(a, b error) error {
	if a != nil {
		return a
	}
	return b
}
