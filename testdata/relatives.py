"""relatives.py > relatives.json : what transformers computes with BERT's near relatives.

Tiny models with the tokenizer of testdata/tiny. Tensor j of a case's list has the values
offset + scale·sin(0.37·k + j) for k = 0, 1, ... in their order. Run with transformers 5.24.0,
from testdata, in float32 on the processor; an input is a text, or a pair of them.

relatives.json: {"versions", "inputs", "cases": [{"name", "config", "tensors": [[name, shape,
scale, offset]], "outputs": a row for each input: the logits, or of a model without a head the
mean of the last hidden state}]}
"""
import json, math, sys
import numpy as np, torch, transformers
from transformers import AutoTokenizer, DistilBertConfig, DistilBertForSequenceClassification, DistilBertModel, ElectraConfig, ElectraForSequenceClassification, ElectraModel

INPUTS = ["how many people live in the city", "", "a b c d e f g h i j k l m n o p q r s t u v w x y z 1 2 3 " * 4,
          ["how many people live in the city", "people of the river"], ["", "who"], ["who", "a b c d e f g h i j k l m n o p q r s t u v w x y z 1 2 3 " * 4]]
SIZES = dict(vocab_size=700, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=48, max_position_embeddings=64)
DISTIL = dict(vocab_size=700, dim=32, n_layers=2, n_heads=4, hidden_dim=48, max_position_embeddings=64)
LABELS = {0: "contradiction", 1: "entailment", 2: "neutral"}
CASES = [
    ("electra, narrow embeddings, 3 labels", ElectraForSequenceClassification, ElectraConfig(embedding_size=16, id2label=LABELS, **SIZES)),
    ("electra, 1 label", ElectraForSequenceClassification, ElectraConfig(embedding_size=32, num_labels=1, **SIZES)),
    ("electra, no head", ElectraModel, ElectraConfig(embedding_size=48, **SIZES)),
    ("distilbert, 3 labels", DistilBertForSequenceClassification, DistilBertConfig(id2label=LABELS, **DISTIL)),
    ("distilbert, no head", DistilBertModel, DistilBertConfig(**DISTIL)),
]

tokenizer = AutoTokenizer.from_pretrained("tiny", local_files_only=True)
out = []
for name, cls, config in CASES:
    m = cls(config).eval()
    tensors, state = [], {}
    for j, (key, old) in enumerate(sorted((k, v) for k, v in m.state_dict().items() if v.dtype == torch.float32)):
        shape = list(old.shape)
        scale, offset = 0.1, 0.0
        if "norm" in key.lower() and key.endswith("weight"):
            scale, offset = 0.2, 1.0
        elif len(shape) == 2:
            scale = 0.5 if "embeddings." in key else float(f"{2 / math.sqrt(shape[1]):.4g}")
        values = offset + scale * np.sin(0.37 * np.arange(np.prod(shape), dtype=np.float64) + j)
        state[key] = torch.from_numpy(values.reshape(shape).astype(np.float32))
        tensors.append([key, shape, scale, offset])
    m.load_state_dict(state, strict=False)
    outputs = []
    for x in INPUTS:
        a, b = x if isinstance(x, list) else (x, None)
        t = tokenizer(a, b, truncation=True, max_length=64, return_tensors="pt")
        if "DistilBert" in cls.__name__:
            t.pop("token_type_ids")
        with torch.no_grad():
            y = m(**t)
        row = y.logits[0] if hasattr(y, "logits") else y.last_hidden_state[0].mean(0)
        outputs.append([float(f"{v:.8g}") for v in row.tolist()])
    config.architectures = [cls.__name__]
    out.append({"name": name, "config": json.loads(config.to_json_string()), "tensors": tensors, "outputs": outputs})
json.dump({"versions": {"transformers": transformers.__version__, "torch": torch.__version__}, "inputs": INPUTS, "cases": out}, sys.stdout, separators=(",", ":"))
print()
