"""Takes sentences evenly from CSV files (column text), one a line, for check_embeddings.py.

usage: sentences_from_csv.py COUNT OUT.txt FILE.csv...
"""
import csv
import sys


def main():
    if len(sys.argv) < 4:
        print(__doc__)
        sys.exit(2)
    count, out, paths = int(sys.argv[1]), sys.argv[2], sys.argv[3:]
    picked = []
    for at, path in enumerate(paths):
        with open(path, encoding="utf-8", newline="") as f:
            texts = [" ".join(row["text"].split()) for row in csv.DictReader(f)]
        wanted = count // len(paths) + (at < count % len(paths))
        if wanted > len(texts):
            sys.exit(f"{path}: {len(texts)} sentences, wanted {wanted}")
        picked += [texts[i * len(texts) // wanted] for i in range(wanted)]
    with open(out, "w", encoding="utf-8") as f:
        f.writelines(text + "\n" for text in picked)


if __name__ == "__main__":
    main()
