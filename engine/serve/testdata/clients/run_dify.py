"""The rerank interface of Dify's plugins for servers that are compatible with Jina's."""

from cases import ASK, case, done, scores

from dify_plugin.interfaces.model.openai_compatible.rerank import OAICompatRerankModel


def ranked(texts, key=ASK["key"], **more):
    credentials = {"endpoint_url": ASK["url"] + "/v1", "api_key": key, "endpoint_model_name": ASK["model"]}
    got = OAICompatRerankModel([])._invoke(ASK["model"], credentials, ASK["query"], texts, **more)
    return scores(((d.index, d.score) for d in got.docs), [d.text for d in got.docs])


def valid():
    OAICompatRerankModel([]).validate_credentials(ASK["model"], {"endpoint_url": ASK["url"] + "/v1", "api_key": ASK["key"]})
    return {"valid": True}


case("ranked", lambda: ranked(ASK["documents"]))
case("top", lambda: ranked(ASK["documents"], top_n=2))
case("empty", lambda: ranked([]))
case("long", lambda: ranked(ASK["long"]))
case("key", lambda: ranked(ASK["documents"], key="wrong"))
case("busy", lambda: ranked(ASK["documents"]))
case("valid", valid)

done("dify_plugin")
