package serve

import "net/http"

// jina is Jina's rerank. It is reached only where it is pinned: without that, Cohere's is, which
// has all that Jina's clients read. A repeated document is a text, as it is since late 2025
// (weaviate/weaviate#9709, amikos-tech/chroma-go#282); before, it was an object, as in Cohere's.
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

func jinaFailure(f *failure) reply { return asJSON(statusOf(f), jinaError{f.message}) }

func jinaRerank(b *body) (question, encoder) {
	r := rankingOf(b, textField)
	r.echo = b.flag("return_documents", false)
	return r.question, func(a *answer) reply {
		p := r.reply(a, repeatText)
		p.Object = "list"
		return asJSON(http.StatusOK, p)
	}
}
