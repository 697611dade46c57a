// Command minilm-metal scores, ranks and measures with a BERT cross-encoder.
//
//	minilm-metal bench                        measure, write the report
//	minilm-metal rank QUERY < passages.txt    a filter: best passage first
//	minilm-metal score < pairs.jsonl          JSON Lines in, JSON Lines out
//	minilm-metal tokenize < pairs.jsonl       text to token ids
//	minilm-metal embed < texts.txt            embeddings, with a model that makes them
//	minilm-metal similarity QUERY < texts.txt texts by the similarity of their embeddings
//	minilm-metal classify < texts.txt         probabilities of labels, with a model that has some
//	minilm-metal info                         model, device, kernels
//	minilm-metal serve                        all of these over HTTP
//	minilm-metal verify                       published scores against ours
//	minilm-metal report FILE                  the page of a bench report, made again
//	minilm-metal compare A B                  two bench reports side by side
//	minilm-metal kernels                      each kernel alone, against the processor's limits
//	minilm-metal pprof FILE                   what each kernel cost: flame graph or list
//	minilm-metal tune                         the fastest tiles on this Mac's GPU
//	minilm-metal doctor                       all about this machine, in one file to send
//	minilm-metal pull ID                      download a checkpoint
//	minilm-metal convert MODEL                make model.safetensors of a pytorch_model.bin
//	minilm-metal synth --out DIR              make a checkpoint from a seed
//	minilm-metal version                      which version this is
//
// Every command has --help with examples. Results go to standard output, all
// else to standard error; a progress bar is drawn on a terminal only. The exit
// code is 0 if all went well, 1 if something failed, 2 if the command line was
// wrong and 130 if the user interrupted; verdicts have 3 to 5, see "bench ab".
//
// The commands are thin: flags to a call of package engine, bench, model/hub or
// model/synth, and its result to text.
package main

import (
	"io"
	"os"
)

func main() {
	var stdout io.Writer = os.Stdout
	if closedBefore(os.Stdout) {
		stdout = noOutput{}
	}
	var stdin io.Reader = os.Stdin
	if closedBefore(os.Stdin) {
		stdin = noInput{}
	}
	os.Exit(run(untilSignal(), os.Args[1:], stdin, stdout, os.Stderr, os.Getenv))
}
