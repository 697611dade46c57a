"""The library rerankers, with its providers that speak Cohere, Jina and TEI."""

import sys

from cases import ASK, case, done, scores

sys.modules["litellm"] = None  # which it would load, for models that are not asked for here

from rerankers.models.api_rankers import APIRanker

URL, KEY = ASK["url"], ASK["key"]


def ranked(provider, path, texts, key=KEY):
    ranker = APIRanker(ASK["model"], api_provider=provider, api_key=key, url=URL + path, verbose=0)
    got = ranker.rank(query=ASK["query"], docs=texts, doc_ids=list(range(len(texts))))
    return scores((r.document.doc_id, r.score) for r in got.results)


for provider, path in {"cohere": "/v1/rerank", "jina": "/v1/rerank", "text-embeddings-inference": "/rerank"}.items():
    case(f"{provider} ranked", lambda: ranked(provider, path, ASK["documents"]))
    case(f"{provider} many", lambda: ranked(provider, path, ASK["many"]))
    case(f"{provider} long", lambda: ranked(provider, path, ASK["long"]))
    case(f"{provider} key", lambda: ranked(provider, path, ASK["documents"], key="wrong"))
    case(f"{provider} busy", lambda: ranked(provider, path, ASK["documents"]))

done("rerankers")
