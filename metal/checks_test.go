package metal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"github.com/x448/float16"

	"github.com/minilm-metal/minilm-metal/metal/internal/emulator"
	"github.com/minilm-metal/minilm-metal/metal/internal/gpu"
	"github.com/minilm-metal/minilm-metal/model"
	"github.com/minilm-metal/minilm-metal/model/modeltest"
	"github.com/minilm-metal/minilm-metal/model/synth"
)

// A check holds a source of shaders to something, on the emulator. The tests below
// hold ours to all of them; TestMutations holds them to finding what is planted.
type check struct {
	name string
	run  func(source string) error
}

var checks = []check{
	{"TestOrders", checkOrders},
	{"TestBlocks", checkBlocks},
	{"TestLinear", checkLinear},
	{"TestResidual", checkResidual},
	{"TestAttention", checkAttention},
	{"TestGELU", checkGELU},
	{"TestOtherLanes", checkOtherLanes},
	{"TestPool", checkPool},
}

func TestOrders(t *testing.T)     { passes(t, checkOrders) }
func TestBlocks(t *testing.T)     { passes(t, checkBlocks) }
func TestLinear(t *testing.T)     { passes(t, checkLinear) }
func TestAttention(t *testing.T)  { passes(t, checkAttention) }
func TestGELU(t *testing.T)       { passes(t, checkGELU) }
func TestOtherLanes(t *testing.T) { passes(t, checkOtherLanes) }
func TestPool(t *testing.T)       { passes(t, checkPool) }

func passes(t *testing.T, run func(source string) error) {
	t.Helper()
	t.Parallel()
	needEmulator(t)
	if err := run(shaderSource()); err != nil {
		t.Error(located(err))
	}
}

// located puts the shaders' own names and lines into what a compiler says.
func located(err error) error {
	if refused, ok := errors.AsType[*gpu.SourceError](err); ok {
		return &gpu.SourceError{Log: locate(refused.Log)}
	}
	return err
}

// needEmulator skips where there is no compiler for the emulator, unless
// MINILM_EMULATOR says that there must be one.
func needEmulator(t *testing.T) {
	t.Helper()
	e, err := emulator.Open(shaderSource(), emulator.Options{})
	if errors.Is(err, emulator.ErrNoCompiler) && os.Getenv("MINILM_EMULATOR") == "" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(located(err))
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
}

// Orders in which threads run between barriers: forward, reverse, shuffled.
var orders = []string{"f", "r", "s1", "s2", "s3", "s4", "s5"}

// smallWeights are of a model with two layers and everything that MiniLM has, and
// with sizes that tiles do not divide.
func smallWeights(seed uint64) (*model.Weights, error) {
	fsys, err := synth.FS(seed, synth.Shape{Layers: 2, Hidden: 100, Heads: 4, Intermediate: 130, Vocab: 600, Positions: 512, Types: 2, Labels: 1})
	if err != nil {
		return nil, err
	}
	return model.Load(fsys)
}

// tinyWeights are of a model that is smaller still, for the test's time.
func tinyWeights(t *testing.T, layers, hidden int) *model.Weights {
	t.Helper()
	fsys, err := synth.FS(1, synth.Shape{Layers: layers, Hidden: hidden, Heads: hidden / 32, Intermediate: hidden, Vocab: 600, Positions: 32, Types: 2, Labels: 1})
	if err != nil {
		t.Fatal(err)
	}
	w, err := model.Load(fsys)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	return w
}

// withDevice runs do on a device over the emulator.
func withDevice(source string, o emulator.Options, w *model.Weights, t Tiling, do func(d *Device) error) error {
	e, err := emulator.Open(source, o)
	if err != nil {
		return err
	}
	d, err := open(w, e, t)
	if err != nil {
		return err
	}
	return errors.Join(do(d), d.Close())
}

// checkOrders: whatever the order in which threads run between barriers, scores are
// the same, bit for bit: no barrier is missing. Every tile gives the same ones.
func checkOrders(source string) error {
	w, err := smallWeights(1)
	if err != nil {
		return err
	}
	defer w.Close()
	b := modeltest.Batch(rand.New(rand.NewPCG(1, 1)), 600, 1, 40, 65, 9, 33)
	var want []float32
	for i, order := range orders {
		for _, tile := range Tiles {
			if i > 0 && tile.Inputs == 0 {
				continue // it has no barriers
			}
			got := make([]float32, b.Len())
			err := withDevice(source, emulator.Options{Order: order}, w, Uniform(tile), func(d *Device) error {
				return modeltest.Score(d, w, b, got)
			})
			if err != nil {
				return err
			}
			if want == nil {
				want = got
			}
			if !slices.Equal(got, want) {
				return fmt.Errorf("order %s, %v: scores %g, want the very same as %g", order, tile, got, want)
			}
		}
	}
	return nil
}

