"""The ONNX graph of a checkpoint, in float32, with any batch and any length: the logits of a
cross-encoder, or the embeddings of all of an embedder's modules."""

import os
from importlib import metadata

from peer import once, to_embed


def onnx_path(opening):
    # Another version may write another graph, so that the name has it.
    made_by = f"torch-{metadata.version('torch')}-transformers-{metadata.version('transformers')}"
    if to_embed(opening):
        made_by += f"-sentence-transformers-{metadata.version('sentence-transformers')}"
    return os.path.join(opening["cache"], made_by + ".onnx")


def outputs_of(opening):
    """A function of the three inputs that returns the outputs."""
    import torch

    if to_embed(opening):
        from sentence_transformers import SentenceTransformer

        model = SentenceTransformer(
            opening["model"], device="cpu", model_kwargs={"dtype": torch.float32, "attn_implementation": "eager"}
        ).eval()
        return model, lambda **inputs: model(inputs)["sentence_embedding"]
    from transformers import AutoModelForSequenceClassification

    model = AutoModelForSequenceClassification.from_pretrained(
        opening["model"], dtype=torch.float32, attn_implementation="eager"
    ).eval()
    return model, lambda **inputs: model(**inputs).logits


def make_onnx(opening):
    def make(path):
        import torch

        torch.set_num_threads(opening["threads"])
        model, outputs = outputs_of(opening)

        class Graph(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.model = model

            def forward(self, input_ids, token_type_ids, attention_mask):
                return outputs(input_ids=input_ids, token_type_ids=token_type_ids, attention_mask=attention_mask)

        names = ["input_ids", "token_type_ids", "attention_mask"]
        torch.onnx.export(
            Graph(), tuple(torch.ones(1, 16, dtype=torch.long) for _ in names), path,
            input_names=names, output_names=["output"],
            dynamic_axes={name: {0: "batch", 1: "tokens"} for name in names} | {"output": {0: "batch"}},
            opset_version=17, dynamo=False,
        )

    return once(onnx_path(opening), make)
