package tokenizer

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"unicode/utf8"
)

// step is one of the normalizers of tokenizer.json, which are applied to a text before it
// is split into words. A single BertNormalizer, which nearly all files have, is not a step:
// the scanner does its work in the same pass.
type step interface {
	// apply appends the normalised form of in to out.
	apply(out, in *normal)
}

// normal is a text between two normalizers.
type normal struct {
	text  []byte // UTF-8
	spans []Span // for each byte, where it came from; nil if offsets are not wanted
	most  int    // the most bytes that text may have; a step may stop when it has more
}

// Texts may grow by this factor, and by this constant in addition. NFKD makes 11 code
// points of one, but several Replaces may make anything of anything.
const (
	mostGrowth   = 64
	mostPrepends = 64 << 10 // bytes
)

// put appends a code point that came from in.text[from:to].
func (n *normal) put(r rune, in *normal, from, to int) {
	n.text = utf8.AppendRune(n.text, r)
	n.came(in, from, to)
}

// puts appends a text that came from in.text[from:to].
func (n *normal) puts(text string, in *normal, from, to int) {
	n.text = append(n.text, text...)
	n.came(in, from, to)
}

// came records that what was appended last came from in.text[from:to].
func (n *normal) came(in *normal, from, to int) {
	if in.spans == nil {
		return
	}
	span := Span{in.spans[from].Start, in.spans[to-1].End}
	for len(n.spans) < len(n.text) {
		n.spans = append(n.spans, span)
	}
}

// keep appends in.text[from:to] unchanged.
func (n *normal) keep(in *normal, from, to int) {
	n.text = append(n.text, in.text[from:to]...)
	if in.spans != nil {
		n.spans = append(n.spans, in.spans[from:to]...)
	}
}

// normalized applies the steps to text[from:to]. If aligned is true, it also records where
// each byte came from.
func normalized(steps []step, text string, from, to int, aligned bool) (*normal, error) {
	in := new(normal)
	if table, ok := steps[0].(*charTable); ok { // it can read any text, and is usually the only step
		table.normalize(in, text, from, to, aligned, nil)
		steps = steps[1:]
	} else {
		in.read(text, from, to, aligned)
	}
	out, most := new(normal), mostGrowth*(to-from)+mostPrepends
	for _, s := range steps {
		*out = normal{out.text[:0], out.spans[:0], most}
		s.apply(out, in)
		if len(out.text) > most {
			return nil, fmt.Errorf("%w: normalized, the %d bytes of a text are more than %d", ErrTooLong, to-from, most)
		}
		in, out = out, in
	}
	return in, nil
}

// read sets n to text[from:to], with U+FFFD for each byte that is not UTF-8.
func (n *normal) read(text string, from, to int, aligned bool) {
	n.text = make([]byte, 0, to-from)
	for at := from; at < to; {
		r, size := utf8.DecodeRuneInString(text[at:to])
		n.text = utf8.AppendRune(n.text, r)
		for aligned && len(n.spans) < len(n.text) {
			n.spans = append(n.spans, Span{at, at + size})
		}
		at += size
	}
}

// A charTable is BertNormalizer, Lowercase, or both.
func (t *charTable) apply(out, in *normal) {
	t.normalize(out, string(in.text), 0, len(in.text), in.spans != nil, in.spans)
}

// normalize sets out to the normalised text[from:to]. origin says where the bytes of text
// came from; nil: they are the original text.
func (t *charTable) normalize(out *normal, text string, from, to int, aligned bool, origin []Span) {
	size := maxExpansion*(to-from) + slack
	s := scanner{chars: t, word: slices.Grow(out.text[:0], size)[:size], origin: origin}
	if aligned {
		s.align = slices.Grow(out.spans[:0], size)[:size]
	}
	s.normalize(text, from, to)
	out.text = s.word[:s.n]
	if aligned {
		out.spans = s.align[:s.n]
	}
}

// stripAccents removes all marks. It decomposes nothing, so composed characters keep their
// accents.
type stripAccents struct{}

func (stripAccents) apply(out, in *normal) {
	for i := 0; i < len(in.text); {
		r, size := utf8.DecodeRune(in.text[i:])
		if r < utf8.RuneSelf || !inRanges(markRanges, r) {
			out.keep(in, i, i+size)
		}
		i += size
	}
}

// strip removes white space at the ends.
type strip struct{ left, right bool }

func (s strip) apply(out, in *normal) {
	from, to := 0, len(in.text)
	if s.left {
		from = to - len(bytes.TrimLeftFunc(in.text, isSpace))
	}
	if s.right {
		to = from + len(bytes.TrimRightFunc(in.text[from:], isSpace))
	}
	out.keep(in, from, to)
}

// prepend puts a text before every text that is not empty.
type prepend string

func (p prepend) apply(out, in *normal) {
	if len(in.text) > 0 {
		_, size := utf8.DecodeRune(in.text)
		out.puts(string(p), in, 0, size)
		out.keep(in, 0, len(in.text))
	}
}

// replace replaces each match by a text, from left to right.
type replace struct {
	text    []byte         // the text to search for, if not nil,
	pattern *regexp.Regexp // else the pattern, which never matches the empty text
	with    string
}

func (p replace) apply(out, in *normal) {
	at := 0
	one := func(from, to int) {
		if len(out.text) <= out.most {
			out.keep(in, at, from)
			out.puts(p.with, in, from, to)
			at = to
		}
	}
	if p.pattern != nil {
		// Not FindAllIndex: the list of all places could be a hundred times as large as the
		// text. A match is a slice of the text, so its capacity tells where it begins.
		p.pattern.ReplaceAllFunc(in.text, func(found []byte) []byte {
			from := cap(in.text) - cap(found)
			one(from, from+len(found))
			return nil
		})
	} else {
		for {
			from := bytes.Index(in.text[at:], p.text)
			if from < 0 || len(out.text) > out.most {
				break
			}
			one(at+from, at+from+len(p.text))
		}
	}
	out.keep(in, at, len(in.text))
}
