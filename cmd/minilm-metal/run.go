package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/minilm-metal/minilm-metal/cmd/minilm-metal/internal/progress"
)

// Exit codes.
const (
	good        = 0
	failed      = 1
	usage       = 2
	interrupted = 130 // 128 + SIGINT, as in shells
)

// errUsage is in every error about an invalid command line.
var errUsage = errors.New("usage")

// usageError makes an error that ends the program with code 2.
func usageError(format string, args ...any) error {
	return &misuse{fmt.Errorf(format, args...)}
}

type misuse struct{ error }

func (m *misuse) Is(target error) bool { return target == errUsage }
func (m *misuse) Unwrap() error        { return m.error }

// program holds everything that a command uses of its environment.
type program struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	getenv         func(string) string
	args           []string      // the command line, the program's name first
	bar            *progress.Bar // on stderr, if that is a terminal
	begun          bool          // the command line was valid
	undone         string        // what an interrupted command has left behind, for the user; "" if that is obvious
}

// run is the whole program except the process around it. It returns the exit code, and
// keeps nothing from one call to the next.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer, getenv func(string) string) int {
	out := &output{w: stdout, name: "standard output"}
	p := &program{stdin: stdin, stdout: out, stderr: stderr, getenv: getenv, args: append([]string{"minilm-metal"}, args...)}
	if f := terminal(stderr); f != nil {
		p.bar = progress.New(f)
	}
	root := p.root()
	root.SetArgs(append([]string{}, args...)) // with nil, cobra would take the process's
	root.SetIn(stdin)
	root.SetOut(out)
	root.SetErr(stderr)
	strict(root)
	command, err := root.ExecuteContextC(ctx)
	p.bar.Close()
	if out.err != nil && !errors.Is(err, out.err) {
		err = errors.Join(err, out.err)
	}
	switch {
	case err == nil:
		return good
	case ctx.Err() != nil:
		text := "interrupted"
		if p.undone != "" {
			text += "; " + p.undone
		}
		if !errors.Is(err, context.Canceled) {
			text += "; " + err.Error()
		}
		fmt.Fprintf(stderr, "%s: %s\n", root.Name(), text)
		return interrupted
	}
	fmt.Fprintf(stderr, "%s: %v\n", root.Name(), err)
	if found, ok := errors.AsType[*judged](err); ok && out.err == nil {
		return found.code
	}
	// Cobra's errors about arguments and flags have no type of their own. All of them come
	// before the command has begun.
	if !p.begun && out.err == nil || errors.Is(err, errUsage) {
		fmt.Fprintf(stderr, "See %q.\n", command.CommandPath()+" --help")
		return usage
	}
	return failed
}

func (p *program) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "minilm-metal",
		Short: "Score, rank, embed, classify and measure with BERT models",
		Long: `Score and rank with a BERT cross-encoder, first of all
cross-encoder/ms-marco-MiniLM-L-6-v2; make embeddings and labels with other BERT
models; and measure all of them.

Nothing is ever downloaded but by "pull". Without --model, commands about scores use
that checkpoint if the local Hugging Face cache has it, else synthetic weights of its
shape, whose timings hold and whose scores mean nothing; they say so. Commands about
embeddings and labels need --model.

Exit codes: 0 good, 1 failed, 2 usage, 130 interrupted; "bench ab" and "compare --gate"
have 3 to 5 for their verdicts.`,
		Example: `  minilm-metal bench
  minilm-metal pull cross-encoder/ms-marco-MiniLM-L-6-v2
  minilm-metal rank "how many people live in berlin" < passages.txt
  minilm-metal embed --model sentence-transformers/all-MiniLM-L6-v2 < texts.txt
  minilm-metal info --model ./sentiment   # what kind of model is it, and what runs it?`,
		Version:           version(),
		SilenceErrors:     true, // run prints them, once
		SilenceUsage:      true,
		DisableAutoGenTag: true, // man pages must not change every day
		PersistentPreRunE: func(c *cobra.Command, _ []string) error {
			p.begun = true
			return p.checkOutput(c)
		},
	}
	root.SetVersionTemplate("{{.Name}} {{.Version}}\n")
	for _, c := range []*cobra.Command{p.rank(), p.score(), p.tokenize(), p.embed(), p.similarity(), p.classify()} {
		c.Annotations = map[string]string{onlyOutput: ""}
		root.AddCommand(c)
	}
	root.AddCommand(p.info(), p.serve(), p.bench(), p.report(), p.compare(), p.kernels(), p.pprof(), p.synth(), p.pull(), p.convert(), p.verify(), p.tune(), p.doctor(), p.man(), p.version())
	p.complete(root)
	return root
}

// strict makes cobra's own commands refuse an unknown topic or shell; by themselves they
// answer as if nothing had been asked. They write to root's output from now on.
func strict(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		switch c.Name() {
		case "help":
			c.Args = func(_ *cobra.Command, args []string) error {
				if _, _, err := root.Find(args); err != nil {
					return usageError("help: %w", err)
				}
				return nil
			}
		case "completion":
			c.RunE = func(*cobra.Command, []string) error {
				return usageError("which shell? bash, fish, powershell or zsh")
			}
		}
	}
}

// warn tells the user something that is neither a result nor a failure.
func (p *program) warn(format string, args ...any) {
	p.bar.Close()
	fmt.Fprintf(p.stderr, "minilm-metal: "+format+"\n", args...)
}

// streamBar returns the bar for commands that write results while they work. If results go
// to a terminal, too, it returns nil, because the bar would be drawn into them.
func (p *program) streamBar() *progress.Bar {
	if terminal(p.stdout) != nil {
		return nil
	}
	return p.bar
}

// terminal returns w if it is a terminal, else nil.
func terminal(w io.Writer) *os.File {
	if out, ok := w.(*output); ok {
		w = out.w
	}
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return f
	}
	return nil
}
