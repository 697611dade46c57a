package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/klauspost/cpuid/v2"

	"github.com/minilm-metal/minilm-metal/cmd/minilm-metal/internal/doctor"
	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/kernels"
	"github.com/minilm-metal/minilm-metal/metal"
)

// exam is what a part of the examination has of the world: the program, whose standard
// output is the part's file.
type exam struct {
	*program
	model string // as --model has it
	dir   string // for other files of the part

	shapes []examShape  // that devices are held to exact arithmetic over
	tiles  []metal.Tile // each of which is held to that
	effort metal.Effort // of the tuning
}

func (p *program) exam(model, dir string) *exam {
	return &exam{program: p, model: model, dir: dir, shapes: examShapes, tiles: metal.Tiles}
}

// examPart is a part and what does it. The order is that of the file.
type examPart struct {
	doctor.Part
	do func(x *exam, ctx context.Context) error
}

// examParts is the whole examination. A part is over its limit when it hangs, not when the
// machine is slow.
var examParts = []examPart{
	{doctor.Part{Name: "machine", What: "version, processor, memory, system, variables", Limit: time.Minute}, (*exam).machine},
	{doctor.Part{Name: "info", What: `what "minilm-metal info" says: the device and kernels that are chosen, and why`, Limit: 2 * time.Minute}, (*exam).info},
	{doctor.Part{Name: "metal-library", What: "the GPU, and what its compiler says of the shaders", Limit: time.Minute}, (*exam).metalLibrary},
	{doctor.Part{Name: "metal-kernels", What: "each compiled kernel: threads, simdgroup width and threadgroup memory, as Metal has them", Limit: 2 * time.Minute}, (*exam).metalKernels},
	{doctor.Part{Name: "metal-fragments", What: "where the elements of simdgroup matrices lie, and each tile on a small product", Limit: time.Minute}, (*exam).metalFragments},
	{doctor.Part{Name: "conformance-metal", What: "how far off the GPU is, block by block, beside what rounding explains", Limit: 5 * time.Minute}, (*exam).conformanceMetal},
	{doctor.Part{Name: "conformance-cpu", What: "how far off the processor's kernels are, block by block, beside what rounding explains", Limit: 3 * time.Minute}, (*exam).conformanceCPU},
	{doctor.Part{Name: "verify-builtin", What: "scores of made-up weights against the float64 reference: needs no checkpoint", Limit: 2 * time.Minute}, (*exam).verifyBuiltin},
	{doctor.Part{Name: "verify", What: `what "minilm-metal verify" says: published scores against ours, if the checkpoint is here`, Limit: 2 * time.Minute}, (*exam).verifyPublished},
	{doctor.Part{Name: "tune", What: `what "minilm-metal tune" measures of the GPU's tiles; nothing is kept`, Limit: 2 * time.Minute}, (*exam).tune},
	{doctor.Part{Name: "kernels", What: "how fast each of the processor's kernels is alone, in benchstat's format", Limit: 5 * time.Minute}, (*exam).kernels},
	{doctor.Part{Name: "bench", What: `a short "minilm-metal bench --stages", with its report`, Limit: 3 * time.Minute}, (*exam).bench},
}

// lookAt does one part in this process.
func (p *program) lookAt(ctx context.Context, name string, x *exam) error {
	i := slices.IndexFunc(examParts, func(one examPart) bool { return one.Name == name })
	if i < 0 {
		return usageError("--part %s: there is no such part", name)
	}
	return examParts[i].do(x, ctx)
}

// absent ends a part that finds nothing to look at here.
func (x *exam) absent(format string, args ...any) error {
	why := fmt.Sprintf(format, args...)
	fmt.Fprintln(x.stdout, why)
	return doctor.SayAbsent(x.dir, why)
}

func (x *exam) machine(context.Context) error {
	info, _ := debug.ReadBuildInfo()
	if err := writeVersion(x.stdout, info); err != nil {
		return err
	}
	t := tabwriter.NewWriter(x.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t)
	x.writeEnvironment(t)
	for _, isa := range kernels.Available() {
		permitted := "not permitted by the system"
		if slices.Contains(kernels.Permitted(), isa) {
			var formats []string
			for _, f := range isa.Formats() {
				formats = append(formats, f.String())
			}
			permitted = strings.Join(formats, ", ")
		}
		fmt.Fprintf(t, "kernels\t%v: %s\n", isa, permitted)
	}
	c := &cpuid.CPU
	fmt.Fprintf(t, "caches\tL1d %d, L2 %d, L3 %d bytes (-1: not known)\n", c.Cache.L1D, c.Cache.L2, c.Cache.L3)
	fmt.Fprintf(t, "cores\t%d physical, %d logical (0: not known), %d of them this process's\n", c.PhysicalCores, c.LogicalCores, runtime.NumCPU())
	for i, line := range wrap(c.FeatureSet(), 66) {
		fmt.Fprintf(t, "%s\t%s\n", map[bool]string{true: "features"}[i == 0], line)
	}
	variables := 0
	for _, v := range os.Environ() {
		if strings.HasPrefix(v, "MINILM_") || strings.HasPrefix(v, "GOMAXPROCS=") {
			fmt.Fprintf(t, "variable\t%s\n", withoutSecret(v))
			variables++
		}
	}
	if variables == 0 {
		fmt.Fprintln(t, "variables\tneither GOMAXPROCS nor any that begins with MINILM_")
	}
	return t.Flush()
}

// secretNames are in the names of variables whose value is nobody else's business, as in
// that of the bearer token for a server.
var secretNames = []string{"KEY", "TOKEN", "SECRET", "PASS", "AUTH", "CREDENTIAL"}

// withoutSecret returns a variable, as the environment has it, without a value that may let
// others in: one that its name says to be secret, or a URL's user and password.
func withoutSecret(variable string) string {
	name, value, _ := strings.Cut(variable, "=")
	_, rest, isURL := strings.Cut(value, "://")
	secret := isURL && strings.Contains(rest, "@")
	for _, part := range secretNames {
		secret = secret || strings.Contains(strings.ToUpper(name), part)
	}
	if secret {
		return name + " is set, and its value left out"
	}
	return variable
}

func (x *exam) info(context.Context) error {
	a, err := x.about(&engineFlags{model: x.model, device: "auto", isa: "auto", precision: "auto"}, engine.JudgeAll())
	if err != nil {
		return err
	}
	return a.write(x.stdout)
}
