package peers

// seedRun is the run that this project set out to beat, as its report has it: another
// machine, so that no ratio to it means anything.
var seedRun = struct {
	library, precision, how string
	pairs, p50, p95         float64
}{
	library:   "PyTorch, the seed's own run",
	precision: "float16",
	how:       "report 01_backend_pytorch of 2025-12-26, cross-encoder/ms-marco-MiniLM-L-6-v2, batches of 32, padded, on the GPU of an Apple machine (mps): another machine and other text, so it has no ratio",
	pairs:     457.1, p50: 68.20, p95: 139.39,
}
