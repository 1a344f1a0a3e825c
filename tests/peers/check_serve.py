"""Real clients against `suanli serve`: openai, tritonclient, huggingface_hub, prometheus_client; answers against
sentence-transformers and transformers; schemathesis against the page of OpenAPI.
usage: check_serve.py SUANLI ENCODER_FOLDER CLASSIFIER_FOLDER"""

import atexit
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import huggingface_hub
import numpy as np
import openai
import requests
import torch
import tritonclient.http as triton
from prometheus_client.parser import text_string_to_metric_families
from sentence_transformers import SentenceTransformer
from transformers import AutoModelForSequenceClassification, AutoTokenizer

SENTENCES = ["A man is playing the guitar.", "Un café, s'il vous plaît", "资产负债表", "ok", "word " * 150]


class Server:
    def __init__(self, suanli, models, more=()):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        command = [suanli, "serve", "--port", str(self.port), "--grpc_port", "0", "--allow_root", *models, *more]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        atexit.register(self.process.kill)
        for _ in range(600):
            try:
                if requests.get(self.url + "/health").status_code == 200:
                    return
            except requests.ConnectionError:
                assert self.process.poll() is None, self.process.stderr.read()
            time.sleep(0.02)
        raise AssertionError("the server does not get ready")

    def stop(self):
        self.process.terminate()
        assert self.process.wait(30) == 0, self.process.returncode


def close(a, b, what):
    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    assert a.shape == b.shape, (what, a.shape, b.shape)
    assert np.abs(a - b).max() < 2e-5, (what, np.abs(a - b).max())  # f32, another order of sums
    print(f"{what}: largest difference {np.abs(a - b).max():.1e}")


def check_openai(server, expected):
    client = openai.OpenAI(base_url=server.url + "/v1", api_key="none", max_retries=0)
    for encoding in ("float", "base64"):
        answer = client.embeddings.create(model="any", input=SENTENCES, encoding_format=encoding)
        close([row.embedding for row in answer.data] if encoding == "float" else
              [np.frombuffer(__import__("base64").b64decode(row.embedding), np.float32)
               if isinstance(row.embedding, str) else row.embedding for row in answer.data], expected, f"openai {encoding}")
    assert answer.usage.prompt_tokens > 100
    short = client.embeddings.create(model="any", input=SENTENCES[0], dimensions=64)
    cut = expected[0][:64] / np.linalg.norm(expected[0][:64])
    close(short.data[0].embedding, cut, "openai dimensions")
    assert [m.id for m in client.models.list().data] == ["encoder"]
    assert client.models.retrieve("encoder").id == "encoder"
    try:
        client.embeddings.create(model="any", input=["x"] * 33)
        raise AssertionError("33 inputs were taken")
    except openai.BadRequestError as error:
        assert "at most 32" in error.message, error.message
    try:
        client.models.retrieve("other")
        raise AssertionError("a model that is not there")
    except openai.NotFoundError:
        pass


def check_triton(server, expected):
    client = triton.InferenceServerClient(f"127.0.0.1:{server.port}")
    assert client.is_server_live() and client.is_server_ready() and client.is_model_ready("encoder")
    assert "binary_tensor_data" in client.get_server_metadata()["extensions"]
    assert client.get_model_metadata("encoder")["outputs"][0]["name"] == "embedding"
    text = np.array(SENTENCES, dtype=object)
    for binary_in in (True, False):
        for binary_out in (True, False):
            tensor = triton.InferInput("text", [len(SENTENCES)], "BYTES")
            tensor.set_data_from_numpy(text, binary_data=binary_in)
            output = triton.InferRequestedOutput("embedding", binary_data=binary_out)
            answer = client.infer("encoder", [tensor], outputs=[output], request_id="17")
            assert answer.get_response()["id"] == "17"
            close(answer.as_numpy("embedding"), expected, f"triton, bytes in {binary_in}, out {binary_out}")
    statistics = client.get_inference_statistics("encoder")["model_stats"][0]
    assert statistics["inference_stats"]["success"]["count"] >= 4
    assert [m["name"] for m in client.get_model_repository_index()] == ["encoder"]
    try:
        client.load_model("encoder")
        raise AssertionError("anybody may load models")
    except triton.InferenceServerException as error:
        assert "admin" in str(error), error
    try:
        client.infer("encoder", [])
        raise AssertionError("no inputs")
    except triton.InferenceServerException as error:
        assert "text" in str(error), error


