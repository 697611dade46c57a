// Package tokenizer turns a pair of texts into the ids a BERT cross-encoder
// reads, [CLS] query [SEP] passage [SEP], token for token as Hugging Face's Rust
// library `tokenizers` (0.23.3) does.
//
// # What happens to a text
//
//  1. Added tokens, such as [SEP] or [MASK] written in the text, are searched for in the
//     original text (the leftmost, then the longest) and become their ids. The other
//     steps are done for each part between them.
//  2. BertNormalizer: it removes controls, format characters, private use, NUL and U+FFFD,
//     and replaces white space by spaces (clean_text); puts spaces around CJK ideographs,
//     but not around kana or Hangul (handle_chinese_chars); decomposes canonically and
//     removes nonspacing marks (strip_accents); converts to lower case, code point by code
//     point, without final sigma (lowercase).
//  3. Added tokens that ask for it are searched for in the normalised text.
//  4. BertPreTokenizer: white space ends a word, and each punctuation mark, all of ASCII's
//     and Unicode's P, is a word.
//  5. WordPiece: the longest piece of the vocabulary with which the word begins, then the
//     longest ## piece with which the rest begins, and so on. If there is none, or the word
//     has more than 100 code points, the whole word is [UNK] (Schuster and Nakajima 2012;
//     Devlin et al. 2018, arXiv:1810.04805).
//  6. Truncation: see [Truncation]. With longest first, if both texts are too long, the one
//     that is longer as a whole gets the odd token. (Versions 0.23.1 and 0.23.2 of the
//     library, and only they, count no further than the maximum length.) A strategy that
//     cuts only one text keeps at least one token of it; otherwise the pair is an error,
//     unless there is no room for any text.
//
// Other normalizers may take the place of step 2, one after the other: NFC, NFD, NFKC, NFKD,
// StripAccents (which removes all marks and decomposes nothing), Lowercase, Strip, Prepend
// (before each part between added tokens) and Replace. They process each part as a whole
// before it is scanned. This is slower, and reads to the end of a text that will be cut; if
// together they do the same as a BertNormalizer, that is used instead. Offsets are then those
// of the characters that a part came from. In the library, a Replace's pattern is
// Oniguruma's. Patterns that Go's regexp would match differently are refused by name: those
// that can match the empty text, lookaround, flags, references, \b, \p{...}, possessive
// repetition, sets in classes.
//
// The library's parts have Unicode data of different versions (categories 8, decompositions
// 9, \w 16, lower case and white space 17). Code points that were assigned later are letters
// to it. unicode_tables.go and unicode_normal.go contain what the library does to each code
// point, found by running it (testdata/tokenizer/unicode.mjs and normalizers.py).
// golang.org/x/text has newer data and would change what the library leaves.
//
// A byte that is not UTF-8 counts as U+FFFD, as in a range loop or encoding/json, and
// clean_text removes it. An empty passage still makes a pair, [CLS] query [SEP] [SEP], with
// type 1 for the last token; Python's pipelines that leave out an empty passage would end
// after the first [SEP]. Nothing is ever padded.
//
// # How it is fast
//
// Steps 2 and 4 are one look-up for each code point, in a table that is composed when the
// tokenizer is made ([Options]); bytes that are ASCII letters and digits do not even need
// that. A whole word is looked up in a hash table, with its bytes as the key, and most words
// of English are found there. Only the others are cut into pieces, by trying each length from
// the longest down. Words are short, so this is a handful of look-ups that do not wait for
// each other, and the time for the worst word is bounded by its 100 code points.
package tokenizer
