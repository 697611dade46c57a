package metal

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/minilm-metal/minilm-metal/metal/internal/gpu"
	"github.com/minilm-metal/minilm-metal/model/usercache"
)

// tuningFile is the file in the user's cache directory that has the tilings: a JSON object
// which maps a GPU, system and version of the shaders to the names of the tiles.
const tuningFile = "tuning.json"

// storedTiles is a tiling as it is in the file.
type storedTiles struct {
	QKV    string `json:"qkv"`
	Output string `json:"output"`
	Up     string `json:"up"`
	Down   string `json:"down"`
}

// tuningKey returns the key of a tiling in the file. Other shaders have another key.
func tuningKey(name, system string) string {
	sum := sha256.Sum256([]byte(shaderSource()))
	return fmt.Sprintf("%s, %s, shaders %s", name, system, hex.EncodeToString(sum[:6]))
}

// TuningPath returns the file that tilings are stored in.
func TuningPath() (string, error) {
	path, err := usercache.Path(tuningFile)
	if err != nil {
		return "", fmt.Errorf("metal: %w", err)
	}
	return path, nil
}

// storedTiling returns the tiling that is stored for a GPU. If there is none, or it cannot
// be read, it returns the default, and known is false.
func storedTiling(info gpu.Info) (t Tiling, known bool, err error) {
	usual := DefaultTiling(info.Name)
	path, err := TuningPath()
	if err != nil {
		return usual, false, err
	}
	all, err := usercache.Read[storedTiles](path)
	if err != nil {
		return usual, false, fmt.Errorf("metal: %w", err)
	}
	stored, known := all[tuningKey(info.Name, info.System)]
	if !known {
		return usual, false, nil
	}
	if t, err = stored.tiling(); err != nil {
		return usual, false, err
	}
	return t, true, nil
}

func (s *storedTiles) tiling() (t Tiling, err error) {
	for _, one := range []struct {
		name string
		tile *Tile
	}{{s.QKV, &t.QKV}, {s.Output, &t.Output}, {s.Up, &t.Up}, {s.Down, &t.Down}} {
		i := slices.IndexFunc(Tiles, func(t Tile) bool { return t.String() == one.name })
		if i < 0 {
			return Tiling{}, fmt.Errorf("metal: there is no tile %q", one.name)
		}
		*one.tile = Tiles[i]
	}
	return t, nil
}

// Store stores the tiling for the GPU on which it was measured; the next Open uses it. A
// file that cannot be read is replaced.
func (t *Tuning) Store() error {
	path, err := TuningPath()
	if err != nil {
		return err
	}
	err = usercache.Update(path, func(all map[string]storedTiles) {
		all[tuningKey(t.GPU, t.System)] = storedTiles{t.Tiling.QKV.String(), t.Tiling.Output.String(), t.Tiling.Up.String(), t.Tiling.Down.String()}
	})
	if err != nil {
		return fmt.Errorf("metal: %w", err)
	}
	return nil
}
