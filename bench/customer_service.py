"""Makes the files that bench/customer_service.sh evaluates with, from BANKING77, CLINC150 and MedQuAD.

usage: customer_service.py DATA OUT   DATA has banking77/, clinc150/ and medquad/faq.tsv
intents_*.csv: banking77's training texts, a tenth of them held out by the SHA-256 of the text, and its test texts; clinc150's texts
that no intent fits stand beside the part held out (oos_train, oos_val) and the test (oos_test).
questions_*.csv: each question of medquad that has a usual form, asked in other words: one of three phrases of its kind with the
disease in lower case; half of them held out. Choices are by SHA-256, not by chance.
"""
import csv
import hashlib
import os
import re
import sys

# What a kind of question looks like in medquad, and in other words.
FORMS = {
    r"What is \(are\) (.*)": ["tell me about {}", "i would like to know more about {}", "can you explain {} to me"],
    r"What are the symptoms of (.*)": ["how do i know if i have {}", "signs of {}", "what does {} feel like"],
    r"What causes (.*)": ["why do people get {}", "where does {} come from", "reason for {}"],
    r"How many people are affected by (.*)": ["how common is {}", "number of people with {}", "is {} rare"],
    r"How to diagnose (.*)": ["how do doctors find out if someone has {}", "tests for {}", "how is {} detected"],
    r"What are the treatments for (.*)": ["how can {} be cured", "what helps against {}", "which medicine is used for {}"],
    r"What to do for (.*)": ["what should i keep in mind with {}", "advice for living with {}", "diet and habits for {}"],
    r"How to prevent (.*)": ["how can i avoid {}", "ways to keep from getting {}", "can {} be prevented"],
    r"Who is at risk for (.*)": ["who gets {}", "am i likely to get {}", "which people are in danger of {}"],
    r"What are the complications of (.*)": ["what can go wrong with {}", "what problems does {} lead to", "dangers of {}"],
    r"What is the outlook for (.*)": ["what can i expect with {}", "what is the future with {}", "how does {} end"],
}


def choice(text, count):
    return int(hashlib.sha256(text.encode()).hexdigest(), 16) % count


def in_other_words(question):
    for form, phrases in FORMS.items():
        match = re.fullmatch(form, question.rstrip(" ?"))
        if match:
            return phrases[choice(question, 3)].format(match[1].strip(" ?").lower())
    return None


def out_of_scope(data, *parts):
    rows = []
    for part in parts:
        with open(f"{data}/clinc150/oos_{part}.tsv") as file:
            rows += [(line.rstrip("\n").split("\t")[1], "out of scope") for line in file]
    return rows


def write(path, rows):
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label"])
        writer.writerows(rows)
    print(f"{path}: {len(rows)}")


def main(data, out):
    os.makedirs(out, exist_ok=True)
    rows = {}
    for part in ("train", "test"):
        with open(f"{data}/banking77/{part}.csv", newline="") as file:
            rows[part] = [(row["text"], row["category"]) for row in csv.DictReader(file)]
    write(f"{out}/intents_train.csv", [row for row in rows["train"] if choice(row[0], 10) != 0])
    write(f"{out}/intents_holdout.csv",
          [row for row in rows["train"] if choice(row[0], 10) == 0] + out_of_scope(data, "train", "val"))
    write(f"{out}/intents_test.csv", rows["test"] + out_of_scope(data, "test"))

    with open(f"{data}/medquad/faq.tsv") as file:
        faq = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    asked = [(in_other_words(question), question) for question in dict.fromkeys(row["question"] for row in faq)]
    asked = [row for row in asked if row[0]]
    write(f"{out}/questions_holdout.csv",
          [row for row in asked if choice("half" + row[1], 2) == 0] + out_of_scope(data, "train", "val"))
    write(f"{out}/questions_test.csv", [row for row in asked if choice("half" + row[1], 2) == 1] + out_of_scope(data, "test"))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2])