// checkOtherLanes: where a fragment's elements lie elsewhere, that is found, and they
// go by way of memory, behind barriers of their own.
func checkOtherLanes(source string) error {
	w, err := smallWeights(1)
	if err != nil {
		return err
	}
	defer w.Close()
	b := modeltest.Batch(rand.New(rand.NewPCG(1, 1)), 600, 1, 40, 65)
	got, want := make([]float32, b.Len()), make([]float32, b.Len())
	if err := withDevice(source, emulator.Options{}, w, Uniform(Tiles[0]), func(d *Device) error {
		if !d.sieve.mapped {
			return errors.New("the usual places of elements are not found")
		}
		return modeltest.Score(d, w, b, want)
	}); err != nil {
		return err
	}
	for _, order := range orders {
		if err := withDevice(source, emulator.Options{Order: order, OtherLanes: true}, w, Uniform(Tiles[0]), func(d *Device) error {
			if d.sieve.mapped {
				return errors.New("other places of elements are not found")
			}
			return modeltest.Score(d, w, b, got)
		}); err != nil {
			return err
		}
		if !slices.Equal(got, want) {
			return fmt.Errorf("order %s: scores %g by way of memory, %g straight", order, got, want)
		}
	}
	return nil
}

// mostBlockNMSE is the square of what modeltest.Float16GPU allows.
const mostBlockNMSE = 4e-3 * 4e-3

// checkBlocks: after each block the hidden state is near the reference's, with every
// row kept and with [CLS] rows alone.
func checkBlocks(source string) error {
	w, err := smallWeights(2)
	if err != nil {
		return err
	}
	defer w.Close()
	reference := model.NewReference(w, 1)
	b := modeltest.Batch(rand.New(rand.NewPCG(2, 2)), 600, 1, 2, 31, 32, 33, 64, 65, 97, 127)
	return withDevice(source, emulator.Options{}, w, Uniform(Tiles[0]), func(d *Device) error {
		for _, last := range []model.Rows{model.AllRows, model.ClsRows} {
			got, err := d.Begin(b)
			if err != nil {
				return err
			}
			exact, err := reference.Begin(b)
			if err != nil {
				return err
			}
			want := exact.(*model.ReferencePass)
			err = func() error {
				defer got.End()
				defer want.End()
				step := func(name string, do func(p model.Pass)) error {
					do(got)
					do(want)
					x := make([]float32, len(want.Hidden64()))
					if err := got.Hidden(x); err != nil {
						return err
					}
					if e := nmse(x, want.Hidden64()); !(e < mostBlockNMSE) {
						return fmt.Errorf("%s: normalised mean square error %.2g of the hidden state", name, e)
					}
					return nil
				}
				if err := step("embed", model.Pass.Embed); err != nil {
					return err
				}
				for layer := range w.Config.Layers {
					keep := model.AllRows
					if layer == w.Config.Layers-1 {
						keep = last
					}
					if err := step(fmt.Sprintf("layer %d attention", layer), func(p model.Pass) { p.Attention(layer, keep) }); err != nil {
						return err
					}
					if err := step(fmt.Sprintf("layer %d feed-forward", layer), func(p model.Pass) { p.FeedForward(layer) }); err != nil {
						return err
					}
				}
				r := model.Firsts
				if last == model.AllRows {
					r = model.Reductions(nil, []model.Pooling{model.PoolMax, model.PoolMean, model.PoolCls, model.PoolWeightedMean, model.PoolLast}, b)
					skips, prompts := model.Head{Pool: []model.Pooling{model.PoolMax}, SkipPrompt: true}, make([]int, b.Len())
					for i := range prompts {
						lo, hi := b.Bounds(i)
						prompts[i] = (i + 1) % (hi - lo)
					}
					r = append(r, skips.Reductions(nil, b, prompts)...)
				}
				rows := make([]float32, b.Len()*len(r)*w.Config.HiddenSize)
				if err := got.Pool(r, rows); err != nil {
					return err
				}
				if e := nmse(rows, want.Pool64(r)); !(e < mostBlockNMSE) {
					return fmt.Errorf("normalised mean square error %.2g of what is pooled", e)
				}
				return nil
			}()
			if err != nil {
				return fmt.Errorf("rows %d: %w", last, err)
			}
		}
		return nil
	})
}

