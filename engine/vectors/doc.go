// Package vectors has what is done with embeddings once an engine has made them: cutting them
// short, making them of unit length, comparing them, and storing them in fewer bytes. All is as
// in sentence-transformers: the same functions with the same signs, which here are exact to a
// rounding, and the same bytes of quantized embeddings.
//
//	rows, err := eng.Embed(ctx, nil, []string{"rain", "snow"})
//	width := eng.Info().Dimensions
//	likeness := eng.Info().Similarity.Of(rows[:width], rows[width:])
//
// An embedding may be cut to its first values (v[:n]) where the model was trained for that
// (Matryoshka representation learning, Kusupati et al. 2022); afterwards it is no longer of unit
// length, until Normalize makes it so.
package vectors
