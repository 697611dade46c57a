package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/engine/jsonl"
	"github.com/minilm-metal/minilm-metal/model"
	"github.com/minilm-metal/minilm-metal/model/hub"
	"github.com/minilm-metal/minilm-metal/model/input"
	"github.com/minilm-metal/minilm-metal/model/tokenizer"
)

func (p *program) tokenize() *cobra.Command {
	var (
		name, file string
		maxLength  int
		prompt     promptFlags
	)
	c := &cobra.Command{
		Use:   "tokenize",
		Short: "Turn pairs into token ids: JSON Lines in, JSON Lines out",
		Long: `Turn pairs of a query and a passage into the ids that the model reads.

` + pairsHelp + `

Each line gets a line of output in the same order: {"input_ids": [...],
"token_type_ids": [...]}, for a list with lists of lists, or {"error": "..."}, which
stops nothing. Lines that are tokens already are checked and written again.

Of --model only the tokenizer's files are read (tokenizer.json, or vocab.txt and
tokenizer_config.json), and config.json, if there is one, with what
sentence-transformers keeps beside it, for the most tokens that the model takes and
the prompt before queries. Weights are not needed.

The exit code is 1 if any line was in error.`,
		Example: `  echo '{"query":"what is a cell","passage":"A cell is the unit of life."}' | minilm-metal tokenize
  minilm-metal tokenize --model ./bert-base-uncased --max-length 128 < pairs.jsonl`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := checkMaxLength(maxLength, leastOfPair); err != nil {
				return err
			}
			if err := prompt.check(); err != nil {
				return err
			}
			return p.answer(c.Context(), file, func() (answerer, error) {
				found, err := p.checkpoint(name, hub.Tokenizer)
				if err != nil {
					return nil, err
				}
				t, err := openTokenizer(found.files, maxLength, &prompt)
				if err != nil {
					return nil, err
				}
				for _, w := range t.tokenizer.Warnings() {
					p.warn("%s: %s", found.name, w)
				}
				return t, nil
			})
		},
	}
	modelFlag(c.Flags(), &name)
	maxLengthFlag(c.Flags(), &maxLength)
	prompt.register(c.Flags())
	inputFlag(c, &file)
	return c
}

// tokens answers pairs with token ids.
type tokens struct {
	tokenizer *tokenizer.Tokenizer
	prompt    string // put before each query
	bounds    bounds
	// The ids and types of each pair of the current line as JSON, with commas.
	ids, types []byte
}

// openTokenizer opens the tokenizer in files. It cuts pairs as an engine with these files
// would, and uses the prompt that the engine would put before queries.
func openTokenizer(files fs.FS, maxLength int, prompt *promptFlags) (t *tokens, err error) {
	t = new(tokens)
	spec, err := model.ReadSpec(files)
	switch {
	case err == nil:
		t.bounds = modelBounds(&spec.Config)
		t.tokenizer, _, err = input.Tokenizer(spec, input.Asked{MaxLength: maxLength})
	case errors.Is(err, fs.ErrNotExist):
		spec = new(model.Spec)
		if t.tokenizer, err = tokenizer.LoadFS(files); err != nil {
			return nil, err
		}
		t.bounds = bounds{vocab: t.tokenizer.VocabSize(), types: math.MaxInt32, length: math.MaxInt}
		if maxLength > 0 {
			cutting := t.tokenizer.Truncation()
			cutting.MaxLength = maxLength
			t.tokenizer, err = t.tokenizer.Truncating(cutting)
		}
	}
	if err == nil {
		t.prompt, err = prompt.text(&spec.Input)
	}
	return t, err
}

func (t *tokens) Close() error { return nil }

func (t *tokens) prepare(line *jsonl.Line, i int) (pair engine.Tokens, err error) {
	if line.Tokens != nil {
		return line.Tokens[i], t.bounds.check(line.Tokens[i])
	}
	pair.IDs, pair.Types, err = t.tokenizer.AppendPair(nil, nil, t.prompt+line.Query, line.Passages[i])
	if err != nil { // the same words as score's
		err = errors.New(strings.TrimPrefix(err.Error(), "tokenizer: "))
	}
	return pair, err
}

func (t *tokens) answer(pair engine.Tokens) error {
	t.ids = append(appendInts(t.ids, pair.IDs), ',')
	t.types = append(appendInts(t.types, pair.Types), ',')
	return nil
}

func (t *tokens) finish(out []byte, list bool) []byte {
	open, end := "", ""
	if list {
		open, end = "[", "]"
	}
	ids, types := bytes.TrimSuffix(t.ids, []byte(",")), bytes.TrimSuffix(t.types, []byte(","))
	t.ids, t.types = t.ids[:0], t.types[:0]
	return fmt.Appendf(out, "{\"input_ids\":%s%s%s,\"token_type_ids\":%s%s%s}\n", open, ids, end, open, types, end)
}

func appendInts(out []byte, x []int32) []byte {
	out = append(out, '[')
	for i, v := range x {
		if i > 0 {
			out = append(out, ',')
		}
		out = strconv.AppendInt(out, int64(v), 10)
	}
	return append(out, ']')
}
