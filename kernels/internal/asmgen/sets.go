package asmgen

import "strings"

// set is an instruction set: a row of the table below. Everything that packages asm and
// kernels know about it is generated from this row.
type set struct {
	machine Machine
	// adds is the set that this one extends: it has that set's kernels unless it has its
	// own.
	adds Machine
	// has is a Go expression that is true if the processor and the system have what this
	// set adds. Package cpu in it is golang.org/x/sys/cpu, whose features also say that the
	// system saves the registers.
	has string
	// permit is a Go function that asks the system for a permission that it may refuse; ""
	// if none is needed.
	permit string
	what   string // a description for readers
	own    [][]family
}

// sets has a row for each instruction set. Within an architecture, better ones come later.
var sets = []set{
	{machine: NEON, has: "true", what: "arm64", own: [][]family{vectors}},
	// Every Apple M has both features. Package cpu detects them on Linux and macOS. On
	// Windows it does not detect FEAT_FP16, so NEON is used there.
	{machine: NEON82, adds: NEON, has: "cpu.ARM64.HasFPHP && cpu.ARM64.HasASIMDHP && cpu.ARM64.HasASIMDDP",
		what: "arm64 with ARMv8.2's FEAT_FP16 and FEAT_DotProd", own: [][]family{integers, halves}},
	{machine: NEON86, adds: NEON82, has: "cpu.ARM64.HasI8MM && hasBF16()", what: "NEON82 with ARMv8.6's FEAT_BF16 and FEAT_I8MM", own: [][]family{matrices}},
	{machine: AVX2, has: "cpu.X86.HasAVX2 && cpu.X86.HasFMA", what: "amd64 with AVX2 and FMA", own: [][]family{vectors, integers}},
	{machine: AVXVNNI, adds: AVX2, has: "cpu.X86.HasAVXVNNI", what: "AVX2 and AVX-VNNI", own: [][]family{integers}},
	{machine: AVX512, has: "cpu.X86.HasAVX512F && cpu.X86.HasAVX512DQ && cpu.X86.HasAVX512BW && cpu.X86.HasAVX512VL",
		what: "amd64 with AVX-512 F, DQ, BW and VL", own: [][]family{vectors, integers}},
	{machine: AVX512VNNI, adds: AVX512, has: "cpu.X86.HasAVX512VNNI", what: "AVX512 and AVX512_VNNI", own: [][]family{integers}},
	{machine: AVX512BF16, adds: AVX512VNNI, has: "cpu.X86.HasAVX512BF16", what: "AVX512VNNI and AVX512_BF16", own: [][]family{bfloats}},
	{machine: AMX, adds: AVX512BF16, has: "hasAMX()", permit: "permitAMX", what: "AVX512BF16 and AMX's tiles of bfloat16 and int8",
		own: [][]family{tileKernels}},
}

// name is the set's name for users.
func (s *set) name() string { return strings.ToLower(s.machine.Name()) }

// setOf returns a machine's row.
func setOf(m Machine) *set {
	for i := range sets {
		if sets[i].machine == m {
			return &sets[i]
		}
	}
	panic("asmgen: " + m.Name() + " has no row")
}

// code returns the machine whose code the set runs for a kernel, if it has that kernel.
func (s *set) code(name string) (Machine, bool) {
	for _, families := range s.own {
		for _, f := range families {
			for _, k := range f.kernels {
				if k.name() == name {
					return s.machine, true
				}
			}
		}
	}
	if s.adds == nil {
		return nil, false
	}
	return setOf(s.adds).code(name)
}