def check_triton_tokens(server, folder, expected):
    client = triton.InferenceServerClient(f"127.0.0.1:{server.port}")
    tokens = AutoTokenizer.from_pretrained(folder)(SENTENCES, padding=True, return_tensors="np")
    inputs = []
    for name in ("input_ids", "attention_mask"):
        tensor = triton.InferInput(name, tokens[name].shape, "INT64")
        tensor.set_data_from_numpy(tokens[name].astype(np.int64))
        inputs.append(tensor)
    close(client.infer("encoder", inputs).as_numpy("embedding"), expected, "triton, token ids")


def check_hub(server, expected):
    client = huggingface_hub.InferenceClient(model=server.url)
    close(client.feature_extraction(SENTENCES[0])[0], expected[0], "huggingface_hub feature_extraction")
    cosines = client.sentence_similarity(SENTENCES[0], other_sentences=SENTENCES[1:3])
    close(cosines, expected[1:3] @ expected[0], "huggingface_hub sentence_similarity")


def check_metrics(server):
    families = {f.name: f for f in text_string_to_metric_families(requests.get(server.url + "/metrics").text)}
    for name in ("suanli_requests", "suanli_request_duration_seconds", "suanli_queue_duration_seconds",
                 "suanli_batch_size", "suanli_batch_tokens", "suanli_tokens", "suanli_queue_size"):
        assert families[name].samples, name
    print(f"prometheus_client reads {len(families)} families")


def check_openapi(server):
    """Requests that fit the page and such that do not: every answer is one that the page describes."""
    checks = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [Path(sys.executable).parent / "schemathesis", "run", server.url + "/api-doc/openapi.json",
             "--checks", checks, "--phases", "coverage,fuzzing", "--max-examples", "50", "--seed", "1",
             "--suppress-health-check", "all", "--warnings", "off", "--generation-database", "none"],
            cwd=folder, check=True)
    assert requests.get(server.url + "/health").status_code == 200


def check_classifier(suanli, folder):
    server = Server(suanli, ["--model", folder, "--model_name", "classifier"])
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModelForSequenceClassification.from_pretrained(folder)
    with torch.no_grad():
        logits = model(**tokenizer(SENTENCES, padding=True, truncation=True, return_tensors="pt")).logits.numpy()
    labels = [model.config.id2label[i] for i in range(logits.shape[1])]
    answers = requests.post(server.url + "/predict", json={"inputs": [[s] for s in SENTENCES], "raw_scores": True}).json()
    close([[next(a["score"] for a in answer if a["label"] == label) for label in labels] for answer in answers], logits,
          "predict")
    client = huggingface_hub.InferenceClient(model=server.url)
    best = client.text_classification(SENTENCES[0])[0]
    assert best.label == labels[int(logits[0].argmax())], best
    tensor = triton.InferInput("text", [len(SENTENCES)], "BYTES")
    tensor.set_data_from_numpy(np.array(SENTENCES, dtype=object))
    answer = triton.InferenceServerClient(f"127.0.0.1:{server.port}").infer("classifier", [tensor])
    close(answer.as_numpy("logits"), logits, "triton, classifier")
    assert [x.decode() for x in answer.as_numpy("label")] == [labels[i] for i in logits.argmax(1)]
    server.stop()


def check_reload(suanli, folder):
    """Loads under requests, at the admin socket: no request fails."""
    with tempfile.TemporaryDirectory() as repository:
        shutil.copytree(folder, Path(repository) / "encoder")
        admin = str(Path(repository) / "admin")
        server = Server(suanli, ["--model_repository", repository], ["--admin_socket", admin])
        import http.client

        class Admin(http.client.HTTPConnection):
            def connect(self):
                self.sock = socket.socket(socket.AF_UNIX)
                self.sock.connect(admin)

        versions = set()
        for _ in range(3):
            connection = Admin("here")
            connection.request("POST", "/v2/repository/models/encoder/load", body="{}")
            for _ in range(3):
                assert requests.post(server.url + "/embed", json={"inputs": SENTENCES}).status_code == 200
            assert connection.getresponse().status == 200
            versions.add(requests.get(server.url + "/v2/models/encoder").json()["versions"][0])
        assert versions == {"2", "3", "4"}, versions
        server.stop()
    print("three reloads under requests: none failed")


def main():
    suanli, encoder, classifier = sys.argv[1:]
    expected = SentenceTransformer(encoder, device="cpu").encode(SENTENCES, normalize_embeddings=True)
    server = Server(suanli, ["--model", encoder, "--model_name", "encoder"])
    check_openai(server, expected)
    check_triton(server, expected)
    check_triton_tokens(server, encoder, expected)
    check_hub(server, expected)
    check_metrics(server)
    check_openapi(server)
    server.stop()
    check_classifier(suanli, classifier)
    check_reload(suanli, encoder)
    print("all clients agree")


main()