// bench is a kernel alone on the emulator, with buffers of its own.
type bench struct {
	*emulator.Emulator
	release []interface{ Release() }
}

func openBench(source string) (*bench, error) {
	e, err := emulator.Open(source, emulator.Options{})
	return &bench{Emulator: e}, err
}

func (b *bench) close() error {
	for _, r := range b.release {
		r.Release()
	}
	return b.Close()
}

func (b *bench) buffer(bytes int) (gpu.Buffer, error) {
	made, err := b.NewBuffer("", bytes)
	if err == nil {
		b.release = append(b.release, made)
	}
	return made, err
}

// halves returns a buffer of values rounded to half, and the values.
func (b *bench) halves(n, slack int, value func(i int) float64) (gpu.Buffer, []float64, error) {
	made, err := b.buffer(2 * (n + slack))
	if err != nil {
		return nil, nil, err
	}
	values := make([]float64, n)
	for i := range values {
		h := float16.Fromfloat32(float32(value(i)))
		binary.LittleEndian.PutUint16(made.Bytes()[2*i:], h.Bits())
		values[i] = float64(h.Float32())
	}
	return made, values, nil
}

func halfAt(b []byte, i int) float64 {
	return float64(float16.Frombits(binary.LittleEndian.Uint16(b[2*i:])).Float32())
}

func (b *bench) run(k variant, groups [2]int, buffers ...gpu.Buffer) error {
	if err := k.compile(b); err != nil {
		return err
	}
	defer k.release()
	binds := make([]gpu.Binding, len(buffers))
	for i, one := range buffers {
		binds[i] = gpu.Binding{Buffer: one}
	}
	_, err := b.Run([]gpu.Dispatch{{Name: k.name, Pipeline: k.pipeline, Bindings: binds, Groups: groups}})
	return err
}

// checkLinear: products of MiniLM's sizes, alone, against float64. What is in rows
// that do not count, NaN here, is in no others.
func checkLinear(source string) error {
	b, err := openBench(source)
	if err != nil {
		return err
	}
	err = func() error {
		for _, tile := range Tiles {
			for _, s := range []struct{ rows, in, out, first int }{{70, 384, 384, 192}, {33, 1536, 192, 0}} {
				r := rand.New(rand.NewPCG(3, 3))
				random := func(int) float64 { return r.NormFloat64() }
				x, xs, err := b.halves(s.rows*s.in, (rowsFor(s.rows)-s.rows)*s.in, random)
				if err != nil {
					return err
				}
				w, ws, err := b.halves(s.in*s.out, 2*s.out, func(int) float64 { return r.NormFloat64() / math.Sqrt(float64(s.in)) })
				if err != nil {
					return err
				}
				bias := make([]float64, s.out)
				for o := range bias {
					v := r.Float32()
					binary.LittleEndian.PutUint32(w.Bytes()[2*s.in*s.out+4*o:], math.Float32bits(v))
					bias[o] = float64(v)
				}
				y, err := b.buffer(2 * rowsFor(s.rows) * s.out)
				if err != nil {
					return err
				}
				k := variant{kernel: tile.kernel(), constants: constants{in: s.in, stride: s.out, first: s.first, mapped: true}}
				grid := [2]int{(s.out - s.first) / tile.Columns, k.groups(s.rows)}
				if err := b.run(k, grid, x, w, y, y, y, y); err != nil {
					return err
				}
				var got []float32
				var want []float64
				for row := range s.rows {
					for o := s.first; o < s.out; o++ {
						sum := bias[o]
						for i := range s.in {
							sum += xs[row*s.in+i] * ws[i*s.out+o]
						}
						got, want = append(got, float32(halfAt(y.Bytes(), row*s.out+o))), append(want, sum)
					}
				}
				// Summed in half, it would be 6e-6.
				if e := nmse(got, want); !(e < mostNMSE) {
					return fmt.Errorf("%v, %+v: normalised mean square error %.2g, want at most %.2g", tile, s, e, mostNMSE)
				}
			}
		}
		return nil
	}()
	return errors.Join(err, b.close())
}

// checkAttention: attention alone against float64, of sequences around its blocks and
// of scores far apart, in both of its kernels.
func checkAttention(source string) error {
	b, err := openBench(source)
	if err != nil {
		return err
	}
	err = func() error {
		for _, size := range headSizes {
			for _, lengths := range [][]int{{1, 2, 31, 32, 33, 63, 64, 65}, {100, 7, 130}} {
				for _, scale := range []float64{1, 20} {
					if err := checkHeads(b, size, lengths, scale); err != nil {
						return fmt.Errorf("heads of %d, lengths %d, scores times %g: %w", size, lengths, scale, err)
					}
				}
			}
		}
		return nil
	}()
	return errors.Join(err, b.close())
}

