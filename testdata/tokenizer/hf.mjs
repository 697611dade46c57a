// What the scripts here share: the library (from the folder NODE_PATH, or
// node_modules), tokenizers made from parts, and a random number generator with
// a seed.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';

const require = createRequire(resolve(process.env.NODE_PATH ?? 'node_modules', 'x.js'));
export const hf = require('tokenizers');
export const version = require('tokenizers/package.json').version;

export const readVocab = (path) => readFileSync(path, 'utf8').replace(/\n$/, '').split('\n');

const special = (id, content) => ({ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true });

// tokenizerJSON returns a tokenizer.json over a vocabulary (an array) with some
// parts changed; its own vocabulary is left out where it is null.
export function tokenizerJSON(vocab, { normalizer = {}, model = {}, added = [] } = {}) {
  const id = (token) => vocab.indexOf(token);
  let next = vocab.length;
  const bert = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'].filter((t) => id(t) >= 0).map((t) => special(id(t), t));
  const token = (name, type_id) => ({ SpecialToken: { id: name, type_id } });
  const text = (name, type_id) => ({ Sequence: { id: name, type_id } });
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [...bert, ...added.map((a) => ({ ...special(id(a.content) >= 0 ? id(a.content) : next++, ''), special: false, ...a }))],
    normalizer: { type: 'BertNormalizer', clean_text: true, handle_chinese_chars: true, strip_accents: null, lowercase: true, ...normalizer },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: {
      type: 'TemplateProcessing',
      single: [token('[CLS]', 0), text('A', 0), token('[SEP]', 0)],
      pair: [token('[CLS]', 0), text('A', 0), token('[SEP]', 0), text('B', 1), token('[SEP]', 1)],
      special_tokens: Object.fromEntries(['[CLS]', '[SEP]'].map((t) => [t, { id: t, ids: [id(t)], tokens: [t] }])),
    },
    decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
    model: { type: 'WordPiece', unk_token: '[UNK]', continuing_subword_prefix: '##', max_input_chars_per_word: 100, ...model },
  };
}

// load makes a tokenizer of the library from tokenizerJSON's result.
export function load(json, vocab) {
  const model = { ...json.model, vocab: Object.fromEntries(vocab.map((t, i) => [t, i])) };
  return hf.Tokenizer.fromString(JSON.stringify({ ...json, model }));
}

// random returns a generator of whole numbers below n (mulberry32).
export function random(seed) {
  return (n) => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor(((t ^ (t >>> 14)) >>> 0) / 4294967296 * n);
  };
}
