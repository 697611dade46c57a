package report

import (
	"fmt"
	"strconv"

	"github.com/minilm-metal/minilm-metal/bench/internal/figure"
	"github.com/minilm-metal/minilm-metal/bench/internal/markdown"
	"github.com/minilm-metal/minilm-metal/bench/recording"
)

// verdict says whether the gate was passed, and by how much: each error divided by the
// logits' standard deviation, which is how it is judged.
func verdict(a *recording.Accuracy) string {
	if a.Embeddings != nil {
		return embeddingsVerdict(a)
	}
	verdict := "passed"
	if !a.Passed {
		verdict = "NOT passed"
	}
	return fmt.Sprintf("%s, over the logits' standard deviation: centred error %s (%s allowed), offset %s (%s allowed), mean error %s (%s allowed); pair orders flipped (%%): %s",
		verdict, overSD(a, a.CentredError), tolerance(a.CentredTolerance), overSD(a, a.Offset), tolerance(a.OffsetTolerance),
		overSD(a, &a.MeanError), tolerance(a.Tolerance), figure.Fixed(figure.Scaled(a.FlippedOrders, 100), 2))
}

// writeAccuracy lists the gate's figures.
func writeAccuracy(p *markdown.Page, a *recording.Accuracy) {
	if a.Embeddings != nil {
		writeEmbeddings(p, a)
		return
	}
	p.Para("## Accuracy Gate")
	p.Block()
	p.Table(metricValue, [][]string{
		{"Passed", yesNo(a.Passed)},
		{"Pairs compared with the float64 reference", strconv.Itoa(a.Pairs)},
		{"Max error of the logits", threeDigits(&a.MaxError)},
		{"Mean error of the logits", threeDigits(&a.MeanError)},
		{"Offset of the logits", threeDigits(a.Offset)},
		{"Centred error of the logits", threeDigits(a.CentredError)},
		{"Standard deviation of the logits", fmt.Sprintf("%.4g", a.LogitSD)},
		{"Mean error over that deviation", overSD(a, &a.MeanError)},
		{"Mean error allowed at this precision", tolerance(a.Tolerance)},
		{"Offset over that deviation", overSD(a, a.Offset)},
		{"Offset allowed, either way", tolerance(a.OffsetTolerance)},
		{"Centred error over that deviation", overSD(a, a.CentredError)},
		{"Centred error allowed", tolerance(a.CentredTolerance)},
		{"Kendall tau-b", fmt.Sprintf("%.6f", a.KendallTau)},
		{"Pair orders flipped (%)", figure.Fixed(figure.Scaled(a.FlippedOrders, 100), 2)},
		{fmt.Sprintf("Top-%d agreement (%%)", a.TopK), fmt.Sprintf("%.1f", 100*a.TopKAgreement)},
	})
	p.Para("_The offset is the mean error with its sign: it is the same for all pairs and swaps none. The centred error is the mean distance of a pair's error from it, and is what swaps them._")
}

// overSD formats an error divided by the logits' standard deviation. If all logits are
// equal, there is none.
func overSD(a *recording.Accuracy, e *float64) string {
	if e == nil || a.LogitSD == 0 {
		return figure.NotMeasured
	}
	share := *e / a.LogitSD
	return threeDigits(&share)
}

// tolerance formats a limit. 0 means that it is not known.
func tolerance(share float64) string {
	if share == 0 {
		return figure.NotMeasured
	}
	return strconv.FormatFloat(share, 'g', -1, 64)
}

func threeDigits(v *float64) string {
	if v == nil {
		return figure.NotMeasured
	}
	return strconv.FormatFloat(*v, 'g', 3, 64)
}
