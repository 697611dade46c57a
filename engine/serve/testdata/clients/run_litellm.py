"""LiteLLM's rerank by five providers, and its embeddings by three."""

from cases import ASK, case, done, scores

import litellm

litellm.suppress_debug_info = True
KEY, MODEL = ASK["key"], ASK["model"]


def ranked(provider, texts, key=KEY, base=ASK["url"], **more):
    got = litellm.rerank(model=f"{provider}/{MODEL}", query=ASK["query"], documents=texts, api_key=key, api_base=base, **more)
    documents = [r["document"]["text"] for r in got.results if r.get("document")]
    return scores(((r["index"], r["relevance_score"]) for r in got.results), documents or None)


for provider, base in {
    "huggingface": ASK["url"],
    "cohere": ASK["url"],
    "jina_ai": ASK["url"] + "/v1/rerank",
    "hosted_vllm": ASK["vllm"],
    "infinity": ASK["infinity"],
}.items():
    case(f"{provider} ranked", lambda: ranked(provider, ASK["documents"], base=base))
    case(f"{provider} bare", lambda: ranked(provider, ASK["documents"], base=base, return_documents=False))
    case(f"{provider} top", lambda: ranked(provider, ASK["documents"], base=base, top_n=2))
    case(f"{provider} long", lambda: ranked(provider, ASK["long"], base=base))
    case(f"{provider} empty", lambda: ranked(provider, [], base=base))
    case(f"{provider} key", lambda: ranked(provider, ASK["documents"], base=base, key="wrong"))
    case(f"{provider} busy", lambda: ranked(provider, ASK["documents"], base=base))
case("huggingface many", lambda: ranked("huggingface", ASK["many"]))
case("huggingface uncut", lambda: ranked("huggingface", ASK["long"], truncate=False))
case("hosted_vllm undecided", lambda: ranked("hosted_vllm", ASK["documents"]))
case("infinity undecided", lambda: ranked("infinity", ASK["documents"], return_documents=False))
case("hosted_vllm cut", lambda: ranked("hosted_vllm", ASK["long"], base=ASK["vllm"], truncate_prompt_tokens=ASK["cut"]))


def embedded(provider, base, key=KEY, **more):
    got = litellm.embedding(model=f"{provider}/{MODEL}", input=ASK["documents"], api_key=key, api_base=base, **more)
    return {"rows": [row["embedding"] for row in got.data]}


for provider, base in {
    "openai": ASK["embedder"] + "/v1",
    "hosted_vllm": ASK["embedder"] + "/v1",
    "infinity": ASK["embedder"],
}.items():
    case(f"{provider} embed", lambda: embedded(provider, base))
    case(f"{provider} embed key", lambda: embedded(provider, base, key="wrong", max_retries=0))

done("litellm")
