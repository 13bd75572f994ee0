"""Three steps of adam on a small mlp, in NumPy: the numbers in tests/train/test_mlp.c (three_steps_of_adam).

Written from the papers and from docs/job-file.md, sharing no code with the trainer: Philox4x32-10 (Salmon et al. 2011),
He and Glorot start values, exact gelu, mean squared error, adam (Kingma and Ba 2015), l2 on the weights alone, features
standardised and folded back. Run it with python3 and NumPy; it prints the C table.
"""
from math import cos, erf, exp, log, pi, sin, sqrt

import numpy as np

ROWS, IN, HIDDEN, OUT = 6, 3, [4, 3], 2
SEED, RATE, L2, STEPS = 9, 0.05, 0.1, 3
INIT = 4  # the purpose "start values"


def philox(key, counter):
    k, c = list(key), list(counter)
    for _ in range(10):
        a, b = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(b >> 32) ^ c[1] ^ k[0], b & 0xFFFFFFFF, (a >> 32) ^ c[3] ^ k[1], a & 0xFFFFFFFF]
        k = [(k[0] + 0x9E3779B9) & 0xFFFFFFFF, (k[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return c


def unit(low, high):
    return ((high << 32 | low) >> 11) * 2.0**-53


def draw(layer, index, normal):
    b = philox((SEED, 0), (index, 0, INIT, layer))
    if not normal:
        return unit(b[0], b[1])
    return sqrt(-2 * log(1 - unit(b[0], b[1]))) * cos(2 * pi * unit(b[2], b[3]))


x = np.array([[100 * (j + 1) + 5 * sin(1 + 7 * i + 3 * j) for j in range(IN)] for i in range(ROWS)])
y = np.array([[cos(i + 2 * k) for k in range(OUT)] for i in range(ROWS)])
mean, deviation = x.mean(0), x.std(0)
z = (x - mean) / deviation

sizes = [IN] + HIDDEN + [OUT]
W, B = [], []
for l in range(3):
    n, m = sizes[l], sizes[l + 1]
    if l < 2:
        w = [sqrt(2 / n) * draw(l, i, True) for i in range(n * m)]
    else:
        w = [sqrt(6 / (n + m)) * (2 * draw(l, i, False) - 1) for i in range(n * m)]
    W.append(np.array(w).reshape(m, n))
    B.append(np.zeros(m))
B[2] = y.mean(0)  # the best constant model

gelu = np.vectorize(lambda a: a * (1 + erf(a / sqrt(2))) / 2)
slope = np.vectorize(lambda a: (1 + erf(a / sqrt(2))) / 2 + a * exp(-a * a / 2) / sqrt(2 * pi))
first = [np.zeros_like(p) for p in W + B]
second = [np.zeros_like(p) for p in W + B]
for step in range(1, STEPS + 1):
    a, pre = [z], []
    for l in range(3):
        pre.append(a[-1] @ W[l].T + B[l])
        a.append(gelu(pre[-1]) if l < 2 else pre[-1])
    d = 2 * (a[3] - y) / OUT / ROWS
    gw, gb = [None] * 3, [None] * 3
    for l in (2, 1, 0):
        gw[l], gb[l] = d.T @ a[l] + L2 * W[l], d.sum(0)
        if l:
            d = (d @ W[l]) * slope(pre[l - 1])
    for i, (p, g) in enumerate(zip(W + B, gw + gb)):
        first[i] = 0.9 * first[i] + 0.1 * g
        second[i] = 0.999 * second[i] + 0.001 * g * g
        p -= RATE * (first[i] / (1 - 0.9**step)) / (np.sqrt(second[i] / (1 - 0.999**step)) + 1e-8)

W[0] = W[0] / deviation
B[0] = B[0] - W[0] @ mean
for l in range(3):
    for name, p in (("weights", W[l]), ("bias", B[l])):
        print('{"/layers/%d/%s", {%s}},' % (l, name, ", ".join("%.16g" % v for v in p.ravel())))
