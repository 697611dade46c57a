package engine

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"iter"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"

	"github.com/klauspost/cpuid/v2"
	"gorgonia.org/tensor"

	"github.com/minilm-metal/minilm-metal/model"
)

// processor names the CPU. Linux on ARM gives programs no name, only the number that
// the maker and the part have.
func processor() string {
	if name := strings.TrimSpace(cpuid.CPU.BrandName); name != "" {
		return name
	}
	if id, err := os.ReadFile("/sys/devices/system/cpu/cpu0/regs/identification/midr_el1"); err == nil {
		return "processor " + string(bytes.TrimSpace(id))
	}
	return "unknown processor"
}

// fingerprint returns what tells models apart: their shape, all of their small tensors
// and samples of the large ones. Models that were trained differ everywhere; to read
// all weights again would take longer than a first score.
func fingerprint(w *model.Weights) string {
	// whole is the length up to which a tensor is taken whole. Others give so many
	// samples of so many values, spread evenly.
	const whole, samples, length = 4096, 16, 64
	sum := sha256.New()
	fmt.Fprintf(sum, "%+v", w.Config)
	var buffer []byte
	for values := range tensors(w) {
		step := 1
		if len(values) > whole {
			step = (len(values) - length) / (samples - 1)
		}
		buffer = binary.LittleEndian.AppendUint64(buffer[:0], uint64(len(values)))
		if step == 1 {
			buffer, _ = binary.Append(buffer, binary.LittleEndian, values)
		} else {
			for i := range samples {
				buffer, _ = binary.Append(buffer, binary.LittleEndian, values[i*step:][:length])
			}
		}
		sum.Write(buffer)
	}
	return hex.EncodeToString(sum.Sum(nil)[:8])
}

// tensors returns the values of each of the model's tensors, in the order of the
// forward pass.
func tensors(w *model.Weights) iter.Seq[[]float32] {
	return func(yield func([]float32) bool) {
		all := []*tensor.Dense{w.WordEmbeddings, w.PositionEmbeddings, w.TypeEmbeddings, w.EmbeddingNorm.Gain, w.EmbeddingNorm.Bias}
		linear := func(some ...model.Linear) {
			for _, l := range some {
				all = append(all, l.W, l.B)
			}
		}
		for _, l := range w.Layers {
			linear(l.Query, l.Key, l.Value, l.Output)
			all = append(all, l.AttentionNorm.Gain, l.AttentionNorm.Bias)
			linear(l.Up, l.Down)
			all = append(all, l.OutputNorm.Gain, l.OutputNorm.Bias)
		}
		linear(*w.Pooler, *w.Classifier)
		for _, t := range all {
			if !yield(model.Float32s(t)) {
				return
			}
		}
	}
}

// module is this module's path, which its version goes by.
const module = "github.com/minilm-metal/minilm-metal"

// buildID returns what is another where this package's arithmetic may be another: the
// version, where the build has one that means one state of the source, and what it was
// built for; else the executable itself, by its length and checksum, so that a program
// that is built anew from the same source keeps its name.
var buildID = sync.OnceValues(func() (string, error) {
	info, ok := debug.ReadBuildInfo()
	if ok {
		if v := sourceVersion(info); v != "" {
			return v, nil
		}
	}
	path, err := os.Executable()
	if err != nil {
		return "", err
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	sum := crc32.New(crc32.MakeTable(crc32.Castagnoli)) // most processors have it
	n, err := io.CopyBuffer(struct{ io.Writer }{sum}, f, make([]byte, 1<<20))
	if err := errors.Join(err, f.Close()); err != nil {
		return "", err
	}
	return fmt.Sprintf("of %d bytes, %08x", n, sum.Sum32()), nil
})

// sourceVersion returns the version of this module in a build and how it was built, ""
// where the source may be any: in a checkout with changes, or with none of version
// control, and in place of another module.
func sourceVersion(info *debug.BuildInfo) string {
	of := &info.Main
	for _, m := range info.Deps {
		if m.Path == module {
			of = m
		}
	}
	if of.Path != module || of.Replace != nil || of.Version == "" || of.Version == "(devel)" || strings.Contains(of.Version, "dirty") {
		return ""
	}
	version := of.Version + " " + info.GoVersion + " " + runtime.GOARCH
	for _, s := range info.Settings {
		switch s.Key {
		case "-tags", "-gcflags", "-race", "GOAMD64", "GOARM64", "GOEXPERIMENT":
			version += " " + s.Key + "=" + s.Value
		}
	}
	return version
}
