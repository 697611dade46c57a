package tokenizer

import (
	"fmt"
	"math"
	"slices"
	"unicode/utf8"
)

// Options say how a vocabulary is used. The zero value is BERT's cased pre-tokenizer
// without normalisation; nearly all English models need [Uncased].
type Options struct {
	Lowercase    bool  // convert to lower case, one code point at a time
	StripAccents *bool // decompose, and remove accents; nil: same as Lowercase
	CleanText    bool  // remove controls, and replace all white space by spaces
	ChineseChars bool  // put spaces around CJK ideographs

	MaxWordChars int    // words with more code points are Unknown; 0 means 100
	Prefix       string // of pieces inside a word; "" means "##"

	Unknown, Class, Separator string // "" means [UNK], [CLS], [SEP]

	// Added are the tokens that are searched for in the text before everything else. One
	// that is not in the vocabulary gets the next free id. nil means those of [PAD],
	// [MASK], Unknown, Class and Separator that are in the vocabulary.
	Added []AddedToken

	Truncation // how pairs that are too long are cut

	OneType bool // the passage has type 0, like the query

	// From tokenizer.json: the steps that normalise, if they are not a BertNormalizer
	// (which the switches above describe), and the types of its normalizers, "" for a
	// single BertNormalizer.
	steps       []step
	normalizers string
	// Also from there: around a single text are other tokens than [CLS] and [SEP].
	otherSingle bool
}

// Uncased returns the options of bert-base-uncased and its descendants.
func Uncased() Options {
	return Options{Lowercase: true, CleanText: true, ChineseChars: true}
}

// strip reports whether accents are stripped.
func (o Options) strip() bool {
	if o.StripAccents != nil {
		return *o.StripAccents
	}
	return o.Lowercase
}

const (
	defaultWordChars = 100
	defaultLength    = 512
	maxWordChars     = 1 << 16
	specials         = 3 // [CLS], [SEP], [SEP], around a pair
	textSpecials     = 2 // [CLS], [SEP], around one text
)

// Tokenizer converts pairs of texts to ids. It never changes, and is safe for concurrent
// use.
type Tokenizer struct {
	tokens        []string   // by id
	words, pieces *wordTable // at the beginning of a word, inside a word
	chars         *charTable
	added         map[string]int32 // ids of the added tokens
	raw           *addedSet        // those searched for in the original text

	// nil unless texts are normalised as a whole before they are scanned:
	steps      []step     // the normalizers
	normalized *addedSet  // added tokens searched for in the normalised text
	plain      *charTable // the table with which it is then scanned

	unknown, class, separator int32

	maxWordChars int
	truncation   Truncation
	passage      int32 // the type of its tokens

	// Set by LoadFS.
	lengthSource string
	warnings     []string
	otherSingle  bool
}

// New returns a tokenizer for a vocabulary: vocab[i] is the token with id i.
func New(vocab []string, o Options) (*Tokenizer, error) {
	t, err := build(vocab, o)
	if err != nil {
		return nil, fmt.Errorf("tokenizer: %w", err)
	}
	return t, nil
}

func build(vocab []string, o Options) (*Tokenizer, error) {
	if len(vocab)+len(o.Added) > math.MaxInt32 {
		return nil, fmt.Errorf("vocabulary of %d tokens, want at most %d", len(vocab), math.MaxInt32)
	}
	for id, token := range vocab {
		switch {
		case token == "":
			return nil, fmt.Errorf("vocabulary: id %d is empty", id)
		case !utf8.ValidString(token):
			return nil, fmt.Errorf("vocabulary: id %d, %q, is not UTF-8", id, token)
		}
	}
	vocab = slices.Clone(vocab) // the caller may change its slice
	t := &Tokenizer{tokens: slices.Clip(vocab), maxWordChars: o.MaxWordChars, passage: 1}
	if o.OneType {
		t.passage = 0
	}
	if t.maxWordChars == 0 {
		t.maxWordChars = defaultWordChars
	}
	if t.maxWordChars < 1 || t.maxWordChars > maxWordChars {
		return nil, fmt.Errorf("MaxWordChars %d, want 1 to %d", o.MaxWordChars, maxWordChars)
	}
	var same [2]int32
	if t.words, same = newWordTable(vocab, ""); t.words == nil {
		return nil, fmt.Errorf("vocabulary: ids %d and %d are both %q", same[0], same[1], vocab[same[0]])
	}
	t.pieces, _ = newWordTable(vocab, orElse(o.Prefix, "##"))

	if o.steps != nil {
		t.normalizing(o.steps)
	} else {
		t.chars = newCharTable(o.rules())
	}
	o.Unknown, o.Class, o.Separator = orElse(o.Unknown, "[UNK]"), orElse(o.Class, "[CLS]"), orElse(o.Separator, "[SEP]")
	if err := t.addTokens(o); err != nil {
		return nil, err
	}
	for _, s := range []struct {
		id    *int32
		token string
		below int // ids below this are allowed
	}{
		{&t.unknown, o.Unknown, len(vocab)},
		{&t.class, o.Class, len(t.tokens)},
		{&t.separator, o.Separator, len(t.tokens)},
	} {
		var ok bool
		if *s.id, ok = t.ID(s.token); !ok || int(*s.id) >= s.below {
			return nil, fmt.Errorf("vocabulary of %d tokens has no %s", len(vocab), s.token)
		}
	}
	if o.MaxLength == 0 {
		o.MaxLength = defaultLength
	}
	return t.truncating(o.Truncation)
}

