"""Real clients of gRPC against `suanli serve`: tritonclient.grpc, tei-client, grpcio-health-checking (the probe),
grpcio-reflection; TLS with its reload; answers beside those over HTTP; what a request costs beside HTTP.
usage: check_grpc.py SUANLI ENCODER_FOLDER [CLASSIFIER_FOLDER]"""

import atexit
import os
import re
import signal
import ssl
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import grpc
import numpy as np
import requests
import tei_client
import tritonclient.grpc as triton
import tritonclient.http
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from transformers import AutoTokenizer

SENTENCES = ["A man is playing the guitar.", "Un café, s'il vous plaît", "资产负债表", "ok", "word " * 150]


class Server:
    """Its ports are any that are free: the log says which."""

    def __init__(self, suanli, models, more=()):
        command = [suanli, "serve", "--port", "0", "--allow_root", *models, *more]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        atexit.register(self.process.kill)
        self.log = ""
        while not (found := re.search(r"serving gRPC at [\d.]+:(\d+)", self.log)):
            line = self.process.stderr.readline()
            assert line, self.log
            self.log += line
        self.grpc_port = int(found[1])
        self.port = int(re.search(r"serving at [\d.]+:(\d+)", self.log)[1])
        self.target = f"127.0.0.1:{self.grpc_port}"

    def stop(self):
        self.process.terminate()
        assert self.process.wait(30) == 0, self.process.returncode


def refused(call, code, part=""):
    try:
        call()
    except triton.InferenceServerException as error:
        assert error.status() == f"StatusCode.{code}" and part in error.message(), error
    except grpc.RpcError as error:
        assert error.code().name == code and part in error.details(), error
    else:
        raise AssertionError(f"expected {code}")


def text_input(client, texts):
    tensor = client.InferInput("text", [len(texts)], "BYTES")
    tensor.set_data_from_numpy(np.array(texts, dtype=object))
    return [tensor]


def check_triton(server, folder):
    client = triton.InferenceServerClient(server.target)
    assert client.is_server_live() and client.is_server_ready() and client.is_model_ready("encoder")
    assert client.get_server_metadata().name == "suanli"
    assert client.get_model_metadata("encoder").outputs[0].name == "embedding"
    over_http = tritonclient.http.InferenceServerClient(f"127.0.0.1:{server.port}")
    expected = over_http.infer("encoder", text_input(tritonclient.http, SENTENCES)).as_numpy("embedding")
    outputs = [triton.InferRequestedOutput("embedding")]
    answer = client.infer("encoder", text_input(triton, SENTENCES), outputs=outputs, request_id="17", priority=2,
                          client_timeout=20)
    assert answer.get_response().id == "17"
    assert np.array_equal(answer.as_numpy("embedding"), expected), "gRPC and HTTP differ"
    done = []
    client.async_infer("encoder", text_input(triton, SENTENCES), lambda result, error: done.append((result, error)))
    while not done:
        time.sleep(0.01)
    assert done[0][1] is None and np.array_equal(done[0][0].as_numpy("embedding"), expected)

    tokens = AutoTokenizer.from_pretrained(folder)(SENTENCES, padding=True, return_tensors="np")
    inputs = []
    for name in ("input_ids", "attention_mask"):
        inputs.append(triton.InferInput(name, tokens[name].shape, "INT64"))
        inputs[-1].set_data_from_numpy(tokens[name].astype(np.int64))
    from_tokens = client.infer("encoder", inputs).as_numpy("embedding")
    assert np.abs(from_tokens - expected).max() < 2e-5  # f32, another order of sums

    counts = client.get_inference_statistics("encoder").model_stats[0]
    assert counts.inference_stats.success.count >= 4 and counts.inference_count >= 20
    assert [m.name for m in client.get_model_repository_index().models] == ["encoder"]
    refused(lambda: client.load_model("encoder"), "PERMISSION_DENIED", "admin")
    refused(lambda: client.infer("encoder", []), "INVALID_ARGUMENT", "text")
    refused(lambda: client.infer("other", text_input(triton, SENTENCES)), "NOT_FOUND")
    refused(lambda: client.get_model_config("encoder"), "UNIMPLEMENTED")
    refused(lambda: client.infer("encoder", text_input(triton, SENTENCES), compression_algorithm="gzip"),
            "UNIMPLEMENTED")
    metrics = requests.get(f"http://127.0.0.1:{server.port}/metrics").text
    assert 'route="/inference.GRPCInferenceService/ModelInfer"' in metrics
    print("tritonclient.grpc: as over HTTP, to the bit")


