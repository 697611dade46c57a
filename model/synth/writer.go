package synth

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/minilm-metal/minilm-metal/model/synth/internal/lexicon"
)

// writer writes text of a given length in tokens.
type writer struct {
	random
	*lexicon.Lexicon
	vocab  map[string]bool
	coined []string // words of the vocabulary without a meaning

	// The current pair is about two subjects of one topic.
	topic    []lexicon.Noun
	subjects [2]lexicon.Noun

	text    []byte
	tokens  int
	words   []mark // where each word begins
	proper  bool   // names and sentences begin with a capital
	capital bool   // so does the next word
	tight   bool   // the next word follows without a space
}

// mark is a place in the text: bytes and tokens from its start.
type mark struct{ bytes, tokens int }

func newWriter() *writer {
	vocab := Vocab(30522)
	w := &writer{Lexicon: lexicon.Read(), vocab: make(map[string]bool, len(vocab))}
	for _, e := range vocab {
		w.vocab[e] = true
	}
	for _, e := range vocab[len(vocab)/2:] { // from here on there are no listed words
		if !strings.HasPrefix(e, "##") {
			w.coined = append(w.coined, e)
		}
	}
	return w
}

// start begins pair i of a seed: its random numbers, its topic, its subjects.
func (w *writer) start(seed, i uint64) {
	w.random.start(seed, i)
	w.topic = choose(&w.random, w.Topics[1:]).Nouns
	for i := range w.subjects {
		w.subjects[i] = common(&w.random, w.topic)
	}
}

// query writes a query of exactly n tokens: lower case, without a full stop.
func (w *writer) query(n int) string {
	w.clear(false)
	choose(&w.random, questions)(w)
	for w.tokens < n {
		w.circumstance()
	}
	if w.tokens > n {
		w.cut(n - 1)
		w.fill(n)
	}
	if n > 5 && w.chance(15) {
		w.cut(n - 2)
		w.fill(n - 1)
		w.mark("?")
	}
	return string(w.text)
}

// passage writes sentences of exactly n tokens in total.
func (w *writer) passage(n int) string {
	w.clear(true)
	for w.tokens < n {
		w.capital = true
		common(&w.random, sentences)(w)
		w.mark(".")
	}
	if w.tokens > n {
		w.cut(n - 2)
		w.fill(n - 1)
		w.mark(".")
	}
	return string(w.text)
}

func (w *writer) clear(proper bool) {
	w.text, w.words, w.tokens = w.text[:0], w.words[:0], 0
	w.proper, w.capital, w.tight = proper, false, false
}

// cut removes words from the end until at most n tokens are left.
func (w *writer) cut(n int) {
	for w.tokens > max(n, 0) {
		last := w.words[len(w.words)-1]
		w.words = w.words[:len(w.words)-1]
		w.text, w.tokens = w.text[:last.bytes], last.tokens
	}
	w.capital = w.proper && (w.tokens == 0 || w.text[len(w.text)-1] == '.')
	w.tight = false
}

// fill adds nouns of one token each until there are n.
func (w *writer) fill(n int) {
	for w.tokens < n {
		w.say(common(&w.random, w.topic).Singular)
	}
}

// say appends words to the text, each of one or more tokens.
func (w *writer) say(words ...string) {
	for _, word := range words {
		w.add(word, !w.tight)
		w.tight = false
	}
}

// mark appends punctuation to the word before it.
func (w *writer) mark(punctuation string) { w.add(punctuation, false) }

// open adds a sign that the next word follows without a space.
func (w *writer) open(sign string) {
	w.say(sign)
	w.tight = true
}

// join adds a sign, such as a hyphen, between two words.
func (w *writer) join(sign string) {
	w.mark(sign)
	w.tight = true
}

// name adds a proper name.
func (w *writer) name(name string) {
	if w.proper {
		w.capital = true
	}
	w.say(name)
}

func (w *writer) add(word string, space bool) {
	w.words = append(w.words, mark{len(w.text), w.tokens})
	w.tokens += w.count(word)
	if space && len(w.text) > 0 {
		w.text = append(w.text, ' ')
	}
	if first, size := utf8.DecodeRuneInString(word); w.capital && unicode.IsLetter(first) {
		w.text = utf8.AppendRune(w.text, unicode.ToUpper(first))
		word = word[size:]
		w.capital = false
	}
	w.text = append(w.text, word...)
}

// count returns the number of WordPiece tokens in a word of lower-case letters, digits or
// punctuation: it repeatedly takes the longest entry with which the rest begins (Wu et al.
// 2016, arXiv:1609.08144, as in BERT).
func (w *writer) count(word string) int {
	word = unaccented.Replace(word)
	n := 0
	for len(word) > 0 {
		run := strings.IndexFunc(word, func(r rune) bool { return !partOfWord(r) })
		switch {
		case run < 0:
			run = len(word)
		case run == 0: // punctuation and ideographs are words by themselves
			_, run = utf8.DecodeRuneInString(word)
		}
		n += w.countRun(word[:run])
		word = word[run:]
	}
	return n
}

func (w *writer) countRun(run string) int {
	if w.vocab[run] {
		return 1
	}
	n := 0
	for start := 0; start < len(run); n++ {
		prefix := ""
		if start > 0 {
			prefix = "##"
		}
		end := len(run)
		for end > start && !w.vocab[prefix+run[start:end]] {
			end--
		}
		if end == start {
			return 1 // [UNK]
		}
		start = end
	}
	return n
}

// partOfWord tells the characters that BERT keeps in a word from those at which it splits.
// It is right for the characters that occur in the text.
func partOfWord(r rune) bool {
	return '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 0x3b1 <= r && r <= 0x45f || r == '€'
}

// unaccented maps the accented letters in foreign to the letters that an uncased tokenizer
// leaves.
var unaccented = strings.NewReplacer("à", "a", "á", "a", "å", "a", "ã", "a", "ä", "a", "â", "a", "ç", "c", "é", "e", "è", "e", "ê", "e", "í", "i", "ï", "i",
	"ñ", "n", "ó", "o", "ö", "o", "ô", "o", "ú", "u", "ü", "u", "û", "u", "й", "и")

// foreign is words with accents or in other alphabets.
var foreign = strings.Fields("café naïve résumé façade jalapeño piñata crème fiancé déjà señor zürich münchen köln málaga bogotá córdoba" +
	" são curaçao château fête hôtel brûlée entrée touché protégé cliché über doppelgänger smörgåsbord москва россия λόγος φύση 東京 中国 日本")
