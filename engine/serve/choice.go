package serve

import (
	"slices"
	"strconv"
	"strings"

	"github.com/minilm-metal/minilm-metal/model/tokenizer"
)

// choice returns a string that is one of several, or the first of them if it is missing or null.
func (b *body) choice(name string, of ...string) string {
	v, ok := b.field(name)
	if !ok {
		return of[0]
	}
	is := v.text()
	if !slices.Contains(of, is) {
		b.fail(about(name, badValue, "field %q: want %s", name, oneOf(of)))
		return of[0]
	}
	return is
}

// oneOf lists what a field may be.
func oneOf(names []string) string {
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = strconv.Quote(n)
	}
	return strings.Join(quoted, " or ")
}

// side returns the end at which texts are cut: nil if the field is missing or null. The names of
// the right end come first among those allowed, then as many of the left.
func (b *body) side(name string, of ...string) *tokenizer.Side {
	if _, given := b.field(name); !given {
		return nil
	}
	side := tokenizer.TruncateRight
	if is := b.choice(name, of...); slices.Index(of, is) >= len(of)/2 {
		side = tokenizer.TruncateLeft
	}
	return &side
}
