"""The ONNX graph of a checkpoint, in float32, with any batch and any length."""

import os
from importlib import metadata

from peer import once


def onnx_path(opening):
    # Another version may write another graph, so that the name has it.
    return os.path.join(opening["cache"], f"torch-{metadata.version('torch')}-transformers-{metadata.version('transformers')}.onnx")


def make_onnx(opening):
    def make(path):
        import torch
        from transformers import AutoModelForSequenceClassification

        torch.set_num_threads(opening["threads"])
        model = AutoModelForSequenceClassification.from_pretrained(
            opening["model"], dtype=torch.float32, attn_implementation="eager"
        ).eval()

        class Logits(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.model = model

            def forward(self, input_ids, token_type_ids, attention_mask):
                return self.model(
                    input_ids=input_ids, token_type_ids=token_type_ids, attention_mask=attention_mask
                ).logits

        names = ["input_ids", "token_type_ids", "attention_mask"]
        torch.onnx.export(
            Logits(), tuple(torch.ones(1, 16, dtype=torch.long) for _ in names), path,
            input_names=names, output_names=["logits"],
            dynamic_axes={name: {0: "batch", 1: "tokens"} for name in names} | {"logits": {0: "batch"}},
            opset_version=17, dynamo=False,
        )

    return once(onnx_path(opening), make)
