"""Values and gradients of PyTorch for tests/ops, one entry per case of tests/ops/cases.cpp.

Run: python make_golden.py      (writes ops.safetensors and ops.json beside itself)

Everything is f64 on one CPU thread. An entry NAME holds NAME/x0, NAME/x1, ... (the float inputs in their order), the
integers it uses (NAME/ids, ...), NAME/dy (the gradient given to the result), NAME/y and NAME/dx0, ... PyTorch's dropout
draws its own numbers, so that masks are made here by the formula of src/kernels/dropout_key.h, written anew.
"""

import hashlib
import json
import pathlib

import numpy as np
import safetensors
import torch
import torch.nn.functional as F
import torchvision
from safetensors.numpy import save_file
from torchvision.ops import roi_align, sigmoid_focal_loss

torch.set_num_threads(1)
rng = np.random.default_rng(20240607)
entries = {}


def philox(seed, step, site, index):
    """Philox4x32-10 (Salmon et al. 2011)."""
    mask = 0xFFFFFFFF
    c = [index & mask, index >> 32, step, site]
    k0, k1 = seed & mask, seed >> 32
    for _ in range(10):
        p0, p1 = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(p1 >> 32) ^ c[1] ^ k0, p1 & mask, (p0 >> 32) ^ c[3] ^ k1, p0 & mask]
        k0, k1 = (k0 + 0x9E3779B9) & mask, (k1 + 0xBB67AE85) & mask
    return c


