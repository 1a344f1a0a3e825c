"""Whether two programs gave the same answer: asked before anything is timed.

Answers are {"vectors": [[...]]}, {"ids": [[...]]} or {"numbers": [...]}, as the session protocol has them.
"""
import math

LEAST_COSINE = {"f32": 0.9999, "bf16": 0.999, "int8": 0.97}
# Losses of a few training steps, or norms of the weights: relative.
LARGEST_DISTANCE = {"f32": 1e-4, "bf16": 2e-2}


def cosine(a, b):
    product = sum(x * y for x, y in zip(a, b, strict=True))
    size = math.sqrt(sum(x * x for x in a) * sum(y * y for y in b))
    return product / size if size > 0 else 0.0


def disagreement(ours, theirs, precision):
    """(text, figure): the text is empty where the answers agree; the figure is the lowest cosine or the largest
    relative distance, None where there is none to give."""
    kind = next((k for k in ("vectors", "ids", "numbers") if k in ours), None)
    if kind is None or kind not in theirs:
        return f"answers of another kind: {sorted(ours)} and {sorted(theirs)}", None
    if len(ours[kind]) != len(theirs[kind]) or not ours[kind]:
        return f"{len(ours[kind])} answers and {len(theirs[kind])}", None
    if kind == "ids":
        wrong = sum(a != b for a, b in zip(ours[kind], theirs[kind]))
        return (f"{wrong} of {len(ours[kind])} texts have other tokens" if wrong else ""), None
    if kind == "vectors":
        if any(len(a) != len(b) for a, b in zip(ours[kind], theirs[kind])):
            return "vectors of another length", None
        least, bound = min(cosine(a, b) for a, b in zip(ours[kind], theirs[kind])), LEAST_COSINE[precision]
        return ("" if least >= bound else f"lowest cosine {least:.5f}, expected {bound}"), least
    far, bound = max(abs(a - b) / max(abs(b), 1e-12) for a, b in zip(ours[kind], theirs[kind])), LARGEST_DISTANCE[precision]
    return ("" if far <= bound else f"relative distance {far:.2g}, expected at most {bound}"), far
