#!/usr/bin/python3
"""checkpoints.py > checkpoints.json : what sentence-transformers makes of odd checkpoints.

Each case is testdata/tiny with changes. CrossEncoder opens it and predicts the pairs, one by
one, with Identity as the activation. Run with sentence-transformers 6.2.0, transformers
5.24.0, tokenizers 0.23.3 and torch 2.15.0, in float32 on the processor. engine's
TestCheckpointsAsTheLibrary makes the same changes and compares.

A case: "config", "tokenizer_config", "tokenizer": fields set in that file ({"drop": true} takes
one out); "rename": [[old, new]...] in the tensors' names; "add": {name: [shape, value]};
"ids": {name: values}, as I64; "rows": {name: n}, the first n, round and round; "doubles": a factor
by which all are multiplied, in float64, and saved so.
What is wanted: "logits", "activation", "max_length", "lengths" (tokens of each pair), "types"
(how many are used); or "error", the type of Python's exception.
What we do otherwise, and why: "refused": a part of our error where the library scores;
"opened": why we score where it does not. "warns": a part of our warning.
"""
import json, logging, os, shutil, sys, tempfile, warnings
os.environ["HF_HUB_OFFLINE"] = "1"
import torch
from safetensors.torch import load_file, save_file
from sentence_transformers import CrossEncoder
warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)

tiny = os.path.join(os.path.dirname(os.path.abspath(__file__)), "tiny")
PAIRS = [["what is a cell", "the cell is the unit of life"], ["short", "a much longer passage " * 40], ["cell " * 12, "passage " * 50]]
DROP = {"drop": True}
cases = []

def case(name, **kw): cases.append({"name": name, **kw})
def config(name, fields, **kw): case(name, config=fields, **kw)

case("as it is")
# Labels.
config("labels are numbers", {"id2label": {"0": 0}})
config("a label is null", {"id2label": {"0": None}})
config("labels by words", {"id2label": {"a": "x"}})
config("labels in a list", {"id2label": ["x"]})
config("labels from 1", {"id2label": {"1": "x"}})
config("num_labels alone", {"num_labels": 1, "id2label": DROP})
config("num_labels 1 beside three", {"num_labels": 1, "id2label": {"0": "a", "1": "b", "2": "c"}}, warns="num_labels is 1, but id2label has 3: the classifier has 1")
config("num_labels 3 beside one", {"num_labels": 3}, opened="transformers 4 went by id2label", warns="num_labels is 3, but id2label has 1: the classifier has 1")
config("num_labels 3 beside two", {"num_labels": 3, "id2label": {"0": "a", "1": "b"}})
config("no labels", {"id2label": DROP}, opened="the classifier says how many")
config("labels null, another architecture", {"id2label": None, "architectures": ["BertModel"]}, warns='architectures is ["BertModel"], not BertForSequenceClassification')
config("num_labels a string", {"num_labels": "1"})
config("num_labels null", {"num_labels": None, "id2label": DROP})
config("label2id a number", {"label2id": 5})
case("three labels", config={"id2label": {"0": "a", "1": "b", "2": "c"}, "sbert_ce_default_activation_function": DROP}, rows={"classifier.weight": 3, "classifier.bias": 3}, refused="3 labels, want 1")
# Architectures.
for a in ["BertForMaskedLM", "BertForTokenClassification", "RobertaForSequenceClassification"]:
    config("architectures " + a, {"architectures": [a]}, warns=f'architectures is ["{a}"], not BertForSequenceClassification')
config("architectures BertForCausalLM", {"architectures": ["BertForCausalLM"]}, refused='architectures: "BertForCausalLM", which generates text')
config("architectures null", {"architectures": None})
config("architectures a string", {"architectures": "BertForSequenceClassification"})
config("architectures a number", {"architectures": 5})
config("two architectures", {"architectures": ["BertModel", "BertForSequenceClassification"]})
# What changes scores.
for a in ["gelu_new", "gelu_fast", "gelu_pytorch_tanh", "gelu_accurate", "gelu_10", "relu", "silu"]:
    config("hidden_act " + a, {"hidden_act": a}, refused=f'hidden_act: "{a}", want "gelu"')
for a in ["gelu_python", "GELU", "nope", None, 5, DROP]:
    config(f"hidden_act {'missing' if a is DROP else a}", {"hidden_act": a})
for p in ["relative_key", "relative_key_query", "nope"]:
    config("position_embedding_type " + p, {"position_embedding_type": p}, refused=f'position_embedding_type: "{p}", want "absolute"') # transformers 4 had them
