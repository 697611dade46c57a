"""OpenAI's library, for embeddings. Without more said it asks for base64."""

from cases import ASK, case, done

import openai


def rows(key=ASK["key"], url=ASK["embedder"], texts=ASK["documents"], model=ASK["model"], **more):
    client = openai.OpenAI(api_key=key, base_url=url + "/v1")
    got = client.embeddings.create(model=model, input=texts, **more)
    assert got.usage.prompt_tokens > 0
    return {"rows": [row.embedding for row in sorted(got.data, key=lambda row: row.index)]}


case("embed", rows)
case("floats", lambda: rows(encoding_format="float"))
case("one", lambda: rows(texts=ASK["documents"][0]))
case("long", lambda: rows(texts=ASK["long"]))
case("empty", lambda: rows(texts=[]))
case("busy", rows)
case("key", lambda: rows(key="wrong"))
case("no embedder", lambda: rows(url=ASK["url"]))
case("several models", lambda: rows(url=ASK["several"], model="embedder"))
case("another of several models", lambda: rows(url=ASK["several"]))
case("none of several models", lambda: rows(url=ASK["several"], model="text-embedding-3-small"))
case("models", lambda: {"models": [m.id for m in openai.OpenAI(api_key=ASK["key"], base_url=ASK["embedder"] + "/v1").models.list()]})

done("openai")
