package bench

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/klauspost/cpuid/v2"
	"github.com/shirou/gopsutil/v4/cpu"
	"github.com/shirou/gopsutil/v4/host"
	"github.com/shirou/gopsutil/v4/load"
	"github.com/shirou/gopsutil/v4/mem"

	"github.com/minilm-metal/minilm-metal/bench/recording"
)

// kernelFeatures are the instruction sets in which a kernel for this work could be written.
// A CPU has a hundred others, which explain no timing here.
var kernelFeatures = []cpuid.FeatureID{
	cpuid.SSE42, cpuid.AVX, cpuid.F16C, cpuid.FMA3, cpuid.AVX2,
	cpuid.AVX512F, cpuid.AVX512BW, cpuid.AVX512DQ, cpuid.AVX512VL,
	cpuid.AVX512VNNI, cpuid.AVX512BF16, cpuid.AVX512FP16, cpuid.AVXVNNI,
	cpuid.AVX10, cpuid.AMXTILE, cpuid.AMXINT8, cpuid.AMXBF16, cpuid.AMXFP16,
	cpuid.ASIMD, cpuid.ASIMDHP, cpuid.ASIMDDP, cpuid.FHM, cpuid.BF16, cpuid.I8MM,
	cpuid.SVE, cpuid.SVE2,
}

// NewEnvironment describes the machine and the program; args is its command line. What the
// system does not say is left empty or nil. It takes a moment, because it measures the
// machine's noise.
func NewEnvironment(args []string) recording.Environment {
	e := recording.Environment{
		CPU:        cpuName(),
		Cores:      runtime.NumCPU(),
		OS:         osName(),
		Arch:       runtime.GOARCH,
		Go:         runtime.Version(),
		GOMAXPROCS: runtime.GOMAXPROCS(0),
		Args:       slices.Clone(args),
		Load1:      load1(),
		Noise:      noise(),
	}
	for _, f := range kernelFeatures {
		if cpuid.CPU.Has(f) {
			e.CPUFeatures = append(e.CPUFeatures, f.String())
		}
	}
	if m, err := mem.VirtualMemory(); err == nil {
		e.MemoryBytes = m.Total
	}
	info, _ := debug.ReadBuildInfo()
	e.Commit, e.Dirty = commit(info)
	return e
}

func cpuName() string {
	if name := strings.TrimSpace(cpuid.CPU.BrandName); name != "" {
		return name
	}
	// Linux on ARM gives the CPU's name to the system only, not to programs.
	if infos, err := cpu.Info(); err == nil && len(infos) > 0 && infos[0].ModelName != "" {
		return infos[0].ModelName
	}
	return "unknown"
}

// osName returns the system and its version, such as "linux (debian 12.11, kernel 6.1.0)".
func osName() string {
	name, details := runtime.GOOS, []string{}
	if platform, _, version, err := host.PlatformInformation(); err == nil && platform != "" {
		details = append(details, strings.TrimSpace(platform+" "+version))
	}
	if kernel, err := host.KernelVersion(); err == nil && kernel != "" {
		details = append(details, "kernel "+kernel)
	}
	if len(details) == 0 {
		return name
	}
	return fmt.Sprintf("%s (%s)", name, strings.Join(details, ", "))
}

// load1 returns the load average over one minute. Windows has none.
func load1() *float64 {
	if runtime.GOOS == "windows" {
		return nil
	}
	avg, err := load.Avg()
	if err != nil {
		return nil
	}
	return &avg.Load1
}

// commit returns the revision that the program was built from, and whether files were
// changed in it. A program that was built outside a checkout, or with -buildvcs=false,
// knows at most its module's version.
func commit(info *debug.BuildInfo) (revision string, dirty bool) {
	if info == nil {
		return "unknown", false
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			revision = s.Value
		case "vcs.modified":
			dirty = s.Value == "true"
		}
	}
	if v := info.Main.Version; revision == "" && v != "" && v != "(devel)" {
		revision = v
	}
	if revision == "" {
		revision = "unknown"
	}
	return revision, dirty
}

const (
	noiseRounds = 20
	// noiseSteps makes a round take about 6 ms at 3.5 GHz.
	noiseSteps = 2 << 20
)

// noise times the same arithmetic again and again, on one core, and returns the spread of
// the times: (longest - shortest) / shortest. Differences can only come from other users of
// the machine, its frequency and its interrupts.
func noise() *float64 {
	var times []time.Duration
	checksum := 0.0
	for range noiseRounds {
		begun := time.Now()
		checksum += chain(noiseSteps)
		times = append(times, time.Since(begun))
	}
	shortest := slices.Min(times)
	// The sum is finite. Using it keeps the compiler from removing the loop.
	if shortest <= 0 || checksum < 0 {
		return nil
	}
	spread := float64(slices.Max(times)-shortest) / float64(shortest)
	return &spread
}

// busyLoad: above this load average for each core, other programs take time from the run.
const busyLoad = 0.5

// busy reports whether the machine was too busy before the run to be measured.
func busy(e *recording.Environment) bool {
	return e.Load1 != nil && *e.Load1 > busyLoad*float64(e.Cores) || e.Noise != nil && *e.Noise > recording.Noisy
}

// measured formats a figure times scale, or says that it was not measured.
func measured(x *float64, format string, scale float64) string {
	if x == nil {
		return "n/a"
	}
	return fmt.Sprintf(format, scale**x)
}

// chain alternates a multiplication and an addition, each of which waits for the one
// before. Its time is pure latency, and it uses no memory.
func chain(steps int) float64 {
	x := 0.5
	for range steps {
		x = x*0.999 + 0.001
	}
	return x
}
