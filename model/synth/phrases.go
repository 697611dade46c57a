package synth

import (
	"strconv"

	"github.com/minilm-metal/minilm-metal/model/synth/internal/lexicon"
)

// clause is a subject, a verb and what follows it.
func (w *writer) clause() {
	v := w.verb()
	third := true
	switch w.below(8) {
	case 0, 1:
		w.plural()
		third = false
	case 2:
		w.person()
	case 3:
		w.say(choose(&w.random, []string{"you", "we", "they", "people", "many people"}))
		third = false
	default:
		w.object()
	}
	switch w.below(5) {
	case 0:
		w.say(w.modal(), v.Base)
	case 1:
		w.say(v.Past)
	case 2:
		w.say(common(&w.random, w.Adverbs))
		fallthrough
	default:
		if third {
			w.say(v.Third)
		} else {
			w.say(v.Base)
		}
	}
	if w.chance(15) { // an intransitive verb would do without
		w.say("to", choose(&w.random, w.Intransitive).Base, "with")
	}
	w.object()
}

// object is a noun with an article, and an adjective or a noun before it.
func (w *writer) object() {
	var before []string
	switch w.below(10) {
	case 0, 1, 2, 3:
		before = append(before, w.adjective())
	case 4, 5:
		before = append(before, w.noun().Singular)
	}
	before = append(before, w.noun().Singular)
	w.article(choose(&w.random, []string{"the", "the", "the", "a", "a", "this", "each", "your", "his"}), before...)
	if w.chance(12) {
		w.rare()
	}
	if w.chance(25) {
		w.say("of")
		w.article("the", w.noun().Singular)
	}
}

// article says words with an article before them, "a" or "an" as they sound.
func (w *writer) article(article string, words ...string) {
	if article == "a" && words[0] != "" {
		switch words[0][0] {
		case 'a', 'e', 'i', 'o', 'u':
			article = "an"
		}
	}
	w.say(article)
	if w.chance(3) {
		words[0] += "-" + common(&w.random, w.Adjectives)
	}
	w.say(words...)
}

// plural says a noun in the plural, or one that is not counted.
func (w *writer) plural() {
	if w.chance(30) {
		w.say(w.adjective())
	}
	n := w.noun()
	if n.Plural == "" {
		w.say(n.Singular)
	} else {
		w.say(n.Plural)
	}
}

// circumstance says where, when or what for.
func (w *writer) circumstance() {
	switch w.below(7) {
	case 0:
		w.say("in")
		w.name(common(&w.random, w.Places))
	case 1:
		w.say("in", w.year())
	case 2:
		w.say(choose(&w.random, []string{"during", "after", "before", "without", "through", "under"}))
		w.article("the", w.noun().Singular)
	case 3:
		w.say("for")
		w.plural()
	case 4:
		w.say("with")
		w.article("a", w.adjective(), w.noun().Singular)
	case 5:
		w.say("from", w.number(), "to", w.number(), "years")
	case 6:
		w.say("at", "the", w.noun().Singular, "of")
		w.rare()
	}
}

// noun is one of the pair's subjects, of its topic, or of those that go with
// every topic.
func (w *writer) noun() lexicon.Noun {
	switch w.below(10) {
	case 0, 1, 2:
		return w.subject(w.below(2))
	case 3, 4, 5, 6:
		return common(&w.random, w.topic)
	}
	return common(&w.random, w.Topics[0].Nouns)
}

func (w *writer) subject(i int) lexicon.Noun { return w.subjects[i] }

func (w *writer) plurals(i int) string {
	if p := w.subjects[i].Plural; p != "" {
		return p
	}
	return w.subjects[i].Singular
}

func (w *writer) verb() lexicon.Verb { return common(&w.random, w.Transitive) }

func (w *writer) adjective() string { return common(&w.random, w.Adjectives) }

func (w *writer) modal() string {
	return choose(&w.random, []string{"can", "will", "may", "should", "must", "could", "might"})
}

func (w *writer) person() {
	w.name(common(&w.random, w.People))
	w.name(common(&w.random, w.People))
}

// year is one of the last centuries, the recent ones more often.
func (w *writer) year() string { return strconv.Itoa(2025 - w.rank(425)) }

// number is small most of the time.
func (w *writer) number() string {
	if w.chance(25) {
		return strconv.Itoa(1+w.below(40)) + "," + strconv.Itoa(100+w.below(900))
	}
	return strconv.Itoa(2 + w.rank(5000))
}

// quantity says a price, a share or a measure.
func (w *writer) quantity() {
	switch w.below(4) {
	case 0:
		w.open("$")
		w.say(w.number(), "per", common(&w.random, w.Topics[0].Nouns).Singular)
	case 1:
		w.say(strconv.Itoa(w.below(100))+"."+strconv.Itoa(w.below(10)), "percent")
	case 2:
		w.say(w.number(), "to", w.number(), choose(&w.random, []string{"miles", "pounds", "degrees", "hours", "mg", "km", "feet"}))
	case 3:
		w.say("€" + w.number()) // a symbol, which unlike $ is no word by itself
	}
}

// rare says a word that few texts have: one that means nothing, one that is
// put together from pieces, or a foreign one.
func (w *writer) rare() {
	switch w.below(10) {
	case 0:
		w.name(choose(&w.random, foreign))
	case 1, 2, 3:
		w.say(choose(&w.random, w.coined))
	case 4, 5, 6:
		w.say(w.noun().Singular + choose(&w.random, w.Suffixes))
	default:
		w.say(choose(&w.random, w.coined) + choose(&w.random, w.Suffixes) + choose(&w.random, w.Suffixes))
	}
}
