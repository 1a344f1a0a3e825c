"""The work of the cases, as files that Suanli and every peer read: the same token ids, labels and texts for all.

Everything is drawn with fixed seeds. Texts come from the sets that a data folder has (SOURCES); `suanli tokenize` makes
their ids.
"""
import csv
import json
import os
import random
import subprocess

CLS, SEP, MASK = 101, 102, 103  # of the uncased BERT vocabulary, which MiniLM has
FIRST_WORD, VOCABULARY = 1000, 30522
MASKED_SHARE = 0.15
CLASSES = 10   # of pictures
LONGEST = 128  # tokens of a text in training and in the 512 sentences


def column(file):
    with open(file, encoding="utf-8", newline="") as f:
        return [row["text"] for row in csv.DictReader(f) if row["text"].strip()]


def paragraphs(file):
    """Those of a book are apart by empty lines; WikiText has one a line, and headings between = signs."""
    with open(file, encoding="utf-8") as f:
        text = f.read()
    blocks = text.split("\n") if "wikitext" in file else text.split("\n\n")
    return [b for b in (" ".join(block.split()) for block in blocks) if b and not b.startswith("=")]


# name of the lengths: files below the data folder and how they are read
SOURCES = {
    "mr": (["mr/train.csv"], column),
    "banking77": (["banking77/train.csv"], column),
    "paragraphs": (["corpus/wikitext2_valid.txt", "corpus/pride.txt", "corpus/mobydick.txt"], paragraphs),
    "film": (["film_train.csv"], column),
    "tweets": (["tweets.csv"], column),
    "editorials": (["editorials.csv"], column),
}


def grouped(items, batch, length, rng):
    """Batches of like lengths as the Hugging Face trainer groups them: shuffled, sorted within windows of 50 batches,
    the batches shuffled. What fills no batch is left out."""
    items = list(items)
    rng.shuffle(items)
    windows = [sorted(items[i:i + 50 * batch], key=length, reverse=True) for i in range(0, len(items), 50 * batch)]
    batches = [w[i:i + batch] for w in windows for i in range(0, len(w) - batch + 1, batch)]
    rng.shuffle(batches)
    return batches


def random_sequence(length, rng):
    words = [rng.randrange(FIRST_WORD, VOCABULARY) for _ in range(max(0, length - 2))]
    return ([CLS] + words + [SEP])[:length]


def labelled(sequences, task, rng):
    """{"sequences", "labels"}: 15% of the tokens hidden and to be predicted (at least one), or one of two classes."""
    if task == "causal-lm":
        return {"sequences": sequences}
    if task == "text-classification":
        return {"sequences": sequences, "labels": [rng.randrange(2) for _ in sequences]}
    hidden_sequences, labels = [], []
    for ids in sequences:
        hidden = [rng.random() < MASKED_SHARE and token not in (CLS, SEP) for token in ids]
        if not any(hidden):
            hidden[len(ids) // 2] = True
        labels.append([token if h else -100 for token, h in zip(ids, hidden)])
        hidden_sequences.append([MASK if h else token for token, h in zip(ids, hidden)])
    return {"sequences": hidden_sequences, "labels": labels}


class Work:
    """Makes the files in `folder`; each function returns the name of one and its real tokens by turn."""

    def __init__(self, folder, suanli, model, data):
        self.folder, self.suanli, self.model, self.data = folder, suanli, model, data
        self.ids_of = {}
        os.makedirs(folder, exist_ok=True)

    def sources(self):
        return [name for name, (files, _) in SOURCES.items()
                if all(os.path.exists(os.path.join(self.data, f)) for f in files)]

    def texts(self, name):
        files, read = SOURCES[name]
        return [text for f in files for text in read(os.path.join(self.data, f))]

    def ids(self, name):
        """Token ids of 4,000 texts of a source, cut to LONGEST."""
        if name not in self.ids_of:
            texts = self.texts(name)
            random.Random(1).shuffle(texts)
            self.ids_of[name] = self.tokenized(texts[:4000])
        return self.ids_of[name]

    def tokenized(self, texts):
        lines = "".join(json.dumps({"text": text}) + "\n" for text in texts)
        command = [self.suanli, "tokenize", "--model", self.model, "--max_length", str(LONGEST)]
        run = subprocess.run(command, input=lines, stdout=subprocess.PIPE, text=True, check=True)
        return [json.loads(line)["ids"] for line in run.stdout.splitlines()]

    def write(self, name, content):
        file = os.path.join(self.folder, name + ".json")
        with open(file, "w", encoding="utf-8") as f:
            json.dump(content, f)
        return file

    def running_text(self, sizes):
        """Sequences of these sizes, cut one after another from the texts of the first source."""
        words = [token for ids in self.ids(self.sources()[0]) for token in ids if token not in (CLS, SEP)]
        begins = [sum(sizes[:i]) for i in range(len(sizes))]
        return [([CLS] + words[begin:begin + size - 2] + [SEP])[:size] for begin, size in zip(begins, sizes)]

    def sequences(self, batch, length):
        sequences = self.running_text([length] * batch)
        return self.write(f"{batch}x{length}", {"sequences": sequences}), [lengths(sequences)]

    def mixed_sequences(self):
        sequences = self.running_text([128, 5, 97, 16, 64, 4, 33, 31, 15, 17, 111, 8])
        return self.write("mixed", {"sequences": sequences}), [lengths(sequences)]

    def mixed_texts(self, count):
        """An equal share from each source."""
        names = self.sources()
        texts = [text for i, name in enumerate(names)
                 for text in random.Random(i).sample(self.texts(name), count // len(names) + (i < count % len(names)))]
        return self.write(f"texts-{count}", {"texts": texts}), [[len(ids) for ids in self.tokenized(texts)]]

    def steps(self, task, batch, length):
        rng = random.Random(3)
        batches = [labelled([random_sequence(length, rng) for _ in range(batch)], task, rng)]
        return self.write(f"{task}-{batch}x{length}", {"batches": batches}), [lengths(b["sequences"]) for b in batches]

    def pictures(self, batch, size):
        """Noise of two decimals, its class drawn."""
        rng = random.Random(6)
        pictures = [[round(rng.gauss(0, 1), 2) for _ in range(size * size * 3)] for _ in range(batch)]
        batches = [{"pictures": pictures, "labels": [rng.randrange(CLASSES) for _ in range(batch)]}]
        return self.write(f"pictures-{batch}x{size}", {"size": size, "batches": batches})

    def mixed_steps(self, task):
        rng = random.Random(4)
        sequences = [random_sequence(n, rng) for n in (40, 7, 23, 16, 31, 5, 12, 64)]
        return self.write(f"{task}-mixed", {"batches": [labelled(sequences, task, rng)]}), [lengths(sequences)]

    def source_steps(self, task, name, batch, count):
        """`count` of the batches of an epoch over a source."""
        rng = random.Random(5)
        batches = [labelled(b, task, rng) for b in grouped(self.ids(name), batch, len, rng)[:count]]
        return (self.write(f"{task}-{name}-{batch}", {"batches": batches}),
                [lengths(b["sequences"]) for b in batches])


def lengths(sequences):
    return [len(s) for s in sequences]
