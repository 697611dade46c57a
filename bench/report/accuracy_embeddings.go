package report

import (
	"fmt"
	"strconv"

	"github.com/minilm-metal/minilm-metal/bench/internal/figure"
	"github.com/minilm-metal/minilm-metal/bench/internal/markdown"
	"github.com/minilm-metal/minilm-metal/bench/recording"
)

// embeddingsVerdict is verdict of embeddings.
func embeddingsVerdict(a *recording.Accuracy) string {
	verdict := "passed"
	if !a.Passed {
		verdict = "NOT passed"
	}
	return verdict + ": " + embeddingsInWords(a)
}

// embeddingsInWords says how far the embeddings are from the reference's, and who is near whom.
func embeddingsInWords(a *recording.Accuracy) string {
	e := a.Embeddings
	text := fmt.Sprintf("1 - cosine to the float64 reference %s in the mean (%s allowed), %s at worst, over %d texts",
		threeDigits(&e.MeanDistance), threeDigits(&e.AllowedDistance), threeDigits(&e.WorstDistance), a.Pairs)
	if n := e.Neighbours; n != nil {
		text += fmt.Sprintf("; of the %d nearest of %d texts %s as in %s", n.K, n.Texts, percentOf(&n.Overlap), n.Reference)
	} else if a.TopK > 0 {
		text += fmt.Sprintf("; of the %d nearest of these %s as in float64", a.TopK, percentOf(&a.TopKAgreement))
	}
	return text
}

// writeEmbeddings lists the gate's figures of embeddings.
func writeEmbeddings(p *markdown.Page, a *recording.Accuracy) {
	e := a.Embeddings
	rows := [][]string{
		{"Passed", yesNo(a.Passed)},
		{"Texts compared with the float64 reference", strconv.Itoa(a.Pairs)},
		{"Mean distance (1 - cosine)", threeDigits(&e.MeanDistance)},
		{"Mean distance allowed at this precision", threeDigits(&e.AllowedDistance)},
		{"Worst distance", threeDigits(&e.WorstDistance)},
	}
	if a.TopK > 0 {
		rows = append(rows, []string{fmt.Sprintf("Overlap of the nearest %d among these (%%)", a.TopK), fmt.Sprintf("%.1f", 100*a.TopKAgreement)})
	}
	if n := e.Neighbours; n != nil {
		rows = append(rows, []string{fmt.Sprintf("Overlap of the nearest %d among %d texts, with %s (%%)", n.K, n.Texts, n.Reference), fmt.Sprintf("%.2f", 100*n.Overlap)})
	}
	p.Para("## Accuracy Gate")
	p.Block()
	p.Table(metricValue, append(rows, [][]string{
		{"Orders of neighbours swapped (%)", figure.Fixed(figure.Scaled(a.FlippedOrders, 100), 2)},
		{"Kendall tau-b of neighbours", fmt.Sprintf("%.6f", a.KendallTau)},
		{"Standard deviation of the texts' cosines", fmt.Sprintf("%.4g", a.LogitSD)},
		{"Max error of these cosines", threeDigits(&a.MaxError)},
		{"Mean error over that deviation", overSD(a, &a.MeanError)},
		{"Mean error allowed", tolerance(a.Tolerance)},
		{"Offset over that deviation", overSD(a, a.Offset)},
		{"Offset allowed, either way", tolerance(a.OffsetTolerance)},
		{"Centred error over that deviation", overSD(a, a.CentredError)},
		{"Centred error allowed", tolerance(a.CentredTolerance)},
	}...))
	p.Para("_A distance is between an embedding and the reference's of the same text. The cosines are those between the texts, each with each: their errors, without what all have in common, are what makes another text the nearer one._")
}
