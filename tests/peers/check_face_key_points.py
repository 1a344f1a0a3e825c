"""MTCNN in Suanli's ops beside facenet-pytorch's: check_face_key_points.py FACE_KEY_POINTS MODEL_DIR PICTURE

MODEL_DIR is what scripts/fetch_face_weights.sh wrote. The check holds when examples/face_key_points.cpp finds the same faces
in the picture as facenet_pytorch.MTCNN with its own weights: boxes and key points
within 0.05 pixels, probabilities within 1e-4.
"""
import os
import subprocess
import sys

import numpy as np
import torch
from facenet_pytorch import MTCNN
from PIL import Image


def main():
    program, folder, picture = sys.argv[1:4]
    run = subprocess.run([program, os.path.join(folder, "model.safetensors"), picture], check=True, capture_output=True,
                         text=True)
    ours = np.array([[float(x) for x in line.split()] for line in run.stdout.splitlines()])
    with torch.no_grad():
        boxes, probabilities, points = MTCNN(keep_all=True, device="cpu").detect(Image.open(picture).convert("RGB"),
                                                                                     landmarks=True)
    order = np.argsort(-probabilities.astype(float), kind="stable")
    theirs = np.concatenate([boxes[order].astype(float), probabilities[order, None].astype(float),
                             points[order].reshape(len(order), 10).astype(float)], axis=1)
    assert ours.shape == theirs.shape, f"{len(ours)} faces, {len(theirs)} by facenet-pytorch"
    miss = np.abs(ours - theirs)
    pixels, probability = np.delete(miss, 4, axis=1).max(), miss[:, 4].max()
    assert pixels <= 0.05 and probability <= 1e-4, f"{pixels} pixels, {probability}"
    print(f"{len(ours)} faces: within {pixels:.1e} pixels and {probability:.1e} of facenet-pytorch's MTCNN")


main()
