package emulator

import "slices"

// program is what there is to know of the shaders before clang sees them.
type program struct {
	text      string // preprocessed
	kernels   []kernel
	constants []constant // by order of declaration
	derived   []derived  // likewise
	shared    []shared
	blanks    [][2]int // attributes, which clang does not know
	chunks    []chunk
}

// kernel is one that can be asked for by name.
type kernel struct {
	name       string // as the host says it
	expression string // as C++ says it: linear<64, 64>
	function   string // without template arguments
	parameters []parameter
}

// parameter is one of a kernel's. An attribute that is not "buffer" is a position
// in the grid.
type parameter struct {
	name      string
	attribute string
	index     int // of [[buffer(index)]]
	reference bool
}

// constant is a function constant.
type constant struct {
	name, typ string
	index     int
	word      token // "constant", where it is declared
}

// derived is a constant computed from function constants, and so when they are set.
type derived struct {
	name        string
	word        token // "constant"
	start, end  int   // of the initialiser, from its = on
	initialiser string
}

// shared is a declaration of threadgroup memory in a kernel's body.
type shared struct {
	start, end int // with its semicolon
	typ        string
	names      []string // with their dimensions: "a", "[64][40]"
	dimensions []string
}

// chunk is a declaration at the outermost level.
type chunk struct {
	name   string
	tokens []token
}

// parse reads a preprocessed text.
func parse(text string) (*program, error) {
	p := &program{text: text}
	functions := map[string][]parameter{}
	var instances []kernel
	for _, c := range split(lex(text)) {
		t := c.tokens
		open := signature(t)
		if open > 0 {
			c.name = t[open-1].text
		} else if i := slices.IndexFunc(t, isStruct); i >= 0 && i+1 < len(t) {
			c.name = t[i+1].text
		}
		attributes, err := p.blankAttributes(t)
		if err != nil {
			return nil, err
		}
		switch {
		case slices.Contains(attributes, "function_constant"):
			if err := p.addConstant(t); err != nil {
				return nil, err
			}
			c.name = p.constants[len(p.constants)-1].name
		case slices.Contains(attributes, "host_name"):
			k, err := p.instance(t)
			if err != nil {
				return nil, err
			}
			instances = append(instances, k)
		case open == 0 && slices.ContainsFunc(t, func(t token) bool { return t.text == "constant" }):
			if c.name, err = p.addDerived(t); err != nil {
				return nil, err
			}
		case open > 0 && slices.ContainsFunc(t[:open], func(t token) bool { return t.text == "kernel" }):
			parameters, err := p.parameters(t, open)
			if err != nil {
				return nil, err
			}
			functions[c.name] = parameters
			if t[0].text != "template" {
				p.kernels = append(p.kernels, kernel{c.name, c.name, c.name, parameters})
			}
			if err := p.addShared(t[closing(t, open):]); err != nil {
				return nil, err
			}
		case open > 0:
			if i := slices.IndexFunc(t[closing(t, open):], func(t token) bool { return t.text == "threadgroup" }); i >= 0 {
				if n := len(p.shared); p.addShared(t[closing(t, open):]) != nil || len(p.shared) > n {
					return nil, p.fail(t[closing(t, open)+i], "threadgroup memory is declared in kernels only")
				}
			}
		}
		p.chunks = append(p.chunks, c)
	}
	for _, k := range instances {
		parameters, ok := functions[k.function]
		if !ok {
			return nil, errorAt(text, 0, "%q names no kernel: %s", k.name, k.expression)
		}
		k.parameters = parameters
		p.kernels = append(p.kernels, k)
	}
	return p, nil
}

func (p *program) fail(t token, format string, args ...any) error {
	return errorAt(p.text, t.at, format, args...)
}

func isStruct(t token) bool { return t.text == "struct" || t.text == "class" || t.text == "enum" }

// split returns the declarations at the outermost level, or in namespaces there.
func split(tokens []token) (chunks []chunk) {
	depth, start := 0, 0
	for i := 0; i < len(tokens); i++ {
		switch tokens[i].text {
		case "{":
			if depth == 0 && tokens[start].text == "namespace" {
				start = i + 1
				continue
			}
			depth++
		case "(", "[":
			depth++
		case ")", "]":
			depth--
		case "}":
			if depth == 0 { // of a namespace
				start = i + 1
				continue
			}
			depth--
			if depth > 0 || i+1 < len(tokens) && tokens[i+1].text == ";" {
				continue
			}
			chunks = append(chunks, chunk{tokens: tokens[start : i+1]})
			start = i + 1
		case ";":
			if depth == 0 {
				chunks = append(chunks, chunk{tokens: tokens[start : i+1]})
				start = i + 1
			}
		}
	}
	return chunks
}

// closing returns the index of the bracket that closes the one at open.
func closing(t []token, open int) int {
	depth := 0
	for i := open; i < len(t); i++ {
		switch t[i].text {
		case "(", "[", "{":
			depth++
		case ")", "]", "}":
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return len(t) - 1
}

// signature returns the index of the bracket that opens a function's parameters,
// or 0 where the declaration is not a function's definition.
func signature(t []token) int {
	if t[len(t)-1].text != "}" {
		return 0
	}
	i := 0
	if t[0].text == "template" {
		for angle := 0; i < len(t); i++ {
			if t[i].text == "<" {
				angle++
			} else if t[i].text == ">" {
				if angle--; angle == 0 {
					break
				}
			}
		}
	}
	for ; i < len(t); i++ {
		switch t[i].text {
		case "[":
			i = closing(t, i)
		case "{", "=":
			return 0
		case "(":
			return i
		}
	}
	return 0
}

// attribute returns the words of the attribute that begins at t[i], and the index
// after it: [[buffer(3)]] is "buffer", "3".
func attribute(t []token, i int) (words []string, after int) {
	if i+1 >= len(t) || t[i].text != "[" || t[i+1].text != "[" || t[i+1].at != t[i].at+1 {
		return nil, i
	}
	after = closing(t, i) + 1
	for _, w := range t[i:after] {
		if isWord(w.text[0]) || w.text[0] == '"' {
			words = append(words, w.text)
		}
	}
	return words, after
}

// blankAttributes notes where attributes are and returns their names.
func (p *program) blankAttributes(t []token) (names []string, err error) {
	for i := range t {
		words, after := attribute(t, i)
		if words == nil {
			continue
		}
		p.blanks = append(p.blanks, [2]int{t[i].at, t[after-1].end()})
		names = append(names, words[0])
		if words[0] == "threadgroup" {
			return nil, p.fail(t[i], "threadgroup memory as a parameter is not supported")
		}
	}
	return names, nil
}
