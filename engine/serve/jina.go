package serve

import "net/http"

// jina is Jina's rerank. It is reached only where it is pinned: without that, Cohere's, which
// has all that Jina's clients read. Repeated documents are texts here, as of Jina's newer models,
// and objects there, as of its older ones.
func jina() *dialect {
	return &dialect{name: "jina", word: jinaFailure, routes: []route{
		{method: "POST", path: "/v1/rerank", ask: jinaRerank},
		{method: "POST", path: "/rerank", ask: jinaRerank},
	}}
}

// jinaError is a string under "detail". Weaviate's module reranker-jinaai reads no other, and
// LangChain's JinaRerank raises it.
type jinaError struct {
	Detail string `json:"detail"`
}

func jinaFailure(f *failure) reply { return asJSON(known(f), jinaError{f.message}) }

func jinaRerank(b *body) (question, encoder) {
	r := rankingOf(b, textField)
	r.echo = b.flag("return_documents", false)
	r.uncut = !b.flag("truncation", true)
	r.first, r.second = b.count("max_query_length", 0, 0), b.count("max_doc_length", 0, 0)
	return r.question, func(a *answer) reply { return asJSON(http.StatusOK, r.reply(a, repeatText)) }
}