def dropout_factors(indices, probability, seed, step, site):
    p = np.float32(probability)
    threshold = int(float(p) * 4294967296.0 + 0.5)
    kept = float(np.float32(1) / (np.float32(1) - p))
    return torch.tensor([kept if philox(seed, step, site, int(i) // 4)[int(i) % 4] >= threshold else 0.0 for i in indices],
                        dtype=torch.float64)


def normal(*shape, size=1.0):
    return rng.standard_normal(shape) * size


def case(name, function, inputs, constants=0, **integers):
    """`constants` of the inputs, the last ones, take no gradient."""
    tensors = [torch.tensor(x, dtype=torch.float64) for x in inputs]
    for tensor in tensors[: len(tensors) - constants]:
        tensor.requires_grad_(True)
    y = function(*tensors)
    dy = torch.tensor(normal(*y.shape), dtype=torch.float64).reshape(y.shape)
    if y.requires_grad:
        y.backward(dy)
    for i, tensor in enumerate(tensors):
        entries[f"{name}/x{i}"] = tensor.detach().numpy().copy()
        if tensor.requires_grad:
            entries[f"{name}/dx{i}"] = tensor.grad.numpy().copy()
    for key, values in integers.items():
        entries[f"{name}/{key}"] = np.array(values, dtype=np.int32)
    entries[f"{name}/y"] = y.detach().numpy().reshape(-1).copy()
    entries[f"{name}/dy"] = dy.numpy().reshape(-1).copy()


def attention(qkv, offsets, heads, dropout=None, causal=False):
    width = qkv.shape[1] // 3
    size = width // heads
    rows = []
    for begin, end in zip(offsets[:-1], offsets[1:]):
        if begin == end:
            continue
        q, k, v = (part.reshape(end - begin, heads, size).transpose(0, 1) for part in qkv[begin:end].split(width, dim=1))
        if dropout is None:
            out = F.scaled_dot_product_attention(q[None], k[None], v[None], is_causal=causal)[0]
        else:
            later = torch.ones(end - begin, end - begin, dtype=torch.bool).triu(1) & causal
            p = torch.softmax((q @ k.transpose(1, 2) / size**0.5).masked_fill(later, -torch.inf), dim=-1)
            index = [((a * qkv.shape[0] + begin + i) << 20) + j
                     for a in range(heads) for i in range(end - begin) for j in range(end - begin)]
            out = (p * dropout_factors(index, *dropout).reshape(p.shape)) @ v
        rows.append(out.transpose(0, 1).reshape(end - begin, width))
    return torch.cat(rows)


def segment_mean(x, offsets):
    return torch.stack([x[b:e].mean(dim=0) if e > b else torch.zeros(x.shape[1], dtype=x.dtype)
                        for b, e in zip(offsets[:-1], offsets[1:])])


def cross_entropy(x, labels, normalizer=None, ignore=-100, **options):
    labels = torch.tensor(labels, dtype=torch.int64)
    loss = F.cross_entropy(x, labels, ignore_index=ignore, reduction="sum" if normalizer else "mean", **options)
    return loss / normalizer if normalizer else loss


def dropout_add_layer_norm(x, residual, weight, bias, factors):
    return F.layer_norm(residual + x * factors.reshape(x.shape), (x.shape[1],), weight, bias, 1e-5)


case("add", torch.add, [normal(3, 5), normal(3, 5)])
offsets = [0, 5, 5, 12]
case("attention", lambda x: attention(x, offsets, 2), [normal(12, 24)], offsets=offsets)
case("attention dropout", lambda x: attention(x, offsets, 2, (0.25, 9, 4, 2)), [normal(12, 24)], offsets=offsets)
targets = rng.uniform(size=(4, 3))
case("bce_with_logits", F.binary_cross_entropy_with_logits, [normal(4, 3, size=3), targets], constants=1)
case("bce_with_logits normalizer",
     lambda x, t: F.binary_cross_entropy_with_logits(x, t, reduction="sum") / 7, [normal(4, 3, size=3), targets], constants=1)
case("cast", lambda x: x.to(torch.float64), [normal(9)])
labels = [3, -100, 0, 6, 2, -100]
case("cross_entropy", lambda x: cross_entropy(x, labels), [normal(6, 7, size=2)], labels=labels)
case("cross_entropy smoothing", lambda x: cross_entropy(x, labels, label_smoothing=0.1), [normal(6, 7, size=2)],
     labels=labels)
kept_labels = [3, 2, 0, 6, 2, 5]
case("cross_entropy normalizer", lambda x: cross_entropy(x, kept_labels, normalizer=5, ignore=2, label_smoothing=0.2),
     [normal(6, 7, size=2)], labels=kept_labels)
factors = dropout_factors(range(45), 0.3, 9, 4, 2)
case("dropout", lambda x: x * factors.reshape(x.shape), [normal(5, 9)])
normed = [normal(5, 9), normal(5, 9), normal(9), normal(9)]
case("dropout_add_layer_norm", lambda *x: dropout_add_layer_norm(*x, factors), normed)
case("dropout_add_layer_norm no dropout", lambda *x: dropout_add_layer_norm(*x, torch.ones(45, dtype=torch.float64)), normed)
ids = [1, 6, 1, 0, 1]
case("embedding", lambda w: F.embedding(torch.tensor(ids), w), [normal(7, 5)], ids=ids)
case("embedding narrow", lambda w: F.embedding(torch.tensor(ids), w), [normal(7, 5)], ids=ids)
case("gelu", F.gelu, [normal(4, 9, size=2)])
case("gelu_tanh", lambda x: F.gelu(x, approximate="tanh"), [normal(4, 9, size=2)])
rows = [5, 0, 5, 2]
case("index_select", lambda x: torch.index_select(x, 0, torch.tensor(rows)), [normal(6, 4)], rows=rows)
case("layer_norm", lambda x, w, b: F.layer_norm(x, (9,), w, b, 1e-5), [normal(4, 9), normal(9), normal(9)])
case("linear", F.linear, [normal(5, 7), normal(3, 7), normal(3)])
case("linear no bias", F.linear, [normal(5, 7), normal(3, 7)])
case("mse_loss", F.mse_loss, [normal(4, 3), normal(4, 3)], constants=1)
case("mse_loss normalizer", lambda x, t: F.mse_loss(x, t, reduction="sum") / 7, [normal(4, 3), normal(4, 3)], constants=1)
case("multiply", torch.mul, [normal(3, 5), normal(3, 5)])
case("normalize", lambda x: F.normalize(x), [normal(4, 9)])
case("normalize below eps", lambda x: F.normalize(x, eps=100.0), [normal(4, 9)])
case("relu", F.relu, [normal(4, 9, size=2)])
case("row_dot", lambda a, b: torch.linalg.vecdot(a, b), [normal(4, 9), normal(4, 9)])
case("scale", lambda x: torch.mul(x, -1.7), [normal(9)])
segments = [0, 3, 3, 9]
case("segment_mean", lambda x: segment_mean(x, segments), [normal(9, 4)], offsets=segments)
case("sigmoid", torch.sigmoid, [normal(4, 9, size=2)])
case("tanh", torch.tanh, [normal(4, 9, size=2)])

layer = [normal(5, 7), normal(6, 7), normal(6), normal(3, 6), normal(3)]
for activation in ("none", "tanh"):
    case("feed_forward" + (" tanh" if activation == "tanh" else ""),
         lambda x, w, b, v, c: F.linear(F.gelu(F.linear(x, w, b), approximate=activation), v, c), layer)


def quantized(x):
    """x [rows, width] rounded to 8 bits, a scale for each row, in f64."""
    scale = (x.float().abs().amax(dim=1) / 127).float()
    zero = torch.zeros(len(scale), dtype=torch.int32)
    values = torch.fake_quantize_per_channel_affine(x.float(), scale, zero, 0, -127, 127)
    integers = torch.round(values.double() / scale.double()[:, None])  # what f32 rounded when it multiplied by the scale
    return integers * scale.double()[:, None]


# At the end, so that the numbers of the cases above stay what they are.
quantized_inputs = [normal(5, 7), normal(3, 7), normal(3)]
case("quantized_linear", lambda x, w, b: F.linear(quantized(x), quantized(w), b), quantized_inputs, constants=3)
case("quantized_linear gelu", lambda x, w, b: F.gelu(F.linear(quantized(x), quantized(w), b)), quantized_inputs, constants=3)
case("quantized_linear no bias", lambda x, w: F.linear(quantized(x), quantized(w)), quantized_inputs[:2], constants=2)
case("attention causal", lambda x: attention(x, offsets, 2, causal=True), [normal(12, 24)], offsets=offsets)
case("attention causal dropout", lambda x: attention(x, offsets, 2, (0.25, 9, 4, 2), causal=True), [normal(12, 24)],
     offsets=offsets)


# Images. Ours lie channels last, [B,H,W,C]; PyTorch's functions take [B,C,H,W]. The numbers have a generator of their own.
rng = np.random.default_rng(20261122)


def first(x):
    return x.permute(0, 3, 1, 2)


def last(x):
    return x.permute(0, 2, 3, 1).contiguous()


def over_images(name, function, shape, *parameters):
    def channels_last(x, *rest):  # so lie the weights of convolutions, too
        return last(function(first(x), *[first(p) if p.ndim == 4 else p for p in rest]))
    case(name, channels_last, [normal(*shape)] + [normal(*p) for p in parameters])


over_images("avg_pool2d", lambda x: F.avg_pool2d(x, 2), (2, 6, 4, 5))
over_images("avg_pool2d padded", lambda x: F.avg_pool2d(x, 3, 2, 1), (1, 7, 6, 3))
over_images("avg_pool2d edge", lambda x: F.avg_pool2d(x, (3, 2), 2, 1, ceil_mode=True, count_include_pad=False), (1, 6, 5, 3))
case("avg_pool2d global", lambda x: F.adaptive_avg_pool2d(first(x), 1).flatten(1), [normal(2, 3, 4, 5)])
for relu in (False, True):
    for training in (True, False):
        def batch_norm(x, w, b, relu=relu, training=training):
            c = torch.arange(5, dtype=torch.float64)
            y = F.batch_norm(x, 0.1 * c - 0.2, 0.5 + 0.25 * c, w, b, training, 0.1, 1e-3)
            return F.relu(y) if relu else y
        over_images("batch_norm" + "_relu" * relu + " eval" * (not training), batch_norm, (2, 3, 4, 5), (5,), (5,))
case("cat", lambda a, b: torch.cat([a, b], dim=1), [normal(3, 4), normal(3, 2)])
case("channels_first", lambda x: first(x).contiguous(), [normal(2, 3, 4, 5)])
case("channels_last", last, [normal(2, 5, 3, 4)])
over_images("conv2d", lambda x, w, b: F.conv2d(x, w, b, padding=1), (2, 5, 6, 3), (4, 3, 3, 3), (4,))
over_images("conv2d strides", lambda x, w, b: F.conv2d(x, w, b, (2, 1), (1, 0), (1, 2)), (2, 7, 6, 3), (4, 3, 2, 3), (4,))
over_images("conv2d one pixel", lambda x, w: F.conv2d(x, w), (2, 3, 4, 5), (6, 1, 1, 5))
over_images("conv2d groups", lambda x, w, b: F.conv2d(x, w, b, padding=1, groups=2), (1, 5, 4, 6), (4, 3, 3, 3), (4,))
over_images("conv2d depthwise", lambda x, w, b: F.conv2d(x, w, b, 2, 1, groups=6), (2, 5, 4, 6), (6, 3, 3, 1), (6,))
over_images("conv_transpose2d", lambda x, w, b: F.conv_transpose2d(x, w, b, 2), (2, 3, 4, 3), (3, 2, 2, 4), (4,))
over_images("conv_transpose2d padded", lambda x, w, b: F.conv_transpose2d(x, w, b, 2, 1, 1), (1, 4, 3, 3), (3, 3, 3, 2), (2,))
over_images("conv_transpose2d one pixel", F.conv_transpose2d, (1, 2, 3, 4), (4, 1, 1, 3), (3,))
over_images("max_pool2d", lambda x: F.max_pool2d(x, 2), (2, 6, 4, 5))
over_images("max_pool2d padded", lambda x: F.max_pool2d(x, 3, 2, 1), (1, 7, 6, 3))
over_images("max_pool2d ceil", lambda x: F.max_pool2d(x, 3, 2, ceil_mode=True), (1, 6, 5, 3))
case("relu6", F.relu6, [normal(4, 9, size=5)])
case("reshape", lambda x: x.reshape(2, 6), [normal(3, 4)])
over_images("upsample", lambda x: F.interpolate(x, (6, 8), mode="nearest"), (2, 3, 4, 2))
over_images("upsample bilinear", lambda x: F.interpolate(x, (6, 8), mode="bilinear"), (2, 3, 4, 2))
over_images("upsample smaller", lambda x: F.interpolate(x, (2, 3), mode="bilinear"), (2, 3, 4, 2))
over_images("upsample corners", lambda x: F.interpolate(x, (5, 7), mode="bilinear", align_corners=True), (2, 3, 4, 2))

norm = torch.nn.BatchNorm2d(3, momentum=0.3).double()
for step in range(3):
    batch = normal(2, 2, 2, 3)
    entries[f"running/x{step}"] = batch
    norm(first(torch.tensor(batch)))
entries["running/mean"], entries["running/var"] = norm.running_mean.numpy(), norm.running_var.numpy()

def focal_loss(x, weights, labels, gamma, normalizer):
    """From softmax: the formula of Lin et al. 2017 for any number of classes."""
    log_p = torch.log_softmax(x, dim=1)[torch.arange(len(labels)), labels]
    return -(weights[labels] * (1 - log_p.exp()) ** gamma * log_p).sum() / normalizer


two = [1, 0, 0, 1, 1, 0]
case("focal_loss", lambda x: sigmoid_focal_loss(x[:, 1] - x[:, 0], torch.tensor(two, dtype=x.dtype), alpha=-1, gamma=2,
                                                reduction="mean"), [normal(6, 2, size=2)], labels=two)
case("focal_loss weights", lambda x, w: focal_loss(x, w, kept_labels, 1.5, 5), [normal(6, 7, size=2), rng.uniform(size=7)],
     constants=1, labels=kept_labels)
case("focal_loss cross-entropy",
     lambda x, w: F.cross_entropy(x, torch.tensor(kept_labels), weight=w, reduction="sum") / 6,
     [normal(6, 7, size=2), rng.uniform(size=7)], constants=1, labels=kept_labels)


def recurrent(module, offsets, total, x, weight, bias, h=None, c=None):
    """A layer of torch.nn over each sequence, whose input product is the identity: x is the part of the input."""
    directions = 2 if module.bidirectional else 1
    rows, width = x.shape[1] // directions, module.hidden_size
    parameters = {}
    for d in range(directions):
        ending = "_l0" + ("_reverse" if d else "")
        parameters["weight_ih" + ending] = torch.eye(x.shape[1], dtype=x.dtype)[d * rows:(d + 1) * rows]
        parameters["bias_ih" + ending] = torch.zeros(rows, dtype=x.dtype)
        parameters["weight_hh" + ending] = weight[d * rows:(d + 1) * rows]
        parameters["bias_hh" + ending] = bias[d * rows:(d + 1) * rows]
    outputs, last = [], []
    for b, (begin, end) in enumerate(zip(offsets[:-1], offsets[1:])):
        states = [None if s is None else s[b].reshape(directions, 1, width) for s in (h, c)]
        if begin == end:
            outputs.append(x.new_zeros(0, directions * width))
            last.append([torch.zeros(directions * width, dtype=x.dtype) if s is None else s.reshape(-1) for s in states])
            continue
        state = None if h is None else states[0] if c is None else tuple(states)
        y, after = torch.func.functional_call(module, parameters, (x[begin:end, None], state))
        outputs.append(y[:, 0])
        last.append([s.reshape(-1) for s in (after if isinstance(after, tuple) else (after,))])
    if not total:
        return torch.cat(outputs)
    mean = torch.stack([y.mean(dim=0) if len(y) else y.new_zeros(y.shape[1]) for y in outputs])
    return mean + sum(torch.stack([states[i] for states in last]) for i in range(len(last[0]) if c is not None else 1))


sequences = [0, 2, 2, 6, 9]
for name, kind, gates in (("gru", torch.nn.GRU, 3), ("lstm", torch.nn.LSTM, 4), ("rnn", torch.nn.RNN, 1)):
    labels = [("", 1), (" both directions", 2)] + ([(" relu", 2)] if name == "rnn" else [])
    for label, directions in labels:
        size = directions * gates * 3
        options = {"nonlinearity": "relu"} if label == " relu" else {}
        module = kind(size, 3, bidirectional=directions == 2, dtype=torch.float64, **options)
        inputs = [normal(9, size), normal(size, 3, size=0.5), normal(size, size=0.5)]
        if directions == 2:
            inputs += [normal(4, 6) for _ in range(2 if name == "lstm" else 1)]
        case(name + label, lambda *x: recurrent(module, sequences, label == " both directions", *x), inputs, offsets=sequences)

def grouped_attention(qkv, offsets, heads, key_heads):
    size = qkv.shape[1] // (heads + 2 * key_heads)
    rows = []
    for begin, end in zip(offsets[:-1], offsets[1:]):
        if begin == end:
            continue
        q, k, v = (part.reshape(end - begin, -1, size).transpose(0, 1)[None]
                   for part in qkv[begin:end].split([heads * size, key_heads * size, key_heads * size], dim=1))
        out = F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True)[0]
        rows.append(out.transpose(0, 1).reshape(end - begin, heads * size))
    return torch.cat(rows)


def cached_attention(qkv, keys, values, offsets, lengths, heads):
    key_heads, size = keys.shape[1], keys.shape[3]
    rows = []
    for b, (begin, end) in enumerate(zip(offsets[:-1], offsets[1:])):
        q, k, v = (part.reshape(end - begin, -1, size).transpose(0, 1)
                   for part in qkv[begin:end].split([heads * size, key_heads * size, key_heads * size], dim=1))
        k, v = torch.cat([keys[b, :, :lengths[b]], k], dim=1), torch.cat([values[b, :, :lengths[b]], v], dim=1)
        seen = torch.ones(end - begin, k.shape[1], dtype=torch.bool).tril(lengths[b])
        out = F.scaled_dot_product_attention(q[None], k[None], v[None], attn_mask=seen, enable_gqa=True)[0]
        rows.append(out.transpose(0, 1).reshape(end - begin, heads * size))
    return torch.cat(rows)


def rotary_embedding(x, table, positions, heads):
    size = table.shape[1]
    cos, sin = table[positions].split(size // 2, dim=1)
    cos, sin = torch.cat([cos, cos], dim=1)[:, None], torch.cat([sin, sin], dim=1)[:, None]
    q = x[:, :heads * size].reshape(len(positions), heads, size)
    half = torch.cat([-q[..., size // 2:], q[..., :size // 2]], dim=-1)  # rotate_half of transformers
    return torch.cat([(q * cos + half * sin).reshape(len(positions), -1), x[:, heads * size:]], dim=1)


def swiglu(x):
    gate, up = x.split(x.shape[1] // 2, dim=1)
    return F.silu(gate) * up


case("attention grouped", lambda x: grouped_attention(x, offsets, 4, 2), [normal(12, 32)], offsets=offsets)
for label, new, held in ((" first tokens", [0, 4, 7], [0, 0]), ("", [0, 1, 3], [5, 2])):
    case("cached_attention" + label, lambda x, k, v: cached_attention(x, k, v, new, held, 4),
         [normal(new[-1], 32), normal(2, 2, 7, 4), normal(2, 2, 7, 4)], constants=3, offsets=new, lengths=held)
case("rms_norm", lambda x, w: F.rms_norm(x, (9,), w, 1e-5), [normal(4, 9), normal(9)])
positions = [2, 0, 1, 2, 4]
case("rotary_embedding", lambda x, t: rotary_embedding(x, t, positions, 2), [normal(5, 15), normal(6, 6)], constants=1,
     positions=positions)
case("swiglu", swiglu, [normal(4, 10, size=2)])
over_images("conv2d end padding", lambda x, w, b: F.conv2d(F.pad(x, (1, 3, 0, 1)), w, b, 2), (2, 6, 4, 3), (4, 3, 3, 3), (4,))
over_images("conv2d depthwise end padding", lambda x, w, b: F.conv2d(F.pad(x, (0, 1, 0, 1)), w, b, 2, groups=5),
            (1, 4, 6, 5), (5, 3, 3, 1), (5,))
over_images("conv2d one pixel end padding", lambda x, w, b: F.conv2d(F.pad(x, (0, 0, 0, 1)), w, b), (1, 2, 3, 4), (3, 1, 1, 4), (3,))
case("l1_loss", F.l1_loss, [normal(4, 3, size=3), normal(4, 3)], constants=1)
case("l1_loss normalizer", lambda x, t: F.l1_loss(x, t, reduction="sum") / 7, [normal(4, 3, size=3), normal(4, 3)], constants=1)
over_images("pixel_shuffle", lambda x: F.pixel_shuffle(x, 2), (2, 3, 4, 8))
over_images("pixel_shuffle three", lambda x: F.pixel_shuffle(x, 3), (2, 3, 4, 18))

case("smooth_l1_loss", F.smooth_l1_loss, [normal(4, 3, size=2), normal(4, 3)], constants=1)
case("smooth_l1_loss beta", lambda x, t: F.smooth_l1_loss(x, t, reduction="sum", beta=0.4) / 7,
     [normal(4, 3, size=2), normal(4, 3)], constants=1)
image_of = [1, 0, 1]
boxes = torch.tensor([[1, 0.375, 1.125, 6.625, 5.875], [0, -2.125, 0.625, 3.375, 9.125], [1, 2.375, 2.625, 2.875, 3.125]],
                     dtype=torch.float64)  # the image before each
for label, options in (("", {"output_size": (2, 3), "spatial_scale": 0.5, "sampling_ratio": 2}),
                       (" aligned", {"output_size": (3, 2), "aligned": True})):
    case("roi_align" + label, lambda x: last(roi_align(first(x), boxes, **options)), [normal(2, 4, 5, 3)], image_of=image_of)

case("soft_cross_entropy", F.cross_entropy, [normal(6, 7, size=2), rng.uniform(size=(6, 7))], constants=1)
case("soft_cross_entropy normalizer", lambda x, q: F.cross_entropy(x, q, reduction="sum") / 5,
     [normal(6, 7, size=2), rng.uniform(size=(6, 7))], constants=1)


def dice_loss(x, labels, pictures, smooth, normalizer):
    """monai.losses.DiceLoss(softmax=True) of each picture over its counted pixels, each picture as many times."""
    total = 0
    for p, y in zip(torch.softmax(x, dim=1).chunk(pictures), torch.tensor(labels).chunk(pictures)):
        p, y = p[y != -100], y[y != -100]
        truth = F.one_hot(y, x.shape[1]).to(x.dtype)
        dice = (2 * (p * truth).sum(0) + smooth) / (p.sum(0) + truth.sum(0) + smooth)
        total = total + len(y) * (1 - dice.mean())
    return total / normalizer


pixels, some_pixels = [0, 2, 1, 1, 2, 0, 0, 1], [0, 2, -100, 1, -100, -100, 0, 1]
case("dice_loss", lambda x: dice_loss(x, pixels, 2, 1e-5, 8), [normal(8, 3, size=2)], labels=pixels)
case("dice_loss ignored", lambda x: dice_loss(x, some_pixels, 2, 1, 3), [normal(8, 3, size=2)], labels=some_pixels)
for label, new, held in ((" first tokens beside others", [0, 4, 6], [0, 3]), (" others beside first tokens", [0, 2, 3], [4, 0])):
    case("cached_attention" + label, lambda x, k, v: cached_attention(x, k, v, new, held, 4),
         [normal(new[-1], 32), normal(2, 2, 7, 4), normal(2, 2, 7, 4)], constants=3, offsets=new, lengths=held)
all_labels, some_labels = [3, -100, 0, 6, 2, -100], [3, 2, 0, 6, 2, 5]
case("linear_cross_entropy", lambda x, w, b: cross_entropy(F.linear(x, w, b), all_labels),
     [normal(6, 5), normal(7, 5), normal(7)], labels=all_labels)
case("linear_cross_entropy no bias",
     lambda x, w: cross_entropy(F.linear(x, w), some_labels, normalizer=5, ignore=2, label_smoothing=0.2),
     [normal(6, 5), normal(7, 5)], labels=some_labels)

folder = pathlib.Path(__file__).parent
save_file(entries, folder / "ops.safetensors")
about = {
    "torch": torch.__version__,
    "torchvision": torchvision.__version__,
    "safetensors": safetensors.__version__,
    "numpy": np.__version__,
    "sha256": hashlib.sha256((folder / "ops.safetensors").read_bytes()).hexdigest(),
}
(folder / "ops.json").write_text(json.dumps(about, indent=1) + "\n")
