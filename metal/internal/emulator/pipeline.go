package emulator

import (
	"fmt"
	"math"
	"slices"

	"github.com/minilm-metal/minilm-metal/metal/internal/gpu"
)

// pipeline is a kernel with the values of its function constants.
type pipeline struct {
	e        *Emulator
	kernel   int // index in program.kernels
	name     string
	threads  int
	values   []uint32 // of all constants that the source declares
	released bool
}

// NewPipeline wants every function constant that the kernel's code uses, with its
// own type, and none that the source does not declare.
func (e *Emulator) NewPipeline(f gpu.Function) (gpu.Pipeline, error) {
	n := slices.IndexFunc(e.program.kernels, func(k kernel) bool { return k.name == f.Name })
	if n < 0 {
		return nil, fmt.Errorf("emulator: kernel %q: the source has none of that name", f.Name)
	}
	if f.Threads < 32 || f.Threads > maxThreads || f.Threads%32 != 0 {
		return nil, fmt.Errorf("emulator: kernel %q: %d threads, where multiples of 32 up to %d can be", f.Name, f.Threads, maxThreads)
	}
	p := &pipeline{e: e, kernel: n, name: f.Name, threads: f.Threads, values: make([]uint32, len(e.program.constants))}
	given := map[int]bool{}
	for _, c := range f.Constants {
		i := slices.IndexFunc(e.program.constants, func(d constant) bool { return d.index == c.Index })
		if i < 0 {
			return nil, fmt.Errorf("emulator: kernel %q: function constant %d: the source declares none of that index", f.Name, c.Index)
		}
		if given[c.Index] {
			return nil, fmt.Errorf("emulator: kernel %q: function constant %d is given twice", f.Name, c.Index)
		}
		given[c.Index] = true
		declared := e.program.constants[i]
		typ := ""
		switch v := c.Value.(type) {
		case uint32:
			p.values[i], typ = v, "uint"
		case float32:
			p.values[i], typ = math.Float32bits(v), "float"
		case bool:
			typ = "bool"
			if v {
				p.values[i] = 1
			}
		}
		if typ != declared.typ {
			return nil, fmt.Errorf("emulator: kernel %q: function constant %d (%s) is a %s: given %T", f.Name, c.Index, declared.name, declared.typ, c.Value)
		}
	}
	used := e.program.uses(e.program.kernels[n].function)
	for _, c := range e.program.constants {
		if used[c.name] && !given[c.index] {
			return nil, fmt.Errorf("emulator: kernel %q: function constant %d (%s) is not given", f.Name, c.index, c.name)
		}
	}
	return p, nil
}

// Limits are of all pipelines the same; memory is not counted.
func (p *pipeline) Limits() gpu.Limits {
	return gpu.Limits{MostThreads: maxThreads, ExecutionWidth: 32}
}

// Release panics on a pipeline that is released.
func (p *pipeline) Release() {
	p.e.mu.Lock()
	defer p.e.mu.Unlock()
	if p.released {
		panic(fmt.Sprintf("emulator: pipeline of kernel %q is released twice", p.name))
	}
	p.released = true
}

// check returns what is wrong with a dispatch before it runs. e.mu is held.
func (e *Emulator) check(d gpu.Dispatch) error {
	p, ok := d.Pipeline.(*pipeline)
	if !ok || p == nil || p.e != e {
		return fmt.Errorf("emulator: dispatch %q: pipeline %T is not of this driver", d.Name, d.Pipeline)
	}
	fail := func(format string, args ...any) error {
		return fmt.Errorf("emulator: dispatch %q, kernel %s: %s", d.Name, p.name, fmt.Sprintf(format, args...))
	}
	if p.released {
		return fail("its pipeline is released")
	}
	if d.Groups[0] <= 0 || d.Groups[1] <= 0 {
		return fail("empty grid: %d by %d threadgroups", d.Groups[0], d.Groups[1])
	}
	if len(d.Bindings) > maxBuffers {
		return fail("%d buffers, where %d are the most", len(d.Bindings), maxBuffers)
	}
	for i, binding := range d.Bindings {
		if binding.Buffer == nil {
			continue
		}
		b, ok := binding.Buffer.(*buffer)
		if !ok || b == nil || b.e != e {
			return fail("buffer %d: %T is not of this driver", i, binding.Buffer)
		}
		if b.bytes == nil {
			return fail("buffer %d: %q is released", i, b.label)
		}
		if binding.Offset < 0 || binding.Offset >= len(b.bytes) {
			return fail("buffer %d: offset %d in the %d bytes of %q", i, binding.Offset, len(b.bytes), b.label)
		}
	}
	for _, n := range e.needs[p.kernel] {
		if n.index >= len(d.Bindings) || d.Bindings[n.index].Buffer == nil {
			return fail("buffer %d is not bound", n.index)
		}
		b, offset := d.Bindings[n.index].Buffer.(*buffer), d.Bindings[n.index].Offset
		if align := max(4, n.align); offset%align != 0 {
			return fail("buffer %d: offset %d is not a multiple of %d", n.index, offset, align)
		}
		if rest := len(b.bytes) - offset; rest < n.bytes {
			return fail("buffer %d: %d bytes of %q from offset %d on, where one element takes %d", n.index, rest, b.label, offset, n.bytes)
		}
	}
	return nil
}
