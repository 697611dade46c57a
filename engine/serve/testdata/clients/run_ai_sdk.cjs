// The AI SDK's rerank by its provider for Cohere.
"use strict";
const { run, scores } = require("./cases.cjs");
const { createCohere } = require("@ai-sdk/cohere");
const { rerank } = require("ai");

run(["ai", "@ai-sdk/cohere"], (ask) => {
  const ranked = async (documents, { apiKey = ask.key, ...more } = {}) => {
    const model = createCohere({ baseURL: ask.url + "/v2", apiKey }).reranking(ask.model);
    const got = await rerank({ model, query: ask.query, documents, ...more });
    return scores(got.ranking.map((r) => [r.originalIndex, r.score]), got.rerankedDocuments);
  };
  return {
    ranked: () => ranked(ask.documents),
    top: () => ranked(ask.documents, { topN: 2 }),
    empty: () => ranked([]),
    long: () => ranked(ask.long),
    key: () => ranked(ask.documents, { apiKey: "wrong" }),
    busy: () => ranked(ask.documents),
  };
});
