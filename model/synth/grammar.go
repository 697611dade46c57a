package synth

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
