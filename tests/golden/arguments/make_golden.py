"""Names and defaults of transformers' TrainingArguments for tests/train/arguments_test.cpp.

Run: python make_golden.py > training_arguments.json
"""

import dataclasses
import json
import sys

import transformers

plain = (bool, int, float, str)
defaults = {
    f.name: (f.default if isinstance(f.default, plain) else None) for f in dataclasses.fields(transformers.TrainingArguments)
}
json.dump({"transformers": transformers.__version__, "defaults": defaults}, sys.stdout, indent=1)
print()
