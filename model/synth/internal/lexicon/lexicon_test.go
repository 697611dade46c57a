package lexicon

import (
	"regexp"
	"testing"
)

func TestRulesSpellAsEnglishDoes(t *testing.T) {
	for _, c := range []struct {
		rule     func(string) string
		in, want string
	}{
		{Plural, "dog", "dogs"}, {Plural, "box", "boxes"}, {Plural, "city", "cities"}, {Plural, "day", "days"}, {Plural, "go", "goes"},
		{Past, "stop", "stopped"}, {Past, "play", "played"}, {Past, "try", "tried"}, {Past, "bake", "baked"}, {Past, "need", "needed"}, {Past, "open", "opened"},
		{Past, "quiz", "quizzed"}, {Past, "admitt", "admitted"},
		{Gerund, "make", "making"}, {Gerund, "see", "seeing"}, {Gerund, "swim", "swimming"}, {Gerund, "draw", "drawing"},
		{Agent, "big", "bigger"}, {Agent, "large", "larger"}, {Agent, "happy", "happier"}, {Superlative, "big", "biggest"}, {Superlative, "wide", "widest"},
		{Adverb, "basic", "basically"}, {Adverb, "simple", "simply"}, {Adverb, "full", "fully"}, {Adverb, "easy", "easily"}, {Adverb, "dry", "dryly"},
		{Ness, "lazy", "laziness"}, {Ness, "kind", "kindness"},
		{Action, "create", "creation"}, {Action, "realize", "realization"}, {Action, "verify", "verification"}, {Action, "walk", ""},
	} {
		if got := c.rule(c.in); got != c.want {
			t.Errorf("%s: got %s, want %s", c.in, got, c.want)
		}
	}
}

func TestEntriesParse(t *testing.T) {
	if got, want := noun("child/children"), (Noun{"child", "children"}); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
	if got, want := noun("water/-"), (Noun{"water", ""}); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
	if got, want := verb("admit+"), (Verb{"admit", "admitted", "admitted", "admits", "admitting"}); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
	if got, want := verb("give/gave/given"), (Verb{"give", "gave", "given", "gives", "giving"}); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
	if got, want := verb("cut/cut/cut/cuts/cutting"), (Verb{"cut", "cut", "cut", "cuts", "cutting"}); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

// Every word is plain lower-case ASCII, so that it is one pre-token and lower
// casing leaves it alone.
func TestListsAreWhole(t *testing.T) {
	l := Read()
	plain := regexp.MustCompile(`^[a-z]+$`)
	check := func(list string, min int, words []string) {
		t.Helper()
		if len(words) < min {
			t.Errorf("%s: %d words, want at least %d", list, len(words), min)
		}
		for _, w := range words {
			if !plain.MatchString(w) {
				t.Errorf("%s: %q is not a plain word", list, w)
			}
		}
	}
	for _, topic := range l.Topics {
		var all []string
		for _, n := range topic.Nouns {
			all = append(all, n.Singular)
			if n.Plural != "" {
				all = append(all, n.Plural)
			}
		}
		check(topic.Name, 100, all)
	}
	for _, vs := range [][]Verb{l.Transitive, l.Intransitive} {
		var all []string
		for _, v := range vs {
			all = append(all, v.Base, v.Past, v.Participle, v.Third, v.Gerund)
		}
		check("verbs", 300, all)
	}
	check("auxiliary", 20, l.Auxiliary)
	check("adjectives", 400, l.Adjectives)
	check("adverbs", 100, l.Adverbs)
	check("function", 300, l.Function)
	check("places", 150, l.Places)
	check("people", 100, l.People)
	check("suffixes", 200, l.Suffixes)
	if l.Topics[0].Name != "general" || len(l.Topics) < 12 {
		t.Errorf("%d topics, the first %q", len(l.Topics), l.Topics[0].Name)
	}
}
