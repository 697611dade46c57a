"""Haystack's rankers: TEI's, Cohere's and Jina's."""

from cases import ASK, case, done, scores

from haystack import Document
from haystack.utils import Secret
from haystack_integrations.components.rankers.cohere import CohereRanker
from haystack_integrations.components.rankers.huggingface_api import HuggingFaceTEIRanker
from haystack_integrations.components.rankers.jina import JinaRanker

URL, QUERY = ASK["url"], ASK["query"]


def documents(texts):  # the same text twice is two documents
    return [Document(id=str(i), content=text) for i, text in enumerate(texts)]


def ranked(ranker, texts, **more):
    if hasattr(ranker, "warm_up"):
        ranker.warm_up()
    of = ranker.run(query=QUERY, documents=documents(texts), **more)["documents"]
    return scores((d.id, d.score) for d in of)


def tei(key, **more):
    return HuggingFaceTEIRanker(url=URL, token=Secret.from_token(key), **more)


def jina(key, **more):
    return JinaRanker(model=ASK["model"], api_key=Secret.from_token(key), base_url=URL + "/v1/rerank", **more)


def cohere(key, **more):
    return CohereRanker(model=ASK["model"], api_key=Secret.from_token(key), api_base_url=URL, **more)


for name, make in {"TEI": tei, "Jina": jina, "Cohere": cohere}.items():
    case(f"{name} ranked", lambda: ranked(make(ASK["key"]), ASK["documents"]))
    case(f"{name} top", lambda: ranked(make(ASK["key"], top_k=2), ASK["documents"]))
    case(f"{name} empty", lambda: ranked(make(ASK["key"]), []))
    case(f"{name} long", lambda: ranked(make(ASK["key"]), ASK["long"]))
    case(f"{name} key", lambda: ranked(make("wrong"), ASK["documents"]))
    case(f"{name} busy", lambda: ranked(make(ASK["key"]), ASK["documents"]))
case("TEI raw", lambda: ranked(tei(ASK["key"], raw_scores=True), ASK["documents"]))
case("TEI many", lambda: ranked(tei(ASK["key"], top_k=1000), ASK["many"]))

done("haystack-ai", "huggingface-api-haystack", "jina-haystack", "cohere-haystack")
