// Package ab runs two sides in turns, and keeps every run of both.
//
// A [Trial] is rounds of a run of A and one of B, in an order that chance has dealt out evenly.
// What B is to A the rounds say (see package compare), and what A is to itself they say as well:
// each run of a side beside the same side's of the round before. So the machine's own spread is
// measured while it is as it is for the comparison, and without a run for it alone; such
// neighbours lie farther apart than the two of a round, which on a machine that drifts makes the
// spread a little too large and never too small.
//
// The sides' places in a round are chance, so that if they do not differ either sign of the
// logarithm of B/A is as likely: that is what the sign-flip test asks for, and why a round has
// one run of each.
//
// What a run is, the caller says: [Trial.Run] asks for a report, and a fresh process each time
// is what it should come from. Nothing here knows an engine.
//
// # ab.json
//
// The schema is that of the type [Trial]. It holds what was run and what each run told, less
// the samples, and nothing that follows from it.
package ab
