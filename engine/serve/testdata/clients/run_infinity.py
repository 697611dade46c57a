"""Infinity's own client."""

from cases import ASK, case, done, scores

from infinity_client import Client
from infinity_client.api.default import classify, embeddings, health, models, rerank
from infinity_client.models import ClassifyInput, OpenAIEmbeddingInputText, RerankInput


def client(url, key=ASK["key"]):
    return Client(base_url=url, headers={"Authorization": "Bearer " + key}, raise_on_unexpected_status=True)


def told(got):  # a 422 comes back as an object, not as an exception
    if hasattr(got, "detail"):
        raise ValueError(str(got.to_dict()))
    return got


def ranked(texts, key=ASK["key"], url=ASK["infinity"], **more):
    got = told(rerank.sync(client=client(url, key), body=RerankInput(query=ASK["query"], documents=texts, **more)))
    assert got.usage.total_tokens > 0
    return scores(((r.index, r.relevance_score) for r in got.results), [r.document for r in got.results if r.document] or None)


def rows(key=ASK["key"], url=ASK["embedder"]):
    got = told(embeddings.sync(client=client(url, key), body=OpenAIEmbeddingInputText(input_=ASK["documents"])))
    return {"rows": [r.embedding for r in got.data]}


def labels():
    got = told(classify.sync(client=client(ASK["classifier"]), body=ClassifyInput(input_=ASK["documents"])))
    return {"labels": [[{"label": s.label, "score": s.score} for s in r] for r in got.data]}


case("ranked", lambda: ranked(ASK["documents"]))
case("documents", lambda: ranked(ASK["documents"], return_documents=True))
case("raw", lambda: ranked(ASK["documents"], raw_scores=True))
case("undecided", lambda: ranked(ASK["documents"], url=ASK["url"]))
case("undecided raw", lambda: ranked(ASK["documents"], url=ASK["url"], raw_scores=True))
case("top", lambda: ranked(ASK["documents"], top_n=2))
case("null", lambda: ranked(ASK["documents"], top_n=None))
case("empty", lambda: ranked([]))
case("long", lambda: ranked(ASK["long"]))
case("busy", lambda: ranked(ASK["documents"]))
case("key", lambda: ranked(ASK["documents"], key="wrong"))
case("embed", rows)
case("embed, no embedder", lambda: rows(url=ASK["infinity"]))
case("classify", labels)
case("health", lambda: {"unix": health.sync(client=client(ASK["infinity"]))["unix"] > 0})
case("models", lambda: {"models": [m.id for m in models.sync(client=client(ASK["infinity"])).data]})

done("infinity_client")
