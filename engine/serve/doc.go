// Package serve answers the requests of other systems' clients with an engine of this module:
// it is an [http.Handler] that speaks the wire formats, here called dialects, of
// text-embeddings-inference, Cohere, Jina, vLLM, SGLang, Infinity, Weaviate, OpenAI and the
// Open Inference Protocol.
//
//	h, err := serve.New()
//	go http.ListenAndServe(":8080", h) // live at once, ready after Use
//	err = h.Use(serve.Model{Name: "ms-marco", Engine: eng})
//	...
//	h.Drain() // not ready any more; requests are still answered
//
// # How a request goes through
//
// A request is an exchange. It goes one way, and what each step learns stays in the exchange's
// facts:
//
//	gates    key, readiness, a place among the requests at a time   guard.go, gates.go
//	body     bytes within the limit, one JSON object                body.go
//	tell     the dialect, where several share a path                tell.go
//	ask      the dialect's body becomes a neutral question          tei.go and so on
//	run      the engine makes an answer of the question             answer.go
//	encode   the dialect's reply of the neutral answer              tei.go and so on
//	ended    metrics, headers and the log read the facts            exchange.go
//
// A step that fails returns a neutral failure, and the exchange's dialect words it.
//
// # Where things go
//
// A dialect is one file and one row of the table in dialects.go: its name, its routes, how it
// words a failure, and in which headers it takes a key. A route's ask is a pure function of a
// body: it returns the question, and a function that makes the reply of the question's answer;
// what the reply needs of the body beside that (are the texts to be repeated, under which id) is
// in that function's closure. A route that asks the engine nothing has plain instead. Where
// several dialects have the same path, the mark of their routes tells them apart.
//
// A dialect knows nothing of queues, keys, limits and metrics, and these know nothing of
// dialects: a limit on requests at a time is a gate (gates.go), limits on bodies and texts are
// options that read, body and run follow (read.go, limits.go), how long a refused client should
// wait is measured in speed.go, metrics read the facts when an exchange has ended (metrics.go for
// the server, meters.go for each model), headers of all replies are in headers.go.
//
// # What the program around it does
//
// The handler has no time-outs but those of bodies and replies, BodyTimeout and ReplyTimeout: an
// http.Server should have ReadHeaderTimeout and IdleTimeout, and no WriteTimeout, which would end
// requests that are computed for longer. For HTTP/2 it should have WriteByteTimeout in its HTTP2Config,
// without which a reply to a client that reads nothing has no end. How many texts may wait, and for
// how long, are the engine's options MaxQueue and MaxWait. Passes gives metrics the sizes of an engine's passes.
// To end: Drain, some seconds for load balancers to see that the server is not ready,
// http.Server's Shutdown, and then Close of the engines. "minilm-metal serve" does all of this.
//
// # Where answers differ from text-embeddings-inference's
//
// All that text-embeddings-inference 1.9.3 was seen to answer, these paths answer with the same
// status, content type, headers and fields, but for what follows, which is on purpose. Answers
// have the headers X-Dialect and X-Scores besides, and /info lists all models.
//
//   - any number of texts is answered, within --max-items, --max-text and --max-body
//   - a body without a content type is taken for JSON, since Weaviate sends none
//   - paths of other systems are answered, too, and a refused body says which fields were found
//   - an error of /v1/embeddings is an object under "error", where OpenAI's clients look for it
//   - CORS is off unless it is asked for
//   - probes answer at once, and are never queued; before the model is there, all else is 503
//     with Retry-After, where there is no open port yet
//   - texts are ranked by their logits, so that those whose sigmoids are both 1 are told apart,
//     and equal ones keep their order
//   - with several models, the field model chooses one
//
// And one that is not as good: the engine gives no vectors of single tokens.
//
// # Where answers differ from other systems'
//
// Answers have what the strictest of each system's clients reads, and never a null. They differ
// thus:
//
//   - model may be missing; a single model answers to any name, and the answer has its own
//   - where no dialect is pinned, a body with documents is Cohere's, whose answer and errors have
//     what clients of Jina, vLLM and Infinity read, and which takes their fields
//   - top_n: 0 is all, save for Infinity, which refuses it
//   - Cohere's documents are not divided: what the model does not read of one is cut off. Search
//     units are counted, and stand for nothing
//   - vLLM's truncate_prompt_tokens may be more than the model's maximum, and means that then; less
//     than 3 leaves no text, and is refused
//   - SGLang's texts are cut where they are too long, and an empty one is ranked, too
//   - Infinity's numbers and lengths of texts are limited by --max-items and --max-body alone
//   - a model of another kind is 424, as text-embeddings-inference has it
//   - OpenAI's texts are cut where they are too long, unless vLLM's dialect is pinned; an empty one
//     has an embedding, too; token ids are those of the model's own tokenizer
package serve
