"""modular.py > modular.json : what sentence-transformers makes of testdata/tiny as a cross-encoder whose head is in modules.

A case puts files beside the checkpoint's own, and tensors into the modules' folders: of two
dimensions sin(k)/√columns, for k = their values in their order, and of one cos(k). Run with
sentence-transformers 6.2.0, from testdata; float32 on the processor, one pair at a time, with
Identity for an activation.

modular.json: {"versions", "pairs", "cases": [{"name", "files": {path: JSON}, "tensors": {folder:
{name: shape}}, "prompt": a name or null, "logits": rows}]}
"""
import json, math, os, shutil, sys, tempfile
import numpy as np, torch, sentence_transformers, transformers
from safetensors.numpy import save_file
from sentence_transformers import CrossEncoder

PAIRS = [["how many people live in the city", "people of the river"], ["", "who"], ["who", "a b c d e f g h i j k l m n o p q r s t u v w x y z 1 2 3 " * 4]]
NAMES = {"Transformer": "sentence_transformers.base.modules.transformer.Transformer", "Dense": "sentence_transformers.base.modules.dense.Dense",
         "Pooling": "sentence_transformers.sentence_transformer.modules.pooling.Pooling", "LayerNorm": "sentence_transformers.sentence_transformer.modules.layer_norm.LayerNorm"}


def case(name, classes, configs, tensors, prompt=None):
    files = {"modules.json": [{"idx": i, "name": str(i), "path": f"{i}_{c}" if i else "", "type": NAMES[c]} for i, c in enumerate(classes)],
             "config_sentence_transformers.json": {"model_type": "CrossEncoder", "prompts": {"short": "the people of ", "empty": ""}},
             "sentence_bert_config.json": {"transformer_task": "feature-extraction", "modality_config": {"text": {"method": "forward", "method_output_name": "last_hidden_state"}},
                                           "module_output_name": "token_embeddings"}}
    for i, config in enumerate(configs, 1):
        files[f"{i}_{classes[i]}/config.json"] = config
    return {"name": name, "files": files, "tensors": tensors, "prompt": prompt}


def pooling(mode, include=True):
    return {"embedding_dimension": 32, "pooling_mode": mode, "include_prompt": include}


def scores(inputs, outputs, **more):
    return {"in_features": inputs, "out_features": outputs, "bias": True, "activation_function": "torch.nn.modules.linear.Identity", "module_output_name": "scores", **more}


ONE = {"linear.weight": [1, 32], "linear.bias": [1]}
cases = []
for mode in ["mean", "cls"]:
    for include in [True, False]:
        for prompt in [None, "short"] + ["empty"] * (not include):
            cases.append(case(f"{mode}, {'with' if include else 'without'} the prompt, {prompt}", ["Transformer", "Pooling", "Dense"], [pooling(mode, include), scores(32, 1)], {"2_Dense": ONE}, prompt))
cases.append(case("a residual Dense and a LayerNorm before it", ["Transformer", "Pooling", "Dense", "LayerNorm", "Dense"],
                  [pooling("max"), {"in_features": 32, "out_features": 8, "activation_function": "torch.nn.modules.activation.Tanh", "use_residual": True}, {"dimension": 8}, scores(8, 1)],
                  {"2_Dense": {"linear.weight": [8, 32], "linear.bias": [8], "residual.weight": [8, 32]}, "3_LayerNorm": {"norm.weight": [8], "norm.bias": [8]},
                   "4_Dense": {"linear.weight": [1, 8], "linear.bias": [1]}}))
cases.append(case("three labels", ["Transformer", "Pooling", "Dense"], [pooling(["mean", "cls"]), scores(64, 3)], {"2_Dense": {"linear.weight": [3, 64], "linear.bias": [3]}}))
cases.append(case("a residual to one label", ["Transformer", "Pooling", "Dense"], [pooling("lasttoken"), scores(32, 1, use_residual=True)], {"2_Dense": {**ONE, "residual.weight": [1, 32]}}))

for c in cases:
    with tempfile.TemporaryDirectory() as folder:
        for f in os.listdir("tiny"):
            shutil.copy("tiny/" + f, folder)
        for path, content in c["files"].items():
            os.makedirs(os.path.dirname(f"{folder}/{path}"), exist_ok=True)
            json.dump(content, open(f"{folder}/{path}", "w"))
        for sub, shapes in c["tensors"].items():
            k = {key: np.arange(math.prod(shape)).reshape(shape) for key, shape in shapes.items()}
            save_file({key: (np.sin(v) / math.sqrt(v.shape[1]) if v.ndim == 2 else np.cos(v)).astype(np.float32) for key, v in k.items()}, f"{folder}/{sub}/model.safetensors")
        m = CrossEncoder(folder, device="cpu", local_files_only=True)
        rows = [np.atleast_1d(m.predict([pair], activation_fn=torch.nn.Identity(), prompt_name=c["prompt"])[0]) for pair in PAIRS]
        c["logits"] = [[float(f"{v:.8g}") for v in row] for row in rows]
versions = {"sentence_transformers": sentence_transformers.__version__, "transformers": transformers.__version__, "torch": torch.__version__}
json.dump({"versions": versions, "pairs": PAIRS, "cases": cases}, sys.stdout, indent=None, separators=(",", ":"))
print()
