package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/klauspost/cpuid/v2"
	"github.com/spf13/cobra"

	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/model"
	"github.com/minilm-metal/minilm-metal/model/hub"
)

// about is what info prints, and the schema of info --json.
type about struct {
	Version string `json:"version"`
	Model   struct {
		Name       string `json:"name"`
		Dir        string `json:"dir"` // "": in memory
		Synthetic  bool   `json:"synthetic"`
		Kind       string `json:"kind"`
		Layers     int    `json:"layers"`
		Hidden     int    `json:"hidden"`
		Heads      int    `json:"heads"`
		Vocabulary int    `json:"vocabulary"`
		Parameters int64  `json:"parameters"`
		Format     string `json:"weights_format"` // "safetensors" or "PyTorch"
		MaxLength  int    `json:"max_length"`
		// Of an embedder: the values of an embedding, what makes it of the encoder's last
		// hidden state, in order, and how embeddings are compared.
		Dimensions int      `json:"dimensions,omitempty"`
		Modules    []string `json:"modules,omitempty"`
		Similarity string   `json:"similarity,omitempty"`
		// Of a classifier: its labels, and the function that makes their probabilities.
		Labels []string         `json:"labels,omitempty"`
		Final  model.Activation `json:"final,omitempty"`
		// MaxLengthFrom is the file and field that MaxLength comes from.
		MaxLengthFrom string `json:"max_length_from"`
		// What happens to longer pairs, in transformers' terms.
		TruncationStrategy string `json:"truncation_strategy"`
		TruncationSide     string `json:"truncation_side"`
		// Prompts are the texts that can be put before queries, by name. DefaultPrompt
		// names the one that is used if no other is asked for; "" means none.
		Prompts       map[string]string `json:"prompts,omitempty"`
		DefaultPrompt string            `json:"default_prompt,omitempty"`
		Activation    string            `json:"activation,omitempty"` // what sentence-transformers applies to the logit; our scores are raw
		Warnings      []string          `json:"warnings"`             // about the files; null if there are none
	} `json:"model"`
	Device         string   `json:"device"`
	InstructionSet string   `json:"instruction_set"` // of the CPU's kernels; "" on other devices
	Precision      string   `json:"precision"`
	Workers        int      `json:"workers"`
	Choices        []string `json:"choices"` // the device and kernels that were chosen, and why
	// Candidates are the precisions that there was a choice of; null if there was none.
	Candidates      []engine.Candidate `json:"candidates"`
	CalibrationFile string             `json:"calibration_file"` // the file that their figures come from; "" if they were measured now
	CPU             struct {
		Name     string   `json:"name"`
		Cores    int      `json:"cores"`
		Features []string `json:"features"`
	} `json:"cpu"`
}

func (p *program) info() *cobra.Command {
	var (
		flags  engineFlags
		asJSON bool
		anew   bool
		chip   string
	)
	c := &cobra.Command{
		Use:   "info",
		Short: "Say which model, device and kernels would be used, and why",
		Long: `Open the model as "score" would, or as "embed" or "classify" if it makes embeddings or
has several labels, and say what it is, what it runs on, and why.

Where the precision is chosen, each candidate is listed: the tokens a second that all
workers put through one encoder layer, and how far its results are from float32's, on
made-up pairs or texts of 12 tokens up to the maximum length. For scores that is the mean
and the worst error, in standard deviations of the scores, without what all have in common,
and the share of orders that are swapped. For embeddings it is 1 - cosine, and the share of
swapped orders of a text's neighbours; for labels the error of the logits, and the share of
decisions that change. These are measured at the first opening and kept in the user's
cache directory, for this processor, model, number of workers and version; --calibrate
measures them anew, for example if the machine was busy the first time.

With --device metal --model-chip CHIP, say instead what each dispatch of a batch
should cost on that Apple GPU, by a model and not by measurement: its FLOPs, bytes
and threadgroups, and its roofline. That needs no GPU.`,
		Example: `  minilm-metal info
  minilm-metal info --calibrate
  minilm-metal info --model ./checkpoint --json
  minilm-metal info --device metal --model-chip "M1 Pro"`,
		Args: arguments(""),
		RunE: func(*cobra.Command, []string) error {
			if chip != "" {
				if flags.device != "metal" || asJSON || anew {
					return usageError("--model-chip is for --device metal, measures nothing, and is not written as JSON")
				}
				found, err := p.checkpoint(flags.model, hub.Complete)
				if err != nil {
					return err
				}
				config, err := model.ReadConfig(found.files)
				if err != nil {
					return err
				}
				return writeChip(p.stdout, chip, *config)
			}
			opts := []engine.Option{engine.JudgeAll()}
			if anew {
				opts = append(opts, engine.Recalibrate())
			}
			a, err := p.about(&flags, opts...)
			if err != nil {
				return err
			}
			if asJSON {
				out := json.NewEncoder(p.stdout)
				out.SetIndent("", "  ")
				return out.Encode(a)
			}
			return a.write(p.stdout)
		},
	}
	flags.register(c.Flags())
	c.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	c.Flags().BoolVar(&anew, "calibrate", false, "measure the candidates anew, and keep that")
	c.Flags().StringVar(&chip, "model-chip", "", "with --device metal: model this chip instead, such as \"M1 Pro\"")
	return c
}

