"""tei-client, which asks /info what the model is for."""

from cases import ASK, case, done, scores

from tei_client import ClassificationTuple, HttpClient


def client(url, key=ASK["key"]):
    return HttpClient(url, headers={"Authorization": "Bearer " + key})


def ranked(texts, key=ASK["key"], **more):
    got = client(ASK["url"], key).rerank(ASK["query"], texts, **more)
    return scores(((r.index, r.score) for r in got.ranks), [r.text for r in got.ranks if r.text is not None] or None)


def labels(got):
    return {"labels": [[{"label": s.label, "score": s.score} for s in r.scores] for r in got]}


def rows(**more):
    got = client(ASK["embedder"]).embed(ASK["documents"], **more)
    if not isinstance(got, list):  # which it does not look at
        raise ValueError(got["error"])
    return {"rows": got}


def info(url):
    got = client(url).info()
    return {"info": {"type": got.server_model_type.value, "length": got.max_input_length, "batch": got.max_client_batch_size}}


def tokens():
    got = client(ASK["url"]).tokenize(ASK["documents"])
    return {"tokens": [[t.id for t in r.tokens] for r in got]}


case("ranked", lambda: ranked(ASK["documents"]))
case("documents", lambda: ranked(ASK["documents"], return_text=True))
case("raw", lambda: ranked(ASK["documents"], raw_scores=True))
case("many", lambda: ranked(ASK["many"]))
case("empty", lambda: ranked([]))
case("busy", lambda: ranked(ASK["documents"]))
case("long", lambda: ranked(ASK["long"], truncate=True))
case("long, left", lambda: ranked(ASK["long"], truncate=True, truncation_direction="left"))
case("uncut", lambda: ranked(ASK["long"]))
case("key", lambda: ranked(ASK["documents"], key="wrong"))
case("info", lambda: info(ASK["url"]))
case("info of an embedder", lambda: info(ASK["embedder"]))
case("info of a classifier", lambda: info(ASK["classifier"]))
case("embed", rows)
case("embed raw", lambda: rows(normalize=False))
case("classify", lambda: labels(client(ASK["classifier"]).classify([ASK["documents"][0]])))
case("classify pair", lambda: labels(client(ASK["classifier"]).classify(ClassificationTuple(*ASK["documents"][:2]))))
case("tokenize", tokens)
case("decode", lambda: {"texts": client(ASK["url"]).decode(tokens()["tokens"][1])})

done("tei-client")
