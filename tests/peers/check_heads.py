"""Every head behind `suanli serve` as huggingface_hub's client and tritonclient ask for it: the answers of
`suanli predict`, and of question answering those of transformers.
usage: check_heads.py SUANLI WORK_FOLDER"""

import io
import json
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import huggingface_hub
import numpy as np
import requests
import tritonclient.http as triton
from PIL import Image

GOLDEN = Path(__file__).resolve().parent.parent / "golden" / "models"


class Server:
    def __init__(self, suanli, folder):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        command = [suanli, "serve", "--port", str(self.port), "--allow_root", "--model", str(folder), "--model_name", "m"]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)

    def __enter__(self):
        for _ in range(1500):
            try:
                if requests.get(self.url + "/health").status_code == 200:
                    break
            except requests.ConnectionError:
                assert self.process.poll() is None, self.process.stderr.read()
            time.sleep(0.02)
        self.client = huggingface_hub.InferenceClient(model=self.url, token="none")
        self.triton = triton.InferenceServerClient(f"127.0.0.1:{self.port}")
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(30)

    def predictions(self, inputs, **parameters):
        answer = requests.post(self.url + "/v2/models/m/predict", json={"inputs": inputs, "parameters": parameters})
        assert answer.status_code == 200, answer.text
        return answer.json()["predictions"]


def predict(suanli, folder, file, *more):
    out = subprocess.run([suanli, "predict", "--model", folder, "--input", file, *more], check=True, capture_output=True,
                         text=True).stdout
    return [json.loads(line) for line in out.splitlines()]


def table(suanli, work, regression):
    rng = np.random.default_rng(3)
    rows = [{"age": int(rng.integers(18, 80)), "income": round(float(rng.lognormal(8, 1)), 2),
             "town": str(rng.choice(["Bonn", "Paris", "Rome"]))} for _ in range(300)]
    file = work / "rows.jsonl"
    with open(file, "w") as out:
        for row in rows:
            score = row["age"] / 10 + (row["town"] == "Rome") * 3
            out.write(json.dumps({**row, "label": score if regression else ("high" if score > 5 else "low")}) + "\n")
    folder = work / "table"
    shutil.rmtree(folder, ignore_errors=True)
    task = "tabular-regression" if regression else "tabular-classification"
    subprocess.run([suanli, "train", "--task", task, "--train_file", file, "--output_dir", folder, "--hidden_sizes", "8",
                    "--num_train_epochs", "5", "--learning_rate", "0.01", "--label_column_name", "label",
                    "--save_strategy", "no"], check=True, capture_output=True)
    # The same rows together: a batch of another size may round sums otherwise.
    (work / "some.jsonl").write_text("".join(file.read_text().splitlines(keepends=True)[:20]))
    expected = predict(suanli, folder, work / "some.jsonl")
    columns = {name: [row[name] for row in rows[:20]] for name in ("age", "income", "town")}
    with Server(suanli, folder) as server:
        assert server.predictions(rows[:20]) == expected
        # Over the protocol: a tensor a column.
        inputs = []
        for name, values, kind in (("age", np.array(columns["age"], np.float64), "FP64"),
                                   ("income", np.array(columns["income"], np.float64), "FP64"),
                                   ("town", np.array(columns["town"], object), "BYTES")):
            tensor = triton.InferInput(name, [20], kind)
            tensor.set_data_from_numpy(values)
            inputs.append(tensor)
        answer = server.triton.infer("m", inputs)
        if regression:
            assert answer.as_numpy("value").tolist() == np.float32([row["value"] for row in expected]).tolist()
            # What tabular_regression sends; huggingface_hub 2.4 has it no longer for its own provider.
            assert requests.post(server.url, json={"table": columns}).json() == [row["value"] for row in expected]
        else:
            assert [x.decode() for x in answer.as_numpy("label")] == [row["label"] for row in expected]
            assert answer.as_numpy("score").tolist() == np.float32([row["score"] for row in expected]).tolist()
            assert server.client.tabular_classification(columns) == [row["label"] for row in expected]
            explained = requests.post(server.url + "/v2/models/m/explain", json={"inputs": rows[:1]}).json()
            assert [a["column"] for a in explained["explanations"][0]["attributions"]] == list(columns)
    print(f"{task}: predict, the protocol and huggingface_hub give what suanli predict gives")


def picture_folder(work, golden, size, channels):
    folder = work / golden.replace("/", "_")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for file in ("config.json", "model.safetensors"):
        shutil.copy(GOLDEN / golden / file, folder / file)
    (folder / "preprocessor_config.json").write_text(json.dumps(
        {"do_resize": True, "size": {"height": size, "width": size}, "image_mean": [0.5] * channels,
         "image_std": [0.5] * channels}))
    return folder


