// Command genvocab writes the vocabulary of the embedded checkpoint: 30,522
// WordPiece entries laid out as BERT's uncased vocabulary is (special tokens
// at the same ids, then characters, then words and ## pieces), and made here,
// by rule, from the project's own word lists.
package main

import (
	"flag"
	"log"
	"os"
	"strings"

	"github.com/minilm-metal/minilm-metal/model/synth/internal/lexicon"
)

// entries is the number of entries of BERT's uncased vocabulary.
const entries = 30522

func main() {
	log.SetFlags(0)
	log.SetPrefix("genvocab: ")
	out := flag.String("o", "vocab.txt", "the `file` to write")
	flag.Parse()
	if err := os.WriteFile(*out, []byte(text(build())), 0o644); err != nil {
		log.Fatal(err)
	}
}

// text is the file's form: an entry a line, LF.
func text(vocab []string) string { return strings.Join(vocab, "\n") + "\n" }

// list is a vocabulary under construction, without duplicates.
type list struct {
	entries []string
	seen    map[string]bool
}

func (l *list) add(entries ...string) {
	for _, e := range entries {
		if e != "" && !l.seen[e] && len(l.entries) < cap(l.entries) {
			l.seen[e] = true
			l.entries = append(l.entries, e)
		}
	}
}

// build makes the vocabulary, the frequent before the rare.
func build() []string {
	v := &list{make([]string, 0, entries), map[string]bool{}}
	v.add(specials()...)
	single, pieces := characters()
	v.add(single...)
	v.add(pieces...)

	lex := lexicon.Read()
	v.add(lex.Function...)
	v.add(lex.Auxiliary...)
	for _, s := range lex.Suffixes {
		v.add("##" + s)
	}
	v.add(lex.Adverbs...)
	v.add(wordForms(lex)...)
	v.add(lex.Places...)
	v.add(lex.People...)
	v.add(numbers()...)
	v.add(derivedForms(lex)...)
	v.add(syllables()...)
	for c := newCoiner(); len(v.entries) < entries; {
		v.add(c.coin(len(v.entries)%8 == 0))
	}
	return v.entries
}

// specials puts [UNK], [CLS], [SEP] and [MASK] at BERT's ids 100 to 103.
func specials() []string {
	out := []string{"[PAD]"}
	for i := range 99 {
		out = append(out, "[unused"+itoa(i)+"]")
	}
	return append(out, "[UNK]", "[CLS]", "[SEP]", "[MASK]")
}

// wordForms is every listed noun, verb and adjective in its usual forms.
func wordForms(lex *lexicon.Lexicon) []string {
	var out []string
	for _, t := range lex.Topics {
		for _, n := range t.Nouns {
			out = append(out, n.Singular, n.Plural)
		}
	}
	for _, vs := range [][]lexicon.Verb{lex.Transitive, lex.Intransitive} {
		for _, v := range vs {
			out = append(out, v.Base, v.Third, v.Past, v.Participle, v.Gerund)
		}
	}
	for _, a := range lex.Adjectives {
		out = append(out, a)
		if len(a) > 3 {
			out = append(out, lexicon.Adverb(a))
		}
	}
	return out
}

// derivedForms is the rarer words that rules make of the listed ones.
func derivedForms(lex *lexicon.Lexicon) []string {
	var out []string
	for _, a := range lex.Adjectives {
		if lexicon.Syllables(a) <= 2 {
			out = append(out, lexicon.Agent(a), lexicon.Superlative(a))
		}
		out = append(out, lexicon.Ness(a))
	}
	for _, v := range lex.Transitive {
		out = append(out, lexicon.Agent(v.Base), lexicon.Plural(lexicon.Agent(v.Base)))
		if n := lexicon.Action(v.Base); n != "" {
			out = append(out, n, lexicon.Plural(n))
		}
	}
	return out
}
