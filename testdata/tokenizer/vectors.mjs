// Makes the conformance vectors, pairs of texts with what Hugging Face's Rust
// library makes of them:
//
//   npm install tokenizers@0.23.2
//   node testdata/tokenizer/vectors.mjs model/synth/vocab.txt testdata/tokenizer
//
// It writes to the folder
//
//   vectors.jsonl.gz   first {version, vocab_sha256, configs: [{json, vocab}]}, where json is
//                      a tokenizer.json without its vocabulary and vocab is null for the
//                      file given; then a line a pair:
//                      [config, max length, left?, query, passage, ids, tokens of type 0, spans]
//                      spans are, a token, two numbers: the start less the end before it
//                      (0 at first), and the length, in code points of its text
//   unicode.json       a SHA-256 over every code point for each setting of the normaliser
//
// The same script with the same library and vocabulary writes the same bytes. What is
// committed went through answers.py after that: see there.

import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { hf, load, random, readVocab, tokenizerJSON, version } from './hf.mjs';

const [vocabPath, out] = process.argv.slice(2);
const shipped = readVocab(vocabPath);
const str = String.fromCodePoint;
const rand = random(1);
const pick = (list) => list[rand(list.length)];
const many = (n, f) => Array.from({ length: n }, f).join('');

// A vocabulary with what the shipped one has not: pieces of several marks, NUL,
// pieces that overlap, long ones, upper case.
const odd = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', 'a', '@a', '@b', 'ab', '@ab', '@bab', 'abababab', '@abababab', 'abababababab',
  '@abababababab', 'A', 'Ab', '@B', 'é', '@é', 'e', '@e', 'e\u0301', '@\u0301', '@\u0323', '\u0301', 'i\u0307', 'i', '@\u0307', 'a\u0000', '@\u0000', '\u0000',
  '中', '中文', '@文', '한', '한국', '@국', '\u1112\u1161\u11ab', '@\u1100\u116e\u11a8', '@@', '@', '#', '##', '-', '\ufffd', '@\ufffd', 'ǆ', '@ǆ', 'ß', '@ß', '\u{1d158}', '@\u{1d165}', '\u302e', '@\u302e', 'token that is long', '😀', '@😀'];

const configs = [
  { name: 'uncased' },
  { name: 'cased', parts: { normalizer: { lowercase: false } } },
  { name: 'lower, accents kept', parts: { normalizer: { strip_accents: false } } },
  { name: 'cased, accents stripped', parts: { normalizer: { lowercase: false, strip_accents: true } } },
  { name: 'not cleaned, CJK together', parts: { normalizer: { clean_text: false, handle_chinese_chars: false } } },
  { name: 'nothing normalised', parts: { normalizer: { clean_text: false, handle_chinese_chars: false, lowercase: false } } },
  { name: 'short words', parts: { model: { max_input_chars_per_word: 5 } } },
  { name: 'odd vocabulary', vocab: odd, parts: { model: { continuing_subword_prefix: '@' } } },
  { name: 'odd, nothing normalised', vocab: odd, parts: { model: { continuing_subword_prefix: '@' }, normalizer: { clean_text: false, handle_chinese_chars: false, lowercase: false } } },
  {
    name: 'added tokens',
    parts: {
      added: [
        { content: '<q>', special: true }, { content: '<q>>' }, { content: 'word', single_word: true }, { content: '<l>', lstrip: true },
        { content: '<r>', rstrip: true }, { content: '<lr>', lstrip: true, rstrip: true }, { content: '  ' }, { content: 'é' }, { content: 'in-é' },
      ],
    },
  },
  {
    // No two are the same once normalised: the library finds one or the other of
    // those, as its hash table's seed of the day has it.
    name: 'normalised added tokens',
    parts: {
      added: [
        { content: 'Ünï', normalized: true }, { content: 'Big Word', normalized: true, single_word: true }, { content: '<N>', normalized: true, lstrip: true, rstrip: true },
        { content: 'zz', normalized: true }, { content: 'zzy', normalized: true }, { content: '<raw>' }, { content: '中', normalized: true },
      ],
    },
  },
].map((c) => {
  const vocab = c.vocab ?? shipped;
  const json = tokenizerJSON(vocab, c.parts);
  return { ...c, json, tokenizer: load(json, vocab) };
});
const config = (name) => configs.findIndex((c) => c.name === name);

const lines = [];
async function add(c, query, passage, max = 512, left = false) {
  const t = configs[c].tokenizer;
  t.setTruncation(max, { strategy: 'LongestFirst', direction: left ? 'left' : 'right' });
  const e = await t.encode(query, passage);
  const ids = e.getIds(), types = e.getTypeIds(), spans = [];
  let end = 0;
  for (const [from, to] of e.getOffsets()) {
    spans.push(from - end, to - from);
    end = to;
  }
  const zeros = types.filter((x) => x === 0).length;
  if (types.some((x, i) => x !== Number(i >= zeros))) throw new Error('types are not 0 and then 1');
  lines.push(JSON.stringify([c, max, left, query, passage, ids, zeros, spans]));
}

