"""An embedder as sentence-transformers itself exports it to ONNX, for those that pool on their own."""

import os
import platform
from importlib import metadata

from peer import once


def onnx_folder(opening):
    return os.path.join(opening["cache"], f"sentence-transformers-{metadata.version('sentence-transformers')}-optimum-onnx-{metadata.version('optimum-onnx')}")


def make_onnx_folder(opening):
    """Makes the folder of the model with onnx/model.onnx in it."""

    def make(path):
        from sentence_transformers import SentenceTransformer

        model = SentenceTransformer(opening["model"], device="cpu", backend="onnx", model_kwargs={"export": True, "provider": "CPUExecutionProvider"})
        model.save_pretrained(path)

    return once(onnx_folder(opening), make)


def quantized_name():
    """What sentence-transformers calls the file that it quantizes for this processor."""
    return "arm64" if platform.machine().lower() in ("arm64", "aarch64") else "avx512_vnni"


def make_quantized(opening):
    folder = make_onnx_folder(opening)
    path = os.path.join(folder, "onnx", f"model_qint8_{quantized_name()}.onnx")
    if not os.path.exists(path):
        from sentence_transformers import SentenceTransformer, export_dynamic_quantized_onnx_model

        model = SentenceTransformer(folder, device="cpu", backend="onnx", model_kwargs={"provider": "CPUExecutionProvider"})
        export_dynamic_quantized_onnx_model(model, quantized_name(), folder)
