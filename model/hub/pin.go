package hub

import "slices"

// Pin describes the commit of a checkpoint with which this project was checked, and its
// weights file.
type Pin struct {
	ID       string // as the project writes it; Spellings gives the other form
	Revision string // commit
	Size     int64  // bytes of model.safetensors
	SHA256   string // of model.safetensors, lower-case hex
}

// MiniLM is the pinned reference checkpoint, ms-marco-MiniLM-L-6-v2.
func MiniLM() Pin {
	return Pin{
		ID:       "cross-encoder/ms-marco-MiniLM-L-6-v2",
		Revision: "233902d25c440f23af6f7d6e94d2946bac0bee0a",
		Size:     90_870_598,
		SHA256:   "821d1aa69520101d6e0737f78a042ae25b19e5cb9160701909d10434f4aeb0ae",
	}
}

// AllMiniLM is all-MiniLM-L6-v2, the embedder whose similarities are published. Nobody needs to
// have these weights: they are known by their hash, and pull takes any revision.
func AllMiniLM() Pin {
	return Pin{
		ID:       "sentence-transformers/all-MiniLM-L6-v2",
		Revision: "1110a243fdf4706b3f48f1d95db1a4f5529b4d41",
		Size:     90_868_376,
		SHA256:   "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
	}
}

// PinOf returns the pin of an id in either spelling, and whether it has one.
func PinOf(id string) (Pin, bool) {
	pin := MiniLM()
	return pin, slices.Contains(Spellings(pin.ID), id)
}
