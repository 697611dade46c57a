package engine

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"gorgonia.org/tensor"

	"github.com/minilm-metal/minilm-metal/kernels"
	"github.com/minilm-metal/minilm-metal/kernels/cpu"
	"github.com/minilm-metal/minilm-metal/model/modeltest"
	"github.com/minilm-metal/minilm-metal/model/synth"
	"github.com/minilm-metal/minilm-metal/model/usercache"
)

var calibrated = synth.Shape{Layers: 2, Hidden: 32, Heads: 2, Intermediate: 64, Vocab: 30522, Positions: 64, Types: 2, Labels: 1}

func openShape(t *testing.T, seed uint64, shape synth.Shape, opts ...Option) *Engine {
	t.Helper()
	fsys, err := synth.FS(seed, shape)
	if err != nil {
		t.Fatal(err)
	}
	e, err := OpenFS(fsys, append([]Option{NoCalibrationFile()}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// calibrate opens a small model in the precision "auto" with the file.
func calibrate(t *testing.T, path string, opts ...Option) *Engine {
	t.Helper()
	if isa := kernels.Best(); isa == kernels.Generic || len(isa.Formats()) == 1 {
		t.Skipf("%v leaves no choice", isa)
	}
	return openShape(t, 1, calibrated, append([]Option{Device("cpu"), CalibrationFile(path)}, opts...)...)
}

func says(e *Engine, text string) bool {
	return slices.ContainsFunc(e.Info().Choices, func(why string) bool { return strings.Contains(why, text) })
}

// only returns what the file has of the one model in it.
func only(t *testing.T, path string) (key string, c calibration) {
	t.Helper()
	all, err := usercache.Read[calibration](path)
	if err != nil || len(all) != 1 {
		t.Fatalf("%d calibrations, %v", len(all), err)
	}
	for key, c = range all {
	}
	return key, c
}

func write(t *testing.T, path string, all map[string]calibration) {
	t.Helper()
	data, err := json.Marshal(all)
	if err == nil {
		err = os.WriteFile(path, data, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// What one engine has measured, the next one finds, and has the same precision.
func TestCalibrationIsKept(t *testing.T) {
	modeltest.OnlyValues(t)
	path := filepath.Join(t.TempDir(), "made", "calibration.json")
	first := calibrate(t, path).Info()
	if first.CalibrationFile != "" || len(first.Candidates) != len(kernels.Best().Formats()) {
		t.Fatalf("measured: %+v", first)
	}
	for _, c := range first.Candidates {
		if !(c.TokensPerSecond > 0) || c.Chosen != (c.Precision == first.Precision) {
			t.Errorf("%+v, chosen is %s", c, first.Precision)
		}
	}
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	second := calibrate(t, path).Info()
	if second.CalibrationFile != path || second.Precision != first.Precision || len(second.Candidates) != len(first.Candidates) {
		t.Errorf("found: %+v", second)
	}
	for i, c := range second.Candidates {
		if c.TokensPerSecond != first.Candidates[i].TokensPerSecond || c.Chosen != first.Candidates[i].Chosen {
			t.Errorf("found %+v, was %+v", c, first.Candidates[i])
		}
	}
	if after, err := os.ReadFile(path); err != nil || !bytes.Equal(before, after) {
		t.Errorf("reading changed the file: %v", err)
	}
	again := calibrate(t, path, Recalibrate(), JudgeAll()).Info()
	if again.CalibrationFile != "" {
		t.Errorf("recalibrated from %s", again.CalibrationFile)
	}
	for _, c := range again.Candidates {
		if c.Deviation == nil {
			t.Errorf("%s is not judged", c.Precision)
		}
	}
	if _, c := only(t, path); len(c.Candidates) != len(again.Candidates) || c.Candidates[0].TokensPerSecond != again.Candidates[0].TokensPerSecond {
		t.Errorf("kept %+v, measured %+v", c, again.Candidates)
	}
}

// The choice is made from the figures in the file, whatever this machine is like.
func TestCalibrationDecides(t *testing.T) {
	modeltest.OnlyValues(t)
	path := filepath.Join(t.TempDir(), "calibration.json")
	calibrate(t, path)
	key, c := only(t, path)
	set := func(narrowRate float64, of Deviation) {
		for i := range c.Candidates {
			one := &c.Candidates[i]
			if one.Precision == exact {
				one.TokensPerSecond, one.Deviation = 1000, nil
			} else {
				one.TokensPerSecond, one.Deviation = narrowRate*float64(i+1), &of
			}
		}
		write(t, path, map[string]calibration{key: c})
	}
	set(100, Deviation{Mean: 0.01, Worst: 0.02, Swapped: 0.001})
	if got := calibrate(t, path).Info(); got.Precision != exact || got.CalibrationFile != path {
		t.Errorf("where float32 is fastest: %s from %q", got.Precision, got.CalibrationFile)
	}
	set(5000, Deviation{Mean: 0.01, Worst: 0.02, Swapped: 0.001})
	if got := calibrate(t, path).Info(); got.Precision == exact {
		t.Errorf("where float32 is slowest: %s", got.Precision)
	}
	for _, of := range []Deviation{{Mean: 0.5, Worst: 0.9, Swapped: 0.001}, {Mean: 0.01, Worst: 0.02, Swapped: 0.04}} {
		set(5000, of)
		if got := calibrate(t, path).Info(); got.Precision != exact {
			t.Errorf("where the others are %v: %s", &of, got.Precision)
		}
	}
}

// What is not of this model, processor, number of workers, length or version is not
// taken, and stays in the file.
func TestCalibrationOfAnother(t *testing.T) {
	modeltest.OnlyValues(t)
	dir := t.TempDir()
	path := filepath.Join(dir, "calibration.json")
	calibrate(t, path)
	key, c := only(t, path)
	hardware, rest, _ := strings.Cut(key, ", ")
	rest, program, _ := strings.Cut(rest, "program ")
	if hardware == "" || program == "" {
		t.Fatalf("key %q", key)
	}
	for name, other := range map[string]string{"processor": "Another, " + rest + "program " + program, "version": hardware + ", " + rest + "program another"} {
		write(t, path, map[string]calibration{other: c})
		if e := calibrate(t, path); e.Info().CalibrationFile != "" || !says(e, "measured now") {
			t.Errorf("%s: %q", name, e.Info().Choices)
		}
		if all, err := usercache.Read[calibration](path); err != nil || len(all) != 2 {
			t.Errorf("%s: %d calibrations, %v", name, len(all), err)
		}
	}
	known := filepath.Join(dir, "known.json")
	calibrate(t, known)
	for name, e := range map[string]*Engine{
		"model":   openShape(t, 2, calibrated, Device("cpu"), CalibrationFile(known)),
		"workers": calibrate(t, known, Workers(3)),
		"length":  calibrate(t, known, MaxLength(30)),
	} {
		if e.Info().CalibrationFile != "" {
			t.Errorf("another %s found the calibration", name)
		}
	}
}

// A file that cannot be read, or makes no sense, is measured over and written anew.
func TestCalibrationFileBroken(t *testing.T) {
	modeltest.OnlyValues(t)
	path := filepath.Join(t.TempDir(), "calibration.json")
	calibrate(t, path)
	key, _ := only(t, path)
	var nonsense []string
	for _, c := range []calibration{{}, {Candidates: []Candidate{{Precision: "f7", TokensPerSecond: 1}}}, {Candidates: []Candidate{{Precision: exact}}}} {
		data, err := json.Marshal(map[string]calibration{key: c})
		if err != nil {
			t.Fatal(err)
		}
		nonsense = append(nonsense, string(data))
	}
	for _, text := range append(nonsense, "", "{", "[]", `{"a": 1}`) {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if e := calibrate(t, path); e.Info().CalibrationFile != "" || !says(e, "measured anew") || !says(e, path) {
			t.Errorf("%q: %q", text, e.Info().Choices)
		}
		if _, c := only(t, path); !sound(c.Candidates, kernels.Best().Formats(), ofScores) {
			t.Errorf("%q: written %+v", text, c)
		}
	}
}

// Where nothing can be kept, engines open all the same and say so.
func TestCalibrationNotKept(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	closed := filepath.Join(dir, "closed")
	if err := os.Mkdir(closed, 0o555); err != nil {
		t.Fatal(err)
	}
	paths := []string{filepath.Join(file, "calibration.json")}
	if os.WriteFile(filepath.Join(closed, "probe"), nil, 0o644) != nil { // root may write anywhere
		paths = append(paths, filepath.Join(closed, "calibration.json"))
	}
	for _, path := range paths {
		if e := calibrate(t, path); !says(e, "calibration: not kept") || len(e.Info().Candidates) == 0 {
			t.Errorf("%s: %q", path, e.Info().Choices)
		}
	}
}

// Nobody who did not ask for a precision by measurement gets a file, nor who asked for
// none; else it is in the user's cache directory.
func TestCalibrationFilePlace(t *testing.T) {
	home := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", home) // Linux
	t.Setenv("HOME", home)           // macOS
	t.Setenv("LocalAppData", home)   // Windows
	path, err := usercache.Path(calibrationName)
	if err != nil {
		t.Fatal(err)
	}
	exists := func() bool { _, err := os.Stat(path); return err == nil }
	byDefault := func(o *options) { o.calibration = nil }
	calibrate(t, "", NoCalibrationFile())
	calibrate(t, "", byDefault, Precision("f32"))
	if exists() {
		t.Error("a file that nobody wanted")
	}
	calibrate(t, "", byDefault)
	if !exists() {
		t.Errorf("no file %s", path)
	}
}

// Engines that open at the same time leave a file that is whole.
func TestCalibrationAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "calibration.json")
	calibrate(t, path) // for its skip
	fsys := make([]*Engine, 6)
	var wg sync.WaitGroup
	for i := range fsys {
		wg.Go(func() {
			files, err := synth.FS(uint64(i)+1, calibrated)
			if err == nil {
				fsys[i], err = OpenFS(files, Device("cpu"), CalibrationFile(path))
			}
			if err != nil {
				t.Error(err)
				return
			}
			if err := fsys[i].Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if all, err := usercache.Read[calibration](path); err != nil || len(all) != len(fsys) {
		t.Errorf("%d calibrations, %v, want %d", len(all), err, len(fsys))
	}
}

// The file does not grow for ever: the oldest go, and of those that a wrong clock dated
// ahead as many as it takes.
func TestCalibrationsAreBounded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "calibration.json")
	e := openShape(t, 1, calibrated, Precision("f32"), Device("cpu"))
	begun := time.Now()
	keep := func(key string, measured time.Time) map[string]calibration {
		t.Helper()
		keeper{path, key}.keep(e, calibration{Measured: measured})
		all, err := usercache.Read[calibration](path)
		if err != nil || len(all) > mostCalibrations {
			t.Fatalf("%d calibrations, %v", len(all), err)
		}
		if _, there := all[key]; !there {
			t.Errorf("the latest, %s, is gone", key)
		}
		return all
	}
	for i := range mostCalibrations + 10 {
		all := keep(fmt.Sprint(i), begun.Add(time.Duration(i)*time.Second))
		if _, old := all[fmt.Sprint(i-mostCalibrations)]; old {
			t.Errorf("of %d, %d is left", i, i-mostCalibrations)
		}
	}
	if all := keep("before all others", begun.Add(-time.Hour)); len(all) != mostCalibrations {
		t.Errorf("%d calibrations, want %d", len(all), mostCalibrations)
	}
}

// A format that has no room for a layer beyond the first, which alone was measured, is not
// taken, and the others are.
func TestJudgeWithoutRoom(t *testing.T) {
	e := openShape(t, 1, calibrated, Device("cpu"), Precision("f32"))
	values := slices.Repeat([]float32{1e5}, calibrated.Hidden)
	e.weights.Layers[1].OutputNorm.Gain = tensor.New(tensor.WithShape(len(values)), tensor.WithBacking(values))
	half := Candidate{Precision: kernels.F16.String()}
	trial := trial{e: e, isa: kernels.Generic, opened: map[string]*cpu.Device{}}
	if err := trial.judge(&half); err != nil || !half.fails() || !says(e, "precision: not f16: ") || !says(e, "layer 1's hidden state") {
		t.Errorf("%v, %v; %q", err, half.Deviation, e.Info().Choices)
	}
	for _, d := range trial.opened {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}
}
