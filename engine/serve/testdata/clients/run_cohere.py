"""Cohere's own library, both of its interfaces."""

from cases import ASK, case, done, scores

import cohere

URL, KEY, MODEL = ASK["url"], ASK["key"], ASK["model"]
QUERY, DOCUMENTS, LONG = ASK["query"], ASK["documents"], ASK["long"]


def ranked(answer):
    assert answer.id, "no id"
    assert answer.meta.billed_units.search_units >= 1
    return scores((r.index, r.relevance_score) for r in answer.results)


def old_documents(answer):
    return {**ranked(answer), "documents": [r.document.text for r in answer.results]}


for name, client in {
    "v2": cohere.ClientV2(KEY, base_url=URL),
    "v1": cohere.Client(KEY, base_url=URL),
}.items():
    def ask(documents, client=client, **more):
        return client.rerank(model=MODEL, query=QUERY, documents=documents, **more)

    case(f"{name} ranked", lambda: ranked(ask(DOCUMENTS)))
    case(f"{name} top", lambda: ranked(ask(DOCUMENTS, top_n=2)))
    case(f"{name} many", lambda: ranked(ask(ASK["many"])))
    case(f"{name} empty", lambda: ranked(ask([])))
    case(f"{name} long", lambda: ranked(ask(LONG)))
    case(f"{name} busy", lambda: ranked(ask(DOCUMENTS)))

v1 = cohere.Client(KEY, base_url=URL)
case("v1 documents", lambda: old_documents(v1.rerank(
    model=MODEL, query=QUERY, documents=[{"text": d} for d in DOCUMENTS], return_documents=True)))
v2 = cohere.ClientV2(KEY, base_url=URL)
case("v2 cut", lambda: ranked(v2.rerank(model=MODEL, query=QUERY, documents=LONG, max_tokens_per_doc=ASK["cut"])))
case("v2 nulls", lambda: ranked(v2.rerank(model=MODEL, query=QUERY, documents=DOCUMENTS, top_n=None, max_tokens_per_doc=None)))

several = cohere.ClientV2(KEY, base_url=ASK["several"])
case("several models", lambda: ranked(several.rerank(model=MODEL, query=QUERY, documents=DOCUMENTS)))
case("none of several models", lambda: ranked(several.rerank(model="rerank-v3.5", query=QUERY, documents=DOCUMENTS)))

for name, client in {
    "v2": cohere.ClientV2("wrong", base_url=URL),
    "v1": cohere.Client("wrong", base_url=URL),
}.items():
    case(f"{name} key", lambda: ranked(client.rerank(model=MODEL, query=QUERY, documents=DOCUMENTS)))

done("cohere")
