// Package lexicon holds the English words that the embedded vocabulary and the
// embedded text are made of: hand-written lists by part of speech, and the
// rules of English spelling that inflect them.
//
// The lists are the project's own; nothing is copied from another model's
// vocabulary or from a corpus.
package lexicon

import (
	_ "embed"
	"strings"
)

var (
	//go:embed nouns.txt
	nouns string
	//go:embed verbs.txt
	verbs string
	//go:embed adjectives.txt
	adjectives string
	//go:embed adverbs.txt
	adverbs string
	//go:embed function.txt
	function string
	//go:embed names.txt
	names string
	//go:embed suffixes.txt
	suffixes string
)

// Noun is a noun in both numbers. Plural is empty for what is not counted.
type Noun struct{ Singular, Plural string }

// Verb is a verb in its five forms: give, gave, given, gives, giving.
type Verb struct{ Base, Past, Participle, Third, Gerund string }

// Topic is the nouns of one subject.
type Topic struct {
	Name  string
	Nouns []Noun
}

// Lexicon is the words by part of speech, in the order of the lists.
type Lexicon struct {
	Topics       []Topic // the first, "general", goes with every other
	Transitive   []Verb
	Intransitive []Verb
	Auxiliary    []string // every form of be, have, do and the modals
	Adjectives   []string
	Adverbs      []string
	Function     []string // articles, pronouns, prepositions, months, units
	Places       []string // proper names, lower case
	People       []string // proper names, lower case
	Suffixes     []string // word ends, without ##
}

// Read parses the embedded lists.
func Read() *Lexicon {
	var l Lexicon
	for _, s := range sections(nouns) {
		t := Topic{Name: s.name}
		for _, w := range s.words {
			t.Nouns = append(t.Nouns, noun(w))
		}
		l.Topics = append(l.Topics, t)
	}
	for _, s := range sections(verbs) {
		for _, w := range s.words {
			switch s.name {
			case "transitive":
				l.Transitive = append(l.Transitive, verb(w))
			case "intransitive":
				l.Intransitive = append(l.Intransitive, verb(w))
			case "auxiliary":
				l.Auxiliary = append(l.Auxiliary, strings.Split(w, "/")...)
			}
		}
	}
	for _, s := range sections(names) {
		if s.name == "places" {
			l.Places = s.words
		} else {
			l.People = s.words
		}
	}
	l.Adjectives = sections(adjectives)[0].words
	l.Adverbs = sections(adverbs)[0].words
	l.Function = sections(function)[0].words
	l.Suffixes = sections(suffixes)[0].words
	return &l
}

type section struct {
	name  string
	words []string
}

// sections splits a list at its [name] lines, and drops # comments. Words
// before the first name are a section without one.
func sections(list string) []section {
	var out []section
	for line := range strings.Lines(list) {
		line = strings.TrimSpace(line)
		switch {
		case line == "" || line[0] == '#':
		case line[0] == '[':
			out = append(out, section{name: strings.Trim(line, "[]")})
		default:
			if len(out) == 0 {
				out = append(out, section{})
			}
			s := &out[len(out)-1]
			s.words = append(s.words, strings.Fields(line)...)
		}
	}
	return out
}

// noun reads "dog", "child/children" or "water/-".
func noun(entry string) Noun {
	singular, plural, given := strings.Cut(entry, "/")
	switch {
	case !given:
		plural = Plural(singular)
	case plural == "-":
		plural = ""
	}
	return Noun{singular, plural}
}

// verb reads "walk", "admit+" or "give/gave/given[/gives/giving]".
func verb(entry string) Verb {
	forms := strings.Split(entry, "/")
	base, double := strings.CutSuffix(forms[0], "+")
	stem := base
	if double {
		stem += base[len(base)-1:]
	}
	v := Verb{base, Past(stem), Past(stem), Plural(base), Gerund(stem)}
	for i, form := range []*string{&v.Base, &v.Past, &v.Participle, &v.Third, &v.Gerund} {
		if i < len(forms) && i > 0 {
			*form = forms[i]
		}
	}
	return v
}
