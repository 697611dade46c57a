package main

import (
	"github.com/spf13/cobra"
)

func (p *program) serve() *cobra.Command {
	var flags serveFlags
	c := &cobra.Command{
		Use:   "serve",
		Short: "Answer over HTTP, as text-embeddings-inference, Cohere, vLLM and others do",
		Long: `Answer requests over HTTP in the wire formats of text-embeddings-inference, Cohere, Jina,
vLLM, SGLang, Infinity, OpenAI, Weaviate's reranker and the Open Inference Protocol, all on one
port: clients of these systems need another address and nothing else. /openapi.yaml
describes every path, and / is a page to try it on.

A model is a directory, or a Hugging Face id that "pull" has put into the local cache, and
of any kind: one that scores, one that makes embeddings, or one that gives labels. A single
model answers requests for any name. Several, each with its own --model NAME=DIR, share the
port; a request's field "model" chooses one of them, and where it is missing, the first
answers that can.

The port is open at once, and its address the one line on standard output. The server is
live from then on (GET /v2/health/live), and ready when its models are open and warm
(GET /health). SIGTERM ends it gently: it is not ready any more, goes on for
--drain-delay, while load balancers notice, then ends what it has begun, within
--shutdown-timeout. An interrupt from the keyboard does the same without the delay. A
second signal ends it at once.

Without a key, whoever reaches the port may ask. Keys are the lines of --api-key-file, or
the variable ` + serveKey + `; clients send one as "Authorization: Bearer KEY". Health,
metrics, the page and the description need none; with --metrics-key, metrics do.

Texts and keys are in no log, no metric and no error. /metrics has what Prometheus reads.

Every limit that refuses a request says which flag it is of. A request that finds
--max-queue texts waiting is refused with 429 and the time after which to ask again.`,
		Example: `  minilm-metal serve
  minilm-metal serve --model ./reranker --host 0.0.0.0 --port 8080 --api-key-file keys
  minilm-metal serve --model rank=./reranker --model embed=./all-MiniLM-L6-v2
  minilm-metal serve --unix /run/minilm-metal.sock --log-format json
  minilm-metal serve --health http://127.0.0.1:8080   # is it ready?`,
		RunE: func(c *cobra.Command, args []string) error {
			if err := flags.check(c.Flags(), p.getenv); err != nil {
				return err
			}
			if flags.health {
				return flags.listen.probe(c.Context(), args)
			}
			return p.serveModels(c.Context(), &flags)
		},
	}
	c.Args = func(c *cobra.Command, args []string) error {
		if flags.health && len(args) <= 1 {
			return nil
		}
		return arguments("")(c, args)
	}
	flags.register(c.Flags())
	return c
}
