"""Chapter 11's measurements that take minutes: answers with and without sources, positions, reranking, injections, rewriting.

    python -m helpers.studies.rag [PART ...] [--seconds N] [--share I/N]     writes data/rag.json
    parts: answers, focus, injection, lie, positions, rewrite, rerank; --share 0/2 does every second question, 1/2 the others

Everything is greedy, so there is no seed; the spread comes from the questions. Every question is written to the file when it is
done, and a later run goes on where an earlier one stopped (delete the file to begin again).
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from helpers.generation.copying import SpanConstraint
from helpers.retrieval.documents import Document, lead_documents
from helpers.retrieval.grounding import contains_answer, marks, supported
from helpers.retrieval.prompt_injection import ATTACK, LIE, MARK, drop_orders, planted
from helpers.retrieval.rag import CAREFUL, RULES, best_sentences, likelihood_rerank, prompt, shorten
from helpers.retrieval.rag_questions import Asked, Query, asked, label_free, ramble
from helpers.studies.study import StudyFile
from helpers.tokenizers.chat_template import assistant, encode_prompt, system, user

__all__ = ["Study", "load"]

STUDY = StudyFile(
    "rag",
    "study of answers",
    holds=lambda study: (study["answers"][0]["closed"], study["command"]),
    style={"indent": 1, "ensure_ascii": False},
)
load = STUDY.load  # its parts by name
WORDS, TOKENS = 90, 20


def rank_of(document: int, ranking: Sequence[int]) -> int | None:
    """The rank of a document, counted from 1, or None where it was not found."""
    return ranking.index(document) + 1 if document in ranking else None


class Study:
    """Documents, retriever and model, and the parts of the study as methods. writer: a `Writer` with SmolLM2."""

    def __init__(self, documents: Sequence[Document], retriever: Any, writer: Any, encoder: Any = None):
        self.documents, self.retriever, self.writer, self.encoder = documents, retriever, writer, encoder
        self.number: dict[str | None, int] = {d.title: i for i, d in enumerate(documents)}
        self.questions = asked()

    def source(self, number: int) -> Document:
        return Document(self.documents[number].title, shorten(self.documents[number].text, WORDS))

    def reply(self, question: str, sources: Sequence[Document], rules: str = RULES, spans: bool = False) -> dict[str, Any]:
        """One greedy answer, and what is known about it without anybody's judgement."""
        ids = encode_prompt(self.writer.tokenizer, prompt(question, sources, rules=rules), default_system=None)
        allowed = SpanConstraint(self.writer.tokenizer, [d.text for d in sources], self.writer.end_id, lead="") if spans else None
        text = self.writer.text(ids, TOKENS, allowed=allowed).strip()
        texts = [f"{d.title} {d.text}" for d in sources]
        return {
            "text": text,
            "tokens": len(ids),
            "support": round(supported(text, texts, question), 3) if sources else None,
            "named": marks(text),
        }

    def items(self, part: str) -> list[Any]:
        """What a part goes through: the answerable questions, some of them, or label-free queries."""
        answerable = [q for q in self.questions if q.title]
        chosen: dict[str, list[Any]] = {
            "answers": answerable,
            "focus": answerable,
            "injection": answerable[:24],
            "lie": answerable[:12],
            "positions": answerable[::2],
            "rewrite": answerable[::3],
            "rerank": label_free(20),
        }
        return chosen[part]

    def answers(self, q: Asked, number: int) -> dict[str, Any]:
        """One question closed-book, with 1 and 3 retrieved sources, with the right one, and with answers that are copied."""
        found = [h.index for h in self.retriever.search(q.question, 3)]
        sources = [self.source(i) for i in found]
        settings: dict[str, tuple] = {"closed": ([], False), "top 1": (sources[:1], False), "top 3": (sources, False)}
        gold = self.number[q.title]
        settings |= {"top 3, copied": (sources, True), "right source": ([self.source(gold)], False)}
        row: dict[str, Any] = {"question": q.question, "rank": rank_of(gold, found)}
        for name, (given, spans) in settings.items():
            row[name] = self.reply(q.question, given, spans=spans)
            row[name]["right"] = contains_answer(row[name]["text"], q.answers)
        return row

    def focus(self, q: Asked, number: int) -> dict[str, Any]:
        """One question with the two sentences of the three best leads that are nearest to it, written and copied."""
        found = [self.documents[h.index] for h in self.retriever.search(q.question, 3)]
        pair = best_sentences(self.encoder, q.question, found)
        row: dict[str, Any] = {"question": q.question}
        for name, spans in (("two sentences", False), ("two sentences, copied", True)):
            row[name] = self.reply(q.question, pair, spans=spans)
            row[name]["right"] = contains_answer(row[name]["text"], q.answers)
        return row

    def positions(self, q: Asked, number: int) -> dict[str, Any]:
        """The right source in the first, second, third or last place among four, the others found by the search."""
        gold = self.number[q.title]
        others = [h.index for h in self.retriever.search(q.question, 4) if h.index != gold][:3]
        row: dict[str, Any] = {"question": q.question}
        for place in range(4):
            order = [self.source(i) for i in [*others[:place], gold, *others[place:]]]
            row[str(place + 1)] = contains_answer(self.reply(q.question, order)["text"], q.answers)
        return row

    def injection(self, q: Asked, number: int) -> dict[str, Any]:
        """The right source with an order to the model planted in it: obeyed or not, under four defenses."""
        clean = self.source(self.number[q.title])
        bad = planted(clean)
        filtered = Document(bad.title, drop_orders(bad.text)[0])
        runs = {
            "no attack": ([clean], RULES, False),
            "no defense": ([bad], RULES, False),
            "warned": ([bad], CAREFUL, False),
            "filtered": ([filtered], RULES, False),
            "copied, filtered": ([filtered], RULES, True),
        }
        row: dict[str, Any] = {"question": q.question}
        for name, (sources, rules, spans) in runs.items():
            text = self.reply(q.question, sources, rules, spans)["text"]
            row[name] = {"text": text, "obeyed": MARK.lower() in text.lower(), "right": contains_answer(text, q.answers)}
        return row

    def lie(self, q: Asked, number: int) -> dict[str, Any]:
        """The right source with a false statement as its last sentence: repeated or not, under two defenses."""
        bad = planted(self.source(self.number[q.title]), LIE, end=True)
        filtered = Document(bad.title, drop_orders(bad.text)[0])
        row: dict[str, Any] = {"question": q.question}
        runs = {"no defense": (bad, RULES), "warned": (bad, CAREFUL), "filtered": (filtered, RULES)}
        for name, (source, rules) in runs.items():
            text = self.reply(q.question, [source], rules)["text"]
            row[name] = {"text": text, "obeyed": MARK.lower() in text.lower(), "right": contains_answer(text, q.answers)}
        return row

    def rewrite(self, q: Asked, number: int) -> dict[str, Any]:
        """A question inside small talk: rank of the right lead for it, and for the question that SmolLM2 makes of it."""
        talk, example = ramble(q.question, number), "How tall is the Eiffel Tower?"
        rules = system("Repeat only the question that is asked in the message.")
        messages = [rules, user(ramble(example, 0)), assistant(example), user(talk)]
        made = self.writer.text(encode_prompt(self.writer.tokenizer, messages, default_system=None), 32).strip()
        row: dict[str, Any] = {"question": q.question, "made": made}
        for name, text in (("question", q.question), ("talk", talk), ("rewritten", made or talk)):
            row[name] = rank_of(self.number[q.title], [h.index for h in self.retriever.search(text, 10)])
        return row

    def rerank(self, q: Query, number: int) -> dict[str, Any]:
        """The first ten of the search, sorted again by the likelihood of the query: rank of the right one before and after."""
        found = [h.index for h in self.retriever.search(q.text, 10)]
        again = [found[h.index] for h in likelihood_rerank(self.writer, q.text, [self.documents[i] for i in found], 60)]
        return {"question": q.text, "before": rank_of(q.index, found), "after": rank_of(q.index, again)}


