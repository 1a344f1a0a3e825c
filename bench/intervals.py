"""The statistics of interleaved timings: ratios within a repeat, the interval of their median, slices to distrust."""
import statistics


def median_interval(values):
    """(low, high): 95% interval of the median. The order statistics whose ranks leave at most 2.5% of a fair binomial
    on either side; with fewer than six values, all there is: the smallest and the largest."""
    values, n = sorted(values), len(values)
    below, low, term = 0.0, 0, 0.5 ** n
    while below + term <= 0.025:
        below += term
        term *= (n - low) / (low + 1)
        low += 1
    low = max(low - 1, 0)
    return values[low], values[n - 1 - low]


def ratio_of(above, below):
    """{"ratio", "low", "high"}: the median of above / below, taken repeat by repeat, and its interval."""
    ratios = [a / b for a, b in zip(above, below, strict=True)]
    low, high = median_interval(ratios)
    return {"ratio": statistics.median(ratios), "low": low, "high": high}


def far_off(probes, factor=1.5):
    """For each probe of the machine's peak, whether it lies further than `factor` from their median, up or down."""
    middle = statistics.median(probes) if probes else 0
    return [middle > 0 and not middle / factor <= p <= middle * factor for p in probes]
