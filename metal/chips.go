package metal

import (
	"fmt"
	"strings"
	"time"

	"github.com/minilm-metal/minilm-metal/model"
)

// Chip describes an Apple GPU, by figures that Apple and others have published; we have
// measured none of them.
type Chip struct {
	Name      string
	Cores     int
	TFLOPS    float64 // peak of float multiply-adds; half is as fast in simdgroup matrices
	Bandwidth float64 // of memory, in GB/s
	Family    int     // number of Apple's GPU family
}

// Chips are the chips that Estimate knows, each in its largest version. The figures of M3
// and M4 are uncertain by 20 %.
var Chips = []Chip{
	{"M1", 8, 2.62, 68, 7}, {"M1 Pro", 16, 5.3, 205, 7}, {"M1 Max", 32, 10.6, 410, 7}, {"M1 Ultra", 64, 21.2, 819, 7},
	{"M2", 10, 3.6, 102, 8}, {"M2 Pro", 19, 6.8, 205, 8}, {"M2 Max", 38, 13.6, 410, 8}, {"M2 Ultra", 76, 27.2, 819, 8},
	{"M3", 10, 3.6, 102, 9}, {"M3 Pro", 18, 6.4, 154, 9}, {"M3 Max", 40, 14.1, 410, 9},
	{"M4", 10, 3.8, 120, 9}, {"M4 Pro", 20, 7.5, 273, 9}, {"M4 Max", 40, 15, 546, 9},
}

// FindChip returns the chip of that name.
func FindChip(name string) (Chip, error) {
	var known []string
	for _, c := range Chips {
		if strings.EqualFold(c.Name, name) || strings.EqualFold("Apple "+c.Name, name) {
			return c, nil
		}
		known = append(known, c.Name)
	}
	return Chip{}, fmt.Errorf("metal: chip %q: want one of %s", name, strings.Join(known, ", "))
}

const (
	// Resources of a core, which others found out for the first two generations: bytes of
	// registers and of threadgroup memory, shared by all threadgroups that run on the core.
	coreRegisters, coreThreadgroupMemory = 208 << 10, 60 << 10
	// coreThreads is the most threads that can run on a core at once.
	coreThreads = 1024
	// otherRegisters is how many 4-byte registers we assume for a thread, beside its
	// fragments: for addresses, counters and loads in flight.
	otherRegisters = 32
)

// Estimate says what a dispatch should cost by a simple model, not by measurement: the
// kernel computes at the chip's peak, and its operands move at the memory's full bandwidth.
type Estimate struct {
	Layer             int // -1 outside the layers
	Kernel, Function  string
	Groups            int // number of threadgroups
	Threads           int // threads of a threadgroup
	FLOPs             int64
	Padded            int64 // FLOPs including those on the padding of tiles
	Bytes             int64
	ThreadgroupMemory int     // bytes for each threadgroup
	Resident          int     // threadgroups that can run on a core at once, as memory, registers and threads allow
	Waves             float64 // how many times all cores must be filled with threadgroups
	Compute, Memory   time.Duration
}

// Roofline returns the larger of the two times: the least time that the dispatch can take.
func (e *Estimate) Roofline() time.Duration { return max(e.Compute, e.Memory) }

// EstimatePass returns an estimate for each dispatch of a pass over b.
func EstimatePass(chip Chip, c model.Config, t Tiling, b *model.Batch) ([]Estimate, error) {
	p, err := newPlanner(c, t)
	if err != nil {
		return nil, err
	}
	if err := model.Encode(p, &c, b, model.Firsts, nil); err != nil {
		return nil, err
	}
	estimates := make([]Estimate, len(p.steps))
	for i := range p.steps {
		s := &p.steps[i]
		e := Estimate{Layer: s.layer, Kernel: s.what, Function: s.kernel.name, Groups: s.groups[0] * s.groups[1],
			Threads: s.kernel.threads, FLOPs: s.flops, Padded: p.padded(s), Bytes: s.bytes}
		var registers int
		e.ThreadgroupMemory, registers = p.needs(s)
		e.Resident = min(coreThreads/e.Threads, coreRegisters/(4*registers*e.Threads))
		if e.ThreadgroupMemory > 0 {
			e.Resident = min(e.Resident, coreThreadgroupMemory/e.ThreadgroupMemory)
		}
		e.Waves = float64(e.Groups) / float64(chip.Cores*e.Resident)
		e.Compute = time.Duration(float64(e.Padded) / chip.TFLOPS / 1e3)
		e.Memory = time.Duration(float64(e.Bytes) / chip.Bandwidth)
		estimates[i] = e
	}
	return estimates, nil
}

// padded returns a step's FLOPs including those on the padding of tiles.
func (p *plan) padded(s *step) int64 {
	l := p.layout
	switch s.kernel {
	case &p.kernels.attention:
		flops := int64(0)
		for i := range p.Len() {
			lo, hi := p.Bounds(i)
			// A simdgroup computes 8 queries, with 32 keys at a time.
			flops += 4 * int64(roundUp(hi-lo, 8)) * int64(roundUp(hi-lo, 32)) * int64(l.context())
		}
		return flops
	case &p.kernels.attentionCls, &p.kernels.poolCls, &p.kernels.embed, &p.kernels.norm:
		return s.flops
	}
	return 2 * int64(s.groups[0]*s.kernel.columns) * int64(s.groups[1]*s.kernel.rows) * int64(s.kernel.in)
}

// needs returns a threadgroup's memory in bytes, and an estimate of a thread's registers:
// two for a fragment of floats, one for a fragment of halves.
func (p *plan) needs(s *step) (memory, registers int) {
	size := p.layout.headSize
	registers = otherRegisters
	switch s.kernel {
	case &p.kernels.embed, &p.kernels.norm:
		return 0, registers + p.layout.width/32
	case &p.kernels.attention:
		// Q, K; scores and weights of 32 keys; the context.
		return 2*2*32*(size+8) + 4*4*64, registers + 2*size/8 + 4*3 + 2*size/8
	case &p.kernels.attentionCls:
		return 4 * size, registers + size/32
	case &p.kernels.poolCls:
		return 0, registers
	}
	t := s.kernel.tile
	rows, columns := t.Rows/t.Simdgroups[0]/8, t.Columns/t.Simdgroups[1]/8
	return t.threadgroupMemory(), registers + 2*rows*columns + rows + columns
}
