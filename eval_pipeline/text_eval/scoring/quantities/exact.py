"""Numbers that are kept exactly: a fraction, times the root of a whole number, times a power of pi."""

import math
from dataclasses import dataclass
from fractions import Fraction

LARGEST_POWER = 4000
"""More digits than this are not worked out: they take seconds, and nobody's answer has them."""
_LARGEST_RADICAND = 10**9
_BITS_PER_DIGIT = 3.33


@dataclass(frozen=True, slots=True)
class Exact:
    """The product of ``factor``, the root of ``radicand`` and pi to the ``pi``; the radicand has no square in it."""

    factor: Fraction
    radicand: int = 1
    pi: int = 0

    @property
    def rational(self) -> bool:
        """Whether it is a fraction and nothing else."""
        return self.radicand == 1 and self.pi == 0

    def times(self, other: "Exact") -> "Exact":
        """Return the product."""
        root = square_root(Exact(Fraction(self.radicand * other.radicand)))
        product = Exact(self.factor * other.factor, pi=self.pi + other.pi)
        if root is None:
            return Exact(product.factor, self.radicand * other.radicand, product.pi)
        return Exact(product.factor * root.factor, root.radicand, product.pi)

    def over(self, other: "Exact") -> "Exact | None":
        """Return the quotient; None for a division by zero."""
        if other.factor == 0:
            return None
        # 1 / (a √b) is √b / (a b)
        return self.times(Exact(1 / (other.factor * other.radicand), other.radicand, -other.pi))

    def plus(self, part: Fraction) -> "Exact | None":
        """Return the sum with a fraction; None where it is no single term."""
        return Exact(self.factor + part) if self.rational else None

    def to_the(self, exponent: Fraction) -> "Exact | None":
        """Return the power, None where it is not exact, not defined or too long."""
        if exponent == Fraction(1, 2):
            return square_root(self)
        if exponent.denominator != 1 or not self.rational or (self.factor == 0 and exponent < 0):
            return None
        whole = int(exponent)
        bits = max(self.factor.numerator.bit_length(), self.factor.denominator.bit_length())
        if abs(whole) > LARGEST_POWER or bits * abs(whole) > LARGEST_POWER * _BITS_PER_DIGIT:
            return None
        return Exact(self.factor**whole)

    def scaled(self, factor: Fraction | int) -> "Exact":
        """Return the number times a fraction."""
        return Exact(self.factor * factor, self.radicand, self.pi)

    def approximate(self) -> Fraction:
        """Return a fraction near it, for tolerances; the fraction itself where it is one."""
        if self.rational:
            return self.factor
        return self.factor * Fraction(math.sqrt(self.radicand)) * Fraction(math.pi) ** self.pi


def square_root(value: Exact) -> Exact | None:
    """Return the root of a fraction that is not negative, with the squares taken out; None for anything else."""
    inside = value.factor
    if not value.rational or inside < 0:
        return None
    product = inside.numerator * inside.denominator  # √(a/b) = √(ab) / b
    if product > _LARGEST_RADICAND:
        whole = math.isqrt(product)
        return Exact(Fraction(whole, inside.denominator)) if whole * whole == product else None
    outside, radicand, divisor = 1, product, 2
    while divisor * divisor <= radicand:
        while radicand % (divisor * divisor) == 0:
            radicand //= divisor * divisor
            outside *= divisor
        divisor += 1
    factor = Fraction(outside, inside.denominator)
    return Exact(Fraction(0)) if radicand == 0 else Exact(factor, radicand)
