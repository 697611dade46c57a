// Package ab runs two sides in turns and keeps every run of both.
//
// A [Trial] consists of rounds. Each round has one run of A and one of B, and their order
// is random but balanced. The runs show how B differs from A (see package compare), and
// also how each side differs from itself: each run is compared with the run of the same
// side in the round before. So the machine's own spread is measured under the same
// conditions as the comparison, and needs no runs of its own. The two runs of such a pair
// are farther apart in time than those of one round. On a machine that drifts this makes
// the spread a little too large, and never too small.
//
// Because the order in a round is random, log(B/A) is as likely to be positive as negative
// if the sides do not differ. The sign-flip test assumes this, and it is why a round has
// one run of each side.
//
// The caller decides what a run is: [Trial.Run] asks it for a report, which should come
// from a new process each time. This package knows nothing of engines.
//
// # ab.json
//
// The schema is that of the type [Trial]. It holds what was run and what each run reported,
// without the samples, and nothing that can be derived from it.
package ab