// about opens an engine, asks what it is, and closes it again.
func (p *program) about(flags *engineFlags, opts ...engine.Option) (*about, error) {
	e, found, err := flags.openAny(p, opts...)
	if err != nil {
		return nil, err
	}
	info := e.Info()
	if err := e.Close(); err != nil {
		return nil, err
	}
	return aboutOf(info, found), nil
}

// aboutOf combines what an engine says about itself with what is known about its checkpoint
// and this machine.
func aboutOf(info engine.Info, found checkpoint) *about {
	a := &about{Version: version(), Device: info.Device, InstructionSet: info.InstructionSet, Precision: info.Precision, Workers: info.Workers,
		Choices: info.Choices, Candidates: info.Candidates, CalibrationFile: info.CalibrationFile}
	a.Model.Name, a.Model.Dir, a.Model.Synthetic = found.name, found.dir, found.synthetic
	a.Model.Layers, a.Model.Hidden, a.Model.Heads = info.Config.Layers, info.Config.HiddenSize, info.Config.Heads
	a.Model.Vocabulary, a.Model.Parameters, a.Model.MaxLength = info.Config.VocabSize, info.Parameters, info.MaxLength
	a.Model.Format = info.WeightsFormat
	a.Model.MaxLengthFrom, a.Model.TruncationStrategy, a.Model.TruncationSide = info.MaxLengthFrom, info.TruncationStrategy, info.TruncationSide
	a.Model.Warnings = info.Warnings
	a.setKind(info)
	a.Model.Prompts, a.Model.DefaultPrompt = info.Prompts, info.DefaultPrompt
	a.CPU.Name, a.CPU.Cores, a.CPU.Features = cpuid.CPU.BrandName, runtime.NumCPU(), cpuid.CPU.FeatureSet()
	return a
}

func (a *about) write(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	row := func(name, format string, args ...any) {
		fmt.Fprintf(t, "%s\t%s\n", name, fmt.Sprintf(format, args...))
	}
	m := &a.Model
	row("version", "%s", a.Version)
	row("model", "%s", m.Name)
	if m.Dir != "" {
		row("directory", "%s", m.Dir)
	}
	if m.Synthetic {
		row("weights", "synthetic: scores mean nothing")
	}
	row("format", "%s", m.Format)
	row("kind", "%s", kinds[m.Kind])
	row("shape", "%d layers, hidden %d, %d heads, vocabulary %d, %d parameters", m.Layers, m.Hidden, m.Heads, m.Vocabulary, m.Parameters)
	row("max length", "%d tokens, %s", m.MaxLength, m.MaxLengthFrom)
	query := a.writeKind(row)
	for _, name := range slices.Sorted(maps.Keys(m.Prompts)) {
		of := "for --prompt-name"
		if name == m.DefaultPrompt {
			of = "the default, before every " + query
		}
		row("prompt", "%q: %q, %s", name, m.Prompts[name], of)
	}
	for _, w := range m.Warnings {
		row("warning", "%s", w)
	}
	row("device", "%s, %s, %s at once", a.Device, a.Precision, count(a.Workers, "pass", "passes"))
	for _, why := range a.Choices {
		row("", "%s", why)
	}
	for i, c := range a.Candidates {
		name := ""
		if i == 0 {
			name = "candidates"
		}
		row(name, "%s", candidate(&c))
	}
	if len(a.Candidates) > 0 {
		from := "measured now"
		if a.CalibrationFile != "" {
			from = "measured before, from " + a.CalibrationFile
		}
		row("", "%s", from)
	}
	row("cpu", "%s, %s", orUnknown(a.CPU.Name), count(a.CPU.Cores, "core", "cores"))
	for i, line := range wrap(a.CPU.Features, 66) {
		name := ""
		if i == 0 {
			name = "features"
		}
		row(name, "%s", line)
	}
	return t.Flush()
}

// candidate describes a precision, for example "int8: 61000 tokens/s through a layer, off
// by 0.018 of the scores' standard deviation on average, 0.053 at worst, with 0.41 % of the
// orders swapped (chosen)".
func candidate(c *engine.Candidate) string {
	s := c.Precision + ": "
	if c.TokensPerSecond > 0 {
		s += fmt.Sprintf("%.0f tokens/s through a layer, ", c.TokensPerSecond)
	}
	switch {
	case c.Deviation == nil:
		s += "not judged"
	case c.Precision == "f32":
		s += "what the others are held to"
	default:
		s += c.Deviation.String()
	}
	if c.Chosen {
		s += " (chosen)"
	}
	return s
}

// count writes how many of something there are.
func count(n int, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, more)
}

func orUnknown(s string) string {
	if s == "" {
		return "unknown"
	}
	return s
}

// wrap joins words to lines of at most width bytes.
func wrap(words []string, width int) (lines []string) {
	var line strings.Builder
	for _, word := range words {
		if line.Len() > 0 && line.Len()+1+len(word) > width {
			lines = append(lines, line.String())
			line.Reset()
		}
		if line.Len() > 0 {
			line.WriteByte(' ')
		}
		line.WriteString(word)
	}
	if line.Len() > 0 {
		lines = append(lines, line.String())
	}
	return lines
}
