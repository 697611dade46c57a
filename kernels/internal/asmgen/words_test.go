package asmgen

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// Every word of arm64 is the instruction that its comment says, as another
// assembler writes it.
func TestWords(t *testing.T) {
	assembler, err := exec.LookPath("llvm-mc")
	if err != nil {
		t.Skip("no llvm-mc")
	}
	word := regexp.MustCompile(`WORD \$(0x[0-9a-f]+) +// ([^:]+):`)
	var instructions bytes.Buffer
	var words []uint32
	seen := map[string]bool{}
	for name, text := range Files() {
		if !strings.HasSuffix(name, "_arm64.s") {
			continue
		}
		for _, m := range word.FindAllStringSubmatch(text, -1) {
			if seen[m[0]] {
				continue
			}
			seen[m[0]] = true
			n, err := strconv.ParseUint(m[1], 0, 32)
			if err != nil {
				t.Fatal(err)
			}
			words = append(words, uint32(n))
			instructions.WriteString(m[2] + "\n")
		}
	}
	if len(words) < 1000 {
		t.Fatalf("only %d words", len(words))
	}
	said := strings.Split(instructions.String(), "\n")
	command := exec.Command(assembler, "-triple=aarch64", "-mattr=+fullfp16,+dotprod", "-show-encoding")
	command.Stdin = &instructions
	out, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	encodings := regexp.MustCompile(`encoding: \[(.*)\]`).FindAllSubmatch(out, -1)
	if len(encodings) != len(words) {
		t.Fatalf("%d encodings of %d words", len(encodings), len(words))
	}
	for i, m := range encodings {
		code, err := hex.DecodeString(strings.ReplaceAll(string(m[1]), ",0x", "")[2:])
		if err != nil || len(code) != 4 {
			t.Fatalf("%s: %v", m[0], err)
		}
		if want := binary.LittleEndian.Uint32(code); words[i] != want {
			t.Errorf("%s: %#08x, want %#08x", said[i], words[i], want)
		}
	}
}
