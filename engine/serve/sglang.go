package serve

import "net/http"

// sglang is SGLang's rerank, as in its package 0.5.23 and as Milvus reads it. The answer is a bare
// list, so it is reached only where it is pinned. Its scores are what the checkpoint's files say.
// No field of a request says whether a text that is too long is cut: as in SGLang an option does,
// but texts are cut unless it is given.
func sglang() *dialect {
	return &dialect{name: "sglang", word: sglangFailure, routes: []route{
		{method: "POST", path: "/v1/rerank", ask: sglangRerank},
	}}
}

type sglangError struct {
	Object string `json:"object"`
	errorObject
}

// sglangFailure is vLLM's error in no other object.
func sglangFailure(f *failure) reply {
	status := no422(statusOf(f))
	return asJSON(status, sglangError{"error", vllmError(f, status)})
}

type sglangRank struct {
	Score    float32    `json:"score"`
	Document *string    `json:"document,omitempty"`
	Index    int        `json:"index"`
	Meta     sglangMeta `json:"meta_info"`
}

type sglangMeta struct {
	ID     string `json:"id"`
	Tokens int    `json:"prompt_tokens"`
}

// sglangRerank ranks documents, and repeats them unless that is not wanted. Instructions are for
// models that generate.
func sglangRerank(b *body) (question, encoder) {
	r := rankingOf(b, textField)
	b.count("top_n", 1, 0)
	r.scale, r.uncut, r.echo = ofModel, b.uncut, b.flag("return_documents", true)
	b.ignore("instruct")
	return r.question, func(a *answer) reply {
		all := make([]sglangRank, len(a.best))
		for k, i := range a.best {
			tokens := min(a.lengths[i], a.model.limit(&r.question)) // those that the model read
			all[k] = sglangRank{Score: a.score(i), Index: i, Meta: sglangMeta{newID(), tokens}}
			if r.echo {
				all[k].Document = &r.documents[i].text
			}
		}
		return asJSON(http.StatusOK, all)
	}
}
