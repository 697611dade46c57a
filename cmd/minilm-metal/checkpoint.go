package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/model"
	"github.com/minilm-metal/minilm-metal/model/hub"
	"github.com/minilm-metal/minilm-metal/model/modules"
	"github.com/minilm-metal/minilm-metal/model/synth"
)

const (
	// syntheticName is the value of --model for the synthetic default. For a directory of
	// that name, write "./synthetic".
	syntheticName = "synthetic"
	// syntheticSeed makes the synthetic default the same everywhere.
	syntheticSeed = 1
	// In every config.json that package synth writes, _name_or_path begins with
	// syntheticPath.
	syntheticPath = "minilm-metal/synthetic"
)

// checkpoint is a model's files, not opened yet.
type checkpoint struct {
	files     fs.FS
	name      string // for people: a directory, or id@commit
	dir       string // its folder; "" for the synthetic default, which is in memory
	synthetic bool   // made from a seed, not trained
}

// checkpoint finds the model called name that has the needed parts. If name is "", it is
// the pinned checkpoint if the cache has all of it, else the synthetic default, with a
// warning.
func (p *program) checkpoint(name string, need hub.Parts) (checkpoint, error) {
	switch name {
	case syntheticName:
		return syntheticCheckpoint()
	case "":
		found, err := p.find(hub.MiniLM().ID, hub.Complete)
		if !errors.Is(err, hub.ErrNotFound) && !errors.Is(err, hub.ErrIncomplete) {
			return found, err
		}
		why := "no checkpoint in the local cache"
		if errors.Is(err, hub.ErrIncomplete) {
			why = "the checkpoint in the local cache is not complete"
		}
		p.warn(`synthetic weights: scores mean nothing (%s; "minilm-metal pull %s" downloads it)`, why, hub.MiniLM().ID)
		return syntheticCheckpoint()
	}
	return p.find(name, need)
}

// find finds a cross-encoder on disk.
func (p *program) find(name string, need hub.Parts) (checkpoint, error) {
	return p.findAny(name, need, true)
}

// encoder finds any encoder.
func (p *program) encoder(name string, need hub.Parts) (checkpoint, error) {
	if name == syntheticName {
		return syntheticCheckpoint()
	}
	return p.findAny(name, need, false)
}

func (p *program) findAny(name string, need hub.Parts, scores bool) (checkpoint, error) {
	cache, err := hub.DefaultCache(p.getenv, p.home())
	if err != nil {
		cache = hub.Cache{} // a directory needs none
	}
	s, err := cache.Find(name, need)
	if scores && errors.Is(err, hub.ErrIncomplete) && need&hub.Weights != 0 {
		// What kind of model it is comes before what it lacks.
		if some, noConfig := cache.Find(name, hub.Config); noConfig == nil {
			if kind := engine.CheckKind(some.FS()); kind != nil {
				return checkpoint{}, kind
			}
		}
	}
	if err != nil {
		return checkpoint{}, err
	}
	c := checkpoint{files: s.FS(), name: s.String(), dir: s.Dir}
	c.synthetic = madeBySynth(c.files)
	return c, nil
}

func syntheticCheckpoint() (checkpoint, error) {
	files, err := synth.FS(syntheticSeed, synth.Shape{})
	name := fmt.Sprintf("synthetic (seed %d, shape of %s)", syntheticSeed, hub.MiniLM().ID)
	return checkpoint{files: files, name: name, synthetic: true}, err
}

// madeBySynth reports whether config.json was written by package synth. If it cannot be
// read, the engine will say so.
func madeBySynth(files fs.FS) bool {
	data, err := modules.Read(files, hub.ConfigFile)
	if err != nil {
		return false
	}
	var config struct {
		Path string `json:"_name_or_path"`
	}
	err = json.Unmarshal(data, &config)
	return err == nil && strings.HasPrefix(config.Path, syntheticPath)
}

// home returns the user's home directory, like os.UserHomeDir, but from the environment
// that run was given.
func (p *program) home() string {
	switch runtime.GOOS {
	case "windows":
		return p.getenv("USERPROFILE")
	case "plan9":
		return p.getenv("home")
	}
	return p.getenv("HOME")
}

// calibrationFile returns the file in which engines keep their measurements. It is the
// default of package engine, but in the environment that run was given; "" if that names no
// cache directory.
func (p *program) calibrationFile() string {
	const file = "minilm-metal/calibration.json"
	dir := ""
	switch runtime.GOOS {
	case "windows":
		dir = p.getenv("LocalAppData")
	case "darwin":
		if home := p.home(); home != "" {
			dir = filepath.Join(home, "Library", "Caches")
		}
	default:
		dir = p.getenv("XDG_CACHE_HOME")
		if home := p.home(); dir == "" && home != "" {
			dir = filepath.Join(home, ".cache")
		}
	}
	if !filepath.IsAbs(dir) {
		return ""
	}
	return filepath.Join(dir, filepath.FromSlash(file))
}