def pictures(suanli, work):
    y, x = np.mgrid[0:60, 0:90]
    pixels = np.stack([127 + 100 * np.sin(x / 9), 127 + 100 * np.cos(y / 7), (x * 2 + y) % 256], -1).astype(np.uint8)
    file = work / "picture.png"
    Image.fromarray(pixels).save(file)
    folder = picture_folder(work, "images/lenet", 28, 1)
    with Server(suanli, folder) as server:
        expected = predict(suanli, folder, file, "--top_k", "4")[0]["labels"]
        for asked in (server.client.image_classification(str(file)), server.client.image_classification(str(file), top_k=4)):
            assert [(a.label, np.float32(a.score)) for a in asked] == [(e["label"], np.float32(e["score"])) for e in expected]
        tensor = triton.InferInput("image", [1, *pixels.shape], "UINT8")
        tensor.set_data_from_numpy(pixels[None])
        assert server.triton.infer("m", [tensor]).as_numpy("label")[0].decode() == expected[0]["label"]
    print("image_classification: the same")
    folder = picture_folder(work, "detection", 64, 3)
    with Server(suanli, folder) as server:
        expected = predict(suanli, folder, file)[0]
        found = server.client.object_detection(str(file))
        assert len(found) == len(expected) > 0
        for ours, theirs in zip(expected, found):
            assert ours["label"] == theirs.label and ours["box"]["xmin"] == theirs.box.xmin, (ours, theirs)
    print("object_detection: the same")
    folder = picture_folder(work, "images/unet", 32, json.loads((GOLDEN / "images/unet/config.json").read_text()).get(
        "num_channels", 3))
    with Server(suanli, folder) as server:
        expected = predict(suanli, folder, file, "--output_dir", str(work / "masks"))[0]
        mask = np.array(Image.open(expected["mask"]))
        segments = server.client.image_segmentation(str(file))
        assert [s.label for s in segments] == [s["label"] for s in expected["segments"]]
        for segment, theirs in zip(segments, expected["segments"]):
            assert ((np.array(segment.mask) == 255) == (mask == theirs["value"])).all()
    print("image_segmentation: the same")


def questions(suanli):
    folder = GOLDEN / "question_pipeline"
    case = json.loads((folder / "answers.json").read_text())["cases"][0]
    with Server(suanli, folder) as server:
        best = server.client.question_answering(question=case["question"], context=case["context"])
        wanted = case["answers"][0]
        assert (best.answer, best.start, best.end) == (wanted["answer"], wanted["start"], wanted["end"]), best
        assert abs(best.score - wanted["score"]) < 1e-5
        five = server.client.question_answering(question=case["question"], context=case["context"], top_k=5)
        assert [a.answer for a in five] == [a["answer"] for a in case["answers"]]
        lines = subprocess.run([suanli, "predict", "--model", folder], check=True, capture_output=True, text=True, input=
                               json.dumps({"question": case["question"], "context": case["context"]}) + "\n").stdout
        assert server.predictions([{"question": case["question"], "context": case["context"]}]) == [json.loads(lines)]
    print("question_answering: as transformers' pipeline answers")


def series(suanli, work):
    folder = work / "forecast"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for file in ("config.json", "model.safetensors"):
        shutil.copy(GOLDEN / "forecast/linear" / file, folder / file)
    config = json.loads((folder / "config.json").read_text())
    config.setdefault("series_column", "y")
    (folder / "config.json").write_text(json.dumps(config))
    values = [float(v) for v in np.round(np.sin(np.arange(30) / 3) * 5, 3)]
    file = work / "series.csv"
    file.write_text("y\n" + "\n".join(map(str, values)) + "\n")
    expected = [row["value"] for row in predict(suanli, folder, file)]
    with Server(suanli, folder) as server:
        assert server.predictions([values]) == [{"forecast": expected}]
        tensor = triton.InferInput("series", [len(values)], "FP64")
        tensor.set_data_from_numpy(np.array(values))
        assert server.triton.infer("m", [tensor]).as_numpy("forecast")[0].tolist() == np.float32(expected).tolist()
    print("forecasting: the same")


def main():
    suanli, work = sys.argv[1], Path(sys.argv[2])
    work.mkdir(parents=True, exist_ok=True)
    questions(suanli)
    pictures(suanli, work)
    series(suanli, work)
    table(suanli, work, False)
    table(suanli, work, True)
    print("every head answers")


main()
