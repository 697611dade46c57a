package peers

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/minilm-metal/minilm-metal/bench/ab"
	"github.com/minilm-metal/minilm-metal/bench/recording"
)

// rest is between two turns. OpenMP's threads keep spinning for up to 200 ms after their last
// work, and would do so in the next one's time.
const rest = 250 * time.Millisecond

// Peer is one who takes part, and the process that is.
type Peer struct {
	Name      string // as the user picks it, such as "openvino-int8"
	Library   string // for people
	Precision string // f32, bf16 or int8
	Ours      bool
	Command   []string // a program that speaks the protocol, and its arguments
	Prepares  bool     // derives files from the weights first
	Absent    string   // why there is no process to start; "": there is
}

// Options say what is run.
type Options struct {
	Peers   []Peer
	Opening        // Precision is each peer's own
	Rows    []Row  // the pairs
	Others  []Row  // pairs that are not measured, to calibrate with
	Rounds  int    // in each of which each peer scores all pairs once
	Seed    uint64 // of the order of turns
	// Check compares the logits of all pairs, or the embeddings of all texts, one after the
	// other, with the truth. Its error says why they are wrong.
	Check func(values []float64, precision string) (*recording.Accuracy, error)
	// Limit is the longest time for a single answer.
	Limit time.Duration
	Load  func() *float64 // the machine's load average; nil: it has none. May itself be nil
	// Install returns what installs a module of Python; "" for an unknown one. May be nil.
	Install  func(module string) string
	Progress func(stage string, done, total int)
	Keep     func(*Recording) error // writes the recording, after each round and at the end
}

// participant is a peer and its process, while there is one.
type participant struct {
	Peer
	*Entry
	process *child
}

// Run measures all peers and fills r.Entries, in the order of o.Peers. A peer that fails is
// out, and its entry says why; the others go on. The error is ctx's, or that of Keep.
func Run(ctx context.Context, r *Recording, o Options) error {
	r.Kind, r.Schema, r.Started, r.Task = kind, SchemaVersion, time.Now(), o.Task
	r.Threads, r.Batch, r.Pairs, r.Seed, r.Planned = o.Threads, o.Batch, len(o.Rows), o.Seed, o.Rounds
	r.Entries = make([]Entry, len(o.Peers))
	all := make([]*participant, len(o.Peers))
	for i, p := range o.Peers {
		r.Entries[i] = Entry{Name: p.Name, Library: p.Library, Precision: p.Precision, Ours: p.Ours, Failure: p.Absent, Turns: []Turn{}}
		all[i] = &participant{Peer: p, Entry: &r.Entries[i]}
		defer all[i].leave()
	}
	for i, p := range all {
		o.Progress("start "+p.Peer.Name, i, len(all))
		if p.Failure == "" {
			p.fail(ctx, &o, p.enter(ctx, &o))
		}
	}
	for round, order := range ab.Turns(len(all), o.Rounds, o.Seed) {
		if o.Load != nil {
			if load := o.Load(); load != nil {
				r.Loads = append(r.Loads, *load)
			}
		}
		for place, who := range order {
			p := all[who]
			if p.Failure != "" || ctx.Err() != nil {
				continue
			}
			if err := sleep(ctx, rest); err == nil {
				p.fail(ctx, &o, p.turn(ctx, &o, round, place))
			}
		}
		if ctx.Err() != nil {
			break
		}
		o.Progress("rounds", round+1, o.Rounds)
		if err := o.Keep(r); err != nil {
			return err
		}
	}
	if ctx.Err() != nil {
		r.CutShort = "interrupted"
	}
	for _, p := range all {
		p.leave() // what memory it had at most is known at the end
	}
	return errors.Join(ctx.Err(), o.Keep(r))
}

// fail notes why a peer is out, if err is not nil, and ends its process. An interrupt is no
// failure of the peer's.
func (p *participant) fail(ctx context.Context, o *Options, err error) {
	if err == nil {
		return
	}
	p.leave()
	if ctx.Err() != nil {
		return
	}
	p.Failure = strings.TrimPrefix(strings.ToValidUTF8(err.Error(), "\uFFFD"), "bench: ")
	if refusal, ok := errors.AsType[*peerError](err); ok && refusal.missing != "" {
		p.Failure = fmt.Sprintf("the module %s is not installed", refusal.missing)
		if o.Install != nil {
			if line := o.Install(refusal.missing); line != "" {
				p.Failure += ": " + line
			}
		}
	}
	if end, ok := errors.AsType[*crash](err); ok {
		p.Words = strings.ToValidUTF8(end.words, "\uFFFD")
	}
}

