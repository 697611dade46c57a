package emulator

import (
	"encoding/binary"
	"math"
	"testing"

	"github.com/minilm-metal/minilm-metal/metal/internal/gpu"
)

// TestMatrixMemory moves matrices with a stride, an origin, and transposed, to and
// from both kinds of memory.
func TestMatrixMemory(t *testing.T) {
	const source = prelude + `
kernel void f(device float *y [[buffer(0)]], ushort lane [[thread_index_in_simdgroup]]) {
  threadgroup half h[20 * 20];
  for (uint i = lane; i < 400; i += 32)
    h[i] = half(float(i));
  simdgroup_barrier(mem_flags::mem_threadgroup);
  simdgroup_half8x8 a, b;
  simdgroup_load(a, h, 20, ulong2{3, 2});
  simdgroup_load(b, h + 1, 20, ulong2{3, 2}, true);
  simdgroup_float8x8 one(1.0f), d, e, filled = make_filled_simdgroup_matrix<float, 8, 8>(3.0f);
  simdgroup_multiply(d, a, one);
  simdgroup_multiply_accumulate(e, one, b, filled);
  simdgroup_store(d, y, 8);
  simdgroup_store(d, y + 64, 8, ulong2(0), true);
  simdgroup_store(e, y + 128, 16, ulong2{8, 0});
}`
	got := open(t, source, Options{Order: "r"}).compute("f", 32, 1, 256)
	at := func(row, column int) float32 { return float32(20*(row+2) + column + 3) }
	for r := range 8 {
		for c := range 8 {
			if got[8*r+c] != at(r, c) || got[64+8*r+c] != at(c, r) || got[128+16*r+8+c] != at(c, r)+1+3 {
				t.Fatalf("row %d, column %d: %v, %v, %v", r, c, got[8*r+c], got[64+8*r+c], got[128+16*r+8+c])
			}
		}
	}
	if !math.IsNaN(float64(got[128])) {
		t.Error("a store with an origin writes before it")
	}
}

// probe writes, per lane, the two elements of a matrix whose elements are their
// own places.
const probe = prelude + `
kernel void f(device float *y [[buffer(0)]], ushort lane [[thread_index_in_simdgroup]]) {
  threadgroup float a[64];
  a[lane] = lane;
  a[lane + 32] = lane + 32;
  simdgroup_barrier(mem_flags::mem_threadgroup);
  simdgroup_float8x8 m, copy[2];
  simdgroup_load(m, a, 8);
  copy[0] = m;
  thread auto &e = m.thread_elements();
  y[2 * lane] = e[0];
  y[2 * lane + 1] = m.thread_elements()[1];
  e *= 2.0f;
  copy[1] = m; // with what the lanes did
  m.thread_elements()[0] += 1.0f;
  simdgroup_store(copy[0], y + 64);
  simdgroup_store(copy[1], y + 128);
  simdgroup_store(m, y + 192);
  y[256 + lane] = e[0]; // too late
}`

func TestThreadElements(t *testing.T) {
	for _, o := range []Options{{Order: "f"}, {Order: "r"}, {Order: "s6"}, {OtherLanes: true, Order: "s1"}} {
		got := open(t, probe, o).compute("f", 32, 1, 288)
		seen := map[int]bool{}
		apple := true
		for l := range 32 {
			for i := range 2 {
				place := int(got[2*l+i])
				row, column := (l>>4&1)*4+(l>>1&3), (l>>3&1)*4+(l&1)*2+i
				apple = apple && place == 8*row+column
				seen[place] = true
				if want := float32(2*place + 1 - i); got[192+place] != want {
					t.Errorf("%+v: lane %d changed element %d to %v, want %v", o, l, place, got[192+place], want)
				}
			}
		}
		if len(seen) != 64 || apple == o.OtherLanes {
			t.Errorf("%+v: %d places, Apple's lanes: %v", o, len(seen), apple)
		}
		for i := range 64 {
			if got[64+i] != float32(i) || got[128+i] != float32(2*i) {
				t.Fatalf("%+v: copies have %v and %v at %d", o, got[64+i], got[128+i], i)
			}
		}
		if !math.IsNaN(float64(got[256])) {
			t.Errorf("%+v: a reference to elements outlives the next operation", o)
		}
	}
}

// TestAccumulators: sums in halves lose what sums in floats keep.
func TestAccumulators(t *testing.T) {
	const source = prelude + `
template <typename T>
[[kernel]] void f(device const half *x [[buffer(0)]], device T *y [[buffer(1)]]) {
  simdgroup_half8x8 a;
  simdgroup_matrix<T, 8, 8> sum = make_filled_simdgroup_matrix<T, 8, 8>(0.0f);
  for (uint k = 0; k < 8; k++) {
    simdgroup_load(a, x, 8);
    simdgroup_multiply_accumulate(sum, a, a, sum);
  }
  simdgroup_store(sum, y, 8);
}
template [[host_name("single")]] [[kernel]] decltype(f<float>) f<float>;
template [[host_name("halved")]] [[kernel]] decltype(f<half>) f<half>;
`
	var x []byte
	var values [64]float64
	for i := range values {
		v := 1 + float32(i*37%64)/1024
		values[i] = float64(v)
		x = binary.LittleEndian.AppendUint16(x, halfBits(v))
	}
	e := open(t, source, Options{})
	single, halved := e.empty(4*64), e.empty(2*64)
	xs := e.full(x)
	e.run(dispatch(e.pipeline("single", 32), [2]int{1, 1}, xs, single), dispatch(e.pipeline("halved", 32), [2]int{1, 1}, xs, halved))
	var worst [2]float64
	for i := range 64 {
		want := 0.0
		for k := range 8 {
			want += 8 * values[i/8*8+k] * values[k*8+i%8]
		}
		for n, got := range []float32{singles(single)[i], halves(halved)[i]} {
			worst[n] = max(worst[n], math.Abs(float64(got)-want)/want)
		}
	}
	// 64 additions: in floats each is off by 2^-24 at most, in halves by 2^-11.
	if !(worst[0] <= 64*0x1p-24 && worst[1] > 0x1p-11 && worst[1] <= 64*0x1p-11) {
		t.Errorf("errors of %.2g in floats, %.2g in halves", worst[0], worst[1])
	}
}

func TestConcurrentRuns(t *testing.T) {
	e := open(t, prelude+`
kernel void f(device uint *y [[buffer(0)]], uint index [[thread_position_in_grid]]) { y[index]++; }`, Options{})
	y := e.full(make([]byte, 4*64))
	p := e.pipeline("f", 32)
	done := make(chan error)
	for range 8 {
		go func() {
			_, err := e.Run([]gpu.Dispatch{dispatch(p, [2]int{2, 1}, y)})
			done <- err
		}()
	}
	for range 8 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	for i := 0; i < 256; i += 4 {
		if got := y.Bytes()[i]; got != 8 {
			t.Fatalf("thread %d ran %d times", i/4, got)
		}
	}
}
