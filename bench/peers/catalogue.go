package peers

import (
	"cmp"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/minilm-metal/minilm-metal/bench/recording"
)

//go:embed scripts/*.py scripts/*.txt
var scripts embed.FS

// known is one row of the catalogue.
type known struct {
	family    string // what all its precisions are picked by, and the name of its script
	library   string
	prepares  bool
	precision []string // to score pairs with
	embeds    []string // to embed texts with
}

// catalogue has what can be run, in the order of the table.
var catalogue = []known{
	{"sentence-transformers", "sentence-transformers (PyTorch)", false, []string{"f32", "bf16"}, []string{"f32", "bf16"}},
	{"sentence-transformers-onnx", `sentence-transformers, backend="onnx"`, true, nil, []string{"f32", "int8"}},
	{"sentence-transformers-openvino", `sentence-transformers, backend="openvino"`, true, nil, []string{"f32", "int8"}},
	{"fastembed", "fastembed", true, nil, []string{"f32"}},
	{"pytorch-padded", "PyTorch, padded as the seed did", false, []string{"f32"}, nil},
	{"onnxruntime", "ONNX Runtime", true, []string{"f32", "int8"}, []string{"f32", "int8"}},
	{"openvino", "OpenVINO", true, []string{"f32", "bf16", "int8"}, []string{"f32", "bf16", "int8"}},
	{"ctranslate2", "CTranslate2 (encoder; head in numpy)", true, []string{"f32", "int8"}, nil},
}

// of returns the precisions that there are for a task.
func (k *known) of(task string) []string {
	if task == recording.TaskEmbed {
		return k.embeds
	}
	return k.precision
}

// Names returns the names of all peers for a task: the family's and the precision.
func Names(task string) (names []string) {
	for _, k := range catalogue {
		for _, precision := range k.of(task) {
			names = append(names, k.family+"-"+precision)
		}
	}
	return names
}

// Pick returns the peers for a task that are named, each by its name or by its family's; all of
// them if there is no name. They are in the order of the catalogue, with neither a command nor a
// reason to be absent.
func Pick(task string, names []string) (picked []Peer, err error) {
	unused := slices.Clone(names)
	for _, k := range catalogue {
		for _, precision := range k.of(task) {
			name := k.family + "-" + precision
			if len(names) > 0 && !slices.Contains(names, name) && !slices.Contains(names, k.family) {
				continue
			}
			unused = slices.DeleteFunc(unused, func(n string) bool { return n == name || n == k.family })
			picked = append(picked, Peer{Name: name, Library: k.library, Precision: precision, Prepares: k.prepares})
		}
	}
	if len(unused) > 0 {
		return nil, fmt.Errorf("peer %q: want one of %s, or a family of them", unused[0], strings.Join(Names(task), ", "))
	}
	return picked, nil
}

// Unpack writes the scripts into a folder, which is there, and gives each peer its command:
// its script, run by python.
func Unpack(dir, python string, peers []Peer) error {
	names, err := fs.Glob(scripts, "scripts/*")
	if err != nil {
		return err
	}
	for _, name := range names {
		text, err := scripts.ReadFile(name)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, path.Base(name)), text, 0o666)
		}
		if err != nil {
			return fmt.Errorf("peers: %w", err)
		}
	}
	for i := range peers {
		family := strings.TrimSuffix(peers[i].Name, "-"+peers[i].Precision)
		script := "run_" + strings.ReplaceAll(family, "-", "_") + ".py"
		peers[i].Command = []string{python, "-u", filepath.Join(dir, script)}
	}
	return nil
}

// requirementsOf are the lists of what is to be installed, by task. They are two because what
// exports models for sentence-transformers needs older versions of what is beside it.
var requirementsOf = map[string]string{"": "requirements.txt", recording.TaskEmbed: "requirements_embed.txt"}

// Requirements returns the text of the list of a task: every package that a peer needs, with
// the version that was tried.
func Requirements(task string) string {
	text, err := scripts.ReadFile("scripts/" + requirementsOf[task])
	if err != nil {
		panic(err) // it is part of the program
	}
	return string(text)
}

// parts are the packages that share the module optimum.
var parts = map[string]string{"optimum": "optimum_onnx", "optimum.intel": "optimum_intel"}

// Pin returns what pip is to be told for a module of Python, such as "openvino==2026.4.1"; ""
// if it is none of the task's.
func Pin(task, module string) string {
	top, _, _ := strings.Cut(module, ".")
	module = cmp.Or(parts[module], parts[top], top)
	for line := range strings.Lines(Requirements(task)) {
		line = strings.TrimSpace(line)
		if name, _, ok := strings.Cut(line, "=="); ok && strings.ReplaceAll(name, "-", "_") == module {
			return line
		}
	}
	return ""
}

// precisionName is what a precision is called in tables.
func precisionName(p string) string {
	return cmp.Or(map[string]string{"f32": "float32", "bf16": "bfloat16", "f16": "float16"}[p], p)
}

// Edition is a hash of the scripts: what another edition has derived from the same weights
// may be something else.
func Edition() string {
	sum := sha256.New()
	names, _ := fs.Glob(scripts, "scripts/*") // the pattern is good
	for _, name := range names {
		text, _ := scripts.ReadFile(name) // it is part of the program
		fmt.Fprintf(sum, "%s %d\n%s", name, len(text), text)
	}
	return hex.EncodeToString(sum.Sum(nil))
}
