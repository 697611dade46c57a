package tokenizer

import (
	"fmt"
	"math"
	"slices"
	"unicode/utf8"
)

// Options say how a vocabulary is used. The zero value is BERT's cased
// pre-tokenizer without any normalisation; [Uncased] is what nearly all English
// models want.
type Options struct {
	Lowercase    bool  // lower case, one code point at a time
	StripAccents *bool // decompose and drop accents; nil follows Lowercase
	CleanText    bool  // drop controls, make all white space a space
	ChineseChars bool  // put spaces around CJK ideographs

	MaxWordChars int    // longer words are Unknown; 0 means 100
	Prefix       string // of pieces inside a word; "" means "##"

	Unknown, Class, Separator string // "" means [UNK], [CLS], [SEP]

	// Added are the tokens found in the text before all else. One that the
	// vocabulary does not have gets the next id after it. Nil means those of
	// [PAD], [MASK], Unknown, Class and Separator that the vocabulary has.
	Added []AddedToken

	Truncation // of pairs that are too long

	OneType bool // the passage has type 0, as the query has

	// Of tokenizer.json: the steps that normalize, where they are no BertNormalizer, which
	// the switches above say then, and the types of its normalizers, "" for one
	// BertNormalizer.
	steps       []step
	normalizers string
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
	specials         = 3 // [CLS], [SEP], [SEP]
)

// Tokenizer turns pairs of texts into ids. It does not change, and is safe for
// concurrent use.
type Tokenizer struct {
	tokens        []string   // by id
	words, pieces *wordTable // at the beginning of a word, inside a word
	chars         *charTable
	added         map[string]int32 // ids of the added tokens
	raw           addedSet         // those found in the text as it is

	// Only where a text is normalised before it is scanned, else nil:
	steps      []step     // which do that
	normalized *addedSet  // added tokens found in the normalised text
	plain      *charTable // which is scanned with this

	unknown, class, separator int32

	maxWordChars int
	truncation   Truncation
	passage      int32 // the type of its tokens

	lengthSource string   // of LoadFS
	warnings     []string // of LoadFS
}

// New returns a tokenizer over a vocabulary: id i is vocab[i].
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
	vocab = slices.Clone(vocab) // the caller's may change
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
		below int // ids that will do
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

// addTokens sets up the tokens that are found in the text before all else.
func (t *Tokenizer) addTokens(o Options) error {
	added := o.Added
	if added == nil {
		for _, token := range []string{"[PAD]", o.Unknown, o.Class, o.Separator, "[MASK]"} {
			if _, ok := t.ID(token); ok {
				added = append(added, AddedToken{Content: token, Special: true})
			}
		}
	}
	t.added = make(map[string]int32, len(added))
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
	// Of tokens that normalise to the same text the first special one is found,
	// else the first. (In the library chance decides.)
	added = slices.Clone(added)
	slices.SortStableFunc(added, func(a, b AddedToken) int { return rank(b.Special) - rank(a.Special) })
	for _, a := range added {
		set, text := &t.raw, a.Content
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

// normalizing has texts go through steps before they are scanned: an added token is found
// in what comes of them, or they do what no table of characters can.
func (t *Tokenizer) normalizing(steps []step) {
	t.steps, t.normalized, t.plain = steps, &addedSet{}, newCharTable(rules{})
}

// Truncating returns a copy of t that treats pairs that are too long in another way. The
// [Truncation] of t is where to begin from for another side or strategy alone. A maximum
// length of 0 is none here.
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

// Truncation returns what becomes of pairs that are too long.
func (t *Tokenizer) Truncation() Truncation { return t.truncation }

// MaxLength returns the greatest number of tokens in a pair, the three special
// ones included; [NoLimit] where the files it was loaded from name none.
func (t *Tokenizer) MaxLength() int { return t.truncation.MaxLength }

// LengthSource says which field of which file MaxLength is from, such as
// "tokenizer_config.json: model_max_length"; "" where it is from none.
func (t *Tokenizer) LengthSource() string { return t.lengthSource }

// Warnings say what in the files others understand differently, a line each.
func (t *Tokenizer) Warnings() []string { return slices.Clone(t.warnings) }

// Types returns how many types its tokens have: 2 where the passage's differ from the
// query's, else 1.
func (t *Tokenizer) Types() int { return int(t.passage) + 1 }

// Lowercases reports whether texts are in lower case before anything else is done to them
// that depends on it: putting them into lower case before that changes nothing then, which
// was tried with the Rust library for each code point.
func (t *Tokenizer) Lowercases() bool {
	if len(t.steps) == 0 {
		return t.chars.lower
	}
	first, ok := t.steps[0].(*charTable)
	return ok && first.lower
}

// VocabSize returns the number of ids, those of added tokens included.
func (t *Tokenizer) VocabSize() int { return len(t.tokens) }

// Token returns the text of an id, "" if there is no such id.
func (t *Tokenizer) Token(id int32) string {
	if id < 0 || int(id) >= len(t.tokens) {
		return ""
	}
	return t.tokens[id]
}

// ID returns the id of a token, written as in the vocabulary.
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
