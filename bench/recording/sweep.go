package recording

import "fmt"

// Variant is one precision of a sweep, of an engine of its own. Its runs have its name.
type Variant struct {
	Precision string    `json:"precision"`
	ColdStart ColdStart `json:"cold_start"`
	Accuracy  *Accuracy `json:"accuracy"`
	Peak      *float64  `json:"peak_flops"`
}

// VariantOf is the variant that a run is of; nil: the recording is no sweep of precisions.
func (rec *Recording) VariantOf(run *Run) *Variant {
	for i := range rec.Variants {
		if rec.Variants[i].Precision == run.Precision {
			return &rec.Variants[i]
		}
	}
	return nil
}

// validateSweep checks what a run says of its sweep.
func (rec *Recording) validateSweep(run *Run) error {
	switch {
	case run.Length < 0:
		return fmt.Errorf("field \"length\": %d, want at least 0", run.Length)
	case run.Precision != "" && rec.VariantOf(run) == nil:
		return fmt.Errorf("field \"precision\": %q is none of the variants", run.Precision)
	}
	return nil
}
