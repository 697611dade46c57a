package recording

// Embeddings says how far embeddings are from those of the float64 reference. A distance is 1
// minus the cosine of the two: 0 for the same direction.
type Embeddings struct {
	MeanDistance    float64 `json:"mean_distance"`
	WorstDistance   float64 `json:"worst_distance"`
	AllowedDistance float64 `json:"allowed_distance"` // of MeanDistance
	// Neighbours is who is near whom among more texts than the reference has time for; nil:
	// there are no more, or no time.
	Neighbours *Neighbours `json:"neighbours,omitempty"`
}

// Neighbours compares the nearest texts of each text with those in the embeddings of Reference.
type Neighbours struct {
	Texts     int     `json:"texts"`
	K         int     `json:"k"`         // nearest texts of each, itself left out
	Overlap   float64 `json:"overlap"`   // share of them that both have, the mean over the texts
	Reference string  `json:"reference"` // the precision that they are compared with, such as "f32"
}
