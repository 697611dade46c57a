"""embedders.py > embedders.json : what sentence-transformers makes of testdata/tiny as an embedder.

Each case puts files beside the checkpoint's own: modules.json and what it leads to. A Dense has
the weights sin(k)/√in, for k = out·in values in their order, and the biases cos(k); other modules'
tensors have the same, by their number of dimensions. Written and run with sentence-transformers 6.2.0, from testdata; models are float32 on the processor.

embedders.json: {"texts", "versions", "cases": [{"name", "files": {path: JSON}, "dense": {folder:
[out, in, bias]}, "tensors": {folder: {name: shape}}, "prompt": null or a name, "dim": the argument truncate_dim, if there is one, "texts": those of
the case, if it has its own, "embeddings": rows}]}
"""
import json, math, os, shutil, sys, tempfile
import numpy as np, torch, sentence_transformers, transformers
from safetensors.numpy import save_file
from sentence_transformers import SentenceTransformer

TEXTS = ["how many people live in the city", "", "a b c d e f g h i j k l m n o p q r s t u v w x y z 1 2 3"]
OLD = ["cls_token", "max_tokens", "mean_tokens", "mean_sqrt_len_tokens", "weightedmean_tokens", "lasttoken"]
NEW = ["cls", "max", "mean", "mean_sqrt_len_tokens", "weightedmean", "lasttoken"]
OLD_NAMES = {"Transformer": "sentence_transformers.models.Transformer", "Pooling": "sentence_transformers.models.Pooling",
             "Dense": "sentence_transformers.models.Dense", "Normalize": "sentence_transformers.models.Normalize"}
NEW_NAMES = {"Transformer": "sentence_transformers.base.modules.transformer.Transformer",
             "Pooling": "sentence_transformers.sentence_transformer.modules.pooling.Pooling",
             "LayerNorm": "sentence_transformers.sentence_transformer.modules.layer_norm.LayerNorm",
             "Dropout": "sentence_transformers.sentence_transformer.modules.dropout.Dropout",
             "Dense": "sentence_transformers.base.modules.dense.Dense", "Normalize": "sentence_transformers.base.modules.normalize.Normalize"}


def modules(classes, names=OLD_NAMES):
    return [{"idx": i, "name": str(i), "path": f"{i}_{c}" if i else "", "type": names[c]} for i, c in enumerate(classes)]


def old(*modes):
    return {"word_embedding_dimension": 32, **{"pooling_mode_" + m: m in modes for m in OLD}}


def new(mode):
    return {"embedding_dimension": 32, "pooling_mode": mode, "include_prompt": True}


def dense(out, inputs, bias, act):
    return {"in_features": inputs, "out_features": out, "bias": bias, "activation_function": "torch.nn.modules." + act}


cases = [("no modules", {}, {}, None)]
for mode in OLD:
    cases.append(("old " + mode, {"modules.json": modules(["Transformer", "Pooling"]), "1_Pooling/config.json": old(mode)}, {}, None))
for mode in NEW:
    cases.append(("new " + mode, {"modules.json": modules(["Transformer", "Pooling"], NEW_NAMES), "1_Pooling/config.json": new(mode)}, {}, None))
