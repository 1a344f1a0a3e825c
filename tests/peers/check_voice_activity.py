"""The LSTM of Silero VAD in Suanli's ops: check_voice_activity.py VOICE_ACTIVITY MODEL_DIR [SOUND.wav]

MODEL_DIR is what scripts/fetch_voice_activity.sh wrote: the weights of the package's safetensors, and its TorchScript, which has
the same network with weights of another training. The check holds when examples/voice_activity.cpp gives speech probabilities
that differ by at most 1e-5 from torch.nn (LSTMCell, Conv1d; frame by frame with its state) with the first, and from the
TorchScript itself with the second, taken from it. SOUND: 16 kHz, one channel, 16 bits; without it four seconds of made-up
vowels between silence and noise.
"""
import os
import subprocess
import sys
import tempfile
import wave

import numpy as np
import torch
from safetensors.torch import load_file, save_file

RATE, FRAME, CONTEXT = 16000, 512, 64


def vowels():
    rng, t = np.random.default_rng(3), np.arange(RATE) / RATE
    pitch = 2 * np.pi * np.cumsum(130 + 20 * np.sin(2 * np.pi * 3 * t)) / RATE
    voiced = sum(np.exp(-((130 * k - 700) / 500) ** 2) * np.sin(k * pitch) for k in range(1, 25))
    voiced *= 0.15 * (0.6 + 0.4 * np.sin(2 * np.pi * 4 * t))
    return np.concatenate([np.zeros(RATE), voiced, 0.02 * rng.standard_normal(RATE), voiced[:RATE - 100]])


def by_torch(w, samples):
    cell = torch.nn.LSTMCell(128, 128)
    cell.load_state_dict({k.split(".")[1]: v for k, v in w.items() if k.startswith("lstm_cell")})
    conv, relu = torch.nn.functional.conv1d, torch.relu
    padded = torch.nn.functional.pad(samples, (CONTEXT, -len(samples) % FRAME))
    state, found = None, []
    for begin in range(CONTEXT, len(padded), FRAME):
        x = padded[begin - CONTEXT:begin + FRAME].reshape(1, 1, -1)
        x = conv(torch.nn.functional.pad(x, (0, 64), "reflect"), w["stft_conv.weight"], stride=128)
        x = (x[:, :129] ** 2 + x[:, 129:] ** 2).sqrt()
        for name, stride in (("conv1", 1), ("conv2", 2), ("conv3", 2), ("conv4", 1)):
            x = relu(conv(x, w[f"{name}.weight"], w[f"{name}.bias"], stride=stride, padding=1))
        state = cell(x.squeeze(-1), state)
        found.append(torch.sigmoid(conv(relu(state[0]).unsqueeze(-1), w["final_conv.weight"], w["final_conv.bias"])).item())
    return np.array(found)


def script_weights(script):
    """The 16 kHz weights of the TorchScript under the names of the safetensors."""
    state = script.state_dict()
    names = {"stft_conv.weight": "stft.forward_basis_buffer"}
    for part in ("weight", "bias"):
        names |= {f"conv{i + 1}.{part}": f"encoder.{i}.reparam_conv.{part}" for i in range(4)}
        names |= {f"lstm_cell.{part}_{side}": f"decoder.rnn.{part}_{side}" for side in ("ih", "hh")}
        names[f"final_conv.{part}"] = f"decoder.decoder.2.{part}"
    return {name: state[f"_model.{there}"].contiguous() for name, there in names.items()}


def by_script(script, samples):
    script.reset_states()
    padded = torch.nn.functional.pad(samples, (0, -len(samples) % FRAME))
    return np.array([script(frame.unsqueeze(0), RATE).item() for frame in padded.split(FRAME)])


def main():
    program, folder = sys.argv[1:3]
    torch.set_grad_enabled(False)
    script = torch.jit.load(os.path.join(folder, "silero_vad.jit"))
    with tempfile.TemporaryDirectory() as scratch:
        sound = sys.argv[3] if len(sys.argv) > 3 else os.path.join(scratch, "sound.wav")
        if len(sys.argv) <= 3:
            with wave.open(sound, "wb") as f:
                f.setparams((1, 2, RATE, 0, "NONE", ""))
                f.writeframes((np.clip(vowels(), -1, 1) * 32767).astype("<i2").tobytes())
        with wave.open(sound, "rb") as f:
            assert (f.getframerate(), f.getnchannels(), f.getsampwidth()) == (RATE, 1, 2)
            samples = torch.tensor(np.frombuffer(f.readframes(f.getnframes()), "<i2").astype(np.float32) / 32768)
        shipped, taken = os.path.join(folder, "model.safetensors"), os.path.join(scratch, "script.safetensors")
        save_file(script_weights(script), taken)
        for name, file, theirs in (("torch.nn", shipped, by_torch(load_file(shipped), samples)),
                                   ("the TorchScript", taken, by_script(script, samples))):
            run = subprocess.run([program, file, sound], check=True, capture_output=True, text=True)
            ours = np.array([float(line.split()[1]) for line in run.stdout.splitlines()])
            worst = np.abs(ours - theirs).max()
            assert len(ours) == len(theirs) and worst <= 1e-5, f"{name}: {worst}"
            print(f"{len(ours)} frames, {(ours > 0.5).mean():.0%} speech: within {worst:.1e} of {name}")


main()