// 1. Every assigned code point (and, of those for private use, some), between
// letters: what it is, and what it makes of a word.
const assigned = [];
for (let c = 0; c < 0x110000; c++) {
  const ch = c >= 0xd800 && c < 0xe000 ? '' : str(c);
  if (/^\p{Co}$/u.test(ch) ? c % 509 === 0 : /^\P{Cn}$/u.test(ch)) assigned.push(ch);
}
for (let i = 0; i < assigned.length; i += 128) {
  const text = assigned.slice(i, i + 128).map((ch) => (/^\p{sc=Han}$/u.test(ch) ? `a${ch}b` : `a${ch}b ${ch}`));
  await add(config('uncased'), '', text.join(' '), 1024);
}

// 2. Texts of everything.
const marks = assigned.filter((ch) => /^\p{M}$/u.test(ch));
const movable = [...'\u0334\u093c\u3099\u094d\u05b0\u0591\u0e38\u0f71\u0321\u1dce\u302a\u0316\u059a\u302e\u302d\u0301\u0345\u{1d165}\u{1d16d}\u{16ff0}\u1b44\ua953\u{1133b}\u0898\u1ac5\u0fc6\u{1d16e}'];
const upper = assigned.filter((ch) => /^\p{Lu}$/u.test(ch));
const decomposing = assigned.filter((ch) => ch.normalize('NFD') !== ch && !/[\uac00-\ud7a3]/.test(ch));
const plain = shipped.filter((w) => /^[a-z]+$/.test(w));
const pieces = shipped.filter((w) => /^##[a-z]+$/.test(w)).map((w) => w.slice(2));
const spaces = [...' \t\n\r\v\f\u0085\u00a0\u1680\u2003\u2028\u2029\u202f\u3000\u200b\ufeff\u180e'];
const controls = [...'\u0000\u0001\u0008\u001f\u007f\u0080\u009f\u00ad\u061c\u200c\u200d\u200e\u202e\u2066\ue000\ufff9\ufffd\u{e0001}\u{f0000}'];
const specials = ['[SEP]', '[CLS]', '[MASK]', '[PAD]', '[UNK]', '[sep]', '[Mask]', '[ SEP ]', '[[SEP]]', '[SEP', 'SEP]', 'a[SEP]b', '[SEP][SEP]', '[SEP].', '##a', '[unused5]'];
const emoji = ['😀', '👩‍👩‍👧‍👦', '🏳️‍🌈', '👍🏽', '🇩🇪', '1️⃣', '❤️', '☺', '🧑‍🚀'];
const rightToLeft = ['שָׁלוֹם', 'مُحَمَّد', 'עברית', 'اَلْعَرَبِيَّةُ', '\u202bab\u202c'];
const others = ['हिन्दी', 'ไทยแลนด์', 'தமிழ்', 'Ελληνικά', 'ΣΊΣΥΦΟΣ', 'Москва', 'Việt', 'Tiếng', 'İstanbul', 'ﬁne', 'Ǆ', 'ǅ', 'straße', 'ẞ', 'K', '한국어', '\u1112\u1161\u11ab', 'ひらがな', 'ガ', 'か\u3099', '中文', '漢字', '\uf900', '\u{2f800}', '\u{20000}', 'x中y', '½', '①', '㎏', '∑', '€5', '3,520,031', 'don\'t', 'e-mail@x.org', 'Å', 'q\u0323\u0307', 'q\u0307\u0323', 'a\u0327\u0301\u0327'];
const added = ['<q>', '<q>>', 'word', 'words', 'sword', ' word,', 'wordé', '<l>', '<r>', '<lr>', '  ', 'é', 'in-é', 'main-é', 'Ünï', 'uni', 'ünï', 'UN\u0308I', 'big word', 'Big Word', 'bigword', 'BIG WORD', '<n>', '<N>', 'zz', 'zzy', 'zzZ', '<raw>', '<RAW>', '中'];
const pools = [
  () => pick(plain), () => pick(plain), () => pick(plain) + pick(pieces), () => pick(plain) + pick(pieces) + pick(pieces),
  () => pick(plain).toUpperCase(), () => str(65 + rand(26)) + pick(plain), () => many(1 + rand(9), () => str(33 + rand(94))),
  () => many(1 + rand(6), () => pick(decomposing)), () => pick(plain) + many(1 + rand(5), () => pick(marks)) + pick(plain),
  () => many(1 + rand(3), () => pick(['a', 'e', 'é', '\u{1d15e}', '\u{1d160}', '中', ' ', '\u200d', '한'])) + many(1 + rand(8), () => pick(movable)),
  () => many(1 + rand(4), () => pick(upper)), () => pick(controls), () => pick(spaces), () => pick(specials), () => pick(emoji), () => pick(rightToLeft),
  () => pick(others), () => pick(others), () => many(1 + rand(6), () => str(0x4e00 + rand(0x5200))), () => many(1 + rand(6), () => str(0xac00 + rand(11172))),
  () => many(1 + rand(6), () => pick(assigned)), () => pick(added), () => String(rand(100000)), () => pick([...'.,;:!?()"\'-']),
  () => many(1 + rand(6), () => pick([...'abABéEe\u0301\u0307\u0000İ中文한국@#-\u302e'])),
  () => many(1 + rand(20), () => pick(['ab', 'bab', 'a', 'abababab'])),
];
const anything = (n) => many(n, () => pick(pools)() + (rand(3) ? ' ' : ''));
for (let i = 0; i < 2200; i++) {
  const max = pick([512, 512, 3, 4, 5, 8, 13, 16, 21, 32, 33, 64]);
  await add(i % configs.length, anything(rand(6)), anything(rand(24)), max, rand(2) === 1);
}
for (let i = 0; i < 600; i++) {
  await add(config(i % 2 ? 'normalised added tokens' : 'added tokens'), many(1 + rand(5), () => pick(added) + pick(['', ' ', '', '\u00a0'])), anything(rand(4)), 64);
}

// 3. Long words: 99, 100, 101 code points, before and after what is dropped or added.
for (const n of [4, 5, 6, 98, 99, 100, 101, 102, 200, 1000]) {
  for (const ch of ['a', 'é', 'e\u0301', 'a\u200d', 'İ', 'щ', '한', '中', '😀', '!', '\u{1d15e}', 'ab', '\u0301', '\u302e']) {
    for (const c of ['uncased', 'lower, accents kept', 'short words']) await add(config(c), `x ${ch.repeat(n)} y`, ch.repeat(n) + '.' + ch.repeat(n - 1), 64, n % 2 === 0);
  }
  await add(config('uncased'), many(n, () => 'a') + 'é', many(n, () => pick(pieces)), 512);
}

// 4. Truncation: both sides, all proportions, small and whole.
const words = (n) => Array.from({ length: n }, () => pick(plain)).join(' ');
for (const max of [3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 16]) {
  for (const n1 of [0, 1, 2, 3, 4, 7]) for (const n2 of [0, 1, 2, 3, 4, 5, 8, 15]) await add(config('uncased'), words(n1), words(n2), max, rand(2) === 1);
}
const longer = (n) => Array.from({ length: rand(n) }, () => pick(['[MASK]', 'a[PAD]', pick(plain), pick(plain), pick(plain) + pick(pieces), many(3, () => pick(pieces))])).join(' ');
for (let i = 0; i < 600; i++) await add(config('uncased'), longer(14), longer(14), 4 + rand(10), rand(2) === 1);
for (const left of [false, true]) {
  for (const [n1, n2] of [[4, 504], [4, 505], [4, 506], [254, 254], [254, 255], [255, 254], [255, 255], [256, 600], [600, 256], [509, 0], [510, 0], [511, 1], [0, 509], [0, 510], [0, 511], [509, 509], [510, 511], [511, 510], [700, 2]]) {
    await add(config('uncased'), words(n1), words(n2), 512, left);
  }
}

// 5. Nothing, or nothing that is left.
for (const q of ['', ' ', '\u0000', '\u0301', '\u200b', '[SEP]', 'a']) {
  for (const p of ['', '\t\n', '\ufffd', '\u0301\u0301', '\u3000', '[SEP]', 'b']) for (const c of ['uncased', 'nothing normalised']) await add(config(c), q, p);
}

const header = {
  version,
  vocab_sha256: createHash('sha256').update(readFileSync(vocabPath)).digest('hex'),
  configs: configs.map(({ name, json, vocab }) => ({ name, json, vocab: vocab ?? null })),
};
writeFileSync(join(out, 'vectors.jsonl.gz'), gzipSync([JSON.stringify(header), ...lines].join('\n') + '\n', { level: 9 }));

// A SHA-256 for each setting: the text a<c>b normalised and split into words, for
// each code point c, one a line, the words with a U+0001 between them.
const digests = {};
for (let bits = 0; bits < 16; bits++) {
  const on = (i) => Boolean(bits & (1 << i));
  const normalizer = hf.bertNormalizer({ cleanText: on(0), handleChineseChars: on(1), stripAccents: on(2), lowercase: on(3) });
  const split = hf.bertPreTokenizer();
  const hash = createHash('sha256');
  for (let c = 0; c < 0x110000; c += 0x1000) {
    const rows = [];
    for (let d = c; d < c + 0x1000; d++) {
      if (d >= 0xd800 && d < 0xe000) continue;
      const text = normalizer.normalizeString('a' + str(d) + 'b');
      rows.push(text + '\u0002' + split.preTokenizeString(text).map((w) => w[0]).join('\u0001') + '\n');
    }
    hash.update(rows.join(''));
  }
  const name = ['clean', 'chinese', 'strip', 'lower'].filter((_, i) => on(i)).join('+') || 'none';
  digests[name] = hash.digest('hex');
}
writeFileSync(join(out, 'unicode.json'), JSON.stringify({ version, sha256: digests }, null, 1) + '\n');
console.log(`${lines.length} pairs, ${new Set(assigned).size} code points, ${configs.length} configurations`);
