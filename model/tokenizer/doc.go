// Package tokenizer turns a pair of texts into the ids a BERT cross-encoder
// reads, [CLS] query [SEP] passage [SEP], token for token as Hugging Face's Rust
// library `tokenizers` (0.23.3) does.
//
// # What happens to a text
//
//  1. Added tokens, such as [SEP] or [MASK] written out, are found in the text as
//     it is (the leftmost, then the longest) and become their ids. The rest is
//     done for each part between them.
//  2. BertNormalizer: controls, format characters, private use, NUL and U+FFFD
//     are dropped and white space becomes a space (clean_text); CJK ideographs,
//     but not kana or Hangul, get spaces around them (handle_chinese_chars);
//     canonical decomposition, and nonspacing marks are dropped (strip_accents);
//     lower case, code point by code point: no final sigma (lowercase).
//  3. Added tokens that ask for it are found in the normalised text.
//  4. BertPreTokenizer: words end at white space, and each punctuation mark, all
//     of ASCII's and Unicode's P, is a word.
//  5. WordPiece: the longest piece of the vocabulary that the word begins with,
//     then the longest ## piece that the rest begins with, and so on; [UNK] for
//     the whole word where there is none, or if it has more than 100 code points
//     (Schuster and Nakajima 2012; Devlin et al. 2018, arXiv:1810.04805).
//  6. Truncation: see [Truncation]. Longest first, of two texts that are both too long
//     the longer one, as a whole, gets the odd token. (Versions 0.23.1 and 0.23.2 of the
//     library, and only they, count no further than the maximum length.) A strategy that
//     cuts one text alone keeps at least one token of it, else the pair is an error,
//     unless there is no room for any text.
//
// Step 2 may be other normalizers, one after the other: NFC, NFD, NFKC, NFKD,
// StripAccents (which drops all marks, and decomposes nothing), Lowercase, Strip,
// Prepend (before each part between added tokens) and Replace. They are done to each part
// as a whole before it is scanned, which is slower, and reads to the end of a text that
// will be cut; where they come to the same as a BertNormalizer they are one. Offsets are
// then those of the characters that a part came from. A Replace's pattern is Oniguruma's
// in the library; what Go's regexp would find in another way is refused by name: what may
// find the empty text, looks around, flags, references, \b, \p{...}, possessive
// repetition, sets in classes.
//
// The library's parts have Unicode data of different ages (categories 8,
// decompositions 9, \w 16, lower case and white space 17), and code points that
// were not assigned yet then are letters to it. unicode_tables.go and
// unicode_normal.go have what it does to each, learned from itself by
// testdata/tokenizer/unicode.mjs and normalizers.py: golang.org/x/text, whose
// data is newer, would change what the library leaves.
//
// A byte that is not UTF-8 counts as U+FFFD, as in a range loop or encoding/json:
// clean_text drops it. An empty passage is still a pair, [CLS] query [SEP] [SEP],
// with type 1 for the last token; Python's pipelines that drop it would end after
// the first [SEP]. Nothing is ever padded.
//
// # How it is fast
//
// Steps 2 and 4 are one look-up a code point in a table composed when the
// tokenizer is made ([Options]), and bytes of ASCII letters and digits do not
// need even that. A word goes to a hash table whole, with its bytes as the key,
// which is where most words of English end. Only the rest is cut into pieces, by
// trying each length from the longest down: words are short, so that is a
// handful of look-ups that do not wait for each other, and the time of the worst
// word is bound by its 100 code points.
package tokenizer
