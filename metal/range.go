package metal

import (
	"fmt"
	"math"

	"github.com/minilm-metal/minilm-metal/model"
)

// mostHalf is how large a value may become that is stored in half, whose largest is 65504:
// the rest is for what the roundings of operands add.
const mostHalf = 65504 * (1 - 1.0/128)

// extent is how large values that are stored in half can be at most, whatever the tokens
// are. Attention's scores and sums are float, its weights at most 1.
type extent struct {
	what  string
	layer int // or outside
	most  float64
}

// String says what comes how near to half's limit.
func (e extent) String() string {
	where := ""
	if e.layer != outside {
		where = fmt.Sprintf(" of layer %d", e.layer)
	}
	return fmt.Sprintf("at most %.3g of 65504 can occur, in %s%s", e.most, e.what, where)
}

// fits is nil where half can hold the values.
func (e extent) fits() error {
	if e.most <= mostHalf {
		return nil
	}
	return fmt.Errorf("%s can become as large as %.3g, beyond half's 65504", e.what, e.most)
}

// widest returns the one that is nearest to half's limit.
func widest(all ...extent) extent {
	most := all[0]
	for _, e := range all[1:] {
		if e.most > most.most {
			most = e
		}
	}
	return most
}

// layerExtent is the widest of what a layer stores in half.
func layerExtent(w *model.Weights, layer int) extent {
	e := w.Extents(layer, math.MaxInt)
	return widest(
		extent{"queries", layer, e.Query * queryScale(w.Config.HeadSize())},
		extent{"keys", layer, e.Key},
		extent{"values", layer, e.Value}, // and what heads find of them
		extent{"the hidden state after attention", layer, e.Attention},
		extent{"inner channels", layer, e.Up},
		extent{"the hidden state after the feed-forward block", layer, e.FeedForward},
	)
}

// queryScale is in the queries' weights: log2(e), since shaders have exp2 for exp, and
// attention's own 1/√d.
func queryScale(headSize int) float64 { return math.Log2E / math.Sqrt(float64(headSize)) }
