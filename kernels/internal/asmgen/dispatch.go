package asmgen

import (
	"fmt"
	"slices"
	"strings"
)

// dispatch returns an architecture's dispatch file: code that detects its instruction sets,
// and functions that call the right set's kernels. For "" it returns the file for
// architectures without any.
func dispatch(arch string) string {
	var b strings.Builder
	b.WriteString("import (\n\t\"unsafe\"\n")
	if arch != "" {
		b.WriteString("\n\t\"golang.org/x/sys/cpu\"\n")
	}
	b.WriteString(")\n")
	detection(&b, arch)
	names, kernels := ops()
	for _, op := range names {
		dispatcher(&b, arch, op, kernels[op])
	}
	return b.String()
}

// of returns an architecture's sets.
func of(arch string) (all []*set) {
	for i := range sets {
		if sets[i].machine.Arch() == arch {
			all = append(all, &sets[i])
		}
	}
	return all
}

// detection writes Has and Permit.
func detection(b *strings.Builder, arch string) {
	b.WriteString("\n// Has reports whether this processor and system can run a set's instructions.\nfunc Has(set ISA) bool {\n")
	if arch != "" {
		b.WriteString("switch set {\n")
		for _, s := range of(arch) {
			condition := s.has
			if s.adds != nil {
				condition = fmt.Sprintf("Has(%s) && %s", s.adds.Name(), s.has)
			}
			fmt.Fprintf(b, "case %s:\nreturn %s\n", s.machine.Name(), condition)
		}
		b.WriteString("}\n")
	}
	b.WriteString("return false\n}\n")

	b.WriteString("\n// Permit asks the system for the permission that a set needs, once for the whole process.\n// A set that is not permitted must not run.\nfunc Permit(set ISA) error {\n")
	for _, s := range of(arch) {
		if s.permit != "" {
			fmt.Fprintf(b, "if set == %s {\nreturn %s()\n}\n", s.machine.Name(), s.permit)
		}
	}
	b.WriteString("return nil\n}\n")
}

// dispatcher writes the function that calls an operation's kernel for a given instruction
// set and format.
func dispatcher(b *strings.Builder, arch, op string, kernels []kernel) {
	exported := strings.ToUpper(op[:1]) + op[1:]
	params, args := []string{"set ISA"}, []string{}
	if kernels[0].form != None {
		params = append(params, "form Format")
	}
	for _, p := range kernels[0].params {
		name, _, _ := strings.Cut(p, " ")
		params, args = append(params, p), append(args, name)
	}
	var cases strings.Builder
	see := ""
	for _, k := range kernels {
		switches, first := kernelCases(arch, &k, strings.Join(args, ", "))
		if switches == "" {
			continue
		}
		if see == "" {
			see = first
		}
		if k.form != None {
			fmt.Fprintf(&cases, "case %s:\n%s", k.form, switches)
		} else {
			cases.WriteString(switches)
		}
	}
	fmt.Fprintf(b, "\n// %s calls a set's %s", exported, op)
	if see != "" {
		fmt.Fprintf(b, ", see %s", see)
	}
	fmt.Fprintf(b, ".\nfunc %s(%s) {\n", exported, strings.Join(params, ", "))
	if kernels[0].form != None && cases.Len() > 0 {
		fmt.Fprintf(b, "switch form {\n%s}\n", cases.String())
	} else {
		b.WriteString(cases.String())
	}
	fmt.Fprintf(b, "absent(set, %q)\n}\n", op)
}

// kernelCases returns a switch over the sets that have a kernel, the best first, and the
// name of the first function that it calls.
func kernelCases(arch string, k *kernel, args string) (text, first string) {
	callers := map[string][]string{} // the sets, by the function that they call
	var functions []string
	for _, s := range of(arch) {
		if m, ok := s.code(k.name()); ok {
			f := k.name() + m.Name()
			if callers[f] == nil {
				functions = append(functions, f)
			}
			callers[f] = append(callers[f], s.machine.Name())
		}
	}
	if len(functions) == 0 {
		return "", ""
	}
	var b strings.Builder
	b.WriteString("switch set {\n")
	slices.Reverse(functions)
	for _, f := range functions {
		fmt.Fprintf(&b, "case %s:\n%s(%s)\nreturn\n", strings.Join(callers[f], ", "), f, args)
	}
	b.WriteString("}\n")
	return b.String(), functions[0]
}