for name, config in [("old, all", old(*OLD)), ("old, last and cls", old("lasttoken", "cls_token")), ("old, none", old()), ("old, of another age",
                     {"word_embedding_dimension": 32, "pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}), ("a width alone", {"word_embedding_dimension": 32}),
                     ("new, a list", new(["max", "cls"])), ("new, a list in another order", new(["cls", "weightedmean", "max"]))]:
    cases.append((name, {"modules.json": modules(["Transformer", "Pooling"]), "1_Pooling/config.json": config}, {}, None))
unit = {"modules.json": modules(["Transformer", "Pooling", "Normalize"]), "1_Pooling/config.json": old("mean_tokens")}
cases.append(("unit", unit, {}, None))
cases.append(("cut", {**unit, "config_sentence_transformers.json": {"truncate_dim": 5}}, {}, None))
cases.append(("a cut beyond", {**unit, "config_sentence_transformers.json": {"truncate_dim": 64}}, {}, None))
for name, config, size in [("tanh", dense(9, 32, True, "activation.Tanh"), [9, 32, True]), ("identity without bias", dense(40, 32, False, "linear.Identity"), [40, 32, False]),
                           ("gelu", dense(8, 32, True, "activation.GELU"), [8, 32, True]), ("relu", dense(8, 32, True, "activation.ReLU"), [8, 32, True]),
                           ("sigmoid", dense(8, 32, True, "activation.Sigmoid"), [8, 32, True])]:
    files = {"modules.json": modules(["Transformer", "Pooling", "Dense", "Normalize"], NEW_NAMES), "1_Pooling/config.json": new("mean"), "2_Dense/config.json": config}
    cases.append(("dense, " + name, files, {"2_Dense": size}, None))
cases.append(("dense twice, of two rows", {"modules.json": modules(["Transformer", "Pooling", "Dense", "Dense"]), "1_Pooling/config.json": old("cls_token", "max_tokens"),
              "2_Dense/config.json": dense(12, 64, True, "activation.Tanh"), "3_Dense/config.json": dense(3, 12, True, "linear.Identity")},
              {"2_Dense": [12, 64, True], "3_Dense": [3, 12, True]}, None))
settings = {"prompts": {"query": "query: ", "passage": "the "}, "default_prompt_name": "query"}
cases.append(("default prompt", {**unit, "config_sentence_transformers.json": settings}, {}, None))
cases.append(("prompt by name", {**unit, "config_sentence_transformers.json": settings}, {}, "passage"))
cases.append(("length", {**unit, "sentence_bert_config.json": {"max_seq_length": 9, "do_lower_case": False}}, {}, None))
cases.append(("length by another name", {**unit, "sentence_roberta_config.json": {"max_seq_length": 7}}, {}, None))
for name, path in [("silu", "torch.nn.modules.activation.SiLU"), ("leaky relu", "torch.nn.modules.activation.LeakyReLU"), ("tanh by its short name", "torch.nn.Tanh")]:
    files = {"modules.json": modules(["Transformer", "Pooling", "Dense"], NEW_NAMES), "1_Pooling/config.json": new("mean"),
             "2_Dense/config.json": {**dense(8, 32, True, ""), "activation_function": path}}
    cases.append(("dense, " + name, files, {"2_Dense": [8, 32, True]}, None))
# A relu of nothing but negative values: a row of zeros, which has no direction.
cases.append(("zeros", {"modules.json": modules(["Transformer", "Pooling", "Normalize", "Dense", "Normalize"], NEW_NAMES), "1_Pooling/config.json": new("mean"),
              "2_Normalize/config.json": {}, "3_Dense/config.json": dense(1, 32, False, "activation.ReLU")}, {"3_Dense": [1, 32, False]}, None))
cases.append(("cut and not unit", {**unit, "modules.json": modules(["Transformer", "Pooling"]), "config_sentence_transformers.json": {"truncate_dim": 5}}, {}, None))
for name, inputs, outputs, act in [("input", 32, 32, "activation.Tanh"), ("projected input", 32, 9, "activation.GELU"), ("projected input, identity", 32, 40, "linear.Identity")]:
    files = {"modules.json": modules(["Transformer", "Pooling", "Dense", "Normalize"], NEW_NAMES), "1_Pooling/config.json": new("mean"),
             "2_Dense/config.json": {**dense(outputs, inputs, True, act), "use_residual": True}}
    tensors = {"linear.weight": [outputs, inputs], "linear.bias": [outputs], **({"residual.weight": [outputs, inputs]} if inputs != outputs else {})}
    cases.append(("residual, " + name, files, {}, None, {"2_Dense": tensors}))
cases.append(("layer norm", {"modules.json": modules(["Transformer", "Pooling", "LayerNorm", "Dropout"], NEW_NAMES), "1_Pooling/config.json": new("mean"),
              "2_LayerNorm/config.json": {"dimension": 32}, "3_Dropout/config.json": {"dropout": 0.2}}, {}, None, {"2_LayerNorm": {"norm.weight": [32], "norm.bias": [32]}}))
# Prompts that are left out: a short one, one as long as all tokens that there may be, an empty one, none.
long = {"prompts": {"short": "the people of ", "long": "how many people live in the city " * 12, "empty": ""}}
for mode in NEW:
    files = {"modules.json": modules(["Transformer", "Pooling"], NEW_NAMES), "1_Pooling/config.json": {**new(mode), "include_prompt": False}, "config_sentence_transformers.json": long}
    for prompt in ["short", "long", "empty", None] if mode in ("cls", "mean", "max") else ["short"]:
        cases.append((f"without a prompt, {mode}, {prompt}", files, {}, prompt))
    if mode == "lasttoken":
        cases.append(("without a prompt, lasttoken, long", files, {}, "long"))
cases.append(("without a prompt, old, all", {"modules.json": modules(["Transformer", "Pooling", "Normalize"]), "1_Pooling/config.json": {**old(*OLD), "include_prompt": False}, "config_sentence_transformers.json": long}, {}, "short"))
cases.append(("without the default prompt, old", {"modules.json": modules(["Transformer", "Pooling", "Normalize"]), "1_Pooling/config.json": {**old("cls_token", "mean_tokens"), "include_prompt": False},
              "config_sentence_transformers.json": {**long, "default_prompt_name": "short"}}, {}, None))
cases.append(("special tokens in texts", {"modules.json": modules(["Transformer", "Pooling"], NEW_NAMES), "1_Pooling/config.json": new(["cls", "mean", "lasttoken"])}, {}, None, {},
              ["a [PAD] b", "[SEP] who [CLS]", "[PAD][PAD] [MASK] [UNK]", "[pad]", " \t\n", "\u200b\u0000e\u0301"]))
# Two tokens are those around a text.
cases.append(("a length of 2", {**unit, "sentence_bert_config.json": {"max_seq_length": 2}}, {}, "query"))
cases[-1][1]["config_sentence_transformers.json"] = settings
cases.append(("a length of 2, of the tokenizer", {**unit, "tokenizer_config.json": {**json.load(open("tiny/tokenizer_config.json")), "model_max_length": 2}}, {}, None))
# The argument truncate_dim takes the place of what the files say.
DIMS = {"a cut, and more is asked for": 9, "a cut, and less is asked for": 3, "a cut, and all is asked for": 32, "a cut is asked for": 9}
for name in DIMS:
    cases.append((name, {**unit, **({"config_sentence_transformers.json": {"truncate_dim": 5}} if name.startswith("a cut,") else {})}, {}, None))

out = []
for name, files, weights, prompt, *more in cases:
    with tempfile.TemporaryDirectory() as folder:
        for f in os.listdir("tiny"):
            shutil.copy("tiny/" + f, folder)
        for path, content in files.items():
            os.makedirs(os.path.dirname(f"{folder}/{path}"), exist_ok=True)
            json.dump(content, open(f"{folder}/{path}", "w"))
        for sub, (o, i, bias) in weights.items():
            t = {"linear.weight": (np.sin(np.arange(o * i)) / math.sqrt(i)).reshape(o, i).astype(np.float32)}
            if bias:
                t["linear.bias"] = np.cos(np.arange(o)).astype(np.float32)
            save_file(t, f"{folder}/{sub}/model.safetensors")
        for sub, shapes in (more[0] if more else {}).items():
            k = {key: np.arange(math.prod(shape)).reshape(shape) for key, shape in shapes.items()}
            save_file({key: (np.sin(v) / math.sqrt(v.shape[1]) if v.ndim == 2 else np.cos(v)).astype(np.float32) for key, v in k.items()}, f"{folder}/{sub}/model.safetensors")
        m = SentenceTransformer(folder, device="cpu", local_files_only=True, **({"truncate_dim": DIMS[name]} if name in DIMS else {}))
        e = np.stack([m.encode([t], prompt_name=prompt)[0] for t in (more[1:] or [TEXTS])[0]])
        out.append({"name": name, "files": files, "dense": weights, **({"tensors": more[0]} if more and more[0] else {}), **({"texts": more[1]} if more[1:] else {}), "prompt": prompt, **({"dim": DIMS[name]} if name in DIMS else {}), "embeddings": [[float(f"{v:.8g}") for v in row] for row in e.tolist()]})
versions = {"sentence_transformers": sentence_transformers.__version__, "transformers": transformers.__version__, "torch": torch.__version__}
json.dump({"versions": versions, "texts": TEXTS, "cases": out}, sys.stdout, indent=None, separators=(",", ":"))
print()
