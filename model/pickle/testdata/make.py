"""Makes the files of this folder with PyTorch: one dict of tensors of every type, layout and
kind of sharing, saved in each way that there is, and what safetensors.torch writes of it.

    python3 make.py          # in this folder, with torch and safetensors

Made with torch 2.15.0 and safetensors 0.8.0.
"""

import zipfile
from collections import OrderedDict

import torch
from safetensors.torch import save

# How wide a storage's elements are, for turning them round.
WIDTHS = {"DoubleStorage": 8, "FloatStorage": 4, "HalfStorage": 2, "BFloat16Storage": 2, "LongStorage": 8,
          "IntStorage": 4, "ShortStorage": 2, "ComplexFloatStorage": 4}


def classic():
    """Tensors of the types that have a class of storages."""
    base = torch.randn(3, 4, 5, generator=torch.Generator().manual_seed(1))
    d = OrderedDict()
    d["f32"] = base
    d["tied"] = base
    d["transposed"] = base.transpose(0, 2)
    d["permuted.half"] = base.half().permute(1, 0, 2)
    d["slice"] = base[1:3, ::2, 1:4]
    d["row"] = base[1]
    d["scalar"] = torch.tensor(3.5)
    d["empty"] = torch.zeros(0, 4)
    d["expanded"] = torch.ones(1, 3).expand(4, 3)
    d["position_ids"] = torch.arange(6).expand((1, -1))
    d["bf16"] = base[0].bfloat16()
    d["f64.strided"] = base.double()[::2]
    for name, dtype in ("i32", torch.int32), ("i16", torch.int16), ("i8", torch.int8), ("u8", torch.uint8):
        d[name] = torch.arange(5, dtype=dtype) * 3
    d["bool"] = torch.tensor([True, False, True])
    d["c64"] = torch.tensor([1 + 2j, 3 - 4j], dtype=torch.complex64)
    d["parameter"] = torch.nn.Parameter(torch.ones(2))
    d["parameter.attribute"] = torch.nn.Parameter(torch.ones(2) * 2)
    d["parameter.attribute"].kept = False
    d["tensor.attribute"] = torch.ones(2) * 3
    d["tensor.attribute"].kept = 1
    d["ünicode.weight"] = torch.ones(1)
    d._metadata = OrderedDict([("", {"version": 1})])
    return d


def newer():
    """And of those that came later: their storages have no type."""
    d = classic()
    for name in "uint16", "uint32", "uint64":
        d[name] = torch.tensor([1, 2, 3]).to(getattr(torch, name))
    for name in "float8_e4m3fn", "float8_e5m2", "float8_e8m0fnu", "float8_e4m3fnuz", "float8_e5m2fnuz":
        d[name] = torch.tensor([1.0, 2.0, 4.0]).to(getattr(torch, name))
    return d


def expect(name, d):
    plain = {k: v.detach().contiguous().clone() for k, v in d.items()}
    with open(name, "wb") as f:
        f.write(save(plain, metadata={"format": "pt"}))


def repack(source, target, method, change=lambda name, data: data):
    with zipfile.ZipFile(source) as s, zipfile.ZipFile(target, "w", method) as t:
        for i in s.infolist():
            t.writestr(zipfile.ZipInfo(i.filename), change(i.filename, s.read(i)), method)


def storages(d):
    """The class of each storage, by its key: keys count up as storages come along."""
    classes, seen = {}, set()
    for tensor in d.values():
        storage = tensor.untyped_storage()
        if storage._cdata not in seen:
            seen.add(storage._cdata)
            classes[str(len(classes))] = torch.storage._dtype_to_storage_type_map()[tensor.dtype]
    return classes


def big_endian(name, data, classes):
    """An entry of a zip file as a machine of the other kind writes it."""
    if name.endswith("/byteorder"):
        return b"big"
    folder, _, key = name.rpartition("/data/")
    if not folder:
        return data
    width = WIDTHS.get(classes[key], 1)
    return b"".join(data[i : i + width][::-1] for i in range(0, len(data), width))


def main():
    old, new = classic(), newer()
    expect("classic.safetensors", old)
    expect("newer.safetensors", new)
    torch.save(new, "newer.bin")
    torch.save(new, "newer-protocol3.bin", pickle_protocol=3)
    torch.save(old, "classic-legacy.bin", _use_new_zipfile_serialization=False)
    torch.save(new, "newer-legacy.bin", _use_new_zipfile_serialization=False)
    torch.serialization.set_crc32_options(False)
    torch.save(new, "newer-nocrc.bin")
    torch.serialization.set_crc32_options(True)
    repack("newer.bin", "newer-deflated.bin", zipfile.ZIP_DEFLATED)
    torch.save(old, "classic.bin")
    classes = storages(old)
    repack("classic.bin", "classic-big.bin", zipfile.ZIP_STORED, lambda n, b: big_endian(n, b, classes))
    again = torch.load("classic-big.bin")
    for name, tensor in old.items():
        assert torch.equal(again[name], tensor), name


main()
