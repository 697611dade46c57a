package metal

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	// A kernel: its template's parameters, its name and its own parameters.
	kernelPattern = regexp.MustCompile(`(?:template <([^>]*)>\s*)?\[\[kernel\]\] void (\w+)\(([^{]*)\)\s*\{`)
	bufferPattern = regexp.MustCompile(`(\w+) \[\[buffer\((\d+)\)\]\]`)
	// An instance of a template: host_name and the kernel with its arguments, thrice.
	instancePattern = regexp.MustCompile(`template \[\[host_name\("(\w+)"\)\]\] \[\[kernel\]\] decltype\((\w+)<([^>]*)>\) (\w+)<([^>]*)>;`)
	constantPattern = regexp.MustCompile(`constant (\w+) (\w+) \[\[function_constant\((\d+)\)\]\];`)
)

// signatures are the operands of each kernel that a source has, by host name.
func signatures(source string) (operands map[string][]string, errs []string) {
	operands = map[string][]string{}
	templates := map[string]bool{}
	for _, m := range kernelPattern.FindAllStringSubmatch(source, -1) {
		var names []string
		for i, b := range bufferPattern.FindAllStringSubmatch(m[3], -1) {
			if b[2] != fmt.Sprint(i) {
				errs = append(errs, fmt.Sprintf("%s: operand %s is buffer(%s), want the order of the indices", m[2], b[1], b[2]))
			}
			names = append(names, b[1])
		}
		operands[m[2]] = names
		templates[m[2]] = m[1] != ""
	}
	for _, m := range instancePattern.FindAllStringSubmatch(source, -1) {
		if m[2] != m[4] || m[3] != m[5] {
			errs = append(errs, fmt.Sprintf("instance %s: %s<%s> and %s<%s>", m[1], m[2], m[3], m[4], m[5]))
		}
		operands[m[1]] = operands[m[2]]
	}
	for name := range templates {
		if templates[name] {
			delete(operands, name)
		}
	}
	return operands, errs
}

// tableErrors are the differences of a source and the table of kernels.
func tableErrors(source string) []string {
	shaders, errs := signatures(source)
	for _, k := range kernels() {
		operands, known := shaders[k.name]
		if !known {
			errs = append(errs, fmt.Sprintf("the shaders have no kernel %q", k.name))
		} else if !slices.Equal(operands, k.operands) {
			errs = append(errs, fmt.Sprintf("%s: operands %q in the shaders, %q in the table", k.name, operands, k.operands))
		}
		if len(k.operands) > mostOperands {
			errs = append(errs, fmt.Sprintf("%s: %d operands, at most %d", k.name, len(k.operands), mostOperands))
		}
		delete(shaders, k.name)
	}
	for name := range shaders {
		errs = append(errs, fmt.Sprintf("the table has no kernel %q", name))
	}
	return errs
}

// The table and the shaders say the same: every kernel, every buffer index.
func TestTableIsTheShaders(t *testing.T) {
	for _, err := range tableErrors(shaderSource()) {
		t.Error(err)
	}
}

func TestConstantsAreTheShaders(t *testing.T) {
	all := constantPattern.FindAllStringSubmatch(shaderSource(), -1)
	if len(all) != len(constantNames) {
		t.Fatalf("%d function constants in the shaders, %d in the table", len(all), len(constantNames))
	}
	types := map[string]string{"uint": "uint32", "float": "float32", "bool": "bool"}
	for i, c := range (&constants{}).list() {
		typ, name, index := all[i][1], all[i][2], all[i][3]
		if index != fmt.Sprint(i) || c.Index != i || name != constantNames[i] {
			t.Errorf("function constant %d: %s(%s) in the shaders, %s(%d) in the table", i, name, index, constantNames[i], c.Index)
		}
		if got := fmt.Sprintf("%T", c.Value); types[typ] != got {
			t.Errorf("%s is %s in the shaders, %s in the table", name, typ, got)
		}
	}
}

// A tile's name, its kernel's template arguments and its fields are one.
func TestTilesAreTheShaders(t *testing.T) {
	instances := map[string]string{}
	for _, m := range instancePattern.FindAllStringSubmatch(shaderSource(), -1) {
		instances[m[1]] = m[3]
	}
	for _, tile := range Tiles {
		want := fmt.Sprintf("%d, %d, %d, %d, %d", tile.Rows, tile.Columns, tile.Inputs, tile.Simdgroups[0], tile.Simdgroups[1])
		if tile.Inputs == 0 {
			want = fmt.Sprintf("%d, %d, %d, %d", tile.Rows, tile.Columns, tile.Simdgroups[0], tile.Simdgroups[1])
		}
		if got := instances[tile.String()]; got != want {
			t.Errorf("%v: <%s> in the shaders, <%s> in the table", tile, got, want)
		}
		if m := tile.threadgroupMemory(); m > 32768 {
			t.Errorf("%v: %d bytes of threadgroup memory, at most 32768", tile, m)
		}
		if !strings.Contains(shaderFile("linear_direct"), fmt.Sprintf("DIRECT_STEP = %d;", directInputs)) || 64%tile.step() != 0 {
			t.Errorf("%v: steps of %d inputs, of widths that are multiples of 64", tile, tile.step())
		}
		if tile.Rows > rowSlack {
			t.Errorf("%v: more rows than the %d that buffers have behind the last", tile, rowSlack)
		}
	}
}

