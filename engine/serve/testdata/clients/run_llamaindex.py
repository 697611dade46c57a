"""LlamaIndex's postprocessors for TEI, Cohere and Jina, and its embeddings by TEI."""

from cases import ASK, case, done, scores

from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode
from llama_index.embeddings.text_embeddings_inference import TextEmbeddingsInference
from llama_index.postprocessor.cohere_rerank import CohereRerank
from llama_index.postprocessor.jinaai_rerank import JinaRerank
from llama_index.postprocessor.tei_rerank import TextEmbeddingInference as TEIRerank

URL, KEY, MODEL = ASK["url"], ASK["key"], ASK["model"]


def ranked(postprocessor, texts):
    nodes = [NodeWithScore(node=TextNode(id_=str(i), text=text)) for i, text in enumerate(texts)]
    got = postprocessor.postprocess_nodes(nodes, query_bundle=QueryBundle(ASK["query"]))
    return scores((n.node.id_, n.score) for n in got)


def tei(key, top):  # sends the key as it is, without a scheme
    return TEIRerank(base_url=URL, top_n=top, auth_token=key)


def cohere(key, top):
    return CohereRerank(api_key=key, base_url=URL, model=MODEL, top_n=top)


def jina(key, top):
    return JinaRerank(api_key=key, base_url=URL + "/v1", model=MODEL, top_n=top)


for name, make in {"TEI": tei, "Cohere": cohere, "Jina": jina}.items():
    case(f"{name} ranked", lambda: ranked(make(KEY, len(ASK["documents"])), ASK["documents"]))
    case(f"{name} top", lambda: ranked(make(KEY, 2), ASK["documents"]))
    case(f"{name} empty", lambda: ranked(make(KEY, 2), []))
    case(f"{name} many", lambda: ranked(make(KEY, len(ASK["many"])), ASK["many"]))
    case(f"{name} long", lambda: ranked(make(KEY, len(ASK["long"])), ASK["long"]))
    case(f"{name} key", lambda: ranked(make("wrong", 2), ASK["documents"]))
    case(f"{name} busy", lambda: ranked(make(KEY, 2), ASK["documents"]))


def embedder(key, **more):
    return TextEmbeddingsInference(model_name=ASK["model"], base_url=ASK["embedder"], auth_token=key, query_instruction="", text_instruction="", **more)


case("embed", lambda: {"rows": embedder(KEY).get_text_embedding_batch(ASK["documents"])})
case("embed long, uncut", lambda: {"rows": embedder(KEY, truncate_text=False).get_text_embedding_batch(ASK["long"])})
case("embed key", lambda: {"rows": embedder("wrong").get_text_embedding_batch(ASK["documents"])})

done("llama-index-core", "llama-index-postprocessor-tei-rerank", "llama-index-postprocessor-cohere-rerank",
     "llama-index-postprocessor-jinaai-rerank", "llama-index-embeddings-text-embeddings-inference", "cohere")
