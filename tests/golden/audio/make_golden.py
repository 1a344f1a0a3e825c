"""Reference features for tests/audio: what transformers makes of a short sound.

Run: python make_golden.py     (numpy, scipy, soundfile, torch, transformers; versions are written into golden.json)
Writes sound.wav (16 bits), sound.flac (the same samples), stereo.wav (f32, two channels), values.bin, golden.json.
"""

import hashlib
import io
import json
import pathlib

import numpy
import scipy
import scipy.fft
import soundfile
import torch
import transformers
from transformers import ASTFeatureExtractor, WhisperFeatureExtractor, audio_utils

here = pathlib.Path(__file__).parent
rng = numpy.random.default_rng(3)
values = io.BytesIO()
rate = 16_000
t = numpy.arange(int(0.6 * rate)) / rate
sound = 0.3 * numpy.sin(2 * numpy.pi * (200 + 2_500 * t) * t) + 0.1 * numpy.sin(2 * numpy.pi * 5_000 * t)
sound = sound * (1 - 0.6 * t) + rng.normal(0, 0.02, t.shape)
pcm = numpy.round(sound * 32_768).clip(-32_768, 32_767).astype(numpy.int16)
samples = (pcm / 32_768).astype(numpy.float32)
soundfile.write(here / "sound.wav", pcm, rate)
soundfile.write(here / "sound.flac", pcm, rate)
soundfile.write(here / "stereo.wav", numpy.stack([samples, samples[::-1]], -1)[:500], rate, subtype="FLOAT")


def keep(array):
    array = numpy.ascontiguousarray(array, dtype=numpy.float32)
    place = {"offset": values.tell(), "shape": list(array.shape)}
    values.write(array.tobytes())
    return place


def whisper(**options):
    extractor = WhisperFeatureExtractor(**options)
    padded = numpy.zeros(extractor.n_samples, numpy.float32)
    padded[: len(samples)] = samples
    features = extractor._np_extract_fbank_features(padded[None], "cpu")[0].T  # the f64 path
    config = {"feature_extractor_type": "WhisperFeatureExtractor", **options}
    return {"config": config, "features": keep(features)}


def ast(**options):
    extractor = ASTFeatureExtractor(**options)
    features = extractor(samples, sampling_rate=rate, return_tensors="np")["input_values"][0]
    return {"config": {"feature_extractor_type": "ASTFeatureExtractor", **options}, "features": keep(features)}


def mfcc(n_fft, hop_length, n_mels, n_mfcc):
    """torchaudio.transforms.MFCC with its defaults, of audio_utils and SciPy."""
    bank = audio_utils.mel_filter_bank(n_fft // 2 + 1, n_mels, 0, rate // 2, rate, norm=None, mel_scale="htk")
    decibels = audio_utils.spectrogram(samples, audio_utils.window_function(n_fft, "hann"), n_fft, hop_length, power=2.0,
                                       mel_filters=bank, log_mel="dB", db_range=80.0, dtype=numpy.float64)
    features = scipy.fft.dct(decibels, type=2, norm="ortho", axis=0)[:n_mfcc].T
    config = {"feature_extractor_type": "MFCC", "n_fft": n_fft, "hop_length": hop_length, "n_mels": n_mels,
              "n_mfcc": n_mfcc}
    return {"config": config, "features": keep(features)}


def banks():
    cases = []
    for scale in ("htk", "slaney", "kaldi"):
        for norm in (None, "slaney"):
            for mel_space in (False, True):
                bank = audio_utils.mel_filter_bank(65, 11, 30.0, 7_000.0, 16_001, norm, scale, mel_space)
                cases.append({"scale": scale, "slaney_norm": norm is not None, "in_mel_space": mel_space,
                              "bank": keep(bank)})
    return cases


golden = {
    "versions": {m.__name__: m.__version__ for m in (numpy, scipy, soundfile, torch, transformers)},
    "samples": keep(samples),
    "banks": banks(),
    "windows": [{"kind": k, "periodic": p, "window": keep(audio_utils.window_function(10, k, p))}
                for k in ("boxcar", "hann", "hamming", "povey") for p in (False, True)],
    "features": [whisper(chunk_length=1), whisper(chunk_length=1, feature_size=128, hop_length=250),
                 ast(max_length=70), ast(max_length=40, num_mel_bins=32, do_normalize=False),
                 mfcc(400, 200, 128, 40), mfcc(512, 160, 40, 13)],
}
(here / "values.bin").write_bytes(values.getvalue())
golden["sha256"] = hashlib.sha256(values.getvalue()).hexdigest()
(here / "golden.json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")
