"""Numbers as people read them; the stored ones keep their full precision."""

from decimal import ROUND_HALF_UP, Decimal

UNKNOWN_PRICE = "price unknown"
UNKNOWN_PRICE_NOTE = f"“{UNKNOWN_PRICE}” means that no published price is known for the model; it does not mean free."
_SMALL_USD = Decimal("0.01")
_FULL_PERCENT = 100


def count(value: int) -> str:
    """Write a count with thousands separators."""
    return f"{value:,}"


def number(value: float, *, decimals: int = 2) -> str:
    """Write a score; a minus sign that rounding left on a zero is dropped."""
    text = f"{value:,.{decimals}f}"
    return text.removeprefix("-") if float(text.replace(",", "")) == 0 else text


def half_up(value: float | None, *, digits: int = 1, none: str = "-") -> str:
    """Write a score of 0 to 100, half-way up, as everybody learnt to round at school.

    >>> half_up(62.25), half_up(None)
    ('62.3', '-')
    """
    if value is None:
        return none
    step = Decimal(1).scaleb(-digits)
    return str(Decimal(repr(float(value))).quantize(step, rounding=ROUND_HALF_UP))


def decimals_for(low: float | None, high: float | None) -> int:
    """Choose as many decimals as an interval needs for its two ends to differ visibly: two to four."""
    width = high - low if low is not None and high is not None else 1.0
    return 2 if width >= 0.02 else 3 if width >= 0.002 else 4  # noqa: PLR2004 - the unit of the last decimal, doubled


def percent(share: float, *, decimals: int = 1, guarded: bool = True) -> str:
    """Write a share; what is not all or nothing is never rounded to 100% or 0%, unless ``guarded`` is off.

    >>> percent(0.7), percent(0.9999), percent(458 / 1319)
    ('70%', '> 99.9%', '34.7%')
    """
    step = 10.0**-decimals
    shown = round(share * _FULL_PERCENT, decimals)
    if guarded and shown >= _FULL_PERCENT and share < 1:
        return f"> {_FULL_PERCENT - step:.{decimals}f}%"
    if guarded and shown <= 0 < share:
        return f"< {step:.{decimals}f}%"
    return f"{shown:.{decimals}f}".removesuffix("." + "0" * decimals) + "%"


def usd(value: Decimal | float | str | None) -> str:
    """Write an amount; None is a price that nobody published, never zero.

    >>> usd("0.00042"), usd(None), usd(12.3)
    ('$0.00042', 'price unknown', '$12.30')
    """
    if value is None:
        return UNKNOWN_PRICE
    amount = Decimal(str(value))
    if amount == 0 or abs(amount) >= _SMALL_USD:
        return f"${amount:,.4f}" if 0 < abs(amount) < 1 else f"${amount:,.2f}"
    return f"${amount:.{1 - amount.adjusted()}f}"
