package tokenizer

import (
	"bytes"
	"fmt"
	"regexp"
	"unicode/utf8"
)

// step is one of the normalizers that tokenizer.json can have, through which a text goes
// before it is split into words. BertNormalizer alone, which nearly all files have, is no
// step: the scanner does what it does in its one pass.
type step interface {
	// apply appends what it makes of in to out.
	apply(out, in *normal)
}

// normal is a text on its way through the normalizers.
type normal struct {
	text  []byte // UTF-8
	spans []Span // of each byte: where it came from; nil where nobody asks
	most  int    // bytes that text may have: who sees that it has more may stop
}

// Texts may grow by this factor, and as much besides: NFKD makes 11 of 1, but a Replace
// may make anything of anything, one after the other.
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

// came notes that what was appended last came from in.text[from:to].
func (n *normal) came(in *normal, from, to int) {
	if in.spans == nil {
		return
	}
	span := Span{in.spans[from].Start, in.spans[to-1].End}
	for len(n.spans) < len(n.text) {
		n.spans = append(n.spans, span)
	}
}

// keep appends in.text[from:to] as it is.
func (n *normal) keep(in *normal, from, to int) {
	n.text = append(n.text, in.text[from:to]...)
	if in.spans != nil {
		n.spans = append(n.spans, in.spans[from:to]...)
	}
}

// normalized returns what the steps make of text[from:to], and where each byte of that
// came from if aligned.
func normalized(steps []step, text string, from, to int, aligned bool) (*normal, error) {
	in := new(normal)
	if table, ok := steps[0].(*charTable); ok { // which reads any text, and is the only step of most
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

// read makes n text[from:to], with U+FFFD for each byte that is not UTF-8.
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

// normalize makes out what text[from:to] becomes, where origin says where its bytes came
// from, nil from the text itself.
func (t *charTable) normalize(out *normal, text string, from, to int, aligned bool, origin []Span) {
	size := maxExpansion*(to-from) + slack
	s := scanner{chars: t, word: resized(out.text, size), origin: origin}
	if aligned {
		s.align = resized(out.spans, size)
	}
	s.normalize(text, from, to)
	out.text = s.word[:s.n]
	if aligned {
		out.spans = s.align[:s.n]
	}
}

// resized returns a slice of n elements, buf's memory if that is enough.
func resized[T any](buf []T, n int) []T {
	if cap(buf) < n {
		return make([]T, n)
	}
	return buf[:n]
}

// stripAccents drops all marks. It decomposes nothing: what has its accent within stays.
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

// strip drops white space at the ends.
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

// replace puts a text in the place of each that is found, from left to right.
type replace struct {
	text    []byte         // to be found, where it is not nil,
	pattern *regexp.Regexp // else this, which is never an empty text
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
		// Not FindAllIndex: a list of all places may be a hundred times the text. What is
		// found is a part of the text, so that its capacity tells where it begins.
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