func checkHeads(b *bench, size int, lengths []int, scale float64) error {
	const heads = 2
	batch := batchOf(lengths...)
	tokens, width, stride := batch.Tokens(), heads*size, 3*heads*size
	r := rand.New(rand.NewPCG(4, 4))
	qkv, values, err := b.halves(tokens*stride, (rowsFor(tokens)-tokens)*stride, func(i int) float64 {
		v := r.NormFloat64()
		if i%stride < width { // a query
			v *= scale * math.Log2E / math.Sqrt(float64(size))
		}
		return v
	})
	if err != nil {
		return err
	}
	l := layout{heads: heads, headSize: size, width: 64}
	s := slot{d: &Device{driver: b.Emulator}}
	s.plan.layout = &l
	s.plan.begin(batch)
	if err := s.write(); err != nil {
		return err
	}
	defer s.release()
	found, err := b.buffer(2 * rowsFor(tokens) * width)
	if err != nil {
		return err
	}
	k := variant{kernel: attention.of(size), constants: constants{heads: l.heads, mapped: true}}
	if err := b.run(k, [2]int{s.plan.items, heads}, qkv, s.buffers[items], found); err != nil {
		return err
	}
	var got []float32
	var want []float64
	for i := range batch.Len() {
		lo, hi := batch.Bounds(i)
		for q := lo; q < hi; q++ {
			for head := range heads {
				w := make([]float64, hi-lo)
				for key := range w {
					for c := range size {
						w[key] += values[q*stride+head*size+c] * values[(lo+key)*stride+width+head*size+c]
					}
				}
				most, total := slices.Max(w), 0.0
				for key := range w {
					w[key] = math.Exp2(w[key] - most)
					total += w[key]
				}
				for c := range size {
					sum := 0.0
					for key := range w {
						sum += w[key] / total * values[(lo+key)*stride+2*width+head*size+c]
					}
					got, want = append(got, float32(halfAt(found.Bytes(), q*width+head*size+c))), append(want, sum)
				}
			}
		}
	}
	if e := nmse(got, want); !(e < mostNMSE) {
		return fmt.Errorf("normalised mean square error %.2g, want at most %.2g", e, mostNMSE)
	}
	// The other kernel has the first queries as a product of its own: of a hidden state
	// that is one in two channels, and weights that are half of the query in each.
	for i := range batch.Len() {
		lo, _ := batch.Bounds(i)
		x, _, err := b.halves(tokens*l.width, 0, func(at int) float64 {
			if at == lo*l.width+5 || at == lo*l.width+l.width-1 {
				return 1
			}
			return 0
		})
		if err != nil {
			return err
		}
		w, _, err := b.halves(l.width*stride+2*stride, 0, func(at int) float64 {
			if channel := at / stride; (channel == 5 || channel == l.width-1) && at%stride < width {
				return values[lo*stride+at%stride] / 2
			}
			return 0
		})
		if err != nil {
			return err
		}
		cls, err := b.buffer(2 * batch.Len() * width)
		if err != nil {
			return err
		}
		k := variant{kernel: attentionCls.of(size), constants: constants{width: l.width, heads: l.heads}}
		if err := b.run(k, [2]int{batch.Len(), heads}, x, w, qkv, s.buffers[starts], cls); err != nil {
			return err
		}
		var firsts []float32
		for c := range width {
			firsts = append(firsts, float32(halfAt(cls.Bytes(), i*width+c)))
		}
		if e := nmse(firsts, want[lo*width:][:width]); !(e < mostNMSE) {
			return fmt.Errorf("sequence %d, [CLS] alone: normalised mean square error %.2g, want at most %.2g", i, e, mostNMSE)
		}
	}
	return nil
}

