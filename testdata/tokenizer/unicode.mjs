// Makes model/tokenizer/unicode_tables.go: what Hugging Face's Rust library
// does to every single code point, learned from the library itself.
//
//   npm install tokenizers@0.23.2
//   NODE_PATH=node_modules node testdata/tokenizer/unicode.mjs >model/tokenizer/unicode_tables.go
//   gofmt -w model/tokenizer/unicode_tables.go
//
// The library's parts each carry their own Unicode version, so no table of one
// version can be equal to it; hence this file.

import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(join(process.env.NODE_PATH ?? 'node_modules', 'x.js'));
const hf = require('tokenizers');
const version = require('tokenizers/package.json').version;

const none = { cleanText: false, handleChineseChars: false, stripAccents: false, lowercase: false };
const clean = hf.bertNormalizer({ ...none, cleanText: true });
const chinese = hf.bertNormalizer({ ...none, handleChineseChars: true });
const strip = hf.bertNormalizer({ ...none, stripAccents: true });
const lower = hf.bertNormalizer({ ...none, lowercase: true });
const nfd = hf.nfdNormalizer();
const words = hf.bertPreTokenizer();

const codePoints = [];
for (let c = 0; c < 0x110000; c++) if (c < 0xd800 || c > 0xdfff) codePoints.push(c);
const str = String.fromCodePoint;
const hex = (c) => '0x' + c.toString(16);

// ranges returns the maximal runs of code points with the same value of f,
// leaving out those where f is 0 or false.
function ranges(f) {
  const out = [];
  for (const c of codePoints) {
    const v = Number(f(c));
    const last = out[out.length - 1];
    if (!v) continue;
    if (last && last[1] === c - 1 && last[2] === v) last[1] = c;
    else out.push([c, c, v]);
  }
  return out;
}

// classes orders the code points that canonical ordering may move (combining
// class not 0) by their combining class, by swapping them with each other. The
// result maps a code point to the rank of its class, from 1.
function classes() {
  const swaps = (a, b) => nfd.normalizeString(str(a) + str(b)) === str(b) + str(a);
  const low = 0x334, high = 0x345; // classes 1 and 240, the least and the greatest
  const reps = [];
  const members = [];
  for (const c of codePoints) {
    if (c < 0x300 || nfd.normalizeString(str(c)) !== str(c)) continue;
    if (!swaps(c, low) && !swaps(high, c)) continue;
    let lo = 0, hi = reps.length; // reps[:lo] have a lower class, reps[hi:] the same or a higher
    while (lo < hi) {
      const mid = (lo + hi) >> 1;
      if (swaps(c, reps[mid])) lo = mid + 1;
      else hi = mid;
    }
    if (lo < reps.length && !swaps(reps[lo], c)) members[lo].push(c);
    else { reps.splice(lo, 0, c); members.splice(lo, 0, [c]); }
  }
  const rank = new Map();
  members.forEach((m, i) => m.forEach((c) => rank.set(c, i + 1)));
  return rank;
}

// wordChars asks which code points the library's \w has: the ones beside which
// an added token with single_word set is not found.
async function wordChars() {
  const t = new hf.Tokenizer(hf.WordPiece.init({ '[UNK]': 0 }));
  t.addAddedTokens([new hf.AddedToken('@@', false, { singleWord: true, normalized: false })]);
  const id = t.tokenToId('@@');
  const found = new Set();
  for (let i = 0; i < codePoints.length; i += 10000) {
    const part = codePoints.slice(i, i + 10000);
    const es = await t.encodeBatch(part.map((c) => str(c) + '@@'), { addSpecialTokens: false });
    es.forEach((e, k) => { if (!e.getIds().includes(id)) found.add(part[k]); });
  }
  return found;
}

const pieces = (c) => words.preTokenizeString('a' + str(c) + 'b').map((p) => p[0]);
const ranks = classes();
const isWord = await wordChars();
const decomposed = codePoints.filter((c) => (c < 0xac00 || c > 0xd7a3) && nfd.normalizeString(str(c)) !== str(c));
const lowered = codePoints.filter((c) => lower.normalizeString(str(c)) !== str(c));

// What the Go code takes for granted.
const must = (ok, what) => { if (!ok) throw new Error(what); };
for (let c = 0xac00; c <= 0xd7a3; c++) {
  const i = c - 0xac00, t = i % 28;
  const want = str(0x1100 + Math.floor(i / 588), 0x1161 + Math.floor((i % 588) / 28)) + (t ? str(0x11a7 + t) : '');
  must(nfd.normalizeString(str(c)) === want, 'Hangul ' + hex(c));
}
for (const c of codePoints) {
  if (chinese.normalizeString(str(c)) !== str(c)) must(chinese.normalizeString('a' + str(c) + 'b') === `a ${str(c)} b`, 'CJK ' + hex(c));
  const p = pieces(c).join('|');
  must([`a${str(c)}b`, 'a|b', `a|${str(c)}|b`].includes(p), 'pieces ' + hex(c));
}

const table = (name, doc, rows, type, row) => {
  const lines = [];
  for (let i = 0; i < rows.length; i += 8) lines.push('\t' + rows.slice(i, i + 8).map(row).join(' '));
  return `${doc}\nvar ${name} = []${type}{\n${lines.join('\n')}\n}\n`;
};
const span = ([lo, hi]) => `{${hex(lo)}, ${hex(hi)}},`;
const quote = (s) => '"' + [...s].map((ch) => {
  const c = ch.codePointAt(0);
  if (c > 0x20 && c < 0x7f && ch !== '"' && ch !== '\\') return ch;
  return c < 0x10000 ? '\\u' + c.toString(16).padStart(4, '0') : '\\U' + c.toString(16).padStart(8, '0');
}).join('') + '"';

console.log(`// Code generated by testdata/tokenizer/unicode.mjs from Hugging Face tokenizers ${version}; DO NOT EDIT.

package tokenizer

${table('removedRanges', '// removedRanges is what clean_text drops.', ranges((c) => clean.normalizeString('a' + str(c) + 'b') === 'ab'), 'runeRange', span)}
${table('spaceRanges', '// spaceRanges is white space, for clean_text and for BertPreTokenizer.', ranges((c) => pieces(c).length === 2), 'runeRange', span)}
${table('punctRanges', '// punctRanges is what BertPreTokenizer isolates.', ranges((c) => pieces(c).length === 3), 'runeRange', span)}
${table('chineseRanges', '// chineseRanges is what handle_chinese_chars puts spaces around.', ranges((c) => chinese.normalizeString(str(c)) !== str(c)), 'runeRange', span)}
${table('accentRanges', '// accentRanges is what strip_accents drops after NFD: Mn.', ranges((c) => nfd.normalizeString(str(c)) === str(c) && strip.normalizeString('a' + str(c)) === 'a'), 'runeRange', span)}
${table('wordRanges', '// wordRanges is \\w, which single_word asks for.', ranges((c) => isWord.has(c)), 'runeRange', span)}
${table('combining', '// combining ranks the canonical combining classes; code points in no range have class 0.', ranges((c) => ranks.get(c) ?? 0), 'combiningRange', ([lo, hi, v]) => `{${hex(lo)}, ${hex(hi)}, ${v}},`)}
${table('decompositions', '// decompositions is the full canonical decomposition, Hangul syllables left out.', decomposed, 'mapping', (c) => `{${hex(c)}, ${quote(nfd.normalizeString(str(c)))}},`)}
${table('lowercase', '// lowercase is the lower case of single code points.', lowered, 'mapping', (c) => `{${hex(c)}, ${quote(lower.normalizeString(str(c)))}},`)}`);
