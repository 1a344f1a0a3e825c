"""A GGUF file with its matrices in another format: the same weights for a peer, without llama.cpp's own program.
usage: requantize_gguf.py FROM.gguf TO.gguf F32|Q8_0"""
import sys

import gguf
from gguf import GGUFReader, GGUFWriter
from gguf.quants import dequantize, quantize

source, target, name = sys.argv[1:]
reader = GGUFReader(source)
architecture = reader.fields["general.architecture"].contents()
writer = GGUFWriter(target, architecture)
for field in reader.fields.values():
    if field.name.startswith("GGUF.") or field.name in ("general.architecture", "general.file_type"):
        continue
    kind, values = field.types[0], field.contents()
    if kind == gguf.GGUFValueType.ARRAY:
        writer.add_array(field.name, values)
    else:
        writer.add_key_value(field.name, values, kind)
wanted = gguf.GGMLQuantizationType[name]
for tensor in reader.tensors:
    values = dequantize(tensor.data, tensor.tensor_type)
    matrix = len(tensor.shape) == 2
    kind = wanted if matrix else gguf.GGMLQuantizationType.F32
    writer.add_tensor(tensor.name, quantize(values, kind), raw_dtype=kind)
writer.write_header_to_file()
writer.write_kv_data_to_file()
writer.write_tensors_to_file()
writer.close()
