package synth

import "testing"

// The whole of the default model.safetensors.
func BenchmarkWeights(b *testing.B) {
	shape, err := Shape{}.Resolve()
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		f := newFile(1, shape, F32, Plain)
		b.SetBytes(int64(f.size()))
		f.bytes()
	}
}
