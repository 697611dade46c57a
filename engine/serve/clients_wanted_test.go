package serve_test

import (
	"github.com/minilm-metal/minilm-metal/engine"
)

// all, best and cut are what rerankers that speak of relevance answer: sigmoids, best first.
var (
	all    = ranking(docs, 0, sigmoidOf)
	two    = ranking(docs, 2, sigmoidOf)
	allOf  = ranking(many, 0, sigmoidOf)
	shrunk = ranking(long, 0, sigmoidOf) // cut to the model's length
	logits = ranking(docs, 0, itself)
)

// wantedOfRankers is what each case of each program in testdata/clients must come to that ranks
// texts and does little else.
var wantedOfRankers = map[string]map[string]wants{
	"run_cohere.py": {
		"v2 ranked":              answered(all).as("cohere"),
		"v2 top":                 answered(two),
		"v2 many":                answered(allOf),
		"v2 empty":               refusedAs(400, raised("BadRequestError", "message", "empty")),
		"v2 long":                answered(shrunk),
		"v2 cut":                 answered(ranking(short, 0, sigmoidOf)),
		"v2 nulls":               answered(all),
		"several models":         answered(all),
		"none of several models": refusedAs(404, raised("NotFoundError", "rerank-v3.5", "tiny or embedder or classifier")),
		"v2 key":                 refusedAs(401, raised("UnauthorizedError", "message")),
		"v2 busy":                again(all),

		"v1 ranked":    answered(withoutTexts(all)).as("cohere"),
		"v1 documents": answered(withTexts(all)),
		"v1 top":       answered(two),
		"v1 many":      answered(allOf),
		"v1 empty":     refusedAs(400, raised("BadRequestError", "message", "empty")),
		"v1 long":      answered(shrunk),
		"v1 key":       refusedAs(401, raised("UnauthorizedError", "message")),
		"v1 busy":      again(all),
	},
	"run_cohere.cjs": {
		"v2 ranked": answered(withoutTexts(all)).as("cohere"),
		"v2 top":    answered(two),
		"v2 empty":  refusedAs(400, raised("BadRequestError", "empty")),
		"v2 long":   answered(shrunk),
		"v2 key":    refusedAs(401, raised("UnauthorizedError")),
		"v2 busy":   again(all),

		"v1 ranked":    answered(withoutTexts(all)).as("cohere"),
		"v1 documents": answered(withTexts(all)),
		"v1 top":       answered(two),
		"v1 empty":     refusedAs(400, raised("BadRequestError", "empty")),
		"v1 long":      answered(shrunk),
		"v1 key":       refusedAs(401, raised("UnauthorizedError")),
		"v1 busy":      again(all),
	},
	"gocohere": {
		"v2 ranked": answered(withoutTexts(all)).as("cohere"),
		"v2 top":    answered(two),
		"v2 empty":  refusedAs(422, raised("*api.UnprocessableEntityError", "documents")), // it leaves out what is empty
		"v2 long":   answered(shrunk),
		"v2 key":    refusedAs(401, raised("*api.UnauthorizedError")),
		"v2 busy":   again(all),

		"v1 ranked": answered(withTexts(all)).as("cohere"),
		"v1 top":    answered(two),
		"v1 empty":  refusedAs(422, raised("*api.UnprocessableEntityError", "documents")),
		"v1 long":   answered(shrunk),
		"v1 key":    refusedAs(401, raised("*api.UnauthorizedError")),
		"v1 busy":   again(all),
	},
	"run_ai_sdk.cjs": {
		"ranked": answered(withTexts(all)).as("cohere"), // it has the documents itself
		"top":    answered(two),
		"empty":  unsent(nothingRanked),
		"long":   answered(shrunk),
		"key":    refusedAs(401, raised("APICallError")),
		"busy":   again(all),
	},
	"run_haystack.py": {
		"TEI ranked": answered(all).as("tei"),
		"TEI top":    answered(two),
		"TEI raw":    answered(logits),
		"TEI many":   answered(allOf), // 40 texts, more than TEI takes
		"TEI empty":  unsent(nothingRanked),
		"TEI long":   answered(shrunk),
		"TEI key":    refusedAs(401, raised("RuntimeError", "401")),
		"TEI busy":   again(all),

		"Jina ranked": answered(all),
		"Jina top":    answered(two),
		"Jina empty":  unsent(nothingRanked),
		"Jina long":   answered(shrunk),
		"Jina key":    refusedAs(401, raised("RuntimeError", "key")), // that is the detail
		"Jina busy":   refusedAs(429, raised("RuntimeError", "overloaded")),

		"Cohere ranked": answered(all),
		"Cohere top":    answered(two),
		"Cohere empty":  refusedAs(400, raised("BadRequestError", "empty")),
		"Cohere long":   answered(shrunk),
		"Cohere key":    refusedAs(401, raised("UnauthorizedError")),
		"Cohere busy":   again(all),
	},
	"run_rerankers.py": {
		"cohere ranked": answered(all).as("cohere"),
		"cohere many":   answered(allOf),
		"cohere long":   answered(shrunk),
		"cohere key":    refusedAs(401, raised("KeyError", "results")), // it does not look at the status
		"cohere busy":   refusedAs(429, raised("KeyError", "results")),

		"jina ranked": answered(all),
		"jina many":   answered(allOf),
		"jina long":   answered(shrunk),
		"jina key":    refusedAs(401, raised("KeyError", "results")),
		"jina busy":   refusedAs(429, raised("KeyError", "results")),

		"text-embeddings-inference ranked": answered(all).as("tei"),
		"text-embeddings-inference many":   answered(allOf),
		"text-embeddings-inference long":   answered(shrunk),
		"text-embeddings-inference key":    refusedAs(401, raised("JSONDecodeError")),
		"text-embeddings-inference busy":   refusedAs(429, raised("TypeError")),
	},
	"run_llamaindex.py": {
		"TEI ranked": answered(all).as("tei"),
		"TEI top":    answered(two),
		"TEI many":   answered(allOf),
		"TEI empty":  unsent(nothingRanked),
		"TEI long":   answered(shrunk),
		"TEI key":    refusedAs(401, raised("JSONDecodeError")), // no body, as TEI has none
		"TEI busy":   refusedAs(429, raised("AssertionError")),  // it does not look at the status

		"Cohere ranked": answered(all),
		"Cohere top":    answered(two),
		"Cohere many":   answered(allOf),
		"Cohere empty":  unsent(nothingRanked),
		"Cohere long":   answered(shrunk),
		"Cohere key":    refusedAs(401, raised("UnauthorizedError")),
		"Cohere busy":   again(two),

		"Jina ranked": answered(all),
		"Jina top":    answered(two),
		"Jina many":   answered(allOf),
		"Jina empty":  unsent(nothingRanked),
		"Jina long":   answered(shrunk),
		"Jina key":    refusedAs(401, raised("RuntimeError", "key")),
		"Jina busy":   refusedAs(429, raised("RuntimeError", "overloaded")),

		"embed":             answered(rows(docs)),
		"embed long, uncut": refusedAs(422, raised("ValidationError")),
		"embed key":         refusedAs(401, raised("JSONDecodeError")),
	},
	"run_langchain.py": {
		"Jina ranked": answered(all),
		"Jina top":    answered(two),
		"Jina empty":  unsent(nothingRanked),
		"Jina long":   answered(shrunk),
		"Jina key":    refusedAs(401, raised("RuntimeError", "key")),
		"Jina busy":   refusedAs(429, raised("RuntimeError", "overloaded")),

		"Cohere ranked": answered(all),
		"Cohere top":    answered(two),
		"Cohere empty":  unsent(nothingRanked),
		"Cohere long":   answered(shrunk),
		"Cohere key":    refusedAs(401, raised("UnauthorizedError")),
		"Cohere busy":   again(all),

		"Infinity ranked": answered(all).as("infinity"),
		"Infinity top":    answered(two), // of which the server does not know
		"Infinity empty":  unsent(nothingRanked),
		"Infinity long":   answered(shrunk),
		"Infinity key":    refusedAs(401, raised("TypeError")), // it goes through None
		"Infinity busy":   refusedAs(429, raised("TypeError")),
		"Infinity embed":  answered(rows(docs)),
	},
	"run_litellm.py": {
		"huggingface ranked": answered(withTexts(all)).as("tei"),
		"huggingface bare":   answered(withoutTexts(all)),
		"huggingface top":    answered(all), // TEI has no top_n
		"huggingface long":   answered(shrunk),
		"huggingface uncut":  refusedAs(422, raised("APIError", "tokens")),
		"huggingface many":   answered(allOf),
		"huggingface empty":  refusedAs(400, raised("BadRequestError", "empty")),
		"huggingface key":    refusedAs(401, raised("AuthenticationError")),
		"huggingface busy":   refusedAs(429, raised("RateLimitError", "overloaded")),

		"cohere ranked": answered(withTexts(all)).as("cohere"),
		"cohere bare":   answered(withoutTexts(all)),
		"cohere top":    answered(two),
		"cohere long":   answered(shrunk),
		"cohere empty":  refusedAs(400, raised("BadRequestError", "empty")),
		"cohere key":    refusedAs(401, raised("AuthenticationError")),
		"cohere busy":   refusedAs(429, raised("RateLimitError", "overloaded")),

		"jina_ai ranked": answered(withTexts(all)),
		"jina_ai bare":   answered(withoutTexts(all)),
		"jina_ai top":    answered(two),
		"jina_ai long":   answered(shrunk),
		"jina_ai empty":  refusedAs(400, raised("BadRequestError", "empty")),
		"jina_ai key":    refusedAs(401, raised("AuthenticationError")),
		"jina_ai busy":   refusedAs(429, raised("RateLimitError", "overloaded")),

		"hosted_vllm ranked":    answered(withTexts(logits)).as("vllm"),
		"hosted_vllm undecided": answered(withTexts(all)).as("cohere"),
		"hosted_vllm bare":      answered(logits),
		"hosted_vllm top":       answered(ranking(docs, 2, itself)),
		"hosted_vllm long":      refusedAs(400, raised("BadRequestError", "tokens")),
		"hosted_vllm cut":       answered(ranking(long, 0, itself, engine.AtMost(16))),
		"hosted_vllm empty":     refusedAs(400, raised("BadRequestError", "empty")),
		"hosted_vllm key":       refusedAs(401, raised("AuthenticationError")),
		"hosted_vllm busy":      refusedAs(429, raised("RateLimitError", "overloaded")),

		"infinity ranked":    answered(withTexts(all)).as("infinity"),
		"infinity bare":      answered(withoutTexts(all)),
		"infinity undecided": answered(withoutTexts(all)).as("cohere"),
		"infinity top":       answered(two),
		"infinity long":      answered(shrunk),
		"infinity empty":     refusedAs(422, raised("BadRequestError", "empty")),
		"infinity key":       refusedAs(401, raised("AuthenticationError")),
		"infinity busy":      refusedAs(429, raised("RateLimitError", "overloaded")),

		"openai embed":          answered(rows(docs)),
		"openai embed key":      refusedAs(401, raised("AuthenticationError")),
		"hosted_vllm embed":     answered(rows(docs)),
		"hosted_vllm embed key": refusedAs(401, raised("AuthenticationError")),
		"infinity embed":        answered(rows(docs)),
		"infinity embed key":    refusedAs(401, raised("AuthenticationError")),
	},
	"run_dify.py": {
		"ranked": answered(withTexts(normalised(docs, 0))),
		"top":    answered(withTexts(normalised(docs, 2))),
		"empty":  unsent(nothingRanked),
		"long":   answered(withTexts(normalised(long, 0))),
		"key":    refusedAs(401, raised("InvokeServerUnavailableError", "401")),
		"busy":   refusedAs(429, raised("InvokeServerUnavailableError", "429")),
		"valid":  answered(is(`{"valid":true}`)),
	},
}
