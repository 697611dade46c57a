package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/spf13/cobra"

	"github.com/minilm-metal/minilm-metal/engine"
)

// ranking is one call of rank.
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
"passage" (or "text") is one; its other fields are carried along.

Each line comes out again as it was, after its score and a tab. With --json it
comes out as {"score", "index", "id", "passage"}: index counts the lines of the
input from 0, and id is the one of the --jsonl line, if it has one.

Passages with equal scores stay in the order of the input. An empty line is the
empty passage. A line that cannot be scored is reported on standard error and
left out, and the exit code is 1.`,
		Example: `  minilm-metal rank "how many people live in berlin" < passages.txt
  grep -rh berlin notes/ | minilm-metal rank "how many people live in berlin" --top-k 3 | cut -f2-
  minilm-metal rank "what is a cell" --jsonl --json --input documents.jsonl`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return r.run(c.Context(), args[0])
		},
	}
	r.engineFlags.register(c.Flags())
	r.scoreFlags.register(c.Flags())
	inputFlag(c, &r.input)
	c.Flags().IntVarP(&r.topK, "top-k", "k", 0, "only the best so many (default: all)")
	c.Flags().BoolVar(&r.jsonLines, "jsonl", false, "the input is JSON Lines")
	c.Flags().BoolVar(&r.asJSON, "json", false, "write JSON Lines")
	return c
}

// passage is one line of rank's input.
type passage struct {
	index int             // of the line, from 0
	line  string          // as it was
	text  string          // what gets a score
	id    json.RawMessage // nil: none
}

func (r *ranking) run(ctx context.Context, query string) (err error) {
	opts, err := r.scoreFlags.options()
	if err != nil {
		return err
	}
	if r.topK < 0 {
		return usageError("--top-k %d: want at least 1, or 0 for all", r.topK)
	}
	file, err := r.openInput(r.input)
	if err != nil {
		return err
	}
	defer file.Close()
	parse := passageLine
	if r.jsonLines {
		parse = jsonPassageLine
	}
	passages, bad, err := readPassages(ctx, file, parse)
	if err != nil {
		return err
	}
	for _, err := range bad {
		r.warn("%v", err)
	}

	texts := make([]string, len(passages))
	for i := range passages {
		texts[i] = passages[i].text
	}
	scored := 0
	e, _, err := r.engineFlags.open(r.program, append(opts, engine.Observe(func(s engine.PassStats) {
		scored += s.Pairs
		r.bar.Count("passages", scored, len(texts))
	}))...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	results, rankErr := e.Rank(ctx, query, texts)
	if len(results) != len(texts) { // else the error is about scores that are NaN
		return rankErr
	}
	r.bar.Close()
	nan, err := r.write(passages, results)
	if lost := len(bad) + nan; err == nil && lost > 0 {
		err = fmt.Errorf("%d of %d lines have no score", lost, len(bad)+len(passages))
	}
	return err
}

// write writes the best passages, and warns of those without a score.
func (r *ranking) write(passages []passage, results []engine.Result) (nan int, err error) {
	write := writeLine
	if r.asJSON {
		write = writeJSON
	}
	out := bufio.NewWriter(r.stdout)
	written := 0
	for _, result := range results {
		one := passages[result.Index]
		if math.IsNaN(float64(result.Score)) {
			r.warn("line %d: %v", one.index+1, errNoScore)
			nan++
			continue
		}
		if r.topK > 0 && written == r.topK {
			continue // those without a score come last
		}
		if err := write(out, one, result.Score); err != nil {
			return nan, err
		}
		written++
	}
	return nan, out.Flush()
}

// readPassages reads all lines. Those that hold no passage are in bad.
func readPassages(ctx context.Context, r io.Reader, read func([]byte) (passage, error)) (all []passage, bad []error, err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		for lines := newLineReader(r); ctx.Err() == nil; {
			line, lineErr := lines.next()
			if lineErr == io.EOF {
				return
			}
			if lineErr != nil && !errors.Is(lineErr, errLongLine) {
				err = lineErr
				return
			}
			var one passage
			if lineErr == nil {
				one, lineErr = read(line)
			}
			if lineErr != nil {
				bad = append(bad, fmt.Errorf("line %d: %w", lines.number, lineErr))
				continue
			}
			one.index = lines.number - 1
			all = append(all, one)
		}
	}()
	select {
	case <-done:
		return all, bad, errors.Join(err, ctx.Err())
	case <-ctx.Done(): // the goroutine may wait for a user who has just interrupted
		return nil, nil, ctx.Err()
	}
}

// passageLine reads a line that is a passage.
func passageLine(line []byte) (passage, error) {
	s := string(line)
	return passage{line: s, text: s}, nil
}

// jsonPassageLine reads {"passage": ..., "id": ...} or {"text": ..., "id": ...}.
func jsonPassageLine(line []byte) (passage, error) {
	o, err := parseObject(line)
	if err != nil {
		return passage{}, err
	}
	text, err := o.field([]string{"passage", "text"}).text()
	return passage{line: string(line), text: text, id: o["id"]}, err
}

// writeLine writes the score, a tab and the line as it was.
func writeLine(w io.Writer, p passage, score float32) error {
	var number [32]byte
	_, err := fmt.Fprintf(w, "%s\t%s\n", appendFloat(number[:0], score), p.line)
	return err
}

func writeJSON(w io.Writer, p passage, score float32) error {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(struct {
		Score   json.RawMessage `json:"score"`
		Index   int             `json:"index"`
		ID      json.RawMessage `json:"id,omitempty"`
		Passage string          `json:"passage"`
	}{appendFloat(nil, score), p.index, p.id, p.text})
	if err != nil {
		return err
	}
	_, err = w.Write(out.Bytes())
	return err
}
