package recordingtest

import "github.com/minilm-metal/minilm-metal/bench/recording"

// Judged is the first of Loads with three queries of judged pairs, of which nobody judged the last. One
// precision swaps what is relevant; the other had no time for all of them.
func Judged() *recording.Recording {
	rec := Loads()
	rec.Name, rec.Runs = "judged", rec.Runs[:1]
	rec.Judged = &recording.Judged{
		Name: "judged.jsonl", SHA256: "0123456789abcdef0123",
		Queries: []recording.JudgedQuery{
			{Logits: []float64{4, 2, 1, -5}, Grades: []int{0, 3, 0, 1}, Unlisted: []int{2}},
			{Logits: []float64{-3, 3}, Grades: []int{0, 1}},
			{Logits: []float64{0, -2, -8}},
		},
		Scores: []recording.JudgedScores{
			{Precision: "f32", Scores: [][]float64{{4.000001, 2, 0.999999, -5}, {-3, 3}, {0, -2, -8.000002}}},
			{Precision: "int8", Scores: [][]float64{{4.05, 1.5, 1.6, -5.1}, {-2.5, 2.75}}},
		},
	}
	return rec
}
