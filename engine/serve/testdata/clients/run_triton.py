"""tritonclient over HTTP, which speaks the Open Inference Protocol."""

from cases import ASK, case, done

import numpy as np
import tritonclient.http as triton

MODEL = ASK["model"]


def headers(key=ASK["key"]):
    return {"Authorization": "Bearer " + key}


def client():
    return triton.InferenceServerClient(url=ASK["url"].removeprefix("http://"))


def inputs(texts, binary):
    made = []
    for name, values in {"query": [ASK["query"]], "documents": texts}.items():
        tensor = triton.InferInput(name, [len(values)], "BYTES")
        tensor.set_data_from_numpy(np.array(values, dtype=object), binary_data=binary)
        made.append(tensor)
    return made


def scored(texts, key=ASK["key"], binary=False, model=MODEL, **more):
    outputs = [triton.InferRequestedOutput("scores", binary_data=binary)]
    got = client().infer(model, inputs(texts, binary), outputs=outputs, request_id="7", headers=headers(key), **more)
    assert got.get_response()["id"] == "7"
    values = got.as_numpy("scores")
    assert values.dtype == np.float32
    return {"in order": [float(x) for x in values]}


def any_output(texts):  # asks for binary outputs, and takes JSON
    got = client().infer(MODEL, inputs(texts, False), headers=headers())
    return {"in order": [float(x) for x in got.as_numpy("scores")]}


case("scored", lambda: scored(ASK["documents"]))
case("any output", lambda: any_output(ASK["documents"]))
case("binary", lambda: scored(ASK["documents"], binary=True))
case("empty", lambda: scored([]))
case("empty, binary", lambda: scored([], binary=True))
case("compressed", lambda: scored(ASK["documents"], request_compression_algorithm="gzip"))
case("long", lambda: scored(ASK["long"]))
case("busy", lambda: scored(ASK["documents"]))
case("key", lambda: scored(ASK["documents"], key="wrong"))
case("no such model", lambda: scored(ASK["documents"], model="none"))
case("live", lambda: {"live": client().is_server_live(), "ready": client().is_server_ready(), "model": client().is_model_ready(MODEL, headers=headers())})
case("metadata", lambda: {"metadata": client().get_model_metadata(MODEL, headers=headers())})

done("tritonclient")
