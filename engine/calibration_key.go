package engine

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"iter"
	"math"
	"strings"

	"github.com/klauspost/cpuid/v2"
	"gorgonia.org/tensor"

	"github.com/minilm-metal/minilm-metal/model"
	"github.com/minilm-metal/minilm-metal/model/bounded"
)

// processor returns the CPU's name. Linux on ARM knows no name, only the numbers of maker
// and part.
func processor() string {
	if name := strings.TrimSpace(cpuid.CPU.BrandName); name != "" {
		// A virtual machine may know no more than "AMD EPYC".
		return fmt.Sprintf("%s (family %d, model %d, stepping %d)", name, cpuid.CPU.Family, cpuid.CPU.Model, cpuid.CPU.Stepping)
	}
	if id := attribute("/sys/devices/system/cpu/cpu0/regs/identification/midr_el1"); id != "" {
		return "processor " + id
	}
	return "unknown processor"
}

// attribute returns the content of a file in Linux's /sys, or "" if it cannot be read. Such
// files report the size of a memory page, up to 64 KiB on ARM, and hold a few bytes.
func attribute(path string) string {
	text, err := bounded.ReadFile(path, 64<<10)
	if err != nil {
		return ""
	}
	return string(bytes.TrimSpace(text))
}

// fingerprint returns a hash that tells models apart. It covers their shape and their head, all
// values of small tensors and samples of large ones: two trainings differ everywhere, and
// reading all weights would take longer than a first score.
func fingerprint(w *model.Weights) string {
	// A tensor of up to whole values is hashed completely. Of a larger one, samples pieces
	// of length values are hashed, spread evenly.
	const whole, samples, length = 4096, 16, 64
	sum := sha256.New()
	// JSON leaves out what is not exported: an address there would be another one in each run.
	config, _ := json.Marshal(w.Config) // numbers and texts, which all encode
	fmt.Fprintf(sum, "%s %v %t", config, w.Head.Pool, w.Head.SkipPrompt)
	for _, s := range flattened(w.Head.Steps) {
		fmt.Fprintf(sum, "; %t %t %g %t %d %d", s.Dense != nil, s.Norm != nil, s.Eps, s.Unit, s.Cut, len(s.Around))
		if s.Act != nil { // all that there are differ in one of these
			fmt.Fprintf(sum, " %g %g %g", s.Act(-0.5), s.Act(0), s.Act(2))
		}
	}
	var buffer []byte
	for values := range tensors(w) {
		buffer = binary.LittleEndian.AppendUint64(buffer[:0], uint64(len(values)))
		if len(values) <= whole {
			buffer = appendValues(buffer, values)
		} else {
			for i := range samples {
				buffer = appendValues(buffer, values[i*(len(values)-length)/(samples-1):][:length])
			}
		}
		sum.Write(buffer)
	}
	return hex.EncodeToString(sum.Sum(nil)[:8])
}

func appendValues(b []byte, values []float32) []byte {
	for _, v := range values {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	return b
}

// tensors returns the values of each of the model's tensors, in the order of the
// forward pass.
func tensors(w *model.Weights) iter.Seq[[]float32] {
	return func(yield func([]float32) bool) {
		all := []*tensor.Dense{w.WordEmbeddings, w.PositionEmbeddings, w.TypeEmbeddings, w.EmbeddingNorm.Gain, w.EmbeddingNorm.Bias}
		linear := func(some ...model.Linear) {
			for _, l := range some {
				all = append(all, l.W)
				if l.B != nil {
					all = append(all, l.B)
				}
			}
		}
		if w.Projection != nil {
			linear(*w.Projection)
		}
		for _, l := range w.Layers {
			linear(l.Query, l.Key, l.Value, l.Output)
			all = append(all, l.AttentionNorm.Gain, l.AttentionNorm.Bias)
			linear(l.Up, l.Down)
			all = append(all, l.OutputNorm.Gain, l.OutputNorm.Bias)
		}
		for _, s := range flattened(w.Head.Steps) {
			if s.Dense != nil {
				linear(*s.Dense)
			}
			if s.Norm != nil {
				all = append(all, s.Norm.Gain, s.Norm.Bias)
			}
		}
		for _, t := range all {
			if !yield(model.Float32s(t)) {
				return
			}
		}
	}
}

// flattened returns steps, and after each those that it is around.
func flattened(steps []model.Step) (all []model.Step) {
	for _, s := range steps {
		all = append(append(all, s), flattened(s.Around)...)
	}
	return all
}
