package serve

type vllmLabels struct {
	Index  int       `json:"index"`
	Label  string    `json:"label"`
	Probs  []float32 `json:"probs"`
	Labels int       `json:"num_classes"`
}

// vllmClassify gives the probability of each label, and the most probable one.
func vllmClassify(b *body) (question, encoder) {
	q := question{task: classifying, model: b.model()}
	q.sequences, q.single = sequencesOf(b, "input")
	if vllmScale(b, &q); q.scale == ofModel {
		q.scale = sigmoid
	}
	id := "classify-" + vllmShared(b, &q)
	return q, func(a *answer) reply {
		all := make([]vllmLabels, len(q.sequences))
		for i := range all {
			row, best := a.row(i), 0
			for k, v := range row {
				if v > row[best] {
					best = k
				}
			}
			all[i] = vllmLabels{i, a.model.labels()[best], row, len(row)}
		}
		return vllmReply(a, id, all)
	}
}

// vllmEmbed is OpenAI's embedding as vLLM has it: nothing is cut unless that is asked for, and
// use_activation: false leaves vectors as long as they are.
func vllmEmbed(b *body) (question, encoder) {
	q, encode := vectorsOf(b, 1)
	id := "embd-" + vllmShared(b, &q)
	q.long = !b.flag("use_activation", true)
	b.choice("embed_dtype", "float32")
	b.choice("endianness", "native", "little")
	return q, func(a *answer) reply { return vllmReply(a, id, encode(a)) }
}
