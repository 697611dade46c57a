// The pairs of texts in the data sets that are not the project's own.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export function pairsOf(shared, name) {
  const read = (path) => JSON.parse(readFileSync(join(shared, 'data', path), 'utf8'));
  if (name === 'msmarco-dl19') return read('msmarco-dl19/retrieve_results_dl19.json').flatMap((r) => r.hits.map((h) => [r.query, h.content]));
  return read(`xquad/${name.replace('-', '.')}.json`).data.flatMap((d) => d.paragraphs.flatMap((p) => p.qas.map((q) => [q.question, p.context])));
}
