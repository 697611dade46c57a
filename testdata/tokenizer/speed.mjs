// Times Hugging Face's Rust library, through node, on the pairs that
// BenchmarkAppendPair of model/tokenizer takes:
//
//   npm install tokenizers@0.23.2
//   TOKENIZERS_PARALLELISM=false node testdata/tokenizer/speed.mjs $MINILM_SHARED [RUNS]
//
// It prints tokens a second, by the clock and by processor time: with a pair a
// call, and in batches of 32 (of query and passage as one text, as node has no
// batches of pairs). TOKENIZERS_PARALLELISM=true gives batches to all cores.

import { join } from 'node:path';
import { hf } from './hf.mjs';
import { pairsOf } from './pairs.mjs';

const [shared, runs = 5] = process.argv.slice(2);
const tokenizer = hf.Tokenizer.fromFile(join(shared, 'data/model-files/tokenizer.json'));
tokenizer.setTruncation(512);

// speed says how fast f makes tokens; f returns their number.
async function speed(f) {
  const start = process.hrtime.bigint();
  const cpu = process.cpuUsage();
  const tokens = await f();
  const used = process.cpuUsage(cpu);
  const clock = Number(process.hrtime.bigint() - start) / 1e9;
  return `${Math.round(tokens / clock)} (${Math.round(tokens / ((used.user + used.system) / 1e6))} by processor time)`;
}

for (const name of ['msmarco-dl19', 'xquad-en', 'xquad-de', 'xquad-ru', 'xquad-zh']) {
  const pairs = pairsOf(shared, name);
  const texts = pairs.map(([query, passage]) => query + ' ' + passage);
  for (let run = 0; run < runs; run++) {
    const one = await speed(async () => {
      let tokens = 0;
      for (const [query, passage] of pairs) tokens += (await tokenizer.encode(query, passage)).getLength();
      return tokens;
    });
    const batch = await speed(async () => {
      let tokens = 0;
      for (let i = 0; i < texts.length; i += 32) {
        for (const e of await tokenizer.encodeBatch(texts.slice(i, i + 32))) tokens += e.getLength();
      }
      return tokens;
    });
    console.log(`${name}: tokens/s by pairs ${one}, by 32 ${batch}`);
  }
}
