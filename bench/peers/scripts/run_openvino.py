"""OpenVINO at its best: the throughput hint, a request in flight for each thread, no padding.
int8 is by nncf, calibrated with pairs that are not measured."""

import hashlib
import json
import os
import sys
import time
from importlib import metadata

# OpenVINO and nncf send figures of their use to their makers where this can be imported, and go
# without where it cannot.
sys.modules["openvino_telemetry"] = None

from export import make_onnx, onnx_path
from peer import feed, once, serve, to_embed


class Peer:
    packages = ["openvino"]

    def folder(self, opening):
        return onnx_path(opening).removesuffix(".onnx") + f"-openvino-{metadata.version('openvino')}"

    def prepare(self, opening, rows):
        import openvino

        source = self.folder(opening)
        once(source + "/f32.xml", lambda path: self.save(openvino.convert_model(make_onnx(opening)), path))
        if opening["precision"] == "int8":
            import nncf

            def quantize(path):
                model = openvino.Core().read_model(source + "/f32.xml")
                self.save(nncf.quantize(
                    model, nncf.Dataset(rows, feed), model_type=nncf.ModelType.TRANSFORMER,
                    subset_size=len(rows), preset=nncf.QuantizationPreset.MIXED,
                ), path)

            once(self.int8(opening, rows), quantize)
            with open(source + "/int8.json", "w", encoding="utf-8") as file:
                json.dump(self.int8(opening, rows), file)

    def int8(self, opening, rows):
        texts = hashlib.sha256(json.dumps([row["ids"] for row in rows]).encode()).hexdigest()[:12]
        return self.folder(opening) + f"/int8-nncf-{metadata.version('nncf')}-{texts}.xml"

    def save(self, model, path):
        import openvino

        # The weights lie beside the graph, under the graph's name, which must be the last one.
        final = path.rsplit(".", 2)[0]
        openvino.save_model(model, path, compress_to_fp16=False)
        os.replace(path.removesuffix(".xml") + ".bin", final.removesuffix(".xml") + ".bin")

    def open(self, opening):
        import openvino

        precision, path, how = opening["precision"], self.folder(opening) + "/f32.xml", ""
        if precision == "int8":
            with open(self.folder(opening) + "/int8.json", encoding="utf-8") as file:
                path = json.load(file)
            self.packages = ["openvino", "nncf"]
            how = ", quantized by nncf"
        core = openvino.Core()
        self.compiled = core.compile_model(core.read_model(path), "CPU", {
            "PERFORMANCE_HINT": "THROUGHPUT",
            "INFERENCE_NUM_THREADS": opening["threads"],
            "INFERENCE_PRECISION_HINT": {"f32": "f32", "bf16": "bf16", "int8": "f32"}[precision],
        })
        self.flight = max(2, opening["threads"])
        self.result = (lambda output: output.copy()) if to_embed(opening) else (lambda output: float(output[0]))
        unit = "text" if to_embed(opening) else "pair"
        return {"input": "ids", "unit": unit, "how": f"one {unit} a request, no padding, throughput hint, {self.flight} requests in flight{how}"}

    def take(self, rows):
        self.feeds = [feed(row) for row in rows]

    def score(self, first, last):
        import openvino

        n = last - first
        scores, seconds = [0.0] * n, [0.0] * n
        queue = openvino.AsyncInferQueue(self.compiled, self.flight)

        def done(request, started):
            at, begun = started
            scores[at] = self.result(request.get_output_tensor(0).data.reshape(-1))
            seconds[at] = time.perf_counter() - begun

        queue.set_callback(done)
        for at, inputs in enumerate(self.feeds[first:last]):
            queue.start_async(inputs, (at, time.perf_counter()))
        queue.wait_all()
        return scores, seconds


serve(Peer())