// leave ends a peer's process, if it has one.
func (p *participant) leave() {
	if p.process != nil {
		p.PeakMB = peakMB(p.process.command.Process.Pid)
		p.process.close()
		p.process = nil
	}
}

// env is what every process is told about threads, and that the network is no place to look.
func env(threads int) (out []string) {
	for _, name := range []string{"OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS", "GOMAXPROCS"} {
		out = append(out, fmt.Sprintf("%s=%d", name, threads))
	}
	return append(out, "HF_HUB_OFFLINE=1", "TRANSFORMERS_OFFLINE=1", "HF_HUB_DISABLE_TELEMETRY=1", "DO_NOT_TRACK=1",
		"CUDA_VISIBLE_DEVICES=", "PYTHONUNBUFFERED=1", "PYTHONUTF8=1", "PYTHONDONTWRITEBYTECODE=1")
}

// enter starts a peer and takes it to where it can be measured: its files are made, its model
// is open, and it has scored one pair and then all of them, correctly.
func (p *participant) enter(ctx context.Context, o *Options) (err error) {
	opening := o.Opening
	opening.Precision = p.Peer.Precision
	if p.Prepares {
		maker, err := start(ctx, p.Command, env(o.Threads))
		if err != nil {
			return err
		}
		_, p.Prepare, err = maker.ask(ctx, o.Limit, request{Do: "prepare", Opening: opening, Rows: o.Others})
		maker.close()
		if err != nil {
			return err
		}
	}
	if p.process, err = start(ctx, p.Command, env(o.Threads)); err != nil {
		return err
	}
	a, _, err := p.process.ask(ctx, o.Limit, request{Do: "open", Opening: opening})
	if err != nil {
		return err
	}
	p.About = a.About
	if _, _, err := p.process.ask(ctx, o.Limit, request{Do: "pairs", Rows: o.Rows}); err != nil {
		return err
	}
	if _, err := p.score(ctx, o, 0, 1); err != nil {
		return err
	}
	p.FirstScore = time.Since(p.process.begun)
	// A pass that is not timed: for warmth, and to know the scores before the speed.
	s, err := p.score(ctx, o, 0, len(o.Rows))
	if err != nil {
		return err
	}
	p.Accuracy, err = o.Check(s.values, p.Peer.Precision)
	return err
}

// turn has a peer score all pairs once.
func (p *participant) turn(ctx context.Context, o *Options, round, place int) error {
	s, err := p.score(ctx, o, 0, len(o.Rows))
	if err == nil {
		_, err = o.Check(s.values, p.Peer.Precision) // whoever is right once may be wrong when warm
	}
	if err != nil {
		return fmt.Errorf("round %d: %w", round+1, err)
	}
	p.Turns = append(p.Turns, Turn{Round: round, Place: place, Elapsed: s.took, Latencies: seconds(s.latencies)})
	return nil
}

// scored is what a peer made of some pairs.
type scored struct {
	values    []float64
	latencies []float64 // in seconds, of each unit
	took      time.Duration
}

// score has a peer score some of its pairs.
func (p *participant) score(ctx context.Context, o *Options, from, to int) (s scored, err error) {
	a, took, err := p.process.ask(ctx, o.Limit, request{Do: "score", From: from, To: to})
	if err != nil {
		return s, err
	}
	values, each, err := a.values(o.Task, to-from)
	if err != nil {
		return s, err
	}
	for i, v := range values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return s, fmt.Errorf("score %d is %v", from+i/each, v)
		}
	}
	for i, v := range a.Latencies {
		if !(v >= 0 && v <= o.Limit.Seconds()) {
			return s, fmt.Errorf("latency %d is %g s, want 0 to %v", i, v, o.Limit)
		}
	}
	return scored{values, a.Latencies, took}, nil
}

// sleep waits for d, or until ctx is over.
func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
