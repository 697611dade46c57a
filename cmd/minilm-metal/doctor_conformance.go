package main

import (
	"context"
	"errors"
	"fmt"
	"text/tabwriter"

	"github.com/minilm-metal/minilm-metal/kernels"
	"github.com/minilm-metal/minilm-metal/kernels/cpu"
	"github.com/minilm-metal/minilm-metal/kernels/cpu/rounding"
	"github.com/minilm-metal/minilm-metal/model"
	"github.com/minilm-metal/minilm-metal/model/conformance"
	"github.com/minilm-metal/minilm-metal/model/synth"
)

// examShape is the sizes of a model that devices are held to exact arithmetic over, and the
// lengths of its sequences.
type examShape struct {
	shape   synth.Shape
	pool    []model.Pooling
	lengths []int
}

// examShapes are MiniLM's sizes, two layers of them, and sizes that no tile divides, each with
// other rows that are read at the end.
var examShapes = []examShape{
	{synth.Shape{Layers: 2, Hidden: 384, Heads: 12, Intermediate: 1536, Vocab: 200, Positions: 512, Types: 2, Labels: 1}, []model.Pooling{model.PoolCls}, []int{1, 33, 9}},
	{synth.Shape{Layers: 3, Hidden: 45, Heads: 5, Intermediate: 67, Vocab: 300, Positions: 512, Types: 2, Labels: 1}, []model.Pooling{model.PoolMean, model.PoolMax, model.PoolLast}, []int{65, 2, 130}},
}

// holder holds a device to what its rounding allows, and writes each block's error.
type holder func(name string, r conformance.Rounding, open func() (model.Device, error))

// holdAll has each hold all its devices over a model of each shape. The error counts those
// that are over their bounds, or did not run.
func (x *exam) holdAll(ctx context.Context, each func(c *conformance.Case, hold holder)) error {
	fmt.Fprint(x.stdout, `What a device makes of each block is compared with float64 arithmetic on what the block was
given. "Error" is that of the value which is nearest to its bound, or farthest over it;
"bound" is what rounding can make of that value, and "share" the one by the other: up to 1 is
right.
`)
	held, wrong := 0, 0
	for i, of := range x.shapes {
		c, err := conformance.NewCase(uint64(i+1), of.shape, of.pool, of.lengths...)
		if err != nil {
			return err
		}
		s := of.shape
		fmt.Fprintf(x.stdout, "\n=== %d layers, %d heads of %d, %d inner channels; sequences of %v tokens\n", s.Layers, s.Heads, s.Hidden/s.Heads, s.Intermediate, of.lengths)
		each(c, func(name string, r conformance.Rounding, open func() (model.Device, error)) {
			if ctx.Err() != nil {
				return
			}
			held++
			if err := x.hold(c, name, r, open); err != nil {
				fmt.Fprintf(x.stdout, "WRONG: %v\n", err)
				wrong++
			}
		})
		if err := errors.Join(ctx.Err(), c.Weights.Close()); err != nil {
			return err
		}
	}
	fmt.Fprintf(x.stdout, "\n%d of %d are within their bounds in every block\n", held-wrong, held)
	if wrong > 0 {
		return fmt.Errorf("%d of %d are over their bounds, or did not run", wrong, held)
	}
	return nil
}

func (x *exam) hold(c *conformance.Case, name string, r conformance.Rounding, open func() (model.Device, error)) error {
	fmt.Fprintf(x.stdout, "\n%s\n", name)
	d, err := open()
	if err != nil {
		return err
	}
	report, err := c.Hold(d, r)
	t := tabwriter.NewWriter(x.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprint(t, "  block\tvalues\terror\tbound\tshare\n")
	for _, b := range report.Blocks {
		fmt.Fprintf(t, "  %s\t%d\t%.2g\t%.2g\t%.2f\n", b.Name, b.Values, b.Error, b.Allowed, b.Share())
	}
	return errors.Join(err, d.Close(), t.Flush())
}

// conformanceCPU holds every instruction set to the bounds, in each of its formats.
func (x *exam) conformanceCPU(ctx context.Context) error {
	return x.holdAll(ctx, func(c *conformance.Case, hold holder) {
		for _, v := range kernels.Variants() {
			hold(v.String(), rounding.Of(v.Format), func() (model.Device, error) { return cpu.Open(c.Weights, 1, v) })
		}
	})
}
