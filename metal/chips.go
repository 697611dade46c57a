package metal

import (
	"fmt"
	"strings"
	"time"

	"github.com/minilm-metal/minilm-metal/model"
)

// Chip is what is known of an Apple GPU: what Apple and others have published, not
// measured here.
type Chip struct {
	Name      string
	Cores     int
	TFLOPS    float64 // peak, of float multiply-adds; half is as fast in simdgroup matrices
	Bandwidth float64 // of memory, in GB/s
	Family    int     // Apple's GPU family
}

// Chips are those that Estimate knows, each in its largest version. M3 and M4 are
// known to ±20 %.
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
	// What a core has, as others have found for the first two generations: registers
	// and threadgroup memory for the threadgroups that it runs at once, in bytes.
	coreRegisters, coreThreadgroupMemory = 208 << 10, 60 << 10
	// coreThreads is the most threads that a core runs at once.
	coreThreads = 1024
	// otherRegisters is a guess of how many 4-byte registers a thread uses for all but
	// fragments: addresses, counters, what is on its way from memory.
	otherRegisters = 32
)

// Estimate is what a dispatch should cost, by a model and not by measurement: a
// kernel at the chip's peak, with its operands at the memory's full bandwidth.
type Estimate struct {
	Layer             int // -1 outside the layers
	Kernel, Function  string
	Groups            int // threadgroups
	Threads           int // of one
	FLOPs             int64
	Padded            int64 // FLOPs that are really done: of whole tiles
	Bytes             int64
	ThreadgroupMemory int     // of a threadgroup, bytes
	Resident          int     // threadgroups that a core runs at once: what memory, registers and threads allow
	Waves             float64 // rounds of threadgroups on all cores
	Compute, Memory   time.Duration
}

// Roofline is the larger of the two times.
func (e *Estimate) Roofline() time.Duration { return max(e.Compute, e.Memory) }

// EstimatePass returns an estimate for each dispatch of a pass over b.
func EstimatePass(chip Chip, c model.Config, t Tiling, b *model.Batch) ([]Estimate, error) {
	p, err := newPlanner(c, t)
	if err != nil {
		return nil, err
	}
	if err := model.Score(p, &c, b, nil); err != nil {
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

// padded returns the FLOPs of whole tiles.
func (p *plan) padded(s *step) int64 {
	l := p.layout
	switch s.kernel {
	case &p.kernels.attention:
		flops := int64(0)
		for i := range p.Len() {
			lo, hi := p.Bounds(i)
			// Simdgroups of 8 queries, blocks of 32 keys.
			flops += 4 * int64(roundUp(hi-lo, 8)) * int64(roundUp(hi-lo, 32)) * int64(l.context())
		}
		return flops
	case &p.kernels.attentionCls, &p.kernels.head, &p.kernels.headGather, &p.kernels.embed, &p.kernels.norm:
		return s.flops
	}
	return 2 * int64(s.groups[0]*s.kernel.columns) * int64(s.groups[1]*s.kernel.rows) * int64(s.kernel.in)
}

// needs returns a threadgroup's memory in bytes, and a guess at a thread's registers:
// a fragment of floats is two, one of halves one.
func (p *plan) needs(s *step) (memory, registers int) {
	size := p.layout.headSize
	registers = otherRegisters
	switch s.kernel {
	case &p.kernels.embed, &p.kernels.norm:
		return 0, registers + p.layout.width/32
	case &p.kernels.attention:
		// Q, K; scores and weights of 32 keys; what is found.
		return 2*2*32*(size+8) + 4*4*64, registers + 2*size/8 + 4*3 + 2*size/8
	case &p.kernels.attentionCls:
		return 4 * size, registers + size/32
	case &p.kernels.head, &p.kernels.headGather:
		return 4*mostWidth + 4*8, registers
	}
	t := s.kernel.tile
	rows, columns := t.Rows/t.Simdgroups[0]/8, t.Columns/t.Simdgroups[1]/8
	return t.threadgroupMemory(), registers + 2*rows*columns + rows + columns
}
