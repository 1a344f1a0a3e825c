"""Average run lengths of the one-sided CUSUM of normal values (k, h, shift in standard deviations).

L(u) = 1 + L(0) P(x <= k - u) + integral over (0, h) of L(y) f(y + k - u) dy   (Page 1954; Goel and Wu 1971),
solved with Gauss-Legendre nodes (Nystroem). The two-sided run lengths of Montgomery, "Introduction to Statistical
Quality Control", table 9.3 (465 and 168 without a shift) are half of the one-sided ones without a shift.

usage: python cusum_arl.py > cusum_arl.tsv      (numpy 2, scipy 1)
"""
import numpy as np
from scipy.stats import norm


def average_run_length(k, h, shift, nodes=200):
    y, w = np.polynomial.legendre.leggauss(nodes)
    y, w = (y + 1) * h / 2, w * h / 2
    u = np.concatenate([[0.0], y])
    kernel = norm.pdf(y[None, :] + k - u[:, None] - shift) * w[None, :]
    at_zero = norm.cdf(k - u - shift)
    matrix = np.eye(nodes + 1)
    matrix[:, 0] -= at_zero
    matrix[:, 1:] -= kernel
    return np.linalg.solve(matrix, np.ones(nodes + 1))[0]


print("k\th\tshift\tarl")
for k, h in [(0.5, 4), (0.5, 5), (0.25, 8), (1, 2.5)]:
    for shift in [0, 0.5, 1, 2]:
        print(f"{k}\t{h}\t{shift}\t{average_run_length(k, h, shift):.4f}")
