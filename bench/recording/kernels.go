package recording

import "slices"

// AddKernels adds more to sums: each kernel to the one of the same layer, block, name and
// shape, or at the end if there is none.
func AddKernels(sums, more []Kernel) []Kernel {
	for _, k := range more {
		i := slices.IndexFunc(sums, func(o Kernel) bool {
			return o.Layer == k.Layer && o.Block == k.Block && o.Kernel == k.Kernel && o.Shape == k.Shape
		})
		if i < 0 {
			sums = append(sums, k)
		} else {
			sums[i].Add(k)
		}
	}
	return sums
}

// Add adds the cost of another kernel.
func (k *Kernel) Add(o Kernel) {
	k.Calls, k.Time, k.FLOPs, k.Bytes = k.Calls+o.Calls, k.Time+o.Time, k.FLOPs+o.FLOPs, k.Bytes+o.Bytes
}
