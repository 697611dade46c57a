package bench

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/bench/remote"
	"github.com/minilm-metal/minilm-metal/engine"
)

const (
	// untold is the precision of a server.
	untold = "not told"
	// patience is how many requests may be missed before the first that brings scores, where
	// nothing else ends a loop.
	patience = 16
)

// scaler is implemented by what may give probabilities instead of logits.
type scaler interface {
	// logits returns the scores got as logits, of which want are the reference's.
	logits(got, want []float64) []float64
}

// served is a server as a scorer. What it cannot tell, the model and the tokens of a pair,
// is said by an engine of the same model, which scores nothing.
type served struct {
	scorer // tells Info and Tokenize
	client *remote.Client
	scale  string
}

// served returns open, but so that the server is opened in the place of the engine to be
// measured.
func (o *Options) served(ctx context.Context, open func(device, precision string) (scorer, error)) func(device, precision string) (scorer, error) {
	if o.Server == nil {
		return open
	}
	return func(device, precision string) (scorer, error) {
		if device == "reference" {
			return open(device, precision)
		}
		if err := o.Server.Probe(ctx); err != nil {
			return nil, err
		}
		local, err := open("cpu", "f32")
		if err != nil {
			return nil, err
		}
		return &served{scorer: local, client: o.Server}, nil
	}
}

// serverDefaults refuses what cannot be asked of a server.
func (o *Options) serverDefaults() error {
	switch {
	case o.Server == nil:
		return nil
	case o.Mix != nil || o.Overload != nil:
		return fmt.Errorf("%w: a mix or an overload of a server, whose passes and queue are not known here", ErrOptions)
	case o.Profile || o.Stages || len(o.Lengths) > 0 || len(o.Precisions) > 1:
		return fmt.Errorf("%w: a profile, stages, lengths or precisions of a server, which has none of them", ErrOptions)
	}
	for _, n := range o.Batches {
		if largest := slices.Max(o.Batches); n > 0 && largest%n != 0 {
			return fmt.Errorf("%w: batches of %d and %d pairs of a server, where a batch has one query: want each to divide the largest", ErrOptions, n, largest)
		}
	}
	return nil
}

// Info is that of the model, computed in a way that is not known.
func (s *served) Info() engine.Info {
	info := s.scorer.Info()
	info.Device, info.Precision, info.InstructionSet = "server", untold, ""
	info.Workers, info.Choices, info.Candidates = 0, nil, nil
	return info
}

// ScoreStats makes one request for each query, one after the other: a batch of the bench has
// one. Nothing is known of the stages.
func (s *served) ScoreStats(ctx context.Context, dst []float32, pairs []engine.Pair, _ ...engine.CallOption) ([]float32, engine.CallStats, error) {
	for len(pairs) > 0 {
		query, texts := pairs[0].Query, []string(nil)
		for len(texts) < len(pairs) && pairs[len(texts)].Query == query {
			texts = append(texts, pairs[len(texts)].Passage)
		}
		scores, err := s.client.Scores(ctx, query, texts)
		if err != nil {
			return dst, engine.CallStats{}, err
		}
		for _, x := range scores {
			dst = append(dst, float32(x))
		}
		pairs = pairs[len(texts):]
	}
	return dst, engine.CallStats{}, nil
}

// Close closes the connections, too.
func (s *served) Close() error {
	s.client.Close()
	return s.scorer.Close()
}

// logits tells raw scores from probabilities: the two are apart by more than any precision,
// and nearer to the reference's is the scale that they have.
func (s *served) logits(got, want []float64) []float64 {
	s.scale = recording.ScaleRaw
	inverse := make([]float64, len(got))
	for i, p := range got {
		if p < 0 || p > 1 {
			return got
		}
		// What float32 rounds to 0 or 1 has a logit beyond 17.
		p = min(max(p, 1e-8), 1-1.0/(1<<25))
		inverse[i] = math.Log(p) - math.Log1p(-p)
	}
	if distance(inverse, want) < distance(got, want) {
		s.scale = recording.ScaleSigmoid
		return inverse
	}
	return got
}

