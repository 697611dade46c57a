// Cohere's library for TypeScript.
"use strict";
const { run, scores } = require("./cases.cjs");
const { CohereClient, CohereClientV2 } = require("cohere-ai");

run(["cohere-ai"], (ask) => {
  const v1 = (token) => new CohereClient({ token, environment: ask.url });
  const v2 = (token) => new CohereClientV2({ token, environment: ask.url });
  const ranked = async (client, documents, more) => {
    const got = await client.rerank({ model: ask.model, query: ask.query, documents, ...more });
    const texts = got.results.filter((r) => r.document).map((r) => r.document.text);
    return scores(got.results.map((r) => [r.index, r.relevanceScore]), texts.length ? texts : undefined);
  };
  const cases = {};
  for (const [name, make] of Object.entries({ v1, v2 })) {
    cases[name + " ranked"] = () => ranked(make(ask.key), ask.documents);
    cases[name + " top"] = () => ranked(make(ask.key), ask.documents, { topN: 2 });
    cases[name + " long"] = () => ranked(make(ask.key), ask.long);
    cases[name + " empty"] = () => ranked(make(ask.key), []);
    cases[name + " key"] = () => ranked(make("wrong"), ask.documents);
    cases[name + " busy"] = () => ranked(make(ask.key), ask.documents);
  }
  cases["v1 documents"] = () => ranked(v1(ask.key), ask.documents.map((text) => ({ text })), { returnDocuments: true });
  return cases;
});
