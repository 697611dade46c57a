package emulator

import (
	"slices"
	"strconv"
	"strings"
)

// addConstant reads: constant uint N [[function_constant(0)]];
func (p *program) addConstant(t []token) error {
	if len(t) < 4 || t[0].text != "constant" {
		return p.fail(t[0], "function constant: want constant TYPE NAME [[function_constant(N)]];")
	}
	words, after := attribute(t, 3)
	if len(words) != 2 || words[0] != "function_constant" || t[after].text != ";" {
		return p.fail(t[0], "function constant: want constant TYPE NAME [[function_constant(N)]];")
	}
	index, err := strconv.Atoi(words[1])
	if err != nil {
		return p.fail(t[0], "function constant %s: index %s", t[2].text, words[1])
	}
	if typ := t[1].text; typ != "uint" && typ != "float" && typ != "bool" {
		return p.fail(t[1], "function constant %s: type %s, where uint, float and bool are supported", t[2].text, typ)
	}
	for _, c := range p.constants {
		if c.index == index {
			return p.fail(t[0], "function constants %s and %s have the same index", c.name, t[2].text)
		}
	}
	p.constants = append(p.constants, constant{t[2].text, t[1].text, index, t[0]})
	return nil
}

// addDerived reads: constant uint TILES = N / 8; and returns the name. Where no
// function constant is in it, it stays as it is.
func (p *program) addDerived(t []token) (name string, err error) {
	equals := slices.IndexFunc(t, func(t token) bool { return t.text == "=" })
	if equals < 1 {
		return "", nil
	}
	name = outside(t[:equals])[len(outside(t[:equals]))-1].text
	depends := slices.ContainsFunc(t[equals:], func(t token) bool {
		return slices.ContainsFunc(p.constants, func(c constant) bool { return c.name == t.text }) ||
			slices.ContainsFunc(p.derived, func(d derived) bool { return d.name == t.text })
	})
	if !depends {
		return name, nil
	}
	if equals != 3 || t[0].text != "constant" {
		return "", p.fail(t[0], "a constant computed from function constants: want constant TYPE NAME = ...;")
	}
	last := t[len(t)-1]
	p.derived = append(p.derived, derived{name, t[0], t[equals].at, last.at, p.text[t[equals].end():last.at]})
	return name, nil
}

// instance reads: template [[host_name("f_64")]] [[kernel]] decltype(f<64>) f<64>;
func (p *program) instance(t []token) (k kernel, err error) {
	for i := range t {
		if words, _ := attribute(t, i); len(words) == 2 && words[0] == "host_name" {
			k.name = strings.Trim(words[1], `"`)
		}
		if t[i].text == "decltype" && i+2 < len(t) {
			k.expression = p.text[t[i+1].end():t[closing(t, i+1)].at]
			k.function = t[i+2].text
		}
	}
	if k.name == "" || k.function == "" {
		return k, p.fail(t[0], `instantiation: want template [[host_name("NAME")]] [[kernel]] decltype(f<...>) f<...>;`)
	}
	return k, nil
}

// checkLimits holds the source to the sizes of the runtime's tables.
func (p *program) checkLimits() error {
	arrays := 0
	for _, s := range p.shared {
		arrays += len(s.names)
	}
	if arrays > 64 || len(p.constants) > 64 {
		return errorAt(p.text, 0, "%d threadgroup arrays and %d function constants, where 64 of each are the most", arrays, len(p.constants))
	}
	return nil
}
