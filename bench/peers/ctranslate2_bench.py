"""CTranslate2: its Transformers converter's encoder in float32, bfloat16 or int8; pooling in numpy, it has none."""
import os

import ctranslate2
import numpy as np
from inference import main

TYPES = {"f32": "float32", "bf16": "bfloat16", "int8": "int8"}


def load(folder, precision, threads):
    if TYPES[precision] not in ctranslate2.get_supported_compute_types("cpu"):
        raise ValueError(f"{TYPES[precision]} is not among its types on this processor")
    encoder = ctranslate2.Encoder(os.path.join(folder, "ctranslate2"), device="cpu", compute_type=TYPES[precision],
                                  intra_threads=threads)

    def embed(ids, mask):
        lengths = mask.sum(1, dtype=np.int32)
        output = encoder.forward_batch(ctranslate2.StorageView.from_array(ids.astype(np.int32)),
                                       ctranslate2.StorageView.from_array(lengths),
                                       token_type_ids=[[0] * ids.shape[1]] * ids.shape[0])
        hidden = output.last_hidden_state
        if hidden.dtype != ctranslate2.DataType.float32:
            hidden = hidden.to(ctranslate2.DataType.float32)
        sums = np.einsum("blh,bl->bh", np.asarray(hidden), mask.astype(np.float32))
        return sums / np.linalg.norm(sums, axis=1, keepdims=True)

    return embed


if __name__ == "__main__":
    main(load, lambda: {"ctranslate2": ctranslate2.__version__}, __doc__)