PARTS = ("answers", "focus", "injection", "lie", "positions", "rewrite", "rerank")


def build() -> Study:
    """The study on the leads, with hybrid search and SmolLM2."""
    from helpers.generation.greedy import Writer
    from helpers.models.bert import load_encoder
    from helpers.models.pretrained import load_own_smollm2
    from helpers.retrieval.bm25 import BM25
    from helpers.retrieval.dense import DenseRetriever, Hybrid
    from helpers.retrieval.stored_vectors import load as load_vectors
    from helpers.tokenizers.bpe import BPE

    documents = lead_documents()
    lexical = BM25().fit([f"{d.title}. {d.text}" for d in documents])
    encoder = load_encoder()
    retriever = Hybrid(lexical, DenseRetriever(encoder, load_vectors()))
    return Study(documents, retriever, Writer(load_own_smollm2(), BPE.from_smollm2()), encoder)


def run(study: Study, part: str, file: Path = STUDY.file, until: float = float("inf"), share: tuple[int, int] = (0, 1)) -> bool:
    """Go on with a part until it is finished (True) or the clock `time.perf_counter` says `until` (False).

    share: (i, n) does only the items i, i + n, ...; so several processes can work side by side on one file.
    """
    from filelock import FileLock

    for number, item in enumerate(study.items(part)):
        if number % share[1] != share[0] or number in {row["number"] for row in STUDY.so_far(file).get(part, [])}:
            continue
        if time.perf_counter() > until:
            return False
        row = {"number": number, **getattr(study, part)(item, number)}
        with FileLock(file.with_suffix(".lock")):
            known = STUDY.so_far(file)  # once more: another process may have written meanwhile
            known[part] = sorted([*known.get(part, []), row], key=lambda r: r["number"])
            known |= {
                "command": STUDY.command,
                "decoding": "greedy",
                "attack": ATTACK,
                "told": LIE,
                "sources": f"hybrid search over 10,033 leads, {WORDS} words of each source",
            }
            STUDY.keep(known, file)
    return True


def main(arguments: Sequence[str]) -> int:
    """Do the named parts (all for none), or some of their questions. Returns the exit status."""
    parser = argparse.ArgumentParser(prog=STUDY.command, description="Measure SmolLM2's answers with and without sources.")
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--seconds", type=float, default=float("inf"), help="stop after so many seconds")
    parser.add_argument("--share", default="0/1", metavar="I/N", help="only every N-th question, from number I on")
    options = parser.parse_intermixed_args(arguments)
    wanted = STUDY.wanted(options.parts, PARTS)
    if not wanted:
        return 2
    until = time.perf_counter() + options.seconds
    i, n = map(int, options.share.split("/"))
    study = build()
    for part in wanted:
        print(part, "finished" if run(study, part, until=until, share=(i, n)) else "not finished", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
