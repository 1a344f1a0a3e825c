"""Entity precision, recall and F1 of BIO tags by exact span and type, as conlleval and seqeval's default count them."""


def spans(tags):
    """{(type, first, last + 1)} of one sentence. An I- that continues nothing of its type begins an entity."""
    found, kind, begin = set(), None, 0
    for i, tag in enumerate(list(tags) + ["O"]):
        prefix, _, name = tag.partition("-")
        if kind is not None and (prefix != "I" or name != kind):
            found.add((kind, begin, i))
            kind = None
        if prefix != "O" and kind is None:
            kind, begin = name, i
    return found


def entity_scores(gold, predicted):
    """Micro-averaged over all sentences; both are lists of lists of tags of equal lengths."""
    right = wanted = given = 0
    for g, p in zip(gold, predicted, strict=True):
        if len(g) != len(p):
            raise ValueError(f"a sentence has {len(g)} gold tags and {len(p)} predicted ones")
        a, b = spans(g), spans(p)
        right, wanted, given = right + len(a & b), wanted + len(a), given + len(b)
    precision, recall = right / given if given else 0.0, right / wanted if wanted else 0.0
    f1 = 2 * precision * recall / (precision + recall) if right else 0.0
    return {"precision": precision, "recall": recall, "f1": f1}


def check():
    assert spans(["B-a", "I-a", "O", "I-a", "I-b", "B-b", "B-b", "I-b"]) == {
        ("a", 0, 2), ("a", 3, 4), ("b", 4, 5), ("b", 5, 6), ("b", 6, 8)}
    assert spans(["B-creative-work", "I-creative-work"]) == {("creative-work", 0, 2)}
    assert entity_scores([["B-a", "I-a", "O"]], [["B-a", "O", "O"]])["f1"] == 0.0
    assert entity_scores([["B-a", "O", "B-b"]], [["B-a", "O", "O"]]) == {"precision": 1.0, "recall": 0.5, "f1": 2 / 3}


if __name__ == "__main__":
    check()
    print("ok")
