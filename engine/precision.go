package engine

import (
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	"github.com/minilm-metal/minilm-metal/kernels"
	"github.com/minilm-metal/minilm-metal/kernels/cpu"
)

// openCPU opens the CPU device with the instruction set and the precision that were asked
// for. For "auto" it takes the fastest precision whose results are close enough to
// float32's.
func (e *Engine) openCPU() (err error) {
	isa, err := e.instructionSet()
	if err != nil {
		return err
	}
	e.useHead(isa)
	formats := isa.Formats()
	switch p := e.options.precision; {
	case p != "auto":
		format, err := kernels.ParseFormat(p)
		switch {
		case p == "f64":
			return fmt.Errorf("%w: precision f64 is there on the device reference alone", ErrDevice)
		case err != nil:
			return fmt.Errorf("%w: precision %q: want auto or one of %v, or f64 on the device reference", ErrDevice, p, isa.Formats())
		}
		e.choose("precision: %v, by request", format)
		formats = []kernels.Format{format}
	case isa == kernels.Generic:
		e.choose("precision: f32, since plain Go is slower in the others")
		formats = []kernels.Format{kernels.F32}
	case len(formats) == 1:
		e.choose("precision: %v, the only one that %v has", formats[0], isa)
	default:
		return e.openFastest(isa, formats)
	}
	e.info.Precision = formats[0].String()
	e.device, err = e.openFormat(isa, e.info.Precision)
	return err
}

// instructionSet returns the instruction set that was asked for, or else the best one of
// which the processor and the system permit all formats. It adds the reason to Info.
func (e *Engine) instructionSet() (isa kernels.ISA, err error) {
	if name := e.options.isa; name != "auto" {
		if isa, err = kernels.ParseISA(name); err == nil && !slices.Contains(kernels.Available(), isa) {
			err = fmt.Errorf("kernels: this processor or build does not run %v", isa)
		}
		if err == nil {
			err = usable(isa)
		}
		if err != nil {
			return isa, because(ErrDevice, fmt.Errorf("%w; there is %v", err, kernels.Permitted()))
		}
		e.choose("kernels: %v, by request", isa)
		e.info.InstructionSet = isa.String()
		return isa, nil
	}
	isa, refused, err := firstUsable(kernels.Available(), usable)
	e.info.Choices = append(e.info.Choices, refused...)
	if err != nil {
		return isa, err
	}
	e.choose("kernels: %v, the best of %v on this processor", isa, kernels.Available())
	e.info.InstructionSet = isa.String()
	return isa, nil
}

// firstUsable returns the first usable instruction set of sets, and why those before it are
// not usable.
func firstUsable(sets []kernels.ISA, usable func(kernels.ISA) error) (isa kernels.ISA, refused []string, err error) {
	for _, isa = range sets {
		if err = usable(isa); err == nil {
			return isa, refused, nil
		}
		refused = append(refused, fmt.Sprintf("kernels: not %v: %v", isa, err))
	}
	return isa, refused, because(ErrDevice, fmt.Errorf("none of the instruction sets %v can be used: %w", sets, err))
}

// usable returns an error if an instruction set cannot be used: the system may refuse what
// the processor has.
func usable(isa kernels.ISA) error {
	for _, f := range isa.Formats() {
		if err := (kernels.Variant{ISA: isa, Format: f}).Check(); err != nil {
			return err
		}
	}
	return nil
}

// openFormat opens the whole model in the precision of that name.
func (e *Engine) openFormat(isa kernels.ISA, precision string) (*cpu.Device, error) {
	format, err := kernels.ParseFormat(precision)
	if err != nil {
		return nil, because(ErrDevice, err)
	}
	d, err := cpu.Open(e.weights, e.options.workers, kernels.Variant{ISA: isa, Format: format})
	if err != nil {
		return nil, because(ErrDevice, err)
	}
	return d, nil
}

func (e *Engine) choose(format string, args ...any) {
	e.info.Choices = append(e.info.Choices, fmt.Sprintf(format, args...))
}

// trial is the state of one automatic choice of a precision.
type trial struct {
	e          *Engine
	isa        kernels.ISA
	candidates []Candidate
	opened     map[string]*cpu.Device // devices by precision, opened when their results were needed
	gate       *gate
}

