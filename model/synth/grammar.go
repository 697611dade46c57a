package synth

import (
	"strconv"

	"github.com/minilm-metal/minilm-metal/model/synth/internal/lexicon"
)

// A form writes one sentence, without its full stop, or one question.
type form func(*writer)

// sentences are the forms of a passage, the commonest first.
var sentences = []form{
	func(w *writer) { w.clause() },
	func(w *writer) { w.clause(); w.circumstance() },
	func(w *writer) { // A kidney is a solid organ that ...
		n := w.noun()
		w.article("a", n.Singular)
		w.say("is")
		w.article("a", w.adjective(), w.noun().Singular)
		w.say("that", w.verb().Third)
		w.plural()
		w.circumstance()
	},
	func(w *writer) { w.circumstance(); w.mark(","); w.clause() },
	func(w *writer) { // If you ..., you can ...
		w.say(choose(&w.random, []string{"if", "when", "before", "after", "while"}), "you", w.verb().Base, "your", w.noun().Singular)
		w.mark(",")
		w.say("you", w.modal(), w.verb().Base)
		w.object()
	},
	func(w *writer) { // The average cost of ... is $1,200 per ...
		w.say("the", "average", choose(&w.random, []string{"cost", "price", "weight", "size", "rate"}), "of")
		w.article("a", w.adjective(), w.noun().Singular)
		w.say("is", choose(&w.random, []string{"about", "around", "nearly", "over"}))
		w.quantity()
	},
	func(w *writer) { // There are 12 ... in ...
		w.say("there", "are", w.number())
		w.plural()
		w.say("in")
		w.name(common(&w.random, w.Places))
		w.mark(",")
		w.say("and", "most", "of", "them", w.verb().Base)
		w.object()
	},
	func(w *writer) { // These include ..., ..., and ...
		w.say(choose(&w.random, []string{"these", "examples", "symptoms", "they", "common types"}), "include")
		for range 2 + w.below(3) {
			w.plural()
			w.mark(",")
		}
		w.say("and")
		w.plural()
	},
	func(w *writer) { // In 1921, John Smith ...
		w.say("in", w.year())
		w.mark(",")
		w.person()
		w.say(w.verb().Past, "the", w.noun().Singular, "of")
		w.name(common(&w.random, w.Places))
	},
	func(w *writer) { // The liver (also known as ...) ...
		w.say("the", w.noun().Singular)
		w.open("(")
		w.say("also", "known", "as")
		w.rare()
		w.mark(")")
		w.say(w.verb().Third)
		w.object()
	},
	func(w *writer) { // It is important to ... because ...
		w.say("it", "is", w.adjective(), "to", w.verb().Base)
		w.object()
		w.say(choose(&w.random, []string{"because", "so that", "even though", "since"}))
		w.clause()
	},
	func(w *writer) { // According to ..., ... was ... by ...
		w.say("according", "to")
		w.person()
		w.mark(",")
		w.object()
		w.say("was", w.verb().Participle, "by")
		w.object()
	},
	func(w *writer) { // ...: ...; ...
		w.say("the", "main", w.noun().Singular)
		w.mark(":")
		w.rare()
		w.mark(";")
		w.clause()
	},
	func(w *writer) { // "...", said ...
		w.open("\"")
		w.clause()
		w.mark(",")
		w.mark("\"")
		w.say("said")
		w.person()
	},
	func(w *writer) { // Visit www...
		w.say("for", "more", "information", "on")
		w.plural()
		w.mark(",")
		w.say("visit", "www")
		w.join(".")
		w.rare()
		w.join(".")
		w.say("com")
	},
}

// questions are the forms of a query.
var questions = []form{
	func(w *writer) { w.say("what", "is"); w.article("a", w.subject(0).Singular) },
	func(w *writer) {
		w.say("what", "is", "the", w.adjective(), w.subject(0).Singular, "of", w.subject(1).Singular)
	},
	func(w *writer) { w.say("how", "to", w.verb().Base); w.article("a", w.subject(0).Singular) },
	func(w *writer) { w.say("how", "much", "does"); w.article("a", w.subject(0).Singular); w.say("cost") },
	func(w *writer) { w.say("how", "many", w.plurals(0), "are", "in"); w.name(common(&w.random, w.Places)) },
	func(w *writer) { w.say("what", "causes", w.subject(0).Singular, "in", w.plurals(1)) },
	func(w *writer) { w.say("average", w.subject(0).Singular, "for", w.subject(1).Singular) },
	func(w *writer) { w.say(w.subject(0).Singular, w.subject(1).Singular, "definition") },
	func(w *writer) {
		w.say("where", "is")
		w.name(common(&w.random, w.Places))
		w.say(w.subject(0).Singular)
	},
	func(w *writer) { w.say("who", w.verb().Past, "the", w.subject(0).Singular) },
	func(w *writer) { w.rare(); w.say(w.subject(0).Singular) },
	func(w *writer) {
		w.say("does", w.subject(0).Singular, w.verb().Base, w.subject(1).Singular)
	},
	func(w *writer) {
		w.say("difference", "between", w.subject(0).Singular, "and", w.subject(1).Singular)
	},
}

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
func (w *writer) adjective() string  { return common(&w.random, w.Adjectives) }
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