// engineFlags holds the flags of every command that opens an engine.
type engineFlags struct {
	model, device, isa, precision string
	workers                       int
	encoder                       bool // no flag: any encoder will do, and none is the default
	logged                        bool // no flag: the engine has a logger, which gets its warnings
}

func (f *engineFlags) register(flags *pflag.FlagSet) {
	modelFlag(flags, &f.model)
	f.registerDevice(flags)
}

// registerDevice adds the flags of what computes.
func (f *engineFlags) registerDevice(flags *pflag.FlagSet) {
	flags.StringVar(&f.device, "device", "auto", "auto (metal if it is there and good, else cpu), cpu, metal (an Apple GPU), or reference (float64, slow)")
	flags.StringVar(&f.isa, "isa", "auto", "instruction set of the cpu: auto (the best that there is), or one that \"info\" names, such as avx2; generic is plain Go")
	flags.StringVar(&f.precision, "precision", "auto", "auto (the fastest that is close enough to f32, as measured here), f32, bf16x3, f16, bf16 or int8, as far as the instruction set has them; metal has f16; f64 with --device reference")
	flags.IntVar(&f.workers, "workers", 0, "passes at once on the cpu, a core each; 0: all cores")
}

func modelFlag(flags *pflag.FlagSet, name *string) {
	flags.StringVar(name, "model", "", `directory, Hugging Face id in the local cache, or "synthetic" (default: `+hub.MiniLM().ID+` if cached, else synthetic)`)
}

// open finds the model and opens it.
func (f *engineFlags) open(p *program, opts ...engine.Option) (*engine.Engine, checkpoint, error) {
	if err := f.check(); err != nil {
		return nil, checkpoint{}, err
	}
	if f.workers > 0 {
		opts = append(opts, engine.Workers(f.workers))
	}
	// Before opts, which take precedence.
	opts = append([]engine.Option{engine.Device(f.device), engine.InstructionSet(f.isa), engine.Precision(f.precision),
		engine.CalibrationFile(p.calibrationFile())}, opts...)
	find := p.checkpoint
	if f.encoder {
		find = p.encoder
	}
	c, err := find(f.model, hub.Complete)
	if err != nil {
		return nil, c, instead(err)
	}
	e, err := engine.OpenFS(c.files, opts...)
	if err == nil && !f.logged {
		for _, w := range e.Info().Warnings {
			p.warn("%s: %s", c.name, w)
		}
	}
	return e, c, instead(err)
}

// instead adds to an error about a model of another kind the command that is for it.
func instead(err error) error {
	switch {
	case errors.Is(err, model.ErrNoHead):
		return fmt.Errorf(`%w ("minilm-metal embed" makes embeddings)`, err)
	case errors.Is(err, model.ErrLabels):
		return fmt.Errorf(`%w ("minilm-metal classify" gives their probabilities)`, err)
	}
	return err
}

// scoreFlags holds the flags about what is scored, and how.
type scoreFlags struct {
	maxLength int
	sigmoid   bool
	prompt    promptFlags
}

func (f *scoreFlags) register(flags *pflag.FlagSet) {
	maxLengthFlag(flags, &f.maxLength)
	f.prompt.register(flags)
	flags.BoolVar(&f.sigmoid, "sigmoid", false, "scores between 0 and 1 instead of raw logits")
}

func (f *scoreFlags) check() error {
	if err := checkMaxLength(f.maxLength, leastOfPair); err != nil {
		return err
	}
	return f.prompt.check()
}

func (f *scoreFlags) options() ([]engine.Option, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	opts := []engine.Option{engine.MaxLength(f.maxLength)}
	if f.sigmoid {
		opts = append(opts, engine.Sigmoid())
	}
	return opts, nil
}

// The special tokens around a text, and around a pair.
const (
	leastOfText = 2
	leastOfPair = 3
)

func maxLengthFlag(flags *pflag.FlagSet, n *int) {
	flags.IntVar(n, "max-length", 0, "cut pairs of texts to so many tokens, special tokens included (default: what the model takes)")
}

// checkMaxLength checks --max-length of a command whose inputs have at least so many tokens.
func checkMaxLength(n, least int) error {
	if n != 0 && n < least {
		return usageError("--max-length %d: want at least %d, for the special tokens", n, least)
	}
	return nil
}

// inputFlag adds the flag for the file that a command reads, "-" for standard input.
func inputFlag(c *cobra.Command, name *string) {
	c.Flags().StringVarP(name, "input", "i", "-", "file to read; - is standard input")
}