// openFastest measures an instruction set's formats, or reads the measurement of an earlier
// engine, and opens the model in the chosen one. It packs the whole model only in those
// formats whose results must be compared.
func (e *Engine) openFastest(isa kernels.ISA, formats []kernels.Format) (err error) {
	t := &trial{e: e, isa: isa, opened: map[string]*cpu.Device{}}
	k := e.keeper(fmt.Sprintf("%s, %v, %d workers", processor(), isa, e.options.workers))
	found, known := k.find(e, func(all []Candidate) bool { return sound(all, formats, e.of()) })
	from := k.path
	if t.candidates = found.Candidates; !known {
		from, found.Measured = "", time.Now()
		if t.candidates, err = e.rates(isa, formats); err != nil {
			return err
		}
	}
	for i := range t.candidates {
		if c := &t.candidates[i]; c.Precision == exact {
			c.Deviation = &Deviation{Of: e.of()}
		}
	}
	if from == "" {
		e.choose("precision: measured now: %s", t.speeds())
	} else {
		e.choose("precision: measured on %s, and kept: %s", found.Measured.Format(time.DateOnly), t.speeds())
	}
	taken, judged, err := t.choose()
	if err == nil {
		e.info.Precision = taken.Precision
		var d *cpu.Device
		if d, err = t.open(taken.Precision); err == nil {
			e.device = d
			delete(t.opened, taken.Precision)
		}
	}
	for _, d := range t.opened {
		err = errors.Join(err, d.Close())
	}
	if err != nil {
		if e.device != nil {
			err = errors.Join(err, e.device.Close())
		}
		return err
	}
	found.Candidates = t.candidates
	e.use(found, from)
	if found.Candidates = e.info.Candidates; !known || judged {
		k.keep(e, found)
	}
	e.choose("precision: %s", t.reason(taken))
	if !known || judged {
		t.opened, t.gate = nil, nil
		debug.FreeOSMemory() // the other devices' weights are most of the process's memory
	}
	return nil
}

// choose returns the candidate to take. It compares the results of as many candidates as the
// choice depends on, or of all with JudgeAll; judged is true if it compared any.
func (t *trial) choose() (taken *Candidate, judged bool, err error) {
	for {
		take, judge := decide(t.candidates)
		if judge < 0 && t.e.options.judgeAll {
			judge = slices.IndexFunc(t.candidates, func(c Candidate) bool { return c.Deviation == nil })
		}
		if judge < 0 {
			taken = &t.candidates[take]
			break
		}
		judged = true
		if err := t.judge(&t.candidates[judge]); err != nil {
			return nil, judged, err
		}
	}
	for i := range t.candidates {
		if c := &t.candidates[i]; c.fails() {
			t.e.choose("precision: not %s, which is %v, where %s", c.Precision, c.Deviation, bounds(c.Deviation.Of, c.Precision))
		}
	}
	return taken, judged, nil
}

// judge compares a candidate's results with float32's.
func (t *trial) judge(c *Candidate) error {
	if t.gate == nil {
		plain, err := t.open(exact)
		if err != nil {
			return err
		}
		t.gate = t.e.newGate(plain)
	}
	d, err := t.open(c.Precision)
	if err != nil { // such as of a layer that half cannot hold; the first has been measured
		t.e.choose("precision: not %s: %v", c.Precision, err)
		c.Deviation = beyondMeasure(t.e.of())
		return nil
	}
	if c.Deviation, err = t.gate.judge(d, c.Precision); err != nil || c.passes() {
		return err
	}
	delete(t.opened, c.Precision)
	return d.Close()
}

// open opens the whole model in a precision; a second call returns the same device.
func (t *trial) open(precision string) (*cpu.Device, error) {
	if d := t.opened[precision]; d != nil {
		return d, nil
	}
	d, err := t.e.openFormat(t.isa, precision)
	if err != nil {
		return nil, err
	}
	t.opened[precision] = d
	return d, nil
}

// speeds lists the candidates' speeds, for Info.
func (t *trial) speeds() (list string) {
	for i, c := range t.candidates {
		if i > 0 {
			list += ", "
		}
		list += fmt.Sprintf("%s %.0f", c.Precision, c.TokensPerSecond)
	}
	return list + " tokens/s through a layer"
}

// reason says why a candidate was taken, for Info.
func (t *trial) reason(taken *Candidate) string {
	if taken.Precision == exact {
		for i := range t.candidates {
			if t.candidates[i].fails() {
				return exact + ", since what is faster is not close enough to it"
			}
		}
		return exact + ", than which none is faster beyond noise"
	}
	return fmt.Sprintf("%s, the fastest that is close enough to %s: %v, where %s", taken.Precision, exact, taken.Deviation, bounds(taken.Deviation.Of, taken.Precision))
}
