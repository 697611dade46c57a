package engine

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"iter"
	"math"
	"strings"

	"github.com/klauspost/cpuid/v2"
	"gorgonia.org/tensor"

	"github.com/minilm-metal/minilm-metal/model"
	"github.com/minilm-metal/minilm-metal/model/bounded"
)

// processor names the CPU. Linux on ARM gives programs no name, only the number that
// the maker and the part have.
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

// attribute reads a file of Linux's /sys, "" where there is none. Each says that it is as
// long as a page of memory, which is up to 64 KiB on ARM, and has some bytes.
func attribute(path string) string {
	text, err := bounded.ReadFile(path, 64<<10)
	if err != nil {
		return ""
	}
	return string(bytes.TrimSpace(text))
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
