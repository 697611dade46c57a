// Package usercache keeps measurements of this machine in JSON files in the user's cache
// directory. Nothing in them is essential: what is lost is measured again.
package usercache

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/minilm-metal/minilm-metal/model/atomicfile"
	"github.com/minilm-metal/minilm-metal/model/bounded"
)

// folder is this program's folder in the user's cache directory.
const folder = "minilm-metal"

// Path returns the path of the file called name, such as "tuning.json". It is an error if
// the environment names no cache directory.
func Path(name string) (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, folder, name), nil
}

// mostBytes is the largest size of such a file: many times that of any real one.
const mostBytes = 1 << 20

// Read returns the JSON object in the file at path. If there is no such file, the object is
// empty. Errors name the file.
func Read[V any](path string) (map[string]V, error) {
	all := map[string]V{}
	data, err := bounded.ReadFile(path, mostBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return all, nil
	}
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(data, &all); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if all == nil { // the file contains null
		all = map[string]V{}
	}
	return all, nil
}

// writing makes this process's goroutines update one after the other.
var writing sync.Mutex

// Update reads the object in the file at path, calls change, and writes it back atomically:
// readers find the old object or the new one. A file that cannot be read is replaced. If
// several processes update at the same time, the last one wins and the others' changes are
// lost; goroutines of one process lose nothing.
func Update[V any](path string, change func(all map[string]V)) error {
	writing.Lock()
	defer writing.Unlock()
	all, err := Read[V](path)
	if err != nil {
		all = map[string]V{}
	}
	change(all)
	data, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return atomicfile.Write(path, 0o600, func(f *os.File) error {
		_, err := f.Write(append(data, '\n'))
		return err
	})
}
