package model

import (
	"fmt"
	"io/fs"
	"math"
	"slices"
	"strings"
)

// acts are PyTorch's functions that a Dense may have, by their classes, which the library makes
// without arguments; nil changes nothing.
var acts = map[string]func(float64) float64{
	"Tanh": math.Tanh, "GELU": GELU, "Identity": nil,
	"ReLU":      func(x float64) float64 { return max(x, 0) },
	"LeakyReLU": func(x float64) float64 { return max(x, 0.01*x) },
	"Sigmoid":   sigmoid,
	"SiLU":      func(x float64) float64 { return x * sigmoid(x) },
}

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// actHomes are the modules of PyTorch that have those classes.
var actHomes = []string{"torch.nn", "torch.nn.modules", "torch.nn.modules.activation", "torch.nn.modules.linear"}

// dense reads the module Dense, whose output has the name result.
func (e *embedder) dense(fsys fs.FS, folder, result string) error {
	f, err := readModule(fsys, folder, true)
	if err != nil {
		return err
	}
	in, out, bias, name := 0, 0, true, "torch.nn.modules.activation.Tanh"
	for _, size := range []struct {
		name string
		to   *int
	}{{"in_features", &in}, {"out_features", &out}} {
		if !f.whole(size.name, size.to) || *size.to < 1 || *size.to > 1<<16 {
			f.bad(size.name, "%d, want 1 to %d", *size.to, 1<<16)
		}
	}
	if in != e.width {
		f.bad("in_features", "%d, want %d, as many as the module before it makes", in, e.width)
	}
	f.read("bias", &bias, "true or false")
	f.text("activation_function", &name)
	dot := max(strings.LastIndexByte(name, '.'), 0)
	class := strings.TrimPrefix(name[dot:], ".")
	act, known := acts[class]
	if !known || !slices.Contains(actHomes, name[:dot]) {
		f.bad("activation_function", "%.80q is not supported", name)
	}
	residual := f.isTrue("use_residual")
	f.sentence(result)
	f.refuseUnknown([]string{"in_features", "out_features", "bias", "activation_function", "use_residual", "module_input_name", "module_output_name"})
	if f.err != nil {
		return f.err
	}
	part := fmt.Sprintf("dense: %d to %d", in, out)
	if !bias {
		part += ", without a bias"
	}
	if part += ", " + strings.ToLower(class); residual {
		part += ", added to its input"
	}
	e.parts = append(e.parts, part)
	e.width = out
	e.steps = append(e.steps, func() (s Step, err error) {
		l := new(Linear)
		err = readTensors(fsys, folder, func(b *binder) {
			l.W = b.copied("linear.weight", out, in)
			if bias {
				l.B = b.copied("linear.bias", out)
			}
			if residual && in != out { // otherwise the input is added as it is
				s.Dense = &Linear{W: b.copied("residual.weight", out, in)}
			}
		})
		if !residual {
			s.Dense = l
			return s, err
		}
		s.Around = []Step{{Dense: l}}
		if act != nil {
			s.Around = append(s.Around, Step{Act: act})
		}
		return s, err
	})
	if act != nil && !residual {
		e.steps = append(e.steps, func() (Step, error) { return Step{Act: act}, nil })
	}
	return nil
}
