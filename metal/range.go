package metal

import (
	"fmt"
	"math"

	"github.com/minilm-metal/minilm-metal/model"
)

// mostHalf is the largest bound that is accepted for values that are stored in half. Half's
// largest number is 65504. The margin is for the rounding of operands, which the bounds leave
// out, and which is below 0.2 %.
const mostHalf = 65504 * (1 - 1.0/128)

// extent is an upper bound of the magnitudes of some values that shaders store in half, for
// any input. Values in float need none: attention's scores, all sums, the residual stream.
type extent struct {
	what  string
	layer int // outside for the embeddings
	most  float64
}

// String returns for example "at most 68.3 of 65504 can occur, in inner channels of layer 0".
func (e extent) String() string {
	where := ""
	if e.layer != outside {
		where = fmt.Sprintf(" of layer %d", e.layer)
	}
	return fmt.Sprintf("at most %.3g of 65504 can occur, in %s%s", e.most, e.what, where)
}

// fits returns an error where half cannot hold the values.
func (e extent) fits() error {
	if e.most <= mostHalf {
		return nil
	}
	return fmt.Errorf("%s can become as large as %.3g, beyond half's 65504", e.what, e.most)
}

// widest returns the largest bound.
func widest(all ...extent) extent {
	most := all[0]
	for _, e := range all[1:] {
		if e.most > most.most {
			most = e
		}
	}
	return most
}

// layerExtent returns the largest bound of what a layer stores in half.
func layerExtent(w *model.Weights, layer int) extent {
	e := w.Extents(layer, 0)
	return widest(
		extent{"queries", layer, e.Query * queryScale(w.Config.HeadSize())},
		extent{"keys", layer, e.Key},
		extent{"values", layer, e.Value}, // bounds attention's output, too
		extent{"the hidden state after attention", layer, e.Attention},
		extent{"inner channels", layer, e.Up},
		extent{"the hidden state after the feed-forward block", layer, e.FeedForward},
	)
}

// queryScale is the factor by which the queries' weights are multiplied when they are packed:
// attention's 1/√d, and log2(e), since the shaders compute exp2 instead of exp.
func queryScale(headSize int) float64 { return math.Log2E / math.Sqrt(float64(headSize)) }
