package engine

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/minilm-metal/minilm-metal/model"
	"github.com/minilm-metal/minilm-metal/model/hub"
)

// failure is one of this package's errors with its cause, which comes from a package below.
type failure struct{ kind, cause error }

// because returns an error that is both: the text is kind's, and then the cause's without
// the names of packages.
func because(kind, cause error) error { return &failure{kind, cause} }

func (f *failure) Error() string { return f.kind.Error() + ": " + plain(f.cause.Error()) }

// Unwrap returns both.
func (f *failure) Unwrap() []error { return []error{f.kind, f.cause} }

// packages are ours whose errors begin with their name, as others in Go do. Whoever reads
// one that comes out of this package is not helped by more names than its own.
var packages = []string{"bounded: ", "cpu: ", "hub: ", "input: ", "jsonscan: ", "kernels: ", "model: ", "modules: ", "safetensors: ", "tokenizer: "}

// plain is the text of an error, or of several, a line each, without the names of packages
// that it begins with. Within the text the same words may be of a file's.
func plain(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		for again := true; again; {
			again = false
			for _, name := range packages {
				rest, found := strings.CutPrefix(line, name)
				line, again = rest, again || found
			}
		}
		lines[i] = line
	}
	return strings.Join(lines, "\n")
}

// CheckKind says why what is in fsys is no model that gives a pair a score, as far as its
// configuration alone tells: another architecture, more labels than one, a head that is
// elsewhere, an encoder without one. It is for folders that lack files which Open needs;
// nil means that it may be such a model, or that there is no configuration to be read. The
// error is ErrModel.
func CheckKind(fsys fs.FS) error {
	spec, err := model.ReadSpec(fsys)
	switch {
	case err == nil:
		if err = spec.CheckKind(); err == nil {
			return nil
		}
	case !errors.Is(err, model.ErrConfig):
		return nil // what is not there, Open says in another way
	}
	return because(ErrModel, err)
}

// find is hub.Open. A folder that is not complete, but is of another kind of model, is said
// to be that.
func find(path string) (fs.FS, error) {
	fsys, _, err := hub.Open(path, hub.Complete)
	if err == nil || !errors.Is(err, hub.ErrIncomplete) {
		return fsys, err
	}
	if some, _, noConfig := hub.Open(path, hub.Config); noConfig == nil {
		if kind := CheckKind(some); kind != nil {
			return nil, kind
		}
	}
	return nil, err
}

// unusable is the error of Open about a checkpoint.
func unusable(err error) error {
	if err == nil || errors.Is(err, ErrModel) {
		return err
	}
	return because(ErrModel, err)
}

// modelErrorf is an error of this package's own about a checkpoint.
func modelErrorf(format string, args ...any) error {
	return because(ErrModel, fmt.Errorf(format, args...))
}
