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
	Apart    string // why nothing is compared, though there are figures; "": it is
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
	// Verdict says which way B differs: "better", "worse", "same", or empty where no way
	// is better. Of two runs nobody can say whether that is more than chance.
	Verdict string
}

// Reports compares b with a, unless one is of scores and the other of embeddings. Configurations
// match if their batch, concurrency and load are equal. If one was run several times, the first
// run matches the first, and so on.
func Reports(a, b *report.Report) Comparison {
	c := Comparison{A: a, B: b, Warnings: warnings("A", a, "B", b)}
	if c.Apart = apart([]*report.Report{a, b}); c.Apart != "" {
		return c
	}
	taken := make([]bool, len(b.Configs))
	list := report.Metrics()
next:
	for i := range a.Configs {
		fa := &a.Configs[i]
		for j := range b.Configs {
			if fb := &b.Configs[j]; !taken[j] && fa.Config == fb.Config {
				taken[j] = true
				c.Pairs = append(c.Pairs, compareFigures(list, fa, fb))
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

// probe is the relative noise that a report's machine showed; 0 if not told.
func probe(r *report.Report) float64 {
	if r.Environment == nil || r.Environment.Noise == nil {
		return 0
	}
	return *r.Environment.Noise
}

func compareFigures(list []report.Metric, a, b *report.Figures) Pair {
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
			d.judge(m)
		}
		c.Differences = append(c.Differences, d)
	}
	return c
}

// judge compares A and B, which are there.
func (d *Difference) judge(m report.Metric) {
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
}

// warnings names what differs between two reports that their figures depend on.
// They are called nameA and nameB.
func warnings(nameA string, a *report.Report, nameB string, b *report.Report) (out []string) {
	differ := func(what, va, vb string) {
		switch {
		case va == vb:
		case va == "":
			out = append(out, fmt.Sprintf("%s: %s does not tell, %s has %s", what, nameA, nameB, vb))
		case vb == "":
			out = append(out, fmt.Sprintf("%s: %s has %s, %s does not tell", what, nameA, va, nameB))
		default:
			out = append(out, fmt.Sprintf("%s: %s has %s, %s has %s", what, nameA, va, nameB, vb))
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
	}{{nameA, a}, {nameB, b}} {
		if why := side.report.Withheld; why != "" {
			out = append(out, fmt.Sprintf("%s has no speed figures: %s", side.name, why))
		}
		if noise := probe(side.report); noise > recording.Noisy {
			out = append(out, fmt.Sprintf("noise: %s's probe shows %.0f %%: the machine was disturbed before the run", side.name, 100*noise))
		}
	}
	differ("work", workOf(a), workOf(b))
	differ("model", a.Model.ID, b.Model.ID)
	differ("weights", weights(a), weights(b))
	differ("device", a.Device, b.Device)
	differ("precision", a.Precision, b.Precision)
	dataA, hashA := dataset(a)
	dataB, hashB := dataset(b)
	if hashA != hashB { // a name alone says little
		differ("data set", strings.TrimSpace(dataA+" "+short(hashA)), strings.TrimSpace(dataB+" "+short(hashB)))
	}
	differ("processor", cpu(a), cpu(b))
	return out
}

// short returns enough of a hash to tell it from another by eye.
func short(hash string) string { return hash[:min(len(hash), 12)] }