// infinities are the places where a source has what a compiler may assume not to be:
// numbers that are infinite.
func infinities(source string) (errs []string) {
	for i, line := range strings.Split(source, "\n") {
		code, _, _ := strings.Cut(line, "//")
		for _, word := range []string{"INFINITY", "HUGE_VAL", "infinity()", "isinf"} {
			if strings.Contains(code, word) {
				errs = append(errs, locate(fmt.Sprintf("program_source:%d:1: %s", i+1, word)))
			}
		}
	}
	return errs
}

// Whatever the compiler is told to assume, masks are finite.
func TestShadersHaveNoInfinity(t *testing.T) {
	for _, err := range infinities(shaderSource()) {
		t.Error(err)
	}
}

// reserved are words that Apple's compiler does not take for names, and those of C++
// that Metal leaves out, as far as no other compiler would notice (Metal Shading
// Language Specification 3.1, 1.4 and chapters 4 and 5).
var reserved = strings.Fields(`
	vertex fragment kernel intersection visible object mesh
	device constant thread threadgroup threadgroup_imageblock ray_data object_data
	sampler texture1d texture2d texture3d texturecube depth2d imageblock patch_control_point
	new delete dynamic_cast typeid goto register thread_local virtual throw try catch noexcept
	double long_double wchar_t`)

// names are the identifiers that a source declares: a word after a type, a star or a
// reference, and before what can follow a name.
var names = regexp.MustCompile(`(?:[\w>]\s+|[*&]\s*)(\w+)\s*(?:[;,=)(\[]|$)`)

// What no other compiler minds, Apple's does.
func TestShadersUseNoReservedNames(t *testing.T) {
	for _, name := range shaderOrder {
		for i, line := range strings.Split(shaderFile(name), "\n") {
			code, _, _ := strings.Cut(line, "//")
			for _, m := range names.FindAllStringSubmatch(code, -1) {
				if slices.Contains(reserved, m[1]) {
					t.Errorf("%s.metal:%d: %q is a reserved word: %s", name, i+1, m[1], strings.TrimSpace(code))
				}
			}
			if strings.Contains(code, "double") || strings.Contains(code, "[=]") || strings.Contains(code, "[&]") {
				t.Errorf("%s.metal:%d: Metal has no double, and no lambdas: %s", name, i+1, code)
			}
		}
	}
}

// unbraced are the loops to unroll that a condition or another loop governs without
// braces: compilers have taken the pragma for the statement.
func unbraced(source string) (errs []string) {
	before := ""
	for i, line := range strings.Split(source, "\n") {
		code, _, _ := strings.Cut(line, "//")
		code = strings.TrimSpace(code)
		if code == "UNROLL" && !strings.HasSuffix(before, "{") && !strings.HasSuffix(before, "}") && !strings.HasSuffix(before, ";") {
			errs = append(errs, locate(fmt.Sprintf("program_source:%d:1: %s", i+1, before)))
		}
		if code != "" {
			before = code
		}
	}
	return errs
}

func TestUnrolledLoopsAreInBraces(t *testing.T) {
	for _, err := range unbraced(shaderSource()) {
		t.Error(err)
	}
	m := mutation{"", "attention", 0, "if (live) {", "if (live)"}
	source, why := m.plant()
	if why != "" {
		t.Fatal(why)
	}
	if errs := unbraced(source); len(errs) != 1 || !strings.Contains(errs[0], "attention.metal") {
		t.Errorf("a condition without braces: %q", errs)
	}
}

// Each shader fits the head and says what it is.
func TestShadersAreSmall(t *testing.T) {
	files, err := shaderFiles.ReadDir("shaders")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != len(shaderOrder) {
		t.Errorf("%d shaders, %d in the order", len(files), len(shaderOrder))
	}
	for _, name := range shaderOrder {
		text := shaderFile(name)
		if n := strings.Count(text, "\n"); n > 160 || !strings.HasSuffix(text, "\n") || !strings.HasPrefix(text, "// ") {
			t.Errorf("%s.metal: %d lines, want at most 160, a comment first and a newline last", name, n)
		}
	}
}

func TestLocate(t *testing.T) {
	before := strings.Count(shaderFile("common"), "\n")
	for from, want := range map[string]string{
		"program_source:1:2: error: x":                                 "metal/shaders/common.metal:1:2: error: x",
		fmt.Sprintf("program_source:%d:1: error: x", before):           fmt.Sprintf("metal/shaders/common.metal:%d:1: error: x", before),
		fmt.Sprintf("/tmp/a.b/k.metal:%d:9: note: y\nz", before+3):     "metal/shaders/linear.metal:3:9: note: y\nz",
		"/lib/metal_stdlib:12:3: note: a header":                       "/lib/metal_stdlib:12:3: note: a header",
		"program_source:999999:1: error: past the end":                 "program_source:999999:1: error: past the end",
		"program_source:99999999999999999999:1: error: no such number": "program_source:99999999999999999999:1: error: no such number",
	} {
		if got := locate(from); got != want {
			t.Errorf("locate(%q) = %q, want %q", from, got, want)
		}
	}
}
