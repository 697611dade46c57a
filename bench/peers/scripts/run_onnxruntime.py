"""ONNX Runtime at its best on processors: no padding, and as many single-threaded calls at
once as there are threads. int8 is its own dynamic quantization, per channel."""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata

from export import make_onnx, onnx_path
from peer import feed, once, serve


class Peer:
    packages = ["onnxruntime"]

    def path(self, opening):
        path = onnx_path(opening)
        if opening["precision"] == "int8":
            path = path.removesuffix(".onnx") + f"-onnxruntime-{metadata.version('onnxruntime')}-int8.onnx"
        return path

    def prepare(self, opening, _):
        import onnxruntime  # missing is missing, before anything is made

        source = make_onnx(opening)
        if opening["precision"] == "int8":
            from onnxruntime.quantization import QuantType, quantize_dynamic

            once(self.path(opening), lambda path: quantize_dynamic(source, path, weight_type=QuantType.QInt8, per_channel=True))

    def open(self, opening):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        self.session = onnxruntime.InferenceSession(self.path(opening), options, providers=["CPUExecutionProvider"])
        self.callers = ThreadPoolExecutor(opening["threads"])
        quantized = ", quantize_dynamic per channel" if opening["precision"] == "int8" else ""
        return {"input": "ids", "unit": "pair", "how": f"one pair at a time, no padding, {opening['threads']} calls at once of a thread each{quantized}"}

    def take(self, rows):
        self.feeds = [feed(row) for row in rows]

    def one(self, inputs):
        begun = time.perf_counter()
        logit = self.session.run(None, inputs)[0].reshape(-1)[0]
        return logit, time.perf_counter() - begun

    def score(self, first, last):
        done = list(self.callers.map(self.one, self.feeds[first:last]))
        return [logit for logit, _ in done], [took for _, took in done]


serve(Peer())
