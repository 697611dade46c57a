package cpu

import "github.com/minilm-metal/minilm-metal/model"

// KeptChannels returns the channels that stay float32 in Int8, of what each layer's
// Q, K and V multiply and of what its up and down projections do: whoever bounds the
// errors of Int8 has to know them.
func KeptChannels(w *model.Weights) (attention, up, down [][]int) {
	for _, of := range expected(w) {
		attention, up, down = append(attention, of.attention.Keep), append(up, of.up.Keep), append(down, of.down.Keep)
	}
	return attention, up, down
}
