"""Compares Suanli's verdicts on the safetensors corpus with those of the PyPI package.

  SUANLI_CORPUS=folder formats_test --gtest_filter='*TheCorpusIsWrittenForThePeer'
  python check_safetensors_peers.py folder

Every file that Suanli accepts must be accepted by the reference, with the same metadata, names, dtypes, shapes and
bytes. The other way round Suanli may be stricter; those cases are printed. Needs: safetensors 0.4 or later.
"""
import json
import pathlib
import sys

import safetensors


def sizes_of(text):
    return [int(size) for size in text.split(",")] if text.strip() else []


def main(folder):
    verdicts = json.loads((folder / "verdicts.json").read_text())
    wrong, stricter = [], []
    for verdict in verdicts:
        whole = (folder / verdict["file"]).read_bytes()
        try:
            peer = dict(safetensors.deserialize(whole))
            header = json.loads(whole[8 : 8 + int.from_bytes(whole[:8], "little")])
        except Exception as error:  # the reference raises its own type, json another
            if verdict["accepted"]:
                wrong.append(f"{verdict['case']}: accepted here, refused there: {error}")
            continue
        if not verdict["accepted"]:
            stricter.append(verdict["case"])
            continue
        ours = verdict.get("tensors") or {}
        if set(ours) != set(peer):
            wrong.append(f"{verdict['case']}: names {sorted(ours)} here, {sorted(peer)} there")
            continue
        if (verdict["metadata"] or {}) != header.get("__metadata__", {}):
            wrong.append(f"{verdict['case']}: metadata differ")
        data = whole[8 + int.from_bytes(whole[:8], "little") :]
        for name, tensor in ours.items():
            theirs = peer[name]
            same = (
                tensor["dtype"] == theirs["dtype"]
                and sizes_of(tensor["sizes"]) == list(theirs["shape"])
                and data[tensor["begin"] : tensor["end"]] == bytes(theirs["data"])
            )
            if not same:
                wrong.append(f"{verdict['case']}: tensor {name!r} differs: {tensor} here, {theirs} there")
    accepted = sum(verdict["accepted"] for verdict in verdicts)
    print(f"safetensors {safetensors.__version__}: {len(verdicts)} files, {accepted} accepted here, {len(wrong)} disagreements")
    print(f"{len(stricter)} accepted by the reference alone: " + "; ".join(stricter))
    print("\n".join(wrong))
    return 1 if wrong or accepted == 0 else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1])))
