package engine

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/minilm-metal/minilm-metal/model/usercache"
)

const (
	// calibrationName is the name of the file in the user's cache directory.
	calibrationName = "calibration.json"
	// mostCalibrations is how many entries the file keeps, the latest ones. So entries of
	// old versions and models disappear by themselves.
	mostCalibrations = 64
)

// calibration is an entry of the file: what was measured for one model on one machine.
type calibration struct {
	Measured   time.Time   `json:"measured"`
	Candidates []Candidate `json:"candidates"`
}

// keeper reads and writes the calibration of one model in the file at path, under key. The
// zero keeper finds nothing and keeps nothing.
type keeper struct{ path, key string }

// keeper returns the keeper for measurements on hardware. Its key is made of hardware, the
// model, what it makes and this program, on which together rates and results depend.
func (e *Engine) keeper(hardware string) keeper {
	none := func(err error) keeper {
		e.choose("calibration: not kept: %v", err)
		return keeper{}
	}
	var path string
	if asked := e.options.calibration; asked == nil {
		var err error
		if path, err = usercache.Path(calibrationName); err != nil {
			return none(err)
		}
	} else if path = *asked; path == "" {
		return keeper{}
	}
	program, err := buildID()
	if err != nil {
		return none(err)
	}
	key := fmt.Sprintf("%s; model %s, %d tokens, %s; program %s", hardware, fingerprint(e.weights), e.info.MaxLength, e.makes(), program)
	return keeper{path, key}
}

// makes says what the engine makes: other results of the same weights are compared in another
// way.
func (e *Engine) makes() string {
	if e.options.purpose == classifying {
		return fmt.Sprintf("%s by %s", purposes[classifying].results, e.info.Final)
	}
	return purposes[e.options.purpose].results
}

// find returns the stored calibration, if there is one and good accepts its candidates.
func (k keeper) find(e *Engine, good func([]Candidate) bool) (calibration, bool) {
	if k.path == "" || e.options.recalibrate {
		return calibration{}, false
	}
	all, err := usercache.Read[calibration](k.path)
	if err != nil {
		e.choose("calibration: measured anew: %v", err)
		return calibration{}, false
	}
	c, known := all[k.key]
	if known && !good(c.Candidates) {
		e.choose("calibration: measured anew: what %s has for this model makes no sense", k.path)
		return calibration{}, false
	}
	return c, known
}

// keep stores a calibration for engines opened later. If that fails, it is logged and is no
// error.
func (k keeper) keep(e *Engine, c calibration) {
	if k.path == "" {
		return
	}
	err := usercache.Update(k.path, func(all map[string]calibration) {
		// Mark this entry as the latest, even if a wrong clock has given another a later
		// time.
		delete(all, k.key)
		latest := slices.SortedFunc(maps.Keys(all), func(a, b string) int { return all[b].Measured.Compare(all[a].Measured) })
		for _, key := range latest[min(len(latest), mostCalibrations-1):] {
			delete(all, key)
		}
		all[k.key] = c
	})
	if err != nil {
		e.choose("calibration: not kept: %v", err)
		return
	}
	e.choose("calibration: kept in %s", k.path)
}

// use puts a calibration into Info, with the file that it came from.
func (e *Engine) use(c calibration, from string) {
	e.info.Candidates, e.info.CalibrationFile = slices.Clone(c.Candidates), from
	for i := range e.info.Candidates {
		e.info.Candidates[i].Chosen = e.info.Candidates[i].Precision == e.info.Precision
	}
}
