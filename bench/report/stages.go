package report

import (
	"fmt"
	"time"

	"github.com/minilm-metal/minilm-metal/bench/internal/figure"
	"github.com/minilm-metal/minilm-metal/bench/internal/markdown"
	"github.com/minilm-metal/minilm-metal/bench/recording"
)

// StageFigures is what each kernel costs a batch, from the batches that were run
// for that after the measurement.
type StageFigures struct {
	Batches    int             `json:"batches"` // scored twice: without timing, and with it
	Pairs      int             `json:"pairs"`   // in them
	Tokens     int             `json:"tokens"`
	Workers    int             `json:"workers"`            // whose times are summed; 1 on a GPU
	Kernels    []KernelFigures `json:"kernels"`            // each summed over the layers, in the order of the forward pass
	Sum        KernelFigures   `json:"sum"`                // of the kernels
	Rest       []KernelFigures `json:"rest"`               // time inside passes that is no kernel's; null: none told
	Layers     []LayerFigures  `json:"layers"`             // in their order; null: a report that does not tell
	FusedMS    float64         `json:"inference_ms"`       // of a batch, without timing
	TimedMS    float64         `json:"timed_inference_ms"` // with it
	FusedGPUMS *float64        `json:"gpu_ms"`             // what a GPU computed of a batch, by its own clock, without timing
	TimedGPUMS *float64        `json:"timed_gpu_ms"`       // with it
}

// KernelFigures is what a kernel costs a batch. The rates are a worker's.
type KernelFigures struct {
	Block          string   `json:"block"`
	Kernel         string   `json:"kernel"`
	Shape          string   `json:"shape"`
	Calls          float64  `json:"calls_per_batch"`
	MS             float64  `json:"ms_per_batch"`
	Share          *float64 `json:"share_percent"` // of kernels and rest
	FLOPsPerSecond *float64 `json:"flops_per_second"`
	BytesPerSecond *float64 `json:"bytes_per_second"`
	PeakShare      *float64 `json:"share_of_peak"` // FLOPsPerSecond over a worker's part of the report's Peak
}

// stageFigures derives the stage figures of a run; nil: it has none.
func stageFigures(rec *recording.Recording, run *recording.Run) *StageFigures {
	s := run.Stages
	if s == nil || s.Batches < 1 {
		return nil
	}
	f := &StageFigures{Batches: s.Batches, Pairs: s.Pairs, Tokens: s.Tokens, Workers: max(1, rec.Environment.Workers),
		FusedMS: milliseconds(s.Fused) / float64(s.Batches), TimedMS: milliseconds(s.Timed) / float64(s.Batches)}
	f.FusedGPUMS = quotient(milliseconds(s.FusedGPU), float64(s.Batches))
	f.TimedGPUMS = quotient(milliseconds(s.TimedGPU), float64(s.Batches))
	if rec.Environment.GPU != "" {
		f.Workers = 1 // its workers are passes under way, which one GPU computes
	}
	var list []recording.Kernel
	var sum recording.Kernel
	whole := time.Duration(0)
	for _, k := range s.Kernels {
		whole += k.Time
		k.Layer = 0 // all layers are one
		list = recording.AddKernels(list, []recording.Kernel{k})
		if k.Block != "" {
			sum.Add(k)
		}
	}
	figures := func(k recording.Kernel) KernelFigures {
		kf := KernelFigures{Block: k.Block, Kernel: k.Kernel, Shape: k.Shape,
			Calls: float64(k.Calls) / float64(s.Batches), MS: milliseconds(k.Time) / float64(s.Batches),
			Share:          quotient(100*float64(k.Time), float64(whole)),
			FLOPsPerSecond: quotient(float64(k.FLOPs), k.Time.Seconds()),
			BytesPerSecond: quotient(float64(k.Bytes), k.Time.Seconds())}
		if rec.Peak != nil && kf.FLOPsPerSecond != nil {
			kf.PeakShare = quotient(*kf.FLOPsPerSecond*float64(f.Workers), *rec.Peak)
		}
		return kf
	}
	inBlockOrder(list)
	f.Layers = layerFigures(s.Kernels, s.Batches, whole)
	for _, k := range list {
		if k.Block == "" {
			f.Rest = append(f.Rest, figures(k))
		} else {
			f.Kernels = append(f.Kernels, figures(k))
		}
	}
	f.Sum = figures(sum)
	return f
}

// quotient is nil where there is nothing to divide, or to divide by: a kernel
// that has no FLOPs counted has no rate of 0.
func quotient(a, b float64) *float64 {
	if !(a > 0 && b > 0) {
		return nil
	}
	q := a / b
	return &q
}

// write adds the section to a configuration's details.
func (s *StageFigures) write(p *markdown.Page) {
	p.Para("#### Stages of Inference")
	var rows [][]string
	row := func(block, name string, k *KernelFigures) {
		rows = append(rows, []string{block, name, k.Shape, figure.Fixed(&k.Calls, 1), figure.Fixed(&k.MS, 3), figure.Fixed(k.Share, 1),
			figure.Fixed(figure.Scaled(k.FLOPsPerSecond, 1e-9), 2), figure.Fixed(figure.Scaled(k.BytesPerSecond, 1e-9), 2), figure.Fixed(figure.Scaled(k.PeakShare, 100), 1)})
	}
	for i := range s.Kernels {
		row(s.Kernels[i].Block, s.Kernels[i].Kernel, &s.Kernels[i])
	}
	row("(all)", "sum of kernels", &s.Sum)
	rest := 0.0
	for i := range s.Rest {
		rest += s.Rest[i].MS
		row("(none)", s.Rest[i].Kernel, &s.Rest[i])
	}
	p.Table([]string{"Block", "Kernel", "Shape", "Calls a Batch", "Time a Batch (ms)", "Share (%)", "GFLOP/s", "GB/s", "Share of Measured Peak (%)"}, rows)
	p.Para("_Over the layers, in %d batches (%d pairs, %d tokens) that were scored after the measurement by one caller, once as they were and once with each kernel timed._",
		s.Batches, s.Pairs, s.Tokens)
	if s.Workers > 1 {
		p.Para("_Times are summed over %d workers, and rates are of one._", s.Workers)
	}
	text := "The stages sum up to " + figure.Fixed(&s.Sum.MS, 3) + " ms a batch"
	if len(s.Rest) > 0 {
		text += ", and the rest of the time inside passes to " + figure.Fixed(&rest, 3) + " ms"
	}
	text += ". Inference of the same batches took " + figure.Fixed(&s.FusedMS, 3) + " ms each without timing, and " + figure.Fixed(&s.TimedMS, 3) + " ms with it"
	if s.FusedMS > 0 {
		text += fmt.Sprintf(" (%+.1f %%)", 100*(s.TimedMS/s.FusedMS-1))
	}
	if s.FusedGPUMS != nil && s.TimedGPUMS != nil {
		text += ", of which the GPU computed " + figure.Fixed(s.FusedGPUMS, 3) + " and " + figure.Fixed(s.TimedGPUMS, 3) + " ms"
	}
	p.Para("_%s._", text)
	s.writeLayers(p)
}