// addTokens sets up the tokens that are searched for in the text before everything else.
func (t *Tokenizer) addTokens(o Options) error {
	added := o.Added
	if added == nil {
		for _, token := range []string{"[PAD]", o.Unknown, o.Class, o.Separator, "[MASK]"} {
			if _, ok := t.ID(token); ok {
				added = append(added, AddedToken{Content: token, Special: true})
			}
		}
	}
	t.added, t.raw = make(map[string]int32, len(added)), new(addedSet)
	for _, a := range added {
		if a.Content == "" || !utf8.ValidString(a.Content) {
			return fmt.Errorf("added token %q: want some UTF-8 text", a.Content)
		}
		if _, ok := t.added[a.Content]; ok {
			return fmt.Errorf("added token %q is there twice", a.Content)
		}
		id, ok := t.ID(a.Content)
		if !ok {
			id = int32(len(t.tokens))
			t.tokens = append(t.tokens, a.Content)
		}
		t.added[a.Content] = id
	}
	// If several tokens have the same normalised text, use the first special one, else the
	// first. (In the library it is random.)
	added = slices.Clone(added)
	slices.SortStableFunc(added, func(a, b AddedToken) int { return rank(b.Special) - rank(a.Special) })
	for _, a := range added {
		set, text := t.raw, a.Content
		if a.Normalized {
			if t.steps == nil {
				t.normalizing([]step{t.chars})
			}
			n, err := normalized(t.steps, a.Content, 0, len(a.Content), false)
			if err != nil {
				return fmt.Errorf("added token %.40q: %w", a.Content, err)
			}
			if text = string(n.text); text == "" {
				return fmt.Errorf("added token %q: nothing is left of it once normalised", a.Content)
			}
			set = t.normalized
		}
		set.add(text, addedEntry{t.added[a.Content], a})
	}
	return nil
}

func rank(special bool) int {
	if special {
		return 1
	}
	return 0
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// normalizing makes texts go through steps before they are scanned: if an added token is
// searched for in the normalised text, or if a table of characters cannot do what they do.
func (t *Tokenizer) normalizing(steps []step) {
	t.steps, t.normalized, t.plain = steps, &addedSet{}, newCharTable(rules{})
}

// Truncating returns a copy of t with another treatment of pairs that are too long. To
// change only the side or the strategy, begin with t's [Truncation]. Here a maximum length
// of 0 is an error; [NoLimit] cuts nothing.
func (t *Tokenizer) Truncating(how Truncation) (*Tokenizer, error) {
	u, err := t.truncating(how)
	if err != nil {
		return nil, fmt.Errorf("tokenizer: %w", err)
	}
	return u, nil
}

func (t *Tokenizer) truncating(how Truncation) (*Tokenizer, error) {
	if err := how.check(); err != nil {
		return nil, err
	}
	u := *t
	u.truncation, u.lengthSource = how, ""
	return &u, nil
}

// Truncation returns how pairs that are too long are cut.
func (t *Tokenizer) Truncation() Truncation { return t.truncation }

// MaxLength returns the most tokens in a pair, the special tokens included; [NoLimit] if
// the files that the tokenizer was loaded from name none.
func (t *Tokenizer) MaxLength() int { return t.truncation.MaxLength }

// LengthSource returns the file and the field that MaxLength is from, such as
// "tokenizer_config.json: model_max_length", or "".
func (t *Tokenizer) LengthSource() string { return t.lengthSource }

// Warnings returns what other libraries understand differently in the files, one a line.
func (t *Tokenizer) Warnings() []string { return slices.Clone(t.warnings) }

// Types returns how many types the tokens have: 2 if the passage's differ from the query's,
// else 1.
func (t *Tokenizer) Types() int { return int(t.passage) + 1 }

// Lowercases reports whether the tokenizer converts texts to lower case before any step
// that depends on case. Then converting them beforehand changes nothing, which was checked
// with the Rust library for each code point.
func (t *Tokenizer) Lowercases() bool {
	if len(t.steps) == 0 {
		return t.chars.lower
	}
	first, ok := t.steps[0].(*charTable)
	return ok && first.lower
}

// VocabSize returns the number of ids, including those of added tokens.
func (t *Tokenizer) VocabSize() int { return len(t.tokens) }

// Token returns the token with an id, or "" if there is none.
func (t *Tokenizer) Token(id int32) string {
	if id < 0 || int(id) >= len(t.tokens) {
		return ""
	}
	return t.tokens[id]
}

// Special reports whether an id is that of a special token, such as [SEP] or [PAD].
func (t *Tokenizer) Special(id int32) bool {
	for _, set := range []*addedSet{t.raw, t.normalized} {
		if set == nil {
			continue
		}
		for _, e := range set.entries {
			if e.id == id && e.Special {
				return true
			}
		}
	}
	return false
}

// ID returns the id of a token, which is written as in the vocabulary.
func (t *Tokenizer) ID(token string) (int32, bool) {
	if token == "" {
		return 0, false
	}
	buf := append([]byte(token), make([]byte, slack)...)
	if id := t.words.find(buf, 0, len(token)); id >= 0 {
		return id, true
	}
	id, ok := t.added[token]
	return id, ok
}
