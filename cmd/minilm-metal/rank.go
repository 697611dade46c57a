package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"

	"github.com/spf13/cobra"

	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/engine/jsonl"
	"github.com/minilm-metal/minilm-metal/model"
)

// ranking is one run of rank.
type ranking struct {
	*program
	engineFlags       engineFlags
	scoreFlags        scoreFlags
	input             string
	topK              int
	jsonLines, asJSON bool
}

func (p *program) rank() *cobra.Command {
	r := &ranking{program: p}
	c := &cobra.Command{
		Use:   "rank QUERY",
		Short: "Sort passages by how well they answer a query, best first",
		Long: `Sort passages by how well they answer a query, best first.

Each line of the input is a passage. With --jsonl it is a JSON object whose
"passage" (or "text", or "p") is one; its other fields are carried along.

Each line comes out again as it was, a carriage return at its end included, after its
score and a tab. With --json it comes out as {"score", "index", "id", "passage"}:
index counts the lines of the input from 0, and id is the one of the --jsonl line, if
it has one.

Passages with equal scores stay in the order of the input. An empty line is the
empty passage, but with --jsonl it is skipped. Bytes that are not UTF-8 count for
nothing in the score, but with --jsonl are an error. A line that cannot be scored is
reported on standard error and left out, and the exit code is 1.

With --top-k, memory holds only that many passages, however long the input is; without
it, all of the input until it is sorted.`,
		Example: `  minilm-metal rank "how many people live in berlin" < passages.txt
  grep -rh berlin notes/ | minilm-metal rank "how many people live in berlin" --top-k 3 | cut -f2-
  minilm-metal rank "what is a cell" --jsonl --json --input documents.jsonl`,
		Args: arguments(quoteQuery, "QUERY"),
		RunE: func(c *cobra.Command, args []string) error {
			return r.run(c.Context(), args[0])
		},
	}
	r.engineFlags.register(c.Flags())
	r.scoreFlags.register(c.Flags())
	r.register(c)
	return c
}

// register adds the flags about the lines that are read and written.
func (r *ranking) register(c *cobra.Command) {
	inputFlag(c, &r.input)
	c.Flags().IntVarP(&r.topK, "top-k", "k", 0, "only the best so many (default: all)")
	c.Flags().BoolVar(&r.jsonLines, "jsonl", false, "the input is JSON Lines")
	c.Flags().BoolVar(&r.asJSON, "json", false, "write JSON Lines")
}

// passage is one line of rank's input.
type passage struct {
	index int             // number of the line, from 0
	line  string          // the line, without its "\n" and a byte order mark
	text  string          // what is scored
	id    json.RawMessage // nil: none
	err   error           // not nil: the line holds no passage
	score float32
}

// scoring scores the passages of pairs that all have the same query.
type scoring func(context.Context, iter.Seq[engine.Pair]) iter.Seq2[float32, error]

func (r *ranking) run(ctx context.Context, query string) error {
	opts, err := r.scoreFlags.options()
	if err != nil {
		return err
	}
	return r.sort(ctx, query, opts, func(e *engine.Engine) (scoring, error) {
		prompt := r.scoreFlags.prompt.options()
		return func(ctx context.Context, pairs iter.Seq[engine.Pair]) iter.Seq2[float32, error] {
			return e.Stream(ctx, pairs, prompt...)
		}, e.Tokenize(new(model.Batch), nil, prompt...) // checks the prompt before any passage is read
	})
}

// sort opens the engine with opts and writes the passages in the order of their scores.
func (r *ranking) sort(ctx context.Context, query string, opts []engine.Option, prepare func(*engine.Engine) (scoring, error)) (err error) {
	if r.topK < 0 {
		return usageError("--top-k %d: want at least 1, or 0 for all", r.topK)
	}
	file, err := r.openInput(r.input)
	if err != nil {
		return err
	}
	defer file.Close()
	e, _, err := r.engineFlags.open(r.program, opts...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	stream, err := prepare(e)
	if err != nil {
		return err
	}
	r.undone = "nothing is written, since passages are sorted when all are read"
	kept, err := r.score(ctx, file, query, stream)
	if err != nil {
		return err
	}
	r.bar.Close()
	if err := r.write(kept.sorted()); err != nil {
		return err
	}
	if kept.lost > 0 {
		return fmt.Errorf("%d of %d lines have no score", kept.lost, kept.total)
	}
	return nil
}

// ranked is the best passages of an input, how many it has, and how many of them have no score.
type ranked struct {
	best
	total, lost int
}

// score scores the passages of the input by stream, and keeps the best. Of those without a
// score it warns.
func (r *ranking) score(ctx context.Context, file io.Reader, query string, stream scoring) (ranked, error) {
	scores := newFlow(ctx, stream)
	defer scores.close()
	kept := ranked{best: best{k: r.topK}}
	for one, err := range r.passages(ctx, file, query, scores) {
		if err != nil {
			return kept, err
		}
		kept.total++
		if one.err == nil {
			if one.score, err = scores.take(); err != nil && !isLine(err) {
				return kept, err
			}
			one.err = err
			r.bar.Count("passages", kept.total-kept.lost, 0)
		}
		if one.err != nil {
			r.warn("line %d: %v", one.index+1, one.err)
			kept.lost++
			continue
		}
		kept.add(one)
	}
	return kept, nil
}

// passages are those of the input, each of which is put to be scored before it comes.
func (r *ranking) passages(ctx context.Context, file io.Reader, query string, scores *flow[engine.Pair, float32]) iter.Seq2[passage, error] {
	parse := passageLine
	if r.jsonLines {
		parse = jsonPassageLine
	}
	return eachLine(ctx, file, func(number int, line []byte, err error, emit func(passage) bool) {
		var one passage
		if err == nil {
			if r.jsonLines && jsonl.Blank(line) {
				return
			}
			one, err = parse(line)
		}
		if one.index, one.err = number-1, err; err == nil {
			scores.put(engine.Pair{Query: query, Passage: one.text})
		}
		emit(one)
	})
}

// write writes passages in the given order.
func (r *ranking) write(passages []passage) error {
	write := writeLine
	if r.asJSON {
		write = writeJSON
	}
	out := bufio.NewWriter(r.stdout)
	for _, one := range passages {
		if err := write(out, one); err != nil {
			return err
		}
	}
	return out.Flush()
}

// passageLine makes a passage of a line of plain text.
func passageLine(line []byte) (passage, error) {
	s := string(line)
	return passage{line: s, text: s[:len(jsonl.Text(line))]}, nil
}

// jsonPassageLine reads {"passage": ..., "id": ...} or {"text": ..., "id": ...}.
func jsonPassageLine(line []byte) (passage, error) {
	text, id, err := jsonl.ParsePassage(line)
	if err != nil {
		return passage{}, err
	}
	return passage{line: string(line), text: text, id: slices.Clone(id)}, nil
}

// writeLine writes the score, a tab, and the line as it was.
func writeLine(w io.Writer, p passage) error {
	var number [32]byte
	_, err := fmt.Fprintf(w, "%s\t%s\n", appendFloat(number[:0], p.score), p.line)
	return err
}

func writeJSON(w io.Writer, p passage) error {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(struct {
		Score   json.RawMessage `json:"score"`
		Index   int             `json:"index"`
		ID      json.RawMessage `json:"id,omitempty"`
		Passage string          `json:"passage"`
	}{appendFloat(nil, p.score), p.index, p.id, p.text})
	if err != nil {
		return err
	}
	_, err = w.Write(out.Bytes())
	return err
}