config("position_embedding_type null", {"position_embedding_type": None}, refused="position_embedding_type: null") # transformers 4 left positions out
config("position_embedding_type missing", {"position_embedding_type": DROP})
config("is_decoder", {"is_decoder": True}, refused="is_decoder: true")
config("is_decoder a string", {"is_decoder": "false"})
config("is_decoder null", {"is_decoder": None})
config("is_decoder 0", {"is_decoder": 0})
config("add_cross_attention", {"add_cross_attention": True})
config("is_encoder_decoder", {"is_encoder_decoder": True})
config("pruned heads", {"pruned_heads": {"0": [1]}}, refused="pruned_heads: 1 heads are removed") # transformers 4 took them out
config("pruned heads, none", {"pruned_heads": {}})
config("pruned heads, none of a layer", {"pruned_heads": {"0": []}})
config("per_layer_config", {"per_layer_config": {"0": {"hidden_act": "relu"}}})
config("quantization_config", {"quantization_config": {"quant_method": "bitsandbytes", "load_in_8bit": True}})
config("layer_norm_eps 1e-5", {"layer_norm_eps": 1e-5})
config("layer_norm_eps missing", {"layer_norm_eps": DROP})
config("8 heads", {"num_attention_heads": 8})
config("3 heads", {"num_attention_heads": 3})
config("2 layers", {"num_hidden_layers": 2}, warns="16 tensors have no place")
config("4 layers", {"num_hidden_layers": 4}, refused="encoder.layer.3.attention.self.query.weight\" is missing") # the library makes one up
# Values of another kind.
base = json.load(open(tiny + "/config.json"))
for k in ["hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "vocab_size", "max_position_embeddings", "type_vocab_size"]:
    for v in [str(base[k]), float(base[k]) + 0.5, None, [base[k]], True]:
        config(f"{k} {json.dumps(v)}", {k: v})
    if k != "type_vocab_size":
        # The library makes the other nine layers up.
        config(f"{k} missing", {k: DROP}, **({"refused": f"{k}: missing"} if k == "num_hidden_layers" else {}))
config("layer_norm_eps a string", {"layer_norm_eps": "1e-12"})
config("layer_norm_eps null", {"layer_norm_eps": None})
config("layer_norm_eps 0", {"layer_norm_eps": 0}, opened="0 is a number")
# What changes nothing.
for name, fields in {
    "tie_word_embeddings": {"tie_word_embeddings": False}, "classifier_dropout": {"classifier_dropout": 0.5},
    "problem_type regression": {"problem_type": "regression"}, "problem_type junk": {"problem_type": "x"},
    "dtype": {"dtype": "float32"}, "dtype null": {"torch_dtype": None},
    "output_hidden_states": {"output_hidden_states": True}, "pad_token_id": {"pad_token_id": 5}}.items():
    config(name, fields)
# What changes nothing, but would elsewhere, or that nobody knows.
for name, fields in {
    "layer_types": {"layer_types": ["full_attention"] * 3, "sliding_window": 8},
    "auto_map": {"auto_map": {"AutoModelForSequenceClassification": "modeling.Custom"}}, "rope_theta": {"rope_theta": 10000},
    "an unknown field": {"foo": {"bar": 1}},
    "embedding_size": {"embedding_size": 16}, "another case": {"Hidden_Size": 64, "HIDDEN_ACT": "relu"}}.items():
    config(name, fields, warns=f'what {", ".join(json.dumps(k) for k in sorted(fields))} means')
# Activations.
OLD, NEW = "sbert_ce_default_activation_function", "sentence_transformers"
S, I, T = "torch.nn.modules.activation.Sigmoid", "torch.nn.modules.linear.Identity", "torch.nn.modules.activation.Tanh"
config("no activation", {OLD: DROP})
for v in [S, I, "torch.nn.Identity", None]:
    config(f"old activation {v}", {OLD: v})
for v in ["torch.nn.Tanh", T, "torch.nn.Softmax"]:
    config(f"old activation {v}", {OLD: v}, warns="is not computed here")
for v in ["my.mod.Act", "evil.Identity", ""]:
    config(f"old activation {v}", {OLD: v}, warns="is not one of PyTorch's: the default counts")
config("old activation a number", {OLD: 5})
config("old activation nowhere", {OLD: "torch.nn.Nope"}, opened="raw logits need no activation", warns="is not computed here")
for v in [S, I, None]:
    config(f"new activation {v}", {OLD: DROP, NEW: {"activation_fn": v, "version": "4.1.0"}})
config("new activation null hides the old", {NEW: {"activation_fn": None}})
config("new activation Sigmoid hides the old", {NEW: {"activation_fn": S}})
config("new field without an activation", {NEW: {"version": "4.1.0"}})
config("new activation by others hides the old", {NEW: {"activation_fn": "my.Act"}}, warns="is not one of PyTorch's")
config("new activation a number", {OLD: DROP, NEW: {"activation_fn": 5}})
config("new field null", {NEW: None}, opened="null says nothing")
config("new field a list", {NEW: ["activation_fn"]})
# Names of tensors.
G = [["LayerNorm.weight", "LayerNorm.gamma"], ["LayerNorm.bias", "LayerNorm.beta"]]
case("gamma and beta", rename=G)
case("gamma and beta of one layer", rename=[["layer.0.output." + a, "layer.0.output." + b] for a, b in G])
case("no prefix", rename=[["bert.", ""]])
case("no prefix, gamma and beta", rename=[["bert.", ""]] + G)
case("no prefix in one layer", rename=[["bert.encoder.layer.0", "encoder.layer.0"]])
case("a prefix on the classifier", rename=[["classifier", "bert.classifier"]])
case("gamma beside weight", add={"bert.embeddings.LayerNorm.gamma": [[32], 7]}, refused="are the same one")
case("the first of two prefixes", add={"embeddings.LayerNorm.weight": [[32], 7]}, refused="are the same one")
case("another tensor", add={"loss_fct.weight": [[1], 1]}, warns='1 tensors have no place in the model of config.json, and are not used: "loss_fct.weight"')
case("a pretraining head", add={"cls.predictions.bias": [[700], 1], "cls.seq_relationship.bias": [[2], 1]}, warns='2 tensors have no place')
P = "bert.embeddings.position_ids"
case("positions", ids={P: list(range(64))})
case("positions reversed", ids={P: list(range(64))[::-1]}, refused="position 0 is 63") # transformers before 4.31 took them
case("positions all 0", ids={P: [0] * 64}, refused="position 1 is 0")
case("another prefix", rename=[["bert.", "model.bert."]], refused="word_embeddings.weight\" is missing") # the library makes them up
case("no bias of the classifier", rename=[["classifier.bias", "classifier.other"]], refused="classifier.bias\" is missing")
# Doubles, which the library makes float32, unless the configuration says otherwise.
F = 1 + 3 * 2.0**-26 # so that some are rounded up, and some down
case("doubles", doubles=F)
for d in ["float64", None]:
    case(f"doubles, dtype {d}", config={"dtype": d, "torch_dtype": DROP}, doubles=F)
# Types.
ONE = {"bert.embeddings.token_type_embeddings.weight": 1}
MIN = ["input_ids", "attention_mask"]
case("1 type", config={"type_vocab_size": 1}, rows=ONE)
case("1 type, no token_type_ids", config={"type_vocab_size": 1}, rows=ONE, tokenizer_config={"model_input_names": MIN})
case("1 type, a class without", config={"type_vocab_size": 1}, rows=ONE, tokenizer_config={"tokenizer_class": "DistilBertTokenizerFast"})
case("no token_type_ids", tokenizer_config={"model_input_names": MIN})
case("all inputs", tokenizer_config={"model_input_names": MIN + ["token_type_ids"]})
case("no inputs", tokenizer_config={"model_input_names": []})
case("inputs null", tokenizer_config={"model_input_names": None})
case("inputs a string", tokenizer_config={"model_input_names": "input_ids"}, refused="model_input_names")
for c in ["BertTokenizerFast", "ElectraTokenizer", "DistilBertTokenizer", "TokenizersBackend", None, DROP]:
    case(f"class {'missing' if c is DROP else c}", tokenizer_config={"tokenizer_class": c})
case("class PreTrainedTokenizerFast", tokenizer_config={"tokenizer_class": "PreTrainedTokenizerFast"}, warns="every token has type 0, as in transformers 5")
case("class PreTrainedTokenizerFast with inputs", tokenizer_config={"tokenizer_class": "PreTrainedTokenizerFast", "model_input_names": MIN + ["token_type_ids"]})
for c in ["RobertaTokenizer", "MPNetTokenizer", "Nope"]:
    case("class " + c, tokenizer_config={"tokenizer_class": c}, refused=f'tokenizer_class "{c}", want BertTokenizer')
# Lengths.
def cut(n, direction="Right", strategy="LongestFirst", stride=0):
    return {"truncation": {"direction": direction, "max_length": n, "strategy": strategy, "stride": stride}}
for n in [0, 2, 16, 128]:
    case(f"truncation of {n}", tokenizer=cut(n))
for v in [DROP, None, 1e30, 10**30, 512, 65]:
    case(f"truncation of 16, model_max_length {'missing' if v is DROP else v}", tokenizer=cut(16), tokenizer_config={"model_max_length": v})
case("truncation on the left", tokenizer=cut(16, "Left"))
case("truncation on the left, truncation_side right", tokenizer=cut(16, "Left"), tokenizer_config={"truncation_side": "right"})
case("truncation_side left", tokenizer=cut(16), tokenizer_config={"truncation_side": "left"})
case("truncation of the passage alone", tokenizer=cut(16, strategy="OnlySecond"))
case("truncation with a stride", tokenizer=cut(16, stride=4))
case("truncation upwards", tokenizer=cut(16, "Up"))
case("truncation a number", tokenizer={"truncation": 5})
case("padding to 48", tokenizer={"padding": {"strategy": {"Fixed": 48}, "direction": "Right", "pad_to_multiple_of": None, "pad_id": 0, "pad_type_id": 0, "pad_token": "[PAD]"}})
case("padding on the left", tokenizer={"padding": {"strategy": "BatchLongest", "direction": "Left", "pad_to_multiple_of": 8, "pad_id": 0, "pad_type_id": 0, "pad_token": "[PAD]"}})
case("max_length 16", tokenizer_config={"max_length": 16, "stride": 4, "truncation_strategy": "only_second"})
case("max_len 16", tokenizer_config={"max_len": 16, "model_max_length": DROP})
case("max_len 16, model_max_length 32", tokenizer_config={"max_len": 16, "model_max_length": 32})
for v in [63, 64, 32, 3, 2, 0, -1, 32.5, "32", "max"]:
    case(f"model_max_length {json.dumps(v)}", tokenizer_config={"model_max_length": v})
for v in ["Left", None, "up"]:
    case(f"truncation_side {v}", tokenizer_config={"truncation_side": v})

def change(folder, c):
    shutil.copytree(tiny, folder)
    for name in ["config", "tokenizer_config", "tokenizer"]:
        path = f"{folder}/{name}.json"
        fields = json.load(open(path))
        for k, v in c.get(name, {}).items():
            fields[k] = v
            if v == DROP: del fields[k]
        json.dump(fields, open(path, "w"))
    w = load_file(folder + "/model.safetensors")
    for old, new in c.get("rename", []):
        w = {n.replace(old, new): t for n, t in w.items()}
    for n, (shape, value) in c.get("add", {}).items(): w[n] = torch.full(shape, float(value))
    for n, ids in c.get("ids", {}).items(): w[n] = torch.tensor([ids])
    for n, rows in c.get("rows", {}).items(): w[n] = w[n][[i % len(w[n]) for i in range(rows)]].contiguous()
    if "doubles" in c: w = {n: t.double() * c["doubles"] for n, t in w.items()}
    save_file(w, folder + "/model.safetensors", metadata={"format": "pt"})

def ask(folder):
    m = CrossEncoder(folder, device="cpu", local_files_only=True)
    logits = [m.predict([p], activation_fn=torch.nn.Identity(), show_progress_bar=False).reshape(-1).tolist() for p in PAIRS]
    e = [m.tokenizer(*p, truncation=True) for p in PAIRS]
    return {"logits": [l[0] for l in logits], "activation": type(m.activation_fn).__name__, "max_length": m.max_seq_length,
            "lengths": [len(x["input_ids"]) for x in e], "types": 1 + max(max(x.get("token_type_ids", [0])) for x in e)}

with tempfile.TemporaryDirectory() as top:
    for i, c in enumerate(cases):
        folder = f"{top}/{i}"
        change(folder, c)
        try: c.update(ask(folder))
        except Exception as e: c["error"] = type(e).__name__
        assert "refused" not in c or "error" not in c, c
        assert "opened" not in c or "error" in c, c
        shutil.rmtree(folder)
        print(c["name"], c.get("error", ""), file=sys.stderr)
lines = ",\n".join(json.dumps(c) for c in cases) # a case a line, for people who read what changed
print('{"pairs": %s,\n"cases": [\n%s\n]}' % (json.dumps(PAIRS), lines))
