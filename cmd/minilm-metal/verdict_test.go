package main

import (
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/minilm-metal/minilm-metal/testdata"
)

// publishedLogits are the published scores as logits.
func publishedLogits(t *testing.T) ([]testdata.PublishedScore, []float32) {
	t.Helper()
	published, err := testdata.PublishedScores()
	if err != nil {
		t.Fatal(err)
	}
	logits := make([]float32, len(published))
	for i, s := range published {
		logits[i] = float32(s.Score)
		if s.Activation == "sigmoid" {
			logits[i] = float32(math.Log(s.Score / (1 - s.Score)))
		}
	}
	return published, logits
}

// Scores as published are met, and one that is off a little is seen: by what its
// precision explains, and by no more.
func TestVerdict(t *testing.T) {
	published, logits := publishedLogits(t)
	for precision, c := range map[string]struct{ within, beyond float32 }{
		"f32":    {5e-5, 0.01},
		"bf16x3": {1e-3, 0.01},
		"f16":    {0.1, 0.5},
		"bf16":   {1, 3},
		"int8":   {0.5, 2},
	} {
		v := judge(published, logits, scoreDistance(published, precision))
		if v.off != 0 || v.largest > 1e-5 || v.swapped != 0 || v.wrong != 0 || v.orders < 100 {
			t.Errorf("%s, as published: %d off by up to %v, %d of %d orders swapped", precision, v.off, v.largest, v.swapped, v.orders)
		}
		for _, by := range []float32{c.within, -c.within, c.beyond, -c.beyond, float32(math.NaN())} {
			moved := slices.Clone(logits)
			moved[0] += by
			want := 0
			if !(math.Abs(float64(by)) <= float64(c.within)) {
				want = 1
			}
			v := judge(published, moved, scoreDistance(published, precision))
			if v.off != want || want == 0 && v.wrong != 0 {
				t.Errorf("%s, one score by %g: %d off, want %d; %d wrong orders", precision, by, v.off, want, v.wrong)
			}
			var out strings.Builder
			if err := v.write(&out, "published"); err != nil {
				t.Fatal(err)
			}
			table := lines(out.String())
			if len(table) < len(published)+1 || strings.Contains(table[1], "  off  ") != (want == 1) {
				t.Errorf("%s, one score by %g:\n%s", precision, by, out.String())
			}
		}
	}
}

// A sigmoid's score may be off by what its logit may, and that much is less where the
// sigmoid is flat.
func TestVerdictOfSigmoid(t *testing.T) {
	flat := testdata.PublishedScore{Score: sigmoid(8), Activation: "sigmoid", Tolerance: 1e-9}
	steep := testdata.PublishedScore{Score: 0.5, Activation: "sigmoid", Tolerance: 1e-9}
	if got := allowedOf(steep, 0.1); math.Abs(got-0.025) > 1e-3 {
		t.Errorf("0.5 may be off by %g, want 0.025", got)
	}
	if got := allowedOf(flat, 0.1); got > 1e-4 || got <= 1e-9 {
		t.Errorf("%g may be off by %g", flat.Score, got)
	}
	if got := allowedOf(flat, 0); got != 1e-9 {
		t.Errorf("in float32 it may be off by %g", got)
	}
}

// Two passages of a query in the wrong order are a failure of their own, where their
// scores are farther apart than they may be off: each of these is off by no more.
func TestVerdictOfOrders(t *testing.T) {
	scores := func(all ...float64) (of []testdata.PublishedScore) {
		for _, s := range all {
			of = append(of, testdata.PublishedScore{Query: "q", Score: s, Tolerance: 1})
		}
		return of
	}
	for _, c := range []struct {
		published      []float64
		ours           []float32
		swapped, wrong int
	}{
		{[]float64{0, 1.5, 9}, []float32{0, 1.5, 9}, 0, 0},
		{[]float64{0, 0.5, 9}, []float32{0.5, 0, 9}, 1, 0},   // they nearly tie
		{[]float64{0, 1.5, 9}, []float32{0.9, 0.7, 9}, 1, 1}, // they do not
		{[]float64{0, 1.5, 9}, []float32{0.8, 0.8, 9}, 1, 1}, // a tie is no order
		{[]float64{0, 0, 9}, []float32{0.8, 0.1, 9}, 0, 0},
	} {
		v := judge(scores(c.published...), c.ours, 0)
		if v.swapped != c.swapped || v.wrong != c.wrong || v.off != 0 {
			t.Errorf("%v for %v: %d swapped, %d wrong, %d off, want %d, %d, 0", c.ours, c.published, v.swapped, v.wrong, v.off, c.swapped, c.wrong)
		}
	}
	other := scores(0, 1.5)
	other[1].Query = "another"
	if v := judge(other, []float32{0.9, 0.7}, 0); v.orders != 0 {
		t.Errorf("%d orders of two queries' passages", v.orders)
	}
}

// The deviations are those of the README's table, the largest of each precision.
func TestDeviationsAreTold(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	row := regexp.MustCompile(`(?m)^\| (\w+) \| .*;.* \|$`)
	cell := regexp.MustCompile(` ([-0-9.e]+); [0-9.]+(?: %)? \|`) // error; orders swapped
	told := map[string]float64{}
	for _, m := range row.FindAllStringSubmatch(string(text), -1) {
		for _, figure := range cell.FindAllStringSubmatch(m[0], -1) {
			v, err := strconv.ParseFloat(figure[1], 64)
			if err != nil {
				t.Errorf("%q: %v", m[0], err)
			}
			told[m[1]] = max(told[m[1]], v)
		}
	}
	delete(told, "f32") // has tolerances
	if len(told) != len(deviations) {
		t.Errorf("README has %v, verify %v", told, deviations)
	}
	for precision, want := range told {
		if deviations[precision] != want {
			t.Errorf("%s is off by %g in the README's table, %g in verify's", precision, want, deviations[precision])
		}
	}
}
