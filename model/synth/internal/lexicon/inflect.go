package lexicon

import "strings"

// The rules below are those of English spelling for regular words. They make
// words that look right, which is all that their users need.

func vowel(b byte) bool { return strings.IndexByte("aeiou", b) >= 0 }

// Plural adds the -s of nouns in the plural and of verbs in the third person.
func Plural(w string) string {
	n := len(w)
	switch {
	case strings.HasSuffix(w, "y") && n > 1 && !vowel(w[n-2]):
		return w[:n-1] + "ies"
	case hasAnySuffix(w, "s", "x", "z", "ch", "sh"):
		return w + "es"
	case hasAnySuffix(w, "go", "do"):
		return w + "es"
	}
	return w + "s"
}

// Past adds -ed.
func Past(w string) string {
	n := len(w)
	switch {
	case strings.HasSuffix(w, "e"):
		return w + "d"
	case strings.HasSuffix(w, "y") && n > 1 && !vowel(w[n-2]):
		return w[:n-1] + "ied"
	}
	return doubled(w) + "ed"
}

// Gerund adds -ing.
func Gerund(w string) string {
	switch {
	case hasAnySuffix(w, "ee", "oe", "ye"):
		return w + "ing"
	case strings.HasSuffix(w, "e"):
		return w[:len(w)-1] + "ing"
	}
	return doubled(w) + "ing"
}

// Agent adds the -er of who or what does it; of adjectives it is the
// comparative.
func Agent(w string) string {
	n := len(w)
	switch {
	case strings.HasSuffix(w, "e"):
		return w + "r"
	case strings.HasSuffix(w, "y") && n > 1 && !vowel(w[n-2]):
		return w[:n-1] + "ier"
	}
	return doubled(w) + "er"
}

// Superlative adds -est.
func Superlative(w string) string { return strings.TrimSuffix(Agent(w), "r") + "st" }

// Adverb adds -ly.
func Adverb(w string) string {
	n := len(w)
	switch {
	case strings.HasSuffix(w, "ic"):
		return w + "ally"
	case strings.HasSuffix(w, "le") && n > 2 && !vowel(w[n-3]):
		return w[:n-1] + "y"
	case strings.HasSuffix(w, "ll"):
		return w + "y"
	case strings.HasSuffix(w, "y") && Syllables(w) > 1:
		return w[:n-1] + "ily"
	}
	return w + "ly"
}

// Ness is the noun of an adjective: happy, happiness.
func Ness(w string) string {
	if strings.HasSuffix(w, "y") && Syllables(w) > 1 {
		return w[:len(w)-1] + "iness"
	}
	return w + "ness"
}

// Action is the noun of a verb in -ate, -ize or -ify; empty for others.
func Action(w string) string {
	switch {
	case strings.HasSuffix(w, "ate"):
		return w[:len(w)-1] + "ion"
	case strings.HasSuffix(w, "ize"):
		return w[:len(w)-1] + "ation"
	case strings.HasSuffix(w, "ify"):
		return w[:len(w)-1] + "ication"
	}
	return ""
}

// Syllables counts the groups of vowels (a, e, i, o, u and a y after the
// first letter).
func Syllables(w string) int {
	n, in := 0, false
	for i := range len(w) {
		v := vowel(w[i]) || w[i] == 'y' && i > 0
		if v && !in {
			n++
		}
		in = v
	}
	return n
}

// doubled repeats the last letter of a short word that ends in consonant,
// vowel, consonant: stop, stopp.
func doubled(w string) string {
	n := len(w)
	if n < 3 || Syllables(w) != 1 || vowel(w[n-1]) || !vowel(w[n-2]) || strings.IndexByte("wxy", w[n-1]) >= 0 {
		return w
	}
	if vowel(w[n-3]) && (n < 4 || w[n-4:n-2] != "qu") {
		return w
	}
	return w + w[n-1:]
}

func hasAnySuffix(w string, ends ...string) bool {
	for _, e := range ends {
		if strings.HasSuffix(w, e) {
			return true
		}
	}
	return false
}
