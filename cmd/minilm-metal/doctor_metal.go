package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/minilm-metal/minilm-metal/metal"
	"github.com/minilm-metal/minilm-metal/model"
	"github.com/minilm-metal/minilm-metal/model/conformance"
	"github.com/minilm-metal/minilm-metal/model/hub"
)

// inspect opens the GPU for look. Without one the part is absent.
func (x *exam) inspect(look func(*metal.Inspector) error) error {
	g, err := metal.Inspect()
	if errors.Is(err, metal.ErrUnavailable) {
		return x.absent("%v", err)
	}
	if err != nil {
		return err
	}
	return errors.Join(look(g), g.Close())
}

func (x *exam) metalLibrary(context.Context) error {
	return x.inspect(func(g *metal.Inspector) error {
		gpu := g.GPU()
		t := tabwriter.NewWriter(x.stdout, 0, 0, 2, ' ', 0)
		fmt.Fprintf(t, "gpu\t%s\nfamily\tApple %d (0: none of Apple's)\nsystem\t%s\n", gpu.Name, gpu.Family, gpu.System)
		fmt.Fprintf(t, "shaders\tcompiled as %s\n", gpu.Language)
		fmt.Fprintf(t, "threadgroup memory\t%d bytes\nlargest buffer\t%d bytes\nworking set\t%d bytes\n", gpu.ThreadgroupMemory, gpu.LargestBuffer, gpu.WorkingSet)
		fmt.Fprintf(t, "counters\t%v: whether --stages reads the GPU's own\n", gpu.Counters)
		said := strings.TrimSpace(gpu.Log)
		if said == "" {
			said = "nothing, and took the shaders"
		}
		fmt.Fprintf(t, "\nThe compiler said:\n%s\n", said)
		return t.Flush()
	})
}

// config is what the kernels are compiled for.
func (x *exam) config() (*model.Config, error) {
	found, err := x.checkpoint(x.model, hub.Config)
	if err != nil {
		return nil, err
	}
	return model.ReadConfig(found.files)
}

func (x *exam) metalKernels(context.Context) error {
	return x.inspect(func(g *metal.Inspector) error {
		c, err := x.config()
		if err != nil {
			return err
		}
		all, err := g.Compile(*c)
		t := tabwriter.NewWriter(x.stdout, 0, 0, 2, ' ', 0)
		fmt.Fprint(t, "kernel\tuse\tshape\tby memory\tthreads\tmost threads\tsimdgroup\tthreadgroup memory\n")
		refused := 0
		for _, k := range all {
			fmt.Fprintf(t, "%s\t%s\t%s\t%v\t%d\t", k.Kernel, k.Use, k.Shape, k.ByMemory, k.Threads)
			if k.Err != nil {
				fmt.Fprintf(t, "%v\n", k.Err)
				refused++
				continue
			}
			fmt.Fprintf(t, "%d\t%d\t%d\n", k.Limits.MostThreads, k.Limits.ExecutionWidth, k.Limits.ThreadgroupMemory)
		}
		fmt.Fprint(t, `
"Threads" are those that a threadgroup has, "most threads" what Metal could run of this kernel
(maxTotalThreadsPerThreadgroup: the fewer, the more registers it takes), "simdgroup" is
threadExecutionWidth, "threadgroup memory" staticThreadgroupMemoryLength in bytes. "By memory":
the elements of matrices go by way of memory, which the GPU does where they do not lie where
the shaders expect them.
`)
		if refused > 0 {
			err = errors.Join(err, fmt.Errorf("%d of %d kernels are not to be had", refused, len(all)))
		}
		return errors.Join(err, t.Flush())
	})
}

func (x *exam) metalFragments(context.Context) error {
	return x.inspect(func(g *metal.Inspector) error {
		switch expected, err := g.Fragments(); {
		case err != nil:
			fmt.Fprintf(x.stdout, "the elements of simdgroup matrices: %v\n", err)
		case expected:
			fmt.Fprintln(x.stdout, "the elements of simdgroup matrices lie in the lanes that the shaders expect")
		default:
			fmt.Fprintln(x.stdout, "the elements of simdgroup matrices do not lie in the lanes that the shaders expect: they go by way of memory, which is slower")
		}
		tried, err := g.TryTiles()
		if err != nil {
			return err
		}
		wrong := 0
		for _, tile := range metal.Tiles {
			said := "its products are right"
			if why := tried[tile]; why != nil {
				said = why.Error()
				wrong++
			}
			fmt.Fprintf(x.stdout, "%v: %s\n", tile, said)
		}
		if wrong > 0 {
			return fmt.Errorf("%d of %d tiles cannot be used", wrong, len(metal.Tiles))
		}
		return nil
	})
}

// conformanceMetal holds every tile to the bounds, both ways that elements of matrices go.
func (x *exam) conformanceMetal(ctx context.Context) error {
	return x.inspect(func(*metal.Inspector) error {
		return x.holdAll(ctx, func(c *conformance.Case, hold holder) {
			for _, tile := range x.tiles {
				for _, byMemory := range []bool{false, true} {
					name := tile.String()
					if byMemory {
						name += ", elements by way of memory"
					}
					hold(name, conformance.RoundsFloat16GPU, func() (model.Device, error) { return metal.OpenTile(c.Weights, tile, byMemory) })
				}
			}
		})
	})
}

func (x *exam) tune(ctx context.Context) error {
	c, err := x.config()
	if err != nil {
		return err
	}
	t, err := metal.Tune(ctx, *c, x.effort, func(int, int) {})
	if errors.Is(err, metal.ErrUnavailable) {
		return x.absent("%v", err)
	}
	if err != nil {
		return err
	}
	if err := writeTuning(x.stdout, t); err != nil {
		return err
	}
	if len(t.Without) > 0 {
		return fmt.Errorf("%d tiles cannot be used", len(t.Without))
	}
	return nil
}
