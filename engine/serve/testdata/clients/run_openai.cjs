// OpenAI's library for TypeScript, for embeddings. Without more said it asks for base64.
"use strict";
const { run } = require("./cases.cjs");
const { OpenAI } = require("openai");

run(["openai"], (ask) => {
  const rows = async ({ apiKey = ask.key, input = ask.documents, ...more } = {}) => {
    const client = new OpenAI({ apiKey, baseURL: ask.embedder + "/v1" });
    const got = await client.embeddings.create({ model: ask.model, input, ...more });
    return { rows: got.data.map((d) => Array.from(d.embedding)) };
  };
  return {
    embed: () => rows(),
    floats: () => rows({ encoding_format: "float" }),
    empty: () => rows({ input: [] }),
    long: () => rows({ input: ask.long }),
    key: () => rows({ apiKey: "wrong" }),
    busy: () => rows(),
  };
});
