package serve_test

import (
	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/model/tokenizer"
)

const metadata = `{"metadata":{"name":"tiny","versions":["1"],"platform":"minilm-metal",` +
	`"inputs":[{"name":"query","datatype":"BYTES","shape":[1]},{"name":"documents","datatype":"BYTES","shape":[-1]}],` +
	`"outputs":[{"name":"scores","datatype":"FP32","shape":[-1]}]}}`

// wantedOfOthers is that of programs with which models of other kinds are asked, too.
var wantedOfOthers = map[string]map[string]wants{
	"run_hub.py": {
		"embed":                      answered(rows(docs)).as("tei"),
		"embed one":                  answered(rows(one)),
		"embed raw":                  answered(rows(docs, engine.Unnormalized())),
		"embed empty":                refusedAs(400, raised("BadRequestError", "empty")),
		"embed uncut":                refusedAs(422, raised("HfHubHTTPError", "tokens")),
		"embed by one of several":    answered(rows(docs)),
		"classify by one of several": answered(labels(one, false, 1)),
		"embed busy":                 refusedAs(429, raised("HfHubHTTPError", "429")),
		"embed key":                  refusedAs(401, raised("HfHubHTTPError", "401")),
		"embed, no embedder":         refusedAs(422, raised("HfHubHTTPError")),
		"classify":                   answered(labels(one, false, 1)), // of a list it takes the first
		"classify key":               refusedAs(401, raised("HfHubHTTPError", "401")),
		"similarity":                 answered(similarities),
	},
	"run_tei_client.py": {
		"ranked":               {[]int{200, 200}, "tei", withoutTexts(all)},
		"documents":            {[]int{200, 200}, "tei", withTexts(all)},
		"raw":                  {[]int{200, 200}, "tei", logits},
		"many":                 {[]int{200, 200}, "tei", allOf},
		"empty":                {[]int{200, 400}, "tei", raised("ValidationError")}, // it does not look at the status
		"busy":                 {[]int{200, 429}, "tei", raised("ValidationError")},
		"long":                 {[]int{200, 200}, "tei", shrunk},
		"long, left":           {[]int{200, 200}, "tei", ranking(long, 0, sigmoidOf, engine.CutSide(tokenizer.TruncateLeft))},
		"uncut":                {[]int{200, 422}, "tei", raised("ValidationError")},
		"key":                  refusedAs(401, raised("JSONDecodeError")),
		"info":                 answered(is(`{"info":{"type":"reranker","length":512,"batch":10000}}`)),
		"info of an embedder":  answered(is(`{"info":{"type":"embedding","length":512,"batch":10000}}`)),
		"info of a classifier": answered(is(`{"info":{"type":"classifier","length":512,"batch":10000}}`)),
		"embed":                {[]int{200, 200}, "tei", rows(docs)},
		"embed raw":            {[]int{200, 200}, "tei", rows(docs, engine.Unnormalized())},
		"classify":             {[]int{200, 200}, "tei", labels(one, false, 0)},
		"classify pair":        {[]int{200, 200}, "tei", labels(docs, true, 0)},
		"tokenize":             answered(tokens),
		"decode":               {[]int{200, 200}, "tei", is(`{"texts":["rainfallsinautumn."]}`)}, // without white space
	},
	"run_infinity.py": {
		"ranked":             answered(withoutTexts(all)).as("infinity"),
		"documents":          answered(withTexts(all)),
		"raw":                answered(logits),
		"undecided":          answered(withoutTexts(all)).as("cohere"),
		"undecided raw":      answered(logits),
		"top":                answered(two),
		"null":               answered(all),
		"empty":              refusedAs(422, raised("ValueError", "empty")),
		"long":               answered(shrunk),
		"busy":               refusedAs(429, raised("UnexpectedStatus", "429")),
		"key":                refusedAs(401, raised("UnexpectedStatus", "401")),
		"embed":              answered(rows(docs)),
		"embed, no embedder": refusedAs(424, raised("UnexpectedStatus")),
		"classify":           answered(labels(docs, false, 0)),
		"health":             answered(is(`{"unix":true}`)),
		"models":             answered(is(`{"models":["tiny"]}`)),
	},
	"run_openai.py": {
		"embed":                     answered(rows(docs)).as("openai"),
		"floats":                    answered(rows(docs)),
		"one":                       answered(rows(one)),
		"long":                      answered(rows(long)),
		"empty":                     refusedAs(400, raised("BadRequestError", "empty")),
		"busy":                      again(rows(docs)),
		"key":                       refusedAs(401, raised("AuthenticationError", "key")),
		"no embedder":               refusedAs(424, raised("APIStatusError", "reranker")),
		"several models":            answered(rows(docs)),
		"another of several models": refusedAs(424, raised("APIStatusError", "reranker")),
		"none of several models":    refusedAs(404, raised("NotFoundError", "text-embedding-3-small", "embedder")),
		"models":                    answered(is(`{"models":["tiny"]}`)),
	},
	"run_openai.cjs": {
		"embed":  answered(rows(docs)).as("openai"),
		"floats": answered(rows(docs)),
		"empty":  refusedAs(400, raised("BadRequestError", "empty")),
		"long":   answered(rows(long)),
		"busy":   again(rows(docs)),
		"key":    refusedAs(401, raised("AuthenticationError", "key")),
	},
	"run_triton.py": {
		"scored":        answered(inOrder(docs, sigmoidOf)).as("oip"),
		"any output":    answered(inOrder(docs, sigmoidOf)),
		"binary":        answered(inOrder(docs, sigmoidOf)),
		"empty":         refusedAs(400, raised("InferenceServerException", "empty")),
		"compressed":    refusedAs(415, raised("InferenceServerException", "gzip")),
		"empty, binary": refusedAs(400, raised("InferenceServerException", "empty")),
		"long":          answered(inOrder(long, sigmoidOf)),
		"busy":          refusedAs(429, raised("InferenceServerException", "overloaded")),
		"key":           refusedAs(401, raised("InferenceServerException", "key")),
		"no such model": refusedAs(404, raised("InferenceServerException", "model")),
		"live":          {[]int{200, 200, 200}, "oip", is(`{"live":true,"ready":true,"model":true}`)},
		"metadata":      answered(is(metadata)),
	},
}
