"""Writes rounds.json: what numpy and scipy say of a few small samples.

    python rounds.py > rounds.json

The sign-flip test is scipy's permutation test of samples, of all signs. The bootstrap's ends
are from the exact distribution of a resampled median where n is odd (an order statistic, and
how many draws fall at or below it is binomial), and from 200,000 draws by numpy where n is
even. Mann-Whitney is scipy's, exact, and Holm's as it is written in his paper.
"""
import json
import sys

import numpy as np
from scipy import stats

random = np.random.default_rng(16)


def sign_flip(x):
    r = stats.permutation_test((np.array(x),), np.sum, permutation_type="samples",
                               n_resamples=np.inf, alternative="two-sided")
    return float(r.pvalue)


def ends(x):
    """The 2.5 and 97.5 % points of the median of a sample drawn from x."""
    x, n = np.sort(x), len(x)
    if n % 2:
        middle = n // 2 + 1
        at = [1 - stats.binom.cdf(middle - 1, n, (k + 1) / n) for k in range(n)]
        return [float(x[np.searchsorted(at, q)]) for q in (0.025, 0.975)]
    draws = np.median(x[random.integers(0, n, (200_000, n))], axis=1)
    return [float(v) for v in np.percentile(draws, [2.5, 97.5])]


def holm(p):
    order = np.argsort(p, kind="stable")
    out, largest = np.zeros(len(p)), 0.0
    for rank, i in enumerate(order):
        largest = max(largest, min(1.0, p[i] * (len(p) - rank)))
        out[i] = largest
    return [float(v) for v in out]


one = []
for n in (1, 2, 3, 5, 6, 7, 9, 10, 12):
    for shift in (0, 0.05):
        x = np.round(random.normal(shift, 0.03, n), 4)
        one.append({"x": x.tolist(), "median": float(np.median(x)), "sign_flip": sign_flip(x) if n > 1 else 1.0, "interval": ends(x)})
two = []
for n, m, shift in ((4, 4, 1), (4, 4, 0), (5, 4, 0.2), (8, 6, 0.5), (10, 10, 0)):
    a, b = np.round(random.normal(10, 0.2, n), 3), np.round(random.normal(10 + shift, 0.2, m), 3)
    two.append({"a": a.tolist(), "b": b.tolist(),
                "mann_whitney": float(stats.mannwhitneyu(a, b, method="exact").pvalue)})
ps = [[0.01], [0.04, 0.01], [0.01, 0.01, 0.01], [0.5, 0.001, 0.02], [0.9, 0.8, 0.7, 0.6]]
json.dump({"one": one, "two": two, "holm": [{"p": p, "adjusted": holm(np.array(p))} for p in ps]}, sys.stdout, indent=1)
print()
