package emulator

import (
	"slices"
	"strconv"
)

// maxBuffers is Metal's limit.
const maxBuffers = 31

// positions are the parameters that say where a thread is, as the generated code
// computes them from a Place.
var positions = map[string]string{
	"threadgroup_position_in_grid":   "p.group[0], p.group[1], 0",
	"threadgroups_per_grid":          "p.groups[0], p.groups[1], 1",
	"thread_position_in_threadgroup": "p.index, 0, 0",
	"thread_index_in_threadgroup":    "p.index, 0, 0",
	"thread_position_in_grid":        "p.group[0] * p.threads + p.index, p.group[1], 0",
	"threads_per_threadgroup":        "p.threads, 1, 1",
	"threads_per_grid":               "p.groups[0] * p.threads, p.groups[1], 1",
	"simdgroup_index_in_threadgroup": "p.index / 32, 0, 0",
	"simdgroups_per_threadgroup":     "p.threads / 32, 0, 0",
	"thread_index_in_simdgroup":      "p.index % 32, 0, 0",
	"threads_per_simdgroup":          "32, 0, 0",
	"thread_execution_width":         "32, 0, 0",
}

// commas splits tokens at the commas that are not in brackets of any kind.
func commas(t []token) (parts [][]token) {
	depth, start := 0, 0
	for i := range t {
		switch t[i].text {
		case "(", "[", "{", "<":
			depth++
		case ")", "]", "}", ">":
			depth--
		case ",":
			if depth == 0 {
				parts = append(parts, t[start:i])
				start = i + 1
			}
		}
	}
	if start < len(t) {
		parts = append(parts, t[start:])
	}
	return parts
}

// parameters reads what is between the brackets of a kernel's signature.
func (p *program) parameters(t []token, open int) (all []parameter, err error) {
	kernel := t[open-1].text
	for _, part := range commas(t[open+1 : closing(t, open)]) {
		var param parameter
		for i := range part {
			words, _ := attribute(part, i)
			if words == nil {
				continue
			}
			if i == 0 {
				return nil, p.fail(part[0], "kernel %s: want the attribute of a parameter after its name", kernel)
			}
			param.name, param.attribute = part[i-1].text, words[0]
			if words[0] == "buffer" && len(words) == 2 {
				param.index, err = strconv.Atoi(words[1])
				if err != nil || param.index >= maxBuffers {
					return nil, p.fail(part[i], "kernel %s: parameter %s: buffer index %s, where 0 to %d can be", kernel, param.name, words[1], maxBuffers-1)
				}
			}
			break
		}
		if param.attribute == "" {
			return nil, p.fail(part[0], "kernel %s: parameter %s has no attribute", kernel, part[len(part)-1].text)
		}
		if _, ok := positions[param.attribute]; !ok && param.attribute != "buffer" {
			return nil, p.fail(part[0], "kernel %s: parameter %s: attribute %s is not supported", kernel, param.name, param.attribute)
		}
		param.reference = slices.ContainsFunc(part, func(t token) bool { return t.text == "&" })
		for _, other := range all {
			if param.attribute == "buffer" && other.attribute == "buffer" && other.index == param.index {
				return nil, p.fail(part[0], "kernel %s: parameters %s and %s have the same buffer index", kernel, other.name, param.name)
			}
		}
		all = append(all, param)
	}
	return all, nil
}

// addShared notes the declarations of threadgroup memory in a kernel's body, as
// opposed to those of pointers to it.
func (p *program) addShared(body []token) error {
	for i := 1; i < len(body); i++ {
		if before := body[i-1].text; body[i].text != "threadgroup" || before != ";" && before != "{" && before != "}" {
			continue
		}
		end := i + slices.IndexFunc(body[i:], func(t token) bool { return t.text == ";" })
		if end < i {
			return p.fail(body[i], "declaration without an end")
		}
		parts := commas(body[i+1 : end])
		if slices.ContainsFunc(outside(parts[0]), func(t token) bool { return t.text == "*" || t.text == "&" || t.text == "=" }) {
			continue
		}
		declaration := shared{start: body[i].at, end: body[end].end()}
		for n, part := range parts {
			last := len(outside(part)) - 1 // the name: what is after it is in brackets
			if n == 0 {
				if last < 1 {
					return p.fail(body[i], "threadgroup declaration without a type or a name")
				}
				declaration.typ = p.text[part[0].at:part[last-1].end()]
			}
			if last < 0 || n > 0 && last > 0 {
				return p.fail(body[i], "threadgroup declaration that is not TYPE NAME[SIZE], NAME[SIZE];")
			}
			declaration.names = append(declaration.names, part[last].text)
			declaration.dimensions = append(declaration.dimensions, p.text[part[last].end():part[len(part)-1].end()])
		}
		p.shared = append(p.shared, declaration)
	}
	return nil
}

// outside returns the tokens before the first square bracket.
func outside(t []token) []token {
	if i := slices.IndexFunc(t, func(t token) bool { return t.text == "[" }); i >= 0 {
		return t[:i]
	}
	return t
}

// uses returns the function constants that a kernel's code names, be it by way of
// the functions that it calls.
func (p *program) uses(function string) map[string]bool {
	seen, used := map[string]bool{}, map[string]bool{}
	var visit func(name string)
	visit = func(name string) {
		if seen[name] {
			return
		}
		seen[name] = true
		for _, c := range p.chunks {
			if c.name != name {
				continue
			}
			for _, t := range c.tokens {
				if t.text != name {
					visit(t.text)
				}
			}
		}
		for _, c := range p.constants {
			if c.name == name {
				used[name] = true
			}
		}
	}
	visit(function)
	return used
}