// checkGELU: the function itself, against erf in float64.
func checkGELU(source string) error {
	b, err := openBench(source + `
[[kernel]] void test_gelu(device float2 *x [[buffer(0)]], uint group [[threadgroup_position_in_grid]], ushort lane [[thread_index_in_simdgroup]]) {
    x[group * 32 + lane] = gelu(x[group * 32 + lane]);
}
`)
	if err != nil {
		return err
	}
	err = func() error {
		const groups = 400
		x, err := b.buffer(groups * 64 * 4)
		if err != nil {
			return err
		}
		value := func(i int) float32 { return float32(i-groups*32) / (groups * 32) * 8 } // -8 to 8
		for i := range groups * 64 {
			binary.LittleEndian.PutUint32(x.Bytes()[4*i:], math.Float32bits(value(i)))
		}
		k := variant{kernel: kernel{name: "test_gelu", threads: 32}}
		if err := b.run(k, [2]int{groups, 1}, x); err != nil {
			return err
		}
		for i := range groups * 64 {
			v := float64(value(i))
			got, want := float64(float32At(x.Bytes(), 4*i)), v/2*(1+math.Erf(v/math.Sqrt2))
			if !(math.Abs(got-want) <= 2.5/(1<<24)*math.Abs(v)) {
				return fmt.Errorf("gelu(%g) = %g, want %g", v, got, want)
			}
		}
		return nil
	}()
	return errors.Join(err, b.close())
}

// checkPool: each reduction alone, of sequences side by side. The largest is exact, also where
// all values are negative, and a sum is float: off by less than half could be.
func checkPool(source string) error {
	const width = 384
	b, err := openBench(source)
	if err != nil {
		return err
	}
	err = func() error {
		batch := batchOf(1, 40, 2, 33)
		rows, sequences := batch.Tokens(), batch.Len()
		r := rand.New(rand.NewPCG(5, 5))
		fill := func(n int, value func(i int) float32) (gpu.Buffer, error) {
			made, err := b.buffer(4 * n)
			if err == nil {
				for i := range n {
					binary.LittleEndian.PutUint32(made.Bytes()[4*i:], math.Float32bits(value(i)))
				}
			}
			return made, err
		}
		x, err := fill(rows*width, func(int) float32 { return -2 + float32(r.NormFloat64())/4 })
		if err != nil {
			return err
		}
		weights, err := fill(rows, func(i int) float32 { return 1 / float32(i+3) })
		if err != nil {
			return err
		}
		// Of the last sequence no row counts; of the others not the first one, if there are more.
		counts := func(s, row int) bool { lo, hi := batch.Bounds(s); return s < sequences-1 && (row > 0 || hi-lo == 1) }
		marks, err := fill(rows, func(int) float32 { return 0 })
		if err != nil {
			return err
		}
		for s := range sequences {
			lo, hi := batch.Bounds(s)
			for row := lo; row < hi; row++ {
				if counts(s, row-lo) {
					binary.LittleEndian.PutUint32(marks.Bytes()[4*row:], math.Float32bits(0.25))
				}
			}
		}
		start, err := b.buffer(4 * (sequences + 1))
		if err != nil {
			return err
		}
		for i, at := range batch.Start {
			binary.LittleEndian.PutUint32(start.Bytes()[4*i:], uint32(at))
		}
		value := func(row, c int) float64 { return float64(float32At(x.Bytes(), 4*(row*width+c))) }
		for _, kind := range []model.ReduceKind{model.First, model.Last, model.Max, model.Sum, model.MaxOf} {
			for _, gather := range []bool{true, false} {
				if !gather && kind != model.First {
					continue // of one row a sequence there is nothing else
				}
				pooled, err := b.buffer(4 * sequences * width)
				if err != nil {
					return err
				}
				k := variant{kernel: pool, constants: constants{hidden: width, width: width, gather: gather, kind: int(kind)}}
				factors := weights
				if kind == model.MaxOf {
					factors = marks
				}
				if err := b.run(k, [2]int{sequences, width / k.columns}, x, start, factors, pooled); err != nil {
					return err
				}
				for s := range sequences {
					lo, hi := batch.Bounds(s)
					if !gather {
						lo, hi = s, s+1
					}
					for c := range width {
						want, allowed := value(lo, c), 0.0
						switch kind {
						case model.Last:
							want = value(hi-1, c)
						case model.Max:
							for row := lo; row < hi; row++ {
								want = max(want, value(row, c))
							}
						case model.MaxOf:
							want = -math.MaxFloat32
							for row := lo; row < hi; row++ {
								if counts(s, row-lo) {
									want = max(want, value(row, c))
								}
							}
						case model.Sum:
							want, allowed = 0, 1e-5
							for row := lo; row < hi; row++ {
								want += float64(float32At(weights.Bytes(), 4*row)) * value(row, c)
							}
						}
						if got := float64(float32At(pooled.Bytes(), 4*(s*width+c))); !(math.Abs(got-want) <= allowed) {
							return fmt.Errorf("kind %d, gather %v, sequence %d: x[%d] = %g, want %g", kind, gather, s, c, got, want)
						}
					}
				}
			}
		}
		return nil
	}()
	return errors.Join(err, b.close())
}
