"""The encoder with mean pooling and normalisation as one ONNX file: export_onnx.py MODEL_FOLDER FILE.onnx."""
import os
import sys

os.environ.setdefault("HF_HUB_OFFLINE", "1")
import torch
from transformers import AutoModel


class Vectors(torch.nn.Module):
    def __init__(self, folder):
        super().__init__()
        self.encoder = AutoModel.from_pretrained(folder, attn_implementation="eager", add_pooling_layer=False).eval()

    def forward(self, input_ids, attention_mask):
        hidden = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        mask = attention_mask.unsqueeze(-1).to(hidden.dtype)
        return torch.nn.functional.normalize((hidden * mask).sum(1), dim=1)


def export_encoder(model, file):
    """Inputs input_ids and attention_mask [batch, length] i64, output vectors [batch, hidden] f32."""
    ids = torch.randint(1000, 30000, (2, 9))
    axes = {0: "batch", 1: "length"}
    torch.onnx.export(Vectors(model), (ids, torch.ones_like(ids)), file, dynamo=False,
                      input_names=["input_ids", "attention_mask"], output_names=["vectors"], opset_version=17,
                      dynamic_axes={"input_ids": axes, "attention_mask": axes, "vectors": {0: "batch"}})


if __name__ == "__main__":
    export_encoder(*sys.argv[1:])
