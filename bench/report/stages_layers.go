package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/minilm-metal/minilm-metal/bench/internal/figure"
	"github.com/minilm-metal/minilm-metal/bench/internal/markdown"
	"github.com/minilm-metal/minilm-metal/bench/recording"
)

// LayerFigures is what one layer costs a batch, or what stands before the layers or behind
// them. Times are summed over the workers.
type LayerFigures struct {
	Part        string   `json:"part"` // "embed", "layer 0", ..., "pool"
	Attention   *float64 `json:"attention_ms_per_batch"`
	FeedForward *float64 `json:"feed_forward_ms_per_batch"`
	MS          float64  `json:"ms_per_batch"`
	Share       *float64 `json:"share_percent"` // of kernels and rest
}

// blocks are those of a forward pass, in its order. "classify" is in recordings made when a
// device still ran the classification head itself. The time that is no kernel's is behind them
// all.
var blocks = []string{"embed", "attention", "feed-forward", "pool", "classify"}

// rank is where the kernel's block stands among the blocks.
func rank(k recording.Kernel) int {
	if at := slices.Index(blocks, k.Block); at >= 0 {
		return at
	}
	return len(blocks)
}

// inBlockOrder sorts kernels as a layer runs their blocks. Within a block they stay as they
// were told, which is the order in which a device came to them.
func inBlockOrder(list []recording.Kernel) {
	slices.SortStableFunc(list, func(a, b recording.Kernel) int { return cmp.Compare(rank(a), rank(b)) })
}

// inLayerOrder sorts kernels as a pass runs them: what embeds, the layers, what is behind.
func inLayerOrder(list []recording.Kernel) {
	layer := func(k recording.Kernel) int {
		if k.Layer < 0 && rank(k) > 0 {
			return math.MaxInt
		}
		return k.Layer
	}
	slices.SortStableFunc(list, func(a, b recording.Kernel) int { return cmp.Compare(layer(a), layer(b)) })
}

// layerFigures adds up the kernels of each layer, the layers in order. whole is the time of
// all kernels and of the rest.
func layerFigures(list []recording.Kernel, batches int, whole time.Duration) (parts []LayerFigures) {
	list = slices.Clone(list)
	inLayerOrder(list)
	times := map[string]map[string]time.Duration{} // of a part's blocks
	var names []string
	for _, k := range list {
		name := k.Block
		switch {
		case name == "":
			continue
		case k.Layer >= 0:
			name = fmt.Sprintf("layer %d", k.Layer)
		}
		if times[name] == nil {
			times[name] = map[string]time.Duration{}
			names = append(names, name)
		}
		times[name][k.Block] += k.Time
	}
	for _, name := range names {
		p := LayerFigures{Part: name}
		sum := time.Duration(0)
		for block, spent := range times[name] {
			sum += spent
			ms := milliseconds(spent) / float64(batches)
			switch block {
			case "attention":
				p.Attention = &ms
			case "feed-forward":
				p.FeedForward = &ms
			}
		}
		p.MS, p.Share = milliseconds(sum)/float64(batches), quotient(100*float64(sum), float64(whole))
		parts = append(parts, p)
	}
	return parts
}

// writeLayers adds the table of the layers; none where a report does not tell them.
func (s *StageFigures) writeLayers(p *markdown.Page) {
	if len(s.Layers) == 0 {
		return
	}
	p.Para("#### Stages by Layer")
	var rows [][]string
	for i := range s.Layers {
		l := &s.Layers[i]
		rows = append(rows, []string{l.Part, figure.Fixed(l.Attention, 3), figure.Fixed(l.FeedForward, 3), figure.Fixed(&l.MS, 3), figure.Fixed(l.Share, 1)})
	}
	p.Table([]string{"Part", "Attention (ms)", "Feed-Forward (ms)", "Time a Batch (ms)", "Share (%)"}, rows)
	p.Para("_Of the same batches as above, in the order of the forward pass._")
}
