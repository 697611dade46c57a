package compare

import (
	"fmt"
	"math"
	"strings"

	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/bench/report"
)

// Comparison is two reports side by side; B is judged against A.
type Comparison struct {
	A, B *report.Report
	// Warnings name differences, or missing facts, on which the figures depend.
	Warnings []string
	Pairs    []Pair
	OnlyA    []report.Config // configurations without a match
	OnlyB    []report.Config
}

// Pair is one configuration that both reports have.
type Pair struct {
	Config      report.Config
	Warnings    []string
	Differences []Difference // one for every metric that A or B has
}

// Difference compares one metric of A and B; nil is n/a.
type Difference struct {
	Metric string // with its unit
	A, B   *float64
	Ratio  *float64 // B over A; nil if one is n/a or A is 0
	// Verdict is about B: "better", "worse", "same", or "" if neither direction is better.
	Verdict string
	Tested  bool     // Beyond has a meaning
	Beyond  bool     // the difference is larger than the noise
	P       *float64 // the test's p-value; nil if it has none
	Method  string   // name of the test
	// Probe is true if the test found the difference larger than the noise, but the
	// machine's noise probe explains it.
	Probe bool
}

// Reports compares b with a. Configurations match if their batch, concurrency and load are
// equal. If one was run several times, the first run matches the first, and so on.
func Reports(a, b *report.Report) Comparison {
	c := Comparison{A: a, B: b, Warnings: warnings(a, b)}
	taken := make([]bool, len(b.Configs))
	floor := min(max(probe(a), probe(b)), mostNoise)
	list := report.Metrics()
next:
	for i := range a.Configs {
		fa := &a.Configs[i]
		for j := range b.Configs {
			if fb := &b.Configs[j]; !taken[j] && fa.Config == fb.Config {
				taken[j] = true
				c.Pairs = append(c.Pairs, compareFigures(list, fa, fb, floor))
				continue next
			}
		}
		c.OnlyA = append(c.OnlyA, fa.Config)
	}
	for j := range b.Configs {
		if !taken[j] {
			c.OnlyB = append(c.OnlyB, b.Configs[j].Config)
		}
	}
	return c
}

// mostNoise is the largest difference that a noise probe can explain, as a share of the
// smaller of two figures. The probe is the worst of some rounds of milliseconds before the
// run. A single round that was interrupted can make it several hundred per cent, while the
// run of seconds that it stands for averages over such interruptions. A value above that of
// a machine that is busy all the time describes only a moment.
const mostNoise = recording.Noisy

// probe returns the relative noise in a report; 0 if it has none.
func probe(r *report.Report) float64 {
	if r.Environment == nil || r.Environment.Noise == nil {
		return 0
	}
	return *r.Environment.Noise
}

func compareFigures(list []report.Metric, a, b *report.Figures, floor float64) Pair {
	c := Pair{Config: a.Config}
	if a.Pairs != b.Pairs {
		c.Warnings = append(c.Warnings, fmt.Sprintf("pairs: A scored %d, B %d", a.Pairs, b.Pairs))
	}
	for _, m := range list {
		va, vb := m.Value(a), m.Value(b)
		if va == nil && vb == nil {
			continue
		}
		d := Difference{Metric: m.Title, A: va, B: vb}
		if va != nil && vb != nil {
			d.judge(m, a, b, floor)
		}
		c.Differences = append(c.Differences, d)
	}
	return c
}

// judge compares A and B, both of which are known.
func (d *Difference) judge(m report.Metric, a, b *report.Figures, floor float64) {
	va, vb := *d.A, *d.B
	if ratio := vb / va; !math.IsNaN(ratio) && !math.IsInf(ratio, 0) {
		d.Ratio = &ratio
	}
	switch {
	case va == vb:
		d.Verdict = "same"
	case m.Better == report.Neither:
	case (vb > va) == (m.Better == report.Higher):
		d.Verdict = "better"
	default:
		d.Verdict = "worse"
	}
	e := test(m, a, b)
	d.Tested, d.Beyond, d.P, d.Method = e.tested, e.beyond, e.p, e.method
	if isTime(m) && d.Beyond && va > 0 && vb > 0 && max(va/vb, vb/va)-1 <= floor { // the same ratio for a time and for its rate
		d.Beyond, d.Probe = false, true
	}
}

// isTime reports whether the metric is a time or a rate, which the machine's noise
// disturbs.
func isTime(m report.Metric) bool {
	return strings.HasSuffix(m.Column, "_ms") || strings.HasSuffix(m.Column, "_per_second")
}

// warnings names the differences between two reports on which their figures depend.
func warnings(a, b *report.Report) (out []string) {
	differ := func(what, va, vb string) {
		switch {
		case va == vb:
		case va == "":
			out = append(out, fmt.Sprintf("%s: A does not tell, B has %s", what, vb))
		case vb == "":
			out = append(out, fmt.Sprintf("%s: A has %s, B does not tell", what, va))
		default:
			out = append(out, fmt.Sprintf("%s: A has %s, B has %s", what, va, vb))
		}
	}
	weights := func(r *report.Report) string {
		if r.Model.Synthetic {
			return "synthetic ones"
		}
		return "loaded ones"
	}
	dataset := func(r *report.Report) (name, hash string) {
		if r.Dataset == nil {
			return "", ""
		}
		return r.Dataset.Name, r.Dataset.SHA256
	}
	cpu := func(r *report.Report) string {
		if r.Environment == nil {
			return ""
		}
		return r.Environment.CPU
	}
	for _, side := range []struct {
		name   string
		report *report.Report
	}{{"A", a}, {"B", b}} {
		if why := side.report.Withheld; why != "" {
			out = append(out, fmt.Sprintf("%s has no speed figures: %s", side.name, why))
		}
		if noise := probe(side.report); noise > mostNoise {
			out = append(out, fmt.Sprintf("noise: %s's probe shows %.0f %%, of which no more than %.0f %% can explain a difference here: the machine was disturbed before the run, so run it again, in turns with the other",
				side.name, 100*noise, 100*mostNoise))
		}
	}
	differ("model", a.Model.ID, b.Model.ID)
	differ("weights", weights(a), weights(b))
	differ("device", a.Device, b.Device)
	differ("precision", a.Precision, b.Precision)
	nameA, hashA := dataset(a)
	nameB, hashB := dataset(b)
	if hashA != hashB { // an equal name does not prove much
		differ("data set", strings.TrimSpace(nameA+" "+short(hashA)), strings.TrimSpace(nameB+" "+short(hashB)))
	}
	differ("processor", cpu(a), cpu(b))
	return out
}

// short returns enough of a hash to tell it from another by eye.
func short(hash string) string { return hash[:min(len(hash), 12)] }
