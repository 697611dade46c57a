package serve

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// tell finds the route that a body is for, among those of one method and path. Where there is
// one, it is that. Else the one that the option Dialect pins counts, or the only one whose mark
// is among the body's fields.
func (h *Handler) tell(candidates []bound, b *body) (bound, *failure) {
	if found, only := h.only(candidates); only {
		return found, nil
	}
	var marks []string
	var found []bound
	for _, c := range candidates {
		if c.mark == "" {
			continue
		}
		marks = append(marks, fmt.Sprintf("%q (%s)", c.mark, c.dialect.name))
		if b.has(c.mark) {
			found = append(found, c)
		}
	}
	for i, c := range found {
		others := slices.Delete(slices.Clone(found), i, i+1)
		if !slices.ContainsFunc(others, func(o bound) bool { return o.mark != c.beside }) {
			return c, nil
		}
	}
	had := "none of them"
	if len(found) > 0 {
		had = strings.Join(quotedMarks(found), " and ")
	}
	slices.Sort(marks)
	return h.undecided(candidates), failed(ambiguous, "this path tells its dialects apart by the fields %s, and the body has %s: send exactly one of them, or have the server started with --dialect", strings.Join(marks, ", "), had)
}

func quotedMarks(routes []bound) (marks []string) {
	for _, r := range routes {
		marks = append(marks, strconv.Quote(r.mark))
	}
	slices.Sort(marks)
	return marks
}

// only returns the one route that a request can be for, whatever its body.
func (h *Handler) only(candidates []bound) (bound, bool) {
	marked := 0
	var last bound
	for _, c := range candidates {
		if c.dialect.name == h.options.dialect {
			return c, true
		}
		if c.mark != "" {
			marked++
			last = c
		}
	}
	switch {
	case len(candidates) == 1:
		return candidates[0], true
	case marked == 1:
		return last, true
	}
	return bound{}, false
}

// undecided is the route whose dialect words the failures of a request before its dialect is
// known: text-embeddings-inference's, where it has the path.
func (h *Handler) undecided(candidates []bound) bound {
	if found, only := h.only(candidates); only {
		return found
	}
	for _, c := range candidates {
		if c.dialect.name == teiName {
			return c
		}
	}
	return candidates[0]
}
