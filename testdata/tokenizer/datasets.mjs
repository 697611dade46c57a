// Prints, for the data sets that are not the project's own, a SHA-256 over the
// ids that Hugging Face's Rust library gives their pairs; the digests stand in
// model/tokenizer/shared_test.go.
//
//   npm install tokenizers@0.23.2
//   node testdata/tokenizer/datasets.mjs $MINILM_SHARED [FOLDER]
//
// With a folder the ids themselves go there, a file a data set and a line a pair,
// to compare with those that the test writes when a digest differs. Keep them out
// of the repository: the texts are not ours.

import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hf } from './hf.mjs';
import { pairsOf } from './pairs.mjs';

const [shared, out] = process.argv.slice(2);
const tokenizer = hf.Tokenizer.fromFile(join(shared, 'data/model-files/tokenizer.json'));
for (const name of ['msmarco-dl19', 'xquad-de', 'xquad-en', 'xquad-ru', 'xquad-zh']) {
  const pairs = pairsOf(shared, name);
  for (const [maxLength, direction] of [[512, 'right'], [64, 'left']]) {
    tokenizer.setTruncation(maxLength, { direction });
    const ids = [];
    for (const [query, passage] of pairs) ids.push((await tokenizer.encode(query, passage)).getIds());
    const text = ids.map((row) => row.join(' ') + '\n').join('');
    const digest = createHash('sha256').update(text).digest('hex');
    console.log(`{"${name}", ${maxLength}, ${direction === 'left'}, ${pairs.length}, ${ids.flat().length}, "${digest}"},`);
    if (out) writeFileSync(join(out, `${name}-${maxLength}-${direction}.txt`), text);
  }
}
