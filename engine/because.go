package engine

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/minilm-metal/minilm-metal/model"
	"github.com/minilm-metal/minilm-metal/model/hub"
)

// failure is an error of this package (kind) together with the error of a lower package
// that caused it.
type failure struct{ kind, cause error }

// because returns an error for which errors.Is finds both kind and cause. Its text is
// kind's text, then the cause's text without package names.
func because(kind, cause error) error { return &failure{kind, cause} }

func (f *failure) Error() string { return f.kind.Error() + ": " + plain(f.cause.Error()) }

// Unwrap returns kind and cause.
func (f *failure) Unwrap() []error { return []error{f.kind, f.cause} }

// packages are the prefixes with which errors of our own packages begin, as is usual in Go.
// A user of this package does not need to read them.
var packages = []string{"bounded: ", "cpu: ", "hub: ", "input: ", "jsonscan: ", "kernels: ", "model: ", "modules: ", "safetensors: ", "tokenizer: "}

// plain returns an error's text without the package names at its start. A text of several
// lines is several errors, one a line. Only the start of a line is changed: later in the
// line the same words may be quoted from a file.
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

// CheckKind returns an ErrModel error if the configuration in fsys is of a model that
// cannot score pairs: another architecture, several labels, a head in another place, or no
// encoder. It reads the configuration alone, so it works on a folder that lacks the other
// files. It returns nil if the model may be of the right kind, or if there is no
// configuration that it can read.
func CheckKind(fsys fs.FS) error {
	spec, err := model.ReadSpec(fsys)
	switch {
	case err == nil:
		if err = spec.CheckKind(); err == nil {
			return nil
		}
	case !errors.Is(err, model.ErrConfig):
		return nil // Open reports missing files itself, in better words
	}
	return because(ErrModel, err)
}

// find is hub.Open with a better error: for an incomplete folder of a model that could not
// be used in any case, it says so instead of listing the missing files.
func find(path string, scores bool) (fs.FS, error) {
	fsys, _, err := hub.Open(path, hub.Complete)
	if err == nil || !scores || !errors.Is(err, hub.ErrIncomplete) {
		return fsys, err
	}
	if some, _, noConfig := hub.Open(path, hub.Config); noConfig == nil {
		if kind := CheckKind(some); kind != nil {
			return nil, kind
		}
	}
	return nil, err
}

// unusable makes err, which is about a checkpoint, an error of Open.
func unusable(err error) error {
	if err == nil || errors.Is(err, ErrModel) {
		return err
	}
	return because(ErrModel, err)
}

// modelErrorf returns an ErrModel error with a text of this package.
func modelErrorf(format string, args ...any) error {
	return because(ErrModel, fmt.Errorf(format, args...))
}
