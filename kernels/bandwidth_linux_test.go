package kernels

import (
	"os"
	"syscall"
	"testing"
	"unsafe"

	"github.com/minilm-metal/minilm-metal/kernels/internal/asm"
)

// The loops read to the end of x and not beyond: the page behind it may be
// nobody's, as it is here. Reading it ends the test with a fault.
func TestReadStaysInside(t *testing.T) {
	page := os.Getpagesize()
	memory, err := syscall.Mmap(-1, 0, 2*page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Munmap(memory)
	if err := syscall.Mprotect(memory[page:], syscall.PROT_NONE); err != nil {
		t.Fatal(err)
	}
	all := unsafe.Slice((*float32)(unsafe.Pointer(&memory[0])), page/4)
	for i := range all {
		all[i] = 1
	}
	for _, isa := range Permitted() {
		for _, n := range []int{asm.ReadBlock, 3 * asm.ReadBlock, len(all)} {
			sum := isa.read(all[len(all)-n:], 3)
			if isa == Generic && sum != 3*float32(n) {
				t.Errorf("generic: three times %d ones add up to %v", n, sum)
			}
		}
	}
}