func distance(x, y []float64) (sum float64) {
	for i := range x {
		sum += math.Abs(x[i] - y[i])
	}
	return sum
}

// groupQueries gives the pairs of a batch one query, as a request has: that of the first of
// them, where they have several. The data set is then another, with a name and a hash of
// its own.
func (s *session) groupQueries() error {
	if s.Server == nil {
		return nil
	}
	n := slices.Max(s.Batches)
	if s.Load != nil {
		n = s.Load.Batch
	}
	w := s.work
	w.group = n
	if n == 1 {
		return nil
	}
	// A batch that goes on at the head of the data set would have two queries.
	if whole := len(w.pairs) - len(w.pairs)%n; whole > 0 {
		w.pairs = w.pairs[:whole]
	}
	changed := false
	for i := range w.pairs {
		query := w.pairs[i-i%n].Query
		changed = changed || w.pairs[i].Query != query
		w.pairs[i].Query = query
	}
	if !changed {
		return nil
	}
	w.name += fmt.Sprintf(", one query for each %d", n)
	s.note("A request has one query and %d passages, so the query of each %d pairs is that of the first: a run of the engine on the data set as it is does slightly other work.", n, n)
	return w.hash()
}

// describeServer fills in what is known of the server, and says what is not.
func (s *session) describeServer() {
	if s.Server == nil {
		return
	}
	a := s.Server.About()
	s.rec.Server = &recording.Server{URL: a.URL, Dialect: a.Dialect, Path: a.Path, Probed: a.Probed, Model: a.Model, Version: a.Version, DType: a.DType}
	s.note("A server was measured over HTTP. The environment, CPU and memory are those of the client; the stages of a request, padding and FLOPs are not told. Tokens are counted by our own tokenizer for --model.")
	if s.embeds() {
		return
	}
	s.note("The server does not tell how it computes: its scores are held to the limits of int8, the loosest, and the accuracy gate says how far they were.")
}

// tellScale records the scale that the gate found.
func (s *session) tellScale() {
	if server, ok := s.engine.(*served); ok && s.rec.Server != nil {
		s.rec.Server.Scale = server.scale
	}
}

// hopeful is for a loop that nothing is recorded of: it goes on after misses, but not if
// the first requests are all missed.
func (l *loop) hopeful() func(recording.BatchSample, error) bool {
	missed, done, any := 0, l.done, false
	l.done = func(b recording.BatchSample) {
		any = true
		if done != nil {
			done(b)
		}
	}
	return func(recording.BatchSample, error) bool {
		missed++
		return any || missed < patience
	}
}

// noteMiss records a batch without scores. What is no answer of the server's, or none that
// it owed, ends the loop.
func noteMiss(served *recording.Served, b recording.BatchSample, err error) bool {
	if of := (*remote.Error)(nil); !errors.As(err, &of) {
		return false
	}
	served.Missed = append(served.Missed, recording.Miss{Due: b.Start, After: b.Latency, Reason: missReason(err)})
	return true
}

// missReason is the kind of a miss, by which misses are counted.
func missReason(err error) string {
	if of := (*remote.Error)(nil); errors.As(err, &of) {
		return of.Kind
	}
	return reasonOf(err)
}

// reasons lists the kinds of a run's misses, with their numbers.
func reasons(served *recording.Served) string {
	count := map[string]int{}
	for _, m := range served.Missed {
		count[m.Reason]++
	}
	var list []string
	for _, reason := range slices.Sorted(maps.Keys(count)) {
		list = append(list, fmt.Sprintf("%d %s", count[reason], reason))
	}
	return strings.Join(list, ", ")
}

// traffic is what went over the wire so far.
type traffic remote.Traffic

func (s *session) traffic() traffic {
	if s.Server == nil {
		return traffic{}
	}
	return traffic(s.Server.Traffic())
}

// since puts into served what went over the wire since before; nil is no server's.
func (t traffic) since(before traffic, served *recording.Served) {
	if served != nil {
		served.Requests, served.Connections = t.Requests-before.Requests, t.Connections-before.Connections
		served.Sent, served.Received = t.Sent-before.Sent, t.Received-before.Received
	}
}
