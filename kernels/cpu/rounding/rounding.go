// Package rounding says what the processor's kernels round, which is what package
// conformance derives its bounds from. It is apart from package cpu so that programs that
// score do not link what measures them.
package rounding

import (
	"github.com/minilm-metal/minilm-metal/kernels"
	"github.com/minilm-metal/minilm-metal/kernels/cpu"
	"github.com/minilm-metal/minilm-metal/model/conformance"
)

// Of returns what a device in a number format rounds.
func Of(f kernels.Format) conformance.Rounding {
	switch f {
	case kernels.BF16:
		return conformance.RoundsBFloat16
	case kernels.BF16x3:
		return conformance.RoundsBFloat16x3
	case kernels.F16:
		return conformance.RoundsFloat16
	case kernels.Int8:
		r := conformance.RoundsInt8
		r.Kept, r.Spread = cpu.KeptChannels, kernels.Spread
		return r
	default:
		return conformance.RoundsFloat32
	}
}
