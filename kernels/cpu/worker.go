package cpu

import "github.com/minilm-metal/minilm-metal/kernels"

// worker is a core's worth of memory.
type worker struct {
	pass  pass   // the pass that this worker leads
	help  func() // does parts of other workers' passes
	meter *meter // nil: nobody asked

	in      kernels.Input
	found   kernels.Input // rows of what the heads found, where that is an input already
	inner   kernels.Input // chunk×intermediate: what up makes for down
	cls     []int         // rows of the input that are [CLS] rows
	scratch []float32     // what a product's kernel wants
	scores  []float32     // what attention wants for the longest sequence
}

func newWorker(d *Device) *worker {
	w := new(worker)
	w.pass = pass{d: d, w: w}
	w.pass.job.ended = make(chan struct{}, 1)
	w.help = w.helpOthers // made once, so that starting it allocates nothing
	return w
}
