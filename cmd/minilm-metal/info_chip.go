package main

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/minilm-metal/minilm-metal/metal"
	"github.com/minilm-metal/minilm-metal/model"
)

// The batch for which chips are modelled: 32 pairs of 95 tokens, as in the baseline's data
// set.
const modelPairs, modelTokens = 32, 95

// writeChip prints how long a chip should take for a batch, by the model in package metal.
// It needs no GPU.
func writeChip(w io.Writer, name string, c model.Config) error {
	chip, err := metal.FindChip(name)
	if err != nil {
		return usageError("--model-chip: %w", err)
	}
	tiling := metal.DefaultTiling(chip.Name)
	all, err := metal.EstimatePass(chip, c, tiling, evenBatch(modelPairs*modelTokens))
	if err != nil {
		return err
	}
	fmt.Fprintf(w, `A MODEL, NOT A MEASUREMENT: %s, %d cores, %.1f TFLOP/s, %.0f GB/s, as published.
A batch of %d pairs of %d tokens, tiles: %v.
"at once" is how many threadgroups a core should hold, from a guess of registers.
The time is the larger of FLOPs (whole tiles) at the peak and bytes at the full bandwidth.

`, chip.Name, chip.Cores, chip.TFLOPS, chip.Bandwidth, modelPairs, modelTokens, tiling)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(t, "layer\tkernel\tgroups\tthreads\tMFLOP\twhole tiles\tKB\tgroup memory\tat once\twaves\ttime (us)\tbound\t\n")
	var total time.Duration
	for i := range all {
		e := &all[i]
		layer, bound := fmt.Sprint(e.Layer), "FLOPs"
		if e.Layer < 0 {
			layer = ""
		}
		if e.Memory > e.Compute {
			bound = "bytes"
		}
		fmt.Fprintf(t, "%s\t%s\t%d\t%d\t%.1f\t%.1f\t%d\t%d\t%d\t%.1f\t%.1f\t%s\t\n", layer, e.Kernel, e.Groups, e.Threads,
			float64(e.FLOPs)/1e6, float64(e.Padded)/1e6, e.Bytes/1000, e.ThreadgroupMemory, e.Resident, e.Waves,
			float64(e.Roofline())/float64(time.Microsecond), bound)
		total += e.Roofline()
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(w, "\n%d dispatches, %.2f ms: at most %.0f pairs/s, if every kernel ran at its roofline. None does.\n\n", len(all), float64(total)/float64(time.Millisecond),
		modelPairs/total.Seconds())
	return writeGroups(w, chip, c, tiling)
}

// writeGroups prints how many threadgroups each kernel has, for batches of several sizes.
// If they are fewer than a chip's cores can run at once, some cores are idle.
func writeGroups(w io.Writer, chip metal.Chip, c model.Config, tiling metal.Tiling) error {
	sizes := []int{1000, 2000, 3000, 4000, 6000, 8000}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(t, "threadgroups of\t")
	var columns [][]metal.Estimate
	for _, tokens := range sizes {
		all, err := metal.EstimatePass(chip, c, tiling, evenBatch(tokens))
		if err != nil {
			return err
		}
		columns = append(columns, all)
		fmt.Fprintf(t, "T=%d\t", tokens)
	}
	fmt.Fprintln(t)
	for i, e := range columns[0] {
		// The layers between the first and the last are like the first.
		if e.Layer > 0 && e.Layer < c.Layers-1 {
			continue
		}
		name := e.Kernel
		if e.Layer >= 0 {
			name = fmt.Sprintf("layer %d %s", e.Layer, e.Kernel)
		}
		fmt.Fprintf(t, "%s\t", name)
		for _, all := range columns {
			fmt.Fprintf(t, "%d\t", all[i].Groups)
		}
		fmt.Fprintln(t)
	}
	return t.Flush()
}

// evenBatch returns sequences of modelTokens tokens; the last has the rest.
func evenBatch(tokens int) *model.Batch {
	b := new(model.Batch)
	for left := tokens; left > 0; left -= modelTokens {
		n := min(left, modelTokens)
		b.Append(make([]int32, n), make([]int32, n))
	}
	return b
}
