package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/engine/jsonl"
	"github.com/minilm-metal/minilm-metal/model"
)

// pairsHelp is what the commands that read pairs say of them.
const pairsHelp = `Each line of the input is a JSON object: "query" and "passage" (or "q" and "p", or
"text" for the passage); or "query" and "documents", a list of strings or of objects
with a "text", as rerank services take it (or "texts", or "passages"); or "input_ids"
and "token_type_ids" (all 0 where left out) as "tokenize" writes them, lists of lists
for a list. Other fields are ignored; beside "passage" or "p" so are the other names for
passages, and without them two of those are an error. Blank lines are skipped.`

// item is one pair of a line of input, or what is wrong with the line.
type item struct {
	line  int  // from 1
	index int  // in the line, from 0
	list  bool // the line's answer is a list
	none  bool // it is of an empty list, and there is no pair
	last  bool // of the line
	ids   engine.Tokens
	err   error // of the line, which it does not name
}

// answerer turns pairs into lines of output. Reading and answering go on at the same time,
// a goroutine each.
type answerer interface {
	// prepare gets the i-th pair of each line when that has been read. What it returns,
	// answer gets. The error is of the line: answer does not see it then.
	prepare(line *jsonl.Line, i int) (engine.Tokens, error)
	// answer adds a pair's answer to the line's. An error that is errNoScore is of the
	// pair, any other the end of all.
	answer(pair engine.Tokens) error
	// finish appends the line of all answers since the last one to out, and forgets them.
	finish(out []byte, list bool) []byte
	Close() error
}

// answer answers every line of a file in order, each as soon as its answer is known.
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
		first              error // of the first line in error
		bad                error // of the line that is being answered
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
			if err := a.answer(in.ids); errors.Is(err, errNoScore) {
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
		// Who writes a line and waits for its answer shall get it: nothing is held back.
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

// readItems makes the items of a line, one for each of its pairs: so what waits is bounded
// in pairs, however many a line has. err is of a line that could not be read.
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
	if err != nil { // what is wrong may be long: nothing else of it is kept
		in = item{line: number, last: true, err: err}
	}
	if in.none || err != nil {
		emit(in)
	}
}

// about is an error of this pair, as one of its line.
func (in *item) about(err error) error {
	if in.list {
		return fmt.Errorf("pair %d of the line: %w", in.index+1, err)
	}
	return err
}

// bounds is what tokens of a line may be.
type bounds struct{ vocab, types, length int }

func modelBounds(c *model.Config) bounds { return bounds{c.VocabSize, c.TypeVocabSize, c.MaxPositions} }

// check says which token is out of bounds. It refuses what model.Batch.Validate does, which
// knows no fields.
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
