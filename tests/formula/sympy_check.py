#!/usr/bin/env python3
"""Derivatives in generated sources against SymPy, an independent computer algebra system.

usage: sympy_check.py PROGRAM INCLUDE_DIRECTORY

Writes each formula's plugin with `new-loss`, calls it, and compares loss, gradient and second derivative with SymPy's at
20 digits. Exit 0: all agree; 1: some do not; 77: SymPy or a compiler is missing, and it says so (ctest: skipped).
"""
import ctypes
import os
import random
import subprocess
import sys
import tempfile

try:
    import sympy
except ImportError:
    print("SKIPPED: python3 has no sympy here; install it (Debian: python3-sympy) to compare derivatives with it.")
    sys.exit(77)

pred, target, a = sympy.symbols("pred target a", real=True)
sigmoid = lambda x: 1 / (1 + sympy.exp(-x))
softplus = lambda x: sympy.log(1 + sympy.exp(x))
log1p = lambda x: sympy.log(1 + x)
expm1 = lambda x: sympy.exp(x) - 1
names = {"pred": pred, "target": target, "a": a, "exp": sympy.exp, "log": sympy.log, "sqrt": sympy.sqrt, "tanh": sympy.tanh,
         "sigmoid": sigmoid, "softplus": softplus, "log1p": log1p, "expm1": expm1}

FORMULAS = [
    "softplus(pred) - target*pred",
    "exp(pred) - target*pred",
    "(pred - target)^2/(1 + a*(pred - target)^2)",
    "log(1 + ((pred - target)/a)^2)",
    "a^2*(sqrt(1 + ((pred - target)/a)^2) - 1)",
    "softplus(2*(pred - target)) - (pred - target) - log(2)",
    "-(1 - sigmoid(pred))^a*log(sigmoid(pred))",
    "tanh(pred - target)^2 + expm1(tanh(a*pred))",
    "(target*exp(-pred) + pred)^3 + log1p(pred^2)",
    "sqrt(a + sigmoid(pred)*softplus(pred - target))",
    "(1 + pred^2)^a/(2 + tanh(target))",
    "log(2 + tanh(pred)*sigmoid(a*target)) - pred^4/(1 + pred^2)^1.5",
]


class Batch(ctypes.Structure):
    _fields_ = [("struct_size", ctypes.c_uint32), ("purpose", ctypes.c_uint32), ("rows", ctypes.c_size_t),
                ("outputs", ctypes.c_size_t), ("targets", ctypes.c_size_t), ("pred", ctypes.c_void_p),
                ("target", ctypes.c_void_p), ("weight", ctypes.c_void_p), ("group", ctypes.c_void_p),
                ("theta", ctypes.c_void_p), ("param", ctypes.c_void_p), ("instance", ctypes.c_void_p),
                ("scratch", ctypes.c_void_p), ("seed", ctypes.c_uint64), ("step", ctypes.c_uint64),
                ("host", ctypes.c_void_p)]


class Result(ctypes.Structure):
    _fields_ = [("struct_size", ctypes.c_uint32), ("reserved", ctypes.c_uint32), ("loss", ctypes.c_double),
                ("grad", ctypes.c_void_p), ("hess_diag", ctypes.c_void_p), ("hess", ctypes.c_void_p),
                ("theta_grad", ctypes.c_void_p), ("row_loss", ctypes.c_void_p)]


CALL = r"""
#include <gradmill/loss.h>
GM_LOSS_EXPORT int call(const struct gm_loss_batch *b, struct gm_loss_result *r) { return gm_loss_entry_v1(0)->evaluate(b, r); }
"""


def build(program, include, directory, formula):
    """The generated source with one more function at its end, so that ctypes need not know the vtable."""
    options = ["--param", "a=0.7 >=0.1 <=5"] if "a" in formula.replace("tanh", "").replace("target", "") else []
    made = subprocess.run([program, "new-loss", "sympy_loss", "-o", directory, "--force", "--formula", formula] + options,
                          capture_output=True, text=True)
    if made.returncode not in (0, 82):  # 82: a check failed, as a formula of this list may (bounds, extremes)
        sys.exit(f"new-loss failed on {formula}:\n{made.stderr}")
    source, so = f"{directory}/sympy_loss.c", tempfile.mktemp(suffix=".so", dir=directory)
    with open(source, "a", encoding="utf-8") as file:
        file.write(CALL)
    subprocess.run((os.environ.get("CC") or "cc").split() + ["-std=c17", "-O1", "-fPIC", "-shared", "-ffp-contract=off",
                   "-I" + include, source, "-o", so, "-lm"], check=True)
    return ctypes.CDLL(so).call


def compare(call, formula, points):
    loss = sympy.sympify(formula.replace("^", "**"), locals=names)
    wanted = [loss, sympy.diff(loss, pred), sympy.diff(loss, pred, 2)]
    bad = 0
    for p, t, width in points:
        one = ctypes.c_double * 1
        arrays = [one(p), one(t), one(width), one(), one()]
        where = [ctypes.cast(x, ctypes.c_void_p) for x in arrays]
        batch = Batch(struct_size=ctypes.sizeof(Batch), rows=1, outputs=1, targets=1, pred=where[0], target=where[1],
                      param=where[2])
        result = Result(struct_size=ctypes.sizeof(Result), grad=where[3], hess_diag=where[4])
        if call(ctypes.byref(batch), ctypes.byref(result)) != 0:
            sys.exit(f"evaluate failed on {formula}")
        found = [result.loss, arrays[3][0], arrays[4][0]]
        values = {pred: sympy.Float(p, 40), target: sympy.Float(t, 40), a: sympy.Float(width, 40)}
        for name, f, w in zip(("loss", "gradient", "second derivative"), found, wanted):
            w = float(w.subs(values).evalf(20))
            if not abs(f - w) <= 1e-12 * (1 + abs(w)):
                print(f"{formula}: {name} {f!r}, SymPy says {w!r}, at pred={p!r} target={t!r} a={width!r}")
                bad += 1
    return bad


def main():
    program, include = sys.argv[1:3]
    draw = random.Random(1)
    bad = 0
    with tempfile.TemporaryDirectory() as directory:
        for formula in FORMULAS:
            points = [(draw.uniform(-2, 2), draw.uniform(0, 2), draw.uniform(0.5, 2)) for _ in range(5)]
            bad += compare(build(program, include, directory, formula), formula, points)
    print(f"{len(FORMULAS)} formulas at 5 points against SymPy {sympy.__version__}: {bad} differences")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
