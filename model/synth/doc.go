// Package synth makes a checkpoint and a data set from a seed alone, so that the engine can
// run, be measured and be tested where there is no checkpoint. A checkpoint is a cross-encoder,
// an embedder or a classifier, of the same encoder.
//
// The checkpoint has the shape of cross-encoder/ms-marco-MiniLM-L-6-v2 by default, the files
// and names that Hugging Face's tools read, and weights drawn from the distributions in
// weights.go. They stress arithmetic as trained weights do, with outlier channels, uneven rows
// and logits some units apart, but they rank nothing: timings are valid, scores mean nothing.
//
// The data set is English-like queries and passages whose lengths in tokens
// follow those of MS MARCO's passage ranking task.
//
// All of it is the same, byte for byte, on every operating system and
// architecture and in every version of Go: random numbers come from the PCG of
// math/rand/v2, whose stream is fixed, choices are made in integers, and no
// float is the sum of a product, which some machines would fuse.
package synth

//go:generate go run ./internal/genvocab -o vocab.txt
