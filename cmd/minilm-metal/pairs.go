package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/engine/jsonl"
	"github.com/minilm-metal/minilm-metal/model"
)

// pairsHelp describes the input of the commands that read pairs.
const pairsHelp = `Each line of the input is a JSON object: "query" and "passage" (or "q" and "p", or
"text" for the passage); or "query" and "documents", a list of strings or of objects
with a "text", as rerank services take it (or "texts", or "passages"); or "input_ids"
and "token_type_ids" (all 0 where left out) as "tokenize" writes them, lists of lists
for a list. Other fields are ignored; beside "passage" or "p" so are the other names for
passages, and without them two of those are an error. Blank lines are skipped.`

// item is one pair of an input line, or the error of the line.
type item struct {
	line  int  // from 1
	index int  // in the line, from 0
	list  bool // the line's answer is a list
	none  bool // the line's list is empty, so there is no pair
	last  bool // the last pair of its line
	ids   engine.Tokens
	err   error // the line's error, without the line's number
}

// answerer converts pairs to output lines. One goroutine reads and prepares while another
// answers.
type answerer interface {
	// prepare is called with each line that has been read and the index of one of its
	// pairs. Its result is passed to answer. An error is the line's, and answer is not
	// called then.
	prepare(line *jsonl.Line, i int) (engine.Tokens, error)
	// answer adds a pair's answer to the current line. A lineError is an error of the pair;
	// any other error ends the command.
	answer(pair engine.Tokens) error
	// finish appends the output line with all answers since the last call to out.
	finish(out []byte, list bool) []byte
	Close() error
}

// answer answers every line of a file in order, each as soon as possible.
func (p *program) answer(ctx context.Context, name string, open func() (answerer, error)) (err error) {
	file, err := p.openInput(name)
	if err != nil {
		return err
	}
	defer file.Close()
	a, err := open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()

	var (
		bar                = p.streamBar()
		out                []byte
		first              error // the error of the first bad line
		bad                error // the error of the current line
		pairs, total, errs int
	)
	p.undone = "no line was answered yet"
	for in, err := range eachLine(ctx, file, func(number int, line []byte, err error, emit func(item) bool) {
		readItems(a, number, line, err, emit)
	}) {
		if err != nil {
			return err
		}
		switch {
		case in.err != nil:
			bad = in.err
		case !in.none:
			if err := a.answer(in.ids); isLine(err) {
				if bad == nil {
					bad = in.about(err)
				}
			} else if err != nil {
				return err
			}
			pairs++
			bar.Count("pairs", pairs, 0)
		}
		if !in.last {
			continue
		}
		out = a.finish(out[:0], in.list)
		if bad != nil {
			bad = fmt.Errorf("line %d: %w", in.line, bad)
			out = appendError(out[:0], bad)
			errs++
			if first == nil {
				first = bad
			}
			bad = nil
		}
		// A user may write a line and wait for its answer: do not buffer it.
		if _, err := p.stdout.Write(out); err != nil {
			return err
		}
		total++
		p.undone = fmt.Sprintf("lines answered until then: %d", total)
	}
	if errs > 0 {
		return fmt.Errorf("%d of %d lines are in error, the first is %w", errs, total, first)
	}
	return nil
}

// readItems makes an item for each pair of a line, so that the amount of waiting work is
// bounded in pairs, however many a line has. err is the error of a line that could not be
// read.
func readItems(a answerer, number int, line []byte, err error, emit func(item) bool) {
	if err == nil && jsonl.Blank(line) {
		return
	}
	var l jsonl.Line
	if err == nil {
		l, err = jsonl.Parse(line)
	}
	in := item{line: number, list: l.List, last: true, none: true}
	n := l.Pairs()
	for i := 0; i < n && err == nil; i++ {
		in = item{line: number, index: i, list: l.List, last: i == n-1}
		if in.ids, err = a.prepare(&l, i); err != nil {
			err = in.about(err)
		} else if !emit(in) {
			return
		}
	}
	if err != nil { // a bad line may be long: keep only its error
		in = item{line: number, last: true, err: err}
	}
	if in.none || err != nil {
		emit(in)
	}
}

// about returns an error of this pair as an error of its line.
func (in *item) about(err error) error {
	if in.list {
		return fmt.Errorf("pair %d of the line: %w", in.index+1, err)
	}
	return err
}

// bounds are the limits of the tokens in a line.
type bounds struct{ vocab, types, length int }

func modelBounds(c *model.Config) bounds { return bounds{c.VocabSize, c.TypeVocabSize, c.MaxPositions} }

// check names the token that is out of bounds. It refuses the same tokens as
// model.Batch.Validate, which does not know the fields' names.
func (b bounds) check(t engine.Tokens) error {
	if len(t.IDs) == 0 {
		return errors.New(`"input_ids": no tokens`)
	}
	if len(t.IDs) > b.length {
		return fmt.Errorf(`"input_ids": %w: %d tokens, the model takes %d`, engine.ErrTooLong, len(t.IDs), b.length)
	}
	for i, id := range t.IDs {
		if id < 0 || int(id) >= b.vocab {
			return fmt.Errorf(`"input_ids"[%d]: %d, want 0 to %d`, i, id, b.vocab-1)
		}
		if typ := t.Types[i]; typ < 0 || int(typ) >= b.types {
			return fmt.Errorf(`"token_type_ids"[%d]: %d, want 0 to %d`, i, typ, b.types-1)
		}
	}
	return nil
}
