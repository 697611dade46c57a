package asmgen

import (
	"bytes"
	"encoding/hex"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Every raw instruction is what its comment says, as another assembler writes it.
func TestWords(t *testing.T) {
	assembler, err := exec.LookPath("llvm-mc")
	if err != nil {
		t.Skip("no llvm-mc")
	}
	// Registers and places of amd64, as other assemblers than Go's call them.
	vector, tile := regexp.MustCompile(`\b([XYZ])(\d+)\b`), regexp.MustCompile(`\bT(\d)\b`)
	place := regexp.MustCompile(`\((\w+)\)(?:\((\w+)\*(\d)\))?`)
	general := func(name string) string {
		if !strings.ContainsAny(name, "0123456789") {
			name = "r" + name
		}
		return "%" + name
	}
	for _, arch := range []struct {
		name    string
		args    []string
		dialect func(string) string
		fewest  int
	}{
		{"arm64", []string{"-triple=aarch64", "-mattr=+fullfp16,+dotprod,+bf16,+i8mm"}, func(s string) string { return s }, 1000},
		{"amd64", []string{"-triple=x86_64", "-mattr=+avx512bf16,+avx512vl,+avxvnni,+amx-tile,+amx-bf16,+amx-int8"}, func(s string) string {
			s = place.ReplaceAllStringFunc(s, func(s string) string {
				m := place.FindStringSubmatch(s)
				if m[2] == "" {
					return "(" + general(m[1]) + ")"
				}
				return "(" + general(m[1]) + "," + general(m[2]) + "," + m[3] + ")"
			})
			s = tile.ReplaceAllString(s, "%tmm$1")
			return strings.ToLower(vector.ReplaceAllString(s, "%${1}mm$2"))
		}, 100},
	} {
		t.Run(arch.name, func(t *testing.T) {
			said, codes := rawInstructions(t, "_"+arch.name+".s")
			if len(said) < arch.fewest {
				t.Fatalf("only %d raw instructions", len(said))
			}
			var in bytes.Buffer
			for _, s := range said {
				in.WriteString(arch.dialect(s) + "\n")
			}
			command := exec.Command(assembler, append(arch.args, "-show-encoding")...)
			command.Stdin = &in
			out, err := command.Output()
			if err != nil {
				t.Fatal(err)
			}
			encodings := regexp.MustCompile(`encoding: \[(.*)\]`).FindAllSubmatch(out, -1)
			if len(encodings) != len(said) {
				t.Fatalf("%d encodings of %d instructions", len(encodings), len(said))
			}
			for i, m := range encodings {
				want, err := hex.DecodeString(strings.ReplaceAll(string(m[1]), ",0x", "")[2:])
				if err != nil {
					t.Fatalf("%s: %v", m[0], err)
				}
				if !bytes.Equal(codes[i], want) {
					t.Errorf("%s: %x, want %x", said[i], codes[i], want)
				}
			}
		})
	}
}

// tilePlaces is code that no kernel has: tiles at every place that registers reach.
func tilePlaces() string {
	f := &Func{Machine: AMX, name: "places"}
	_, names := AMX.registers()
	t := f.Tiles()
	tile := []T{t.Reg("first"), t.Reg("second")}
	for i, base := range names {
		p := P{base, "p"}
		t.Configure(p)
		for _, index := range names {
			for _, disp := range []int{0, 64, -128, 128, 3072} {
				t.Load(tile[i%2], p, disp, P{index, "stride"})
				t.Store(p, disp, P{index, "stride"}, tile[i%2])
			}
		}
	}
	return f.body.String()
}

// rawInstructions returns what is written as numbers in the files whose names end
// so: what it is, and its bytes, each once.
func rawInstructions(t *testing.T, suffix string) (said []string, codes [][]byte) {
	line := regexp.MustCompile(`(?m)^\t((?:(?:LONG|WORD|BYTE) \$0x[0-9a-f]+(?:; )?)+) +// ([^:]+):`)
	number := regexp.MustCompile(`\$0x([0-9a-f]+)`)
	seen := map[string]bool{}
	files := Files()
	files["places_amd64.s"] = tilePlaces()
	for name, text := range files {
		if !strings.HasSuffix(name, suffix) {
			continue
		}
		for _, m := range line.FindAllStringSubmatch(text, -1) {
			if seen[m[0]] {
				continue
			}
			seen[m[0]] = true
			var code []byte
			for _, n := range number.FindAllStringSubmatch(m[1], -1) {
				value, err := strconv.ParseUint(n[1], 16, 32)
				if err != nil {
					t.Fatal(err)
				}
				part := make([]byte, 0, 4)
				for range len(n[1]) / 2 { // the lowest byte first
					part, value = append(part, byte(value)), value>>8
				}
				code = slices.Concat(code, part)
			}
			said, codes = append(said, m[2]), append(codes, code)
		}
	}
	return said, codes
}
