package emulator

// checkSpaces returns an error of the first pointer or reference, among functions'
// parameters and the variables in their bodies, that does not say to which memory
// it is, as Metal wants it. It goes by the form of the declaration.
func (p *program) checkSpaces() error {
	for _, c := range p.chunks {
		open := signature(c.tokens)
		if open <= 0 {
			continue
		}
		end := closing(c.tokens, open)
		for _, part := range commas(c.tokens[open+1 : end]) {
			said, points := false, false
			for _, t := range part {
				switch t.text {
				case "device", "constant", "threadgroup", "thread":
					said = true
				case "*", "&":
					points = true
				}
			}
			if points && !said {
				return p.fail(part[0], "%s: parameter %s has no address space", c.tokens[open-1].text, part[len(part)-1].text)
			}
		}
		for i := end + 1; i < len(c.tokens); i++ {
			switch c.tokens[i-1].text {
			case ";", "{", "}", "(":
				if name, ok := spaceless(c.tokens[i:]); ok {
					return p.fail(c.tokens[i], "%s: %s has no address space", c.tokens[open-1].text, name)
				}
			}
		}
	}
	return nil
}

// spaceless says whether a statement begins as TYPE *NAME = or const TYPE &NAME =,
// and returns the name.
func spaceless(t []token) (name string, ok bool) {
	if t[0].text == "const" {
		t = t[1:]
	}
	if len(t) < 5 || !isWord(t[0].text[0]) || t[0].text == "auto" || t[0].text == "return" {
		return "", false
	}
	points := t[1].text == "*" || t[1].text == "&"
	return t[2].text, points && isWord(t[2].text[0]) && t[3].text == "=" && t[4].text != "="
}
