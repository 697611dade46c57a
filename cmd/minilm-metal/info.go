package main

import (
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"strings"
	"text/tabwriter"

	"github.com/klauspost/cpuid/v2"
	"github.com/spf13/cobra"

	"github.com/minilm-metal/minilm-metal/model"
	"github.com/minilm-metal/minilm-metal/model/hub"
)

// about is what info tells, and the schema of info --json.
type about struct {
	Version string `json:"version"`
	Model   struct {
		Name       string `json:"name"`
		Dir        string `json:"dir"` // "": in memory
		Synthetic  bool   `json:"synthetic"`
		Layers     int    `json:"layers"`
		Hidden     int    `json:"hidden"`
		Heads      int    `json:"heads"`
		Vocabulary int    `json:"vocabulary"`
		Parameters int64  `json:"parameters"`
		MaxLength  int    `json:"max_length"`
		Activation string `json:"activation"` // what the checkpoint asks for; scores are raw logits all the same
	} `json:"model"`
	Device    string   `json:"device"`
	Precision string   `json:"precision"`
	Workers   int      `json:"workers"`
	Choices   []string `json:"choices"` // which device and kernels, and why
	CPU       struct {
		Name     string   `json:"name"`
		Cores    int      `json:"cores"`
		Features []string `json:"features"`
	} `json:"cpu"`
}

func (p *program) info() *cobra.Command {
	var (
		flags  engineFlags
		asJSON bool
		chip   string
	)
	c := &cobra.Command{
		Use:   "info",
		Short: "Say which model, device and kernels would be used, and why",
		Long: `Open the model as "score" would, and say what it is, what it runs on, and why.

With --device metal --model-chip CHIP, say instead what each dispatch of a batch
should cost on that Apple GPU, by a model and not by measurement: its FLOPs, bytes
and threadgroups, and its roofline. That needs no GPU.`,
		Example: `  minilm-metal info
  minilm-metal info --model ./checkpoint --json
  minilm-metal info --device metal --model-chip "M1 Pro"`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if chip != "" {
				if flags.device != "metal" || asJSON {
					return usageError("--model-chip is for --device metal, and is not written as JSON")
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
			e, found, err := flags.open(p)
			if err != nil {
				return err
			}
			info := e.Info()
			if err := e.Close(); err != nil {
				return err
			}
			a := about{Version: version(), Device: info.Device, Precision: info.Precision, Workers: info.Workers, Choices: info.Choices}
			a.Model.Name, a.Model.Dir, a.Model.Synthetic = found.name, found.dir, found.synthetic
			a.Model.Layers, a.Model.Hidden, a.Model.Heads = info.Config.Layers, info.Config.HiddenSize, info.Config.Heads
			a.Model.Vocabulary, a.Model.Parameters, a.Model.MaxLength = info.Config.VocabSize, info.Parameters, info.MaxLength
			a.Model.Activation = string(info.Config.Activation)
			a.CPU.Name, a.CPU.Cores, a.CPU.Features = cpuid.CPU.BrandName, runtime.NumCPU(), cpuid.CPU.FeatureSet()
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
	c.Flags().StringVar(&chip, "model-chip", "", "with --device metal: model this chip instead, such as \"M1 Pro\"")
	return c
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
	row("shape", "%d layers, hidden %d, %d heads, vocabulary %d, %d parameters", m.Layers, m.Hidden, m.Heads, m.Vocabulary, m.Parameters)
	row("max length", "%d tokens", m.MaxLength)
	row("device", "%s, %s, %d passes at once", a.Device, a.Precision, a.Workers)
	for _, why := range a.Choices {
		row("", "%s", why)
	}
	row("cpu", "%s, %d cores", orUnknown(a.CPU.Name), a.CPU.Cores)
	for i, line := range wrap(a.CPU.Features, 66) {
		name := ""
		if i == 0 {
			name = "features"
		}
		row(name, "%s", line)
	}
	return t.Flush()
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
