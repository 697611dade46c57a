package metal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

func TestResidual(t *testing.T) { passes(t, checkResidual) }

// checkResidual: linear reads the residual stream by one pointer alone. Plans bind one
// buffer to both, residual and sum, where rows are not gathered, and a compiler may take
// two pointers for two memories, of which a write to one changes nothing in the other.
// Here they are two, and what must not be read is NaN.
func checkResidual(source string) error {
	b, err := openBench(source)
	if err != nil {
		return err
	}
	err = func() error {
		const rows, in, out = 40, 64, 192
		for _, tile := range []Tile{Tiles[0], Tiles[len(Tiles)-1]} {
			for _, gather := range []bool{false, true} {
				r := rand.New(rand.NewPCG(6, 6))
				random := func(int) float64 { return r.NormFloat64() }
				x, xs, err := b.halves(rows*in, (rowsFor(rows)-rows)*in, random)
				if err != nil {
					return err
				}
				w, ws, err := b.halves(in*out, 2*out, random)
				if err != nil {
					return err
				}
				clear(w.Bytes()[2*in*out:]) // no bias
				residual, err := b.buffer(4 * rowsFor(rows) * out)
				if err != nil {
					return err
				}
				sum, err := b.buffer(4 * rowsFor(rows) * out)
				if err != nil {
					return err
				}
				starts, err := b.buffer(4 * rowsFor(rows))
				if err != nil {
					return err
				}
				clear(starts.Bytes()) // of rows past the last, too
				before, other := sum, residual
				if gather {
					before, other = residual, sum
				}
				was := make([]float64, rowsFor(rows)*out)
				for i := range was {
					v := r.Float32()
					was[i] = float64(v)
					binary.LittleEndian.PutUint32(before.Bytes()[4*i:], math.Float32bits(v))
					binary.LittleEndian.PutUint32(other.Bytes()[4*i:], math.Float32bits(float32(math.NaN())))
				}
				from := func(row int) int { return row }
				if gather {
					from = func(row int) int { return rows - 1 - row }
					for row := range rows {
						binary.LittleEndian.PutUint32(starts.Bytes()[4*row:], uint32(from(row)))
					}
				}
				k := variant{kernel: tile.kernel(), constants: constants{in: in, stride: out, mapped: true, add: true, gather: gather}}
				if err := b.run(k, [2]int{out / tile.Columns, k.groups(rows)}, x, w, x, residual, starts, sum); err != nil {
					return err
				}
				var got []float32
				var want []float64
				for row := range rows {
					for o := range out {
						v := was[from(row)*out+o]
						for i := range in {
							v += xs[row*in+i] * ws[i*out+o]
						}
						got, want = append(got, float32At(sum.Bytes(), 4*(row*out+o))), append(want, v)
					}
				}
				if e := nmse(got, want); !(e < mostNMSE) {
					return fmt.Errorf("%v, gathered %v: normalised mean square error %.2g, want at most %.2g", tile, gather, e, mostNMSE)
				}
			}
		}
		return nil
	}()
	return errors.Join(err, b.close())
}
