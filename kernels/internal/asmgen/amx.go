package asmgen

const xcr0Doc = `writes the register XCR0, which says what register state the system saves: a bit for each
component (Intel 64 and IA-32 Architectures Software Developer's Manual, volume 1,
section 13.3). Every processor with AVX has XGETBV.`

func xcr0(f *Func) {
	state := P{"R8", "state"}
	f.line("XCR0", "MOVL $0, CX")
	f.line("DX:AX = XCR0", "XGETBV")
	f.line("", "SHLQ $32, DX")
	f.line("", "ORQ DX, AX")
	f.LoadArg(state)
	f.line("state[0] = XCR0", "MOVQ AX, (R8)")
	f.line("", "RET")
}
