"""What comes by chance."""


def chance_of(hits: int, of: int, share: float) -> float:
    """The probability of so many hits or more, where each of so many is one with this probability.

    The one-sided binomial test; with a share of a half, over what differs, it is the sign test and McNemar's exact one.
    """
    from scipy.special import bdtrc

    return float(bdtrc(hits - 1, of, share)) if hits > 0 else 1.0
