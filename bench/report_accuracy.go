package bench

import (
	"fmt"
	"strconv"
)

// verdict says whether the gate was passed, and by how much: each error over
// the logits' standard deviation, which is how it is judged.
func (a *Accuracy) verdict() string {
	verdict := "passed"
	if !a.Passed {
		verdict = "NOT passed"
	}
	return fmt.Sprintf("%s, over the logits' standard deviation: centred error %s (%s allowed), offset %s (%s allowed), mean error %s (%s allowed); pair orders flipped (%%): %s",
		verdict, a.overSD(a.CentredError), tolerance(a.CentredTolerance), a.overSD(a.Offset), tolerance(a.OffsetTolerance),
		a.overSD(&a.MeanError), tolerance(a.Tolerance), fixed(scaled(a.FlippedOrders, 100), 2))
}

// write lists the gate's figures.
func (a *Accuracy) write(p *page) {
	p.para("## Accuracy Gate")
	p.block()
	p.table(metricValue, [][]string{
		{"Passed", yesNo(a.Passed)},
		{"Pairs compared with the float64 reference", strconv.Itoa(a.Pairs)},
		{"Max error of the logits", threeDigits(&a.MaxError)},
		{"Mean error of the logits", threeDigits(&a.MeanError)},
		{"Offset of the logits", threeDigits(a.Offset)},
		{"Centred error of the logits", threeDigits(a.CentredError)},
		{"Standard deviation of the logits", fmt.Sprintf("%.4g", a.LogitSD)},
		{"Mean error over that deviation", a.overSD(&a.MeanError)},
		{"Mean error allowed at this precision", tolerance(a.Tolerance)},
		{"Offset over that deviation", a.overSD(a.Offset)},
		{"Offset allowed, either way", tolerance(a.OffsetTolerance)},
		{"Centred error over that deviation", a.overSD(a.CentredError)},
		{"Centred error allowed", tolerance(a.CentredTolerance)},
		{"Kendall tau-b", fmt.Sprintf("%.6f", a.KendallTau)},
		{"Pair orders flipped (%)", fixed(scaled(a.FlippedOrders, 100), 2)},
		{fmt.Sprintf("Top-%d agreement (%%)", a.TopK), fmt.Sprintf("%.1f", 100*a.TopKAgreement)},
	})
	p.para("_The offset is the mean error with its sign: it is the same for all pairs and swaps none. The centred error is the mean distance of a pair's error from it, and is what swaps them._")
}

// overSD prints an error over the logits' standard deviation; logits that are
// all alike have none.
func (a *Accuracy) overSD(e *float64) string {
	if e == nil || a.LogitSD == 0 {
		return notMeasured
	}
	share := *e / a.LogitSD
	return threeDigits(&share)
}

// tolerance prints a limit, which is not 0 where it is known.
func tolerance(share float64) string {
	if share == 0 {
		return notMeasured
	}
	return strconv.FormatFloat(share, 'g', -1, 64)
}

func threeDigits(v *float64) string {
	if v == nil {
		return notMeasured
	}
	return strconv.FormatFloat(*v, 'g', 3, 64)
}
