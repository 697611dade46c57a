package engine

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"

	"github.com/minilm-metal/minilm-metal/model"
)

// openDevice chooses the device and the precision, and says why in Info.
func (e *Engine) openDevice() (err error) {
	choose := func(device, precision, why string) {
		e.info.Device, e.info.Precision, e.info.Choices = device, precision, append(e.info.Choices, why)
	}
	switch device := e.options.device; device {
	case "reference":
		if p := e.options.precision; p != "auto" && p != "f64" {
			return fmt.Errorf("%w: precision %q on the reference, which has f64 alone", ErrDevice, p)
		}
		if isa := e.options.isa; isa != "auto" {
			return fmt.Errorf("%w: instruction set %q on the reference, which is plain Go", ErrDevice, isa)
		}
		choose("reference", "f64", "reference: float64, plain Go, by request")
		e.device = model.NewReference(e.weights, e.options.workers)
		whole := e.weights.Head.Unscaled()
		e.head, e.unscaled = exactHead{&e.weights.Head, e.info.Config.HiddenSize}, exactHead{&whole, e.info.Config.HiddenSize}
	case "metal":
		choose("metal", "f16", "metal: by request")
		err = e.openMetal()
	case "auto":
		var why string
		if why, err = e.tryMetal(); err != nil || e.device != nil {
			choose("metal", "f16", why)
			break
		}
		level := slog.LevelDebug
		if runtime.GOOS == "darwin" { // where a GPU is expected
			level = slog.LevelInfo
		}
		e.options.logger.Log(context.Background(), level, "not on metal", "why", why)
		choose("cpu", "", why)
		err = e.openCPU()
	case "cpu":
		choose("cpu", "", "cpu: by request")
		err = e.openCPU()
	default:
		return fmt.Errorf("%w: %q, want auto, cpu, metal or reference", ErrDevice, device)
	}
	if err == nil {
		e.info.Workers = e.device.Passes()
	}
	return err
}

// prepare sets the engine's pass sizes to those that suit its device.
func (e *Engine) prepare() {
	e.fewestTokens, e.mostTokens = 1, 1024
	if d, ok := e.device.(model.PassSizer); ok {
		e.fewestTokens, e.mostTokens = d.PassTokens()
	}
	if asked := e.options.tokenBudget; asked != nil {
		e.mostTokens = *asked
	}
	e.fewestTokens, e.info.TokenBudget = min(e.fewestTokens, e.mostTokens), e.mostTokens
	_, e.interrupts = e.device.(model.Interrupter)
	e.idleRunners = nil
	for range e.device.Passes() {
		e.idleRunners = append(e.idleRunners, newRunner(e))
	}
}
