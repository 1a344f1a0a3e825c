"""An LSTM classifier of texts over torch.nn.LSTM, with the folder that Suanli reads."""
import json
import os
from types import SimpleNamespace

import torch
from safetensors.torch import load_file, save_file


class LstmClassifier(torch.nn.Module):
    """The last states of the top layer, to logits; all sequences of a batch have one length."""

    def __init__(self, config):
        super().__init__()
        self.config = config
        self.embedding = torch.nn.Embedding(config["vocab_size"], config["embedding_dim"])
        self.rnn = torch.nn.LSTM(config["embedding_dim"], config["hidden_size"], config["num_layers"],
                                 batch_first=True, dropout=config["dropout"])
        self.dropout = torch.nn.Dropout(config["dropout"])
        self.classifier = torch.nn.Linear(config["hidden_size"], config["num_labels"])

    def forward(self, input_ids, labels, attention_mask, token_type_ids):
        _, (last, _) = self.rnn(self.embedding(input_ids))
        return SimpleNamespace(loss=torch.nn.functional.cross_entropy(self.classifier(self.dropout(last[-1])), labels))

    def save_pretrained(self, folder):
        with open(os.path.join(folder, "config.json"), "w", encoding="utf-8") as f:
            json.dump(self.config, f, indent=2)
        save_file(self.state_dict(), os.path.join(folder, "model.safetensors"))

    @classmethod
    def from_pretrained(cls, folder):
        with open(os.path.join(folder, "config.json"), encoding="utf-8") as f:
            model = cls(json.load(f))
        model.load_state_dict(load_file(os.path.join(folder, "model.safetensors")))
        return model
