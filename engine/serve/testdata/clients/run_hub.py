"""huggingface_hub's InferenceClient, as it talks to text-embeddings-inference."""

import os

from cases import ASK, case, done

del os.environ["HF_HUB_OFFLINE"]  # which would keep it from the test, too

from huggingface_hub import InferenceClient

TEXTS = ASK["documents"]


def embedder(key=ASK["key"]):
    return InferenceClient(model=ASK["embedder"], token=key)


def classifier(key=ASK["key"]):
    return InferenceClient(model=ASK["classifier"], token=key)


def rows(got):
    return {"rows": [[float(x) for x in row] for row in got]}


def labels(got):
    got = got if isinstance(got, list) else [got]
    return {"labels": [[{"label": g.label, "score": g.score} for g in got]]}


case("embed", lambda: rows(embedder().feature_extraction(TEXTS)))
case("embed one", lambda: rows(embedder().feature_extraction(TEXTS[0])))
case("embed raw", lambda: rows(embedder().feature_extraction(TEXTS, normalize=False, truncate=True, truncation_direction="left")))
case("embed empty", lambda: rows(embedder().feature_extraction([])))
case("embed uncut", lambda: rows(embedder().feature_extraction(ASK["long"], truncate=False)))
case("embed by one of several", lambda: rows(InferenceClient(model=ASK["several"] + "/embed", token=ASK["key"]).feature_extraction(TEXTS)))
case("embed busy", lambda: rows(embedder().feature_extraction(TEXTS)))
case("embed key", lambda: rows(embedder("wrong").feature_extraction(TEXTS)))
case("embed, no embedder", lambda: rows(classifier().feature_extraction(TEXTS)))
case("classify", lambda: labels(classifier().text_classification(TEXTS[0])))
case("classify key", lambda: labels(classifier("wrong").text_classification(TEXTS[0])))
case("classify by one of several", lambda: labels(InferenceClient(model=ASK["several"] + "/predict", token=ASK["key"]).text_classification(TEXTS[0])))
case("similarity", lambda: {"similarities": InferenceClient(model=ASK["embedder"] + "/similarity", token=ASK["key"]).sentence_similarity(
    ASK["query"], other_sentences=TEXTS)})

done("huggingface_hub")
