"""labels.py > labels.json : what transformers' text-classification pipeline makes of testdata/tiny as a classifier.

Each case changes config.json, and gives the classifier n labels: of the weights 4·sin(k)/√32, for
k = n·32 values in their order, and the biases cos(k). Run with transformers 5.24.0, from testdata;
the model is float32 on the processor. An input is a text, or a pair of them; the second is
never empty, since the pipeline takes that for a single text.

labels.json: {"versions", "inputs", "cases": [{"name", "config", "n", "labels": in the order of the
logits, "logits": rows, "values": rows}]}
"""
import json, math, os, shutil, sys, tempfile
import numpy as np, torch, transformers
from safetensors.numpy import load_file, save_file

INPUTS = ["how many people live in the city", "", "a b c d e f g h i j k l m n o p q r s t u v w x y z 1 2 3 " * 4,
          ["how many people live in the city", "people of the river"], ["", "who"], ["who", "a b c d e f g h i j k l m n o p q r s t u v w x y z 1 2 3 " * 4]]
NLI = {"0": "contradiction", "1": "entailment", "2": "neutral"}
CASES = [
    ("sentiment", {"id2label": {"0": "NEGATIVE", "1": "POSITIVE"}}, 2),
    ("nli", {"id2label": NLI}, 3),
    ("one of three, said", {"id2label": NLI, "problem_type": "single_label_classification"}, 3),
    ("several of three", {"id2label": NLI, "problem_type": "multi_label_classification"}, 3),
    ("regression of three", {"id2label": NLI, "problem_type": "regression"}, 3),
    ("one label", {"id2label": {"0": "toxic"}}, 1),
    ("one value", {"id2label": {"0": "stars"}, "problem_type": "regression"}, 1),
    ("many", {"id2label": {str(i): f"emotion {i}" for i in range(28)}, "problem_type": "multi_label_classification"}, 28),
    ("names of numbers", {"id2label": {"1": "b", "0": "a", "10": "k", **{str(i): chr(97 + i) for i in range(2, 10)}}}, 11),
]

out = []
for name, change, n in CASES:
    with tempfile.TemporaryDirectory() as folder:
        for f in os.listdir("tiny"):
            shutil.copy("tiny/" + f, folder)
        config = {**json.load(open("tiny/config.json")), **change}
        config.pop("label2id", None)
        json.dump(config, open(f"{folder}/config.json", "w"))
        t = load_file("tiny/model.safetensors")
        key = next(k for k in t if k.endswith("classifier.weight"))
        t[key] = (4 * np.sin(np.arange(n * 32)) / math.sqrt(32)).reshape(n, 32).astype(np.float32)
        t[key.replace("weight", "bias")] = np.cos(np.arange(n)).astype(np.float32)
        save_file(t, f"{folder}/model.safetensors")
        p = transformers.pipeline("text-classification", model=folder, device="cpu", top_k=None, dtype=torch.float32)
        labels = [p.model.config.id2label[i] for i in range(n)]

        def row(x, **how):
            got = p({"text": x[0], "text_pair": x[1]} if isinstance(x, list) else [x], truncation=True, **how)
            got = {one["label"]: one["score"] for one in (got[0] if isinstance(got[0], list) else got)}
            return [float(f"{got[label]:.8g}") for label in labels]

        out.append({"name": name, "config": change, "n": n, "labels": labels,
                    "logits": [row(x, function_to_apply="none") for x in INPUTS], "values": [row(x) for x in INPUTS]})
json.dump({"versions": {"transformers": transformers.__version__, "torch": torch.__version__}, "inputs": INPUTS, "cases": out}, sys.stdout, separators=(",", ":"))
print()
