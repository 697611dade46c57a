"""LangChain's compressors for Jina, Cohere and Infinity, and its embeddings by Infinity."""

from cases import ASK, case, done, scores

from infinity_client import Client
from langchain_cohere import CohereRerank
from langchain_community.document_compressors import jina_rerank
from langchain_community.document_compressors.infinity_rerank import InfinityRerank
from langchain_community.embeddings.infinity import InfinityEmbeddings
from langchain_core.documents import Document

URL, KEY, MODEL = ASK["url"], ASK["key"], ASK["model"]
jina_rerank.JINA_API_URL = URL + "/v1/rerank"  # it has no parameter for this


def ranked(compressor, texts):
    documents = [Document(page_content=text, metadata={"at": i}) for i, text in enumerate(texts)]
    got = compressor.compress_documents(documents, ASK["query"])
    return scores((d.metadata["at"], d.metadata["relevance_score"]) for d in got)


def jina(key, top):
    return jina_rerank.JinaRerank(jina_api_key=key, model=MODEL, top_n=top)


def cohere(key, top):
    return CohereRerank(cohere_api_key=key, base_url=URL, model=MODEL, top_n=top)


def infinity(key, top):
    client = Client(base_url=ASK["infinity"], headers={"Authorization": "Bearer " + key})
    return InfinityRerank(client=client, model=MODEL, top_n=top)


for name, make in {"Jina": jina, "Cohere": cohere, "Infinity": infinity}.items():
    case(f"{name} ranked", lambda: ranked(make(KEY, None), ASK["documents"]))
    case(f"{name} top", lambda: ranked(make(KEY, 2), ASK["documents"]))
    case(f"{name} empty", lambda: ranked(make(KEY, 2), []))
    case(f"{name} long", lambda: ranked(make(KEY, None), ASK["long"]))
    case(f"{name} key", lambda: ranked(make("wrong", 2), ASK["documents"]))
    case(f"{name} busy", lambda: ranked(make(KEY, None), ASK["documents"]))

case("Infinity embed", lambda: {"rows": InfinityEmbeddings(
    model=MODEL, infinity_api_url=ASK["open"]).embed_documents(ASK["documents"])})

done("langchain-core", "langchain-community", "langchain-cohere", "cohere")
