"""State dicts that torch.save wrote in its format before zip files, as one safetensors file, without torch.

usage: pt_to_safetensors.py OUT.safetensors PREFIX=FILE.pt ...      tensor NAME of FILE.pt becomes PREFIX.NAME

Such a file is five pickles, one after another: a magic number, the version, facts about the machine, the state dict, whose
tensors name their storages, and the list of those names; then each storage, its count of numbers (int64) and the numbers.
The unpickler knows what a state dict of f32 tensors is made of and refuses everything else: no code of the file runs.
"""
import array
import collections
import json
import pickle
import struct
import sys

MAGIC = 0x1950A86A20F9469CFC6C


class FloatStorage:
    """Stands for torch.FloatStorage."""


def rebuild(storage, offset, size, stride, *_):
    """Stands for torch._utils._rebuild_tensor_v2."""
    return storage, offset, size, stride


class StateDictUnpickler(pickle.Unpickler):
    KNOWN = {("collections", "OrderedDict"): collections.OrderedDict,
             ("torch", "FloatStorage"): FloatStorage,
             ("torch._utils", "_rebuild_tensor_v2"): rebuild}

    def find_class(self, module, name):
        if (module, name) not in self.KNOWN:
            raise ValueError(f"expected a state dict of f32 tensors, got {module}.{name}")
        return self.KNOWN[module, name]

    def persistent_load(self, saved):
        kind, storage, key, *_ = saved
        if kind != "storage" or storage is not FloatStorage:
            raise ValueError(f"expected a storage of f32, got {kind}")
        return key


def read(path):
    """Name -> (shape, bytes of f32), little endian."""
    with open(path, "rb") as file:
        load = lambda: StateDictUnpickler(file).load()
        if load() != MAGIC:
            raise ValueError(f"{path}: not a file of torch.save's older format")
        load(), load()  # the version and the machine
        tensors, keys, storages = load(), load(), {}
        for key in keys:
            (count,) = struct.unpack("<q", file.read(8))
            storages[key] = array.array("f", file.read(4 * count))
    return {name: (size, dense(storages[key], offset, size, stride))
            for name, (key, offset, size, stride) in tensors.items()}


def dense(numbers, offset, size, stride):
    """The bytes of a tensor row by row, whatever the order in its storage."""
    places = [offset]
    for count, step in zip(size, stride):
        places = [place + i * step for place in places for i in range(count)]
    return array.array("f", [numbers[place] for place in places]).tobytes()


def main(out, *parts):
    header, blob = {}, b""
    for part in parts:
        prefix, path = part.split("=", 1)
        for name, (shape, values) in sorted(read(path).items()):
            header[f"{prefix}.{name}"] = {"dtype": "F32", "shape": shape,
                                          "data_offsets": [len(blob), len(blob) + len(values)]}
            blob += values
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(out, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + blob)


if __name__ == "__main__":
    main(*sys.argv[1:])