def check_stream(server):
    """Many requests on one stream: their answers in order, errors among them, a client that reads as it writes."""
    client = triton.InferenceServerClient(server.target)
    texts = [SENTENCES[i % len(SENTENCES)] for i in range(300)]
    answers = []
    client.start_stream(lambda result, error: answers.append((result, error)))
    for i, text in enumerate(texts):
        model = "other" if i == 17 else "encoder"
        client.async_stream_infer(model, text_input(triton, [text]), request_id=str(i))
    end = time.time() + 60
    while len(answers) < len(texts) and time.time() < end:
        time.sleep(0.01)
    client.stop_stream()
    assert len(answers) == len(texts), len(answers)
    expected = {text: client.infer("encoder", text_input(triton, [text])).as_numpy("embedding") for text in SENTENCES}
    for i, (result, error) in enumerate(answers):
        if i == 17:
            assert error is not None and "no model of that name" in error.message(), error
            continue
        assert error is None and result.get_response().id == str(i), (i, error)
        # Which texts are computed together changes the order of sums.
        assert np.abs(result.as_numpy("embedding") - expected[texts[i]]).max() < 2e-5, i
    print(f"tritonclient.grpc: {len(texts)} requests on a stream, in order")


def check_tei(server):
    client = tei_client.GrpcClient(server.target)
    http = f"http://127.0.0.1:{server.port}"

    def over_http(path, **body):
        answer = requests.post(http + path, json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    info, known = client.info(), requests.get(http + "/info").json()
    assert info.server_model_id == known["model_id"] and info.max_input_length == known["max_input_length"]
    tokens = [[t.id for t in text.tokens] for text in client.tokenize(SENTENCES)]
    assert tokens == [[t["id"] for t in text] for text in over_http("/tokenize", inputs=SENTENCES)]
    assert client.decode(tokens) == over_http("/decode", ids=tokens)
    if info.server_model_type == tei_client.ModelType.Embedding:
        embeddings = np.array(client.embed(SENTENCES))
        assert np.abs(embeddings - np.array(over_http("/embed", inputs=SENTENCES))).max() < 2e-6
        for text, rows in zip(SENTENCES, client.embed_all(SENTENCES)):
            assert np.abs(np.array(rows) - np.array(over_http("/embed_all", inputs=text)[0])).max() < 2e-5
        refused(lambda: client.embed("word " * 600), "INVALID_ARGUMENT", "tokens")
        refused(lambda: client._stubs.predict.Predict(tei_client.clients.grpc_client.tei_pb2.PredictRequest()),
                "UNIMPLEMENTED", "classify")
    else:
        pairs = [(text, SENTENCES[0]) for text in SENTENCES]
        for asked in (SENTENCES, pairs):
            for raw in (False, True):
                theirs = over_http("/predict", inputs=[[*a] if isinstance(a, tuple) else [a] for a in asked],
                                   raw_scores=raw)
                for ours, expected in zip(client.classify(asked, raw_scores=raw), theirs):
                    assert [s.label for s in ours.scores] == [s["label"] for s in expected]
                    assert all(abs(s.score - e["score"]) < 2e-5 for s, e in zip(ours.scores, expected))
    print(f"tei-client: as over HTTP, a model of kind {info.server_model_type.value}")


def compare_messages(ours, theirs):
    """Every field of theirs is ours: name, number, type, messages within. Ours may have later ones."""
    fields = {f.name: f for f in ours.fields}
    for field in theirs.fields:
        own = fields[field.name]
        assert (own.number, own.type, own.is_repeated) == (field.number, field.type, field.is_repeated), field.full_name
        if field.message_type is not None:
            compare_messages(own.message_type, field.message_type)


def check_reflection(server):
    database = ProtoReflectionDescriptorDatabase(grpc.insecure_channel(server.target))
    services = list(database.get_services())
    for name in ("inference.GRPCInferenceService", "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection"):
        assert name in services, services
    service = DescriptorPool(database).FindServiceByName("inference.GRPCInferenceService")
    method = service.FindMethodByName("ModelInfer")
    assert method.input_type.fields_by_name["raw_input_contents"].number == 7
    ours = {m.name: {f.name: f.number for f in m.input_type.fields} for m in service.methods}
    theirs = triton.service_pb2.DESCRIPTOR.services_by_name["GRPCInferenceService"]
    for name, fields in ours.items():
        known = {f.name: f.number for f in theirs.methods_by_name[name].input_type.fields}
        assert fields.items() <= known.items(), (name, fields, known)
    theirs = tei_client.clients.grpc_client.tei_pb2.DESCRIPTOR.services_by_name
    for name in ("Info", "Embed", "Predict", "Rerank", "Tokenize"):
        for method in DescriptorPool(database).FindServiceByName(f"tei.v1.{name}").methods:
            known = theirs[name].methods_by_name[method.name]
            assert (method.client_streaming, method.server_streaming) == (known.client_streaming, known.server_streaming)
            for ours, other in ((method.input_type, known.input_type), (method.output_type, known.output_type)):
                compare_messages(ours, other)
    print(f"reflection: {services}")


def check_health(suanli, models):
    """The end of the server, as a load balancer sees it."""
    server = Server(suanli, models)
    stub = health_pb2_grpc.HealthStub(grpc.insecure_channel(server.target))
    for name in ("", "encoder", "inference.GRPCInferenceService"):
        assert stub.Check(health_pb2.HealthCheckRequest(service=name)).status == 1, name
    refused(lambda: stub.Check(health_pb2.HealthCheckRequest(service="other")), "NOT_FOUND")
    watch = stub.Watch(health_pb2.HealthCheckRequest(service="encoder"))
    assert next(watch).status == health_pb2.HealthCheckResponse.SERVING
    server.process.terminate()
    assert next(watch).status == health_pb2.HealthCheckResponse.NOT_SERVING
    assert list(watch) == []
    assert server.process.wait(30) == 0
    print("health: SERVING, then NOT_SERVING, then the end")


def certificate(folder, name):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-keyout", f"{folder}/{name}.key", "-out", f"{folder}/{name}.pem", "-days", "1", "-subj",
                    f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
    return Path(f"{folder}/{name}.pem").read_bytes(), Path(f"{folder}/{name}.key").read_bytes()


def check_tls(suanli, models):
    with tempfile.TemporaryDirectory() as folder:
        first, key = certificate(folder, "first")
        second, _ = certificate(folder, "second")
        own, own_key = certificate(folder, "client")
        for end in (".pem", ".key"):
            os.link(f"{folder}/first{end}", f"{folder}/used{end}")
        server = Server(suanli, models, ["--ssl_certfile", f"{folder}/used.pem", "--ssl_keyfile", f"{folder}/used.key",
                                         "--ssl_ca_certs", f"{folder}/client.pem"])

        def live(root, client_key, chain):
            # Arguments of its own, so that no connection of before is used again.
            options = [("grpc.use_local_subchannel_pool", 1)]
            credentials = grpc.ssl_channel_credentials(root, client_key, chain)
            with grpc.secure_channel(server.target, credentials, options) as channel:
                stub = triton.service_pb2_grpc.GRPCInferenceServiceStub(channel)
                texts = text_input(triton, SENTENCES * 6)[0]
                request = triton.service_pb2.ModelInferRequest(model_name="encoder")
                request.inputs.append(texts._get_tensor())
                request.raw_input_contents.append(texts._get_content())
                return len(stub.ModelInfer(request, timeout=5).raw_output_contents[0])

        assert live(first, own_key, own) == 6 * len(SENTENCES) * 384 * 4
        refused(lambda: live(second, own_key, own), "UNAVAILABLE")
        refused(lambda: live(first, None, None), "UNAVAILABLE")
        refused(lambda: live(first, key, first), "UNAVAILABLE")
        for alpn, version, expected in ((["h2"], ssl.TLSVersion.TLSv1_3, True), (["h2"], ssl.TLSVersion.TLSv1_2, False),
                                        (["http/1.1"], ssl.TLSVersion.TLSv1_3, False)):
            context = ssl.create_default_context(cadata=first.decode())
            context.load_cert_chain(f"{folder}/client.pem", f"{folder}/client.key")
            context.maximum_version = version
            context.set_alpn_protocols(alpn)
            try:
                with socket.create_connection(("127.0.0.1", server.grpc_port)) as plain:
                    with context.wrap_socket(plain, server_hostname="127.0.0.1") as stream:
                        assert expected and stream.selected_alpn_protocol() == "h2"
            except (ssl.SSLError, ConnectionResetError):
                assert not expected, (alpn, version)
        for end in (".pem", ".key"):
            os.replace(f"{folder}/second{end}", f"{folder}/used{end}")
        server.process.send_signal(signal.SIGHUP)
        for _ in range(100):
            try:
                live(second, own_key, own)
                break
            except grpc.RpcError:
                time.sleep(0.05)
        else:
            raise AssertionError("the new certificate is not used")
        server.stop()
    print("TLS: 1.3 alone, h2 alone, client certificates, reload")


def measure(server):
    """One text of 16 tokens, the two in turn: medians of 300 each."""
    text = ["a man is playing the guitar on a stage in front of many"]  # 14 words, [CLS], [SEP]
    over_grpc = triton.InferenceServerClient(server.target)
    over_http = tritonclient.http.InferenceServerClient(f"127.0.0.1:{server.port}")
    times = {triton: [], tritonclient.http: []}
    for i in range(350):
        for module, client in ((triton, over_grpc), (tritonclient.http, over_http)):
            inputs = text_input(module, text)
            begin = time.perf_counter()
            client.infer("encoder", inputs)
            if i >= 50:
                times[module].append(time.perf_counter() - begin)
    a, b = (statistics.median(times[m]) * 1e6 for m in (triton, tritonclient.http))
    ratio = statistics.median(x / y for x, y in zip(times[triton], times[tritonclient.http]))
    print(f"1x16 tokens, tritonclient: gRPC {a:.0f} us, HTTP {b:.0f} us, median of ratios {ratio:.2f}")


def main():
    suanli, encoder, *classifiers = sys.argv[1:]
    models = ["--model", encoder, "--model_name", "encoder"]
    server = Server(suanli, models)
    check_triton(server, encoder)
    check_stream(server)
    check_tei(server)
    check_reflection(server)
    measure(server)
    server.stop()
    for classifier in classifiers:
        server = Server(suanli, ["--model", classifier])
        check_tei(server)
        server.stop()
    check_health(suanli, models)
    check_tls(suanli, models)
    print("all clients of gRPC agree")


main()
