"""The chapters of the course: one source for file names, titles, the map and the README table. Standard library only."""

from dataclasses import dataclass
from pathlib import Path

import helpers


@dataclass(frozen=True)
class Chapter:
    """A chapter. builds: what the reader writes in it. needs: number of an earlier chapter -> what is taken over from it."""

    number: str
    name: str
    title: str
    builds: str
    needs: dict[str, str]

    @property
    def file(self) -> str:
        """The notebook's path from the root of the repository."""
        return f"notebooks/{self.number}_{self.name}.ipynb"

    @property
    def ready(self) -> bool:
        """Whether the notebook is there; chapters are added one by one."""
        return (Path(__file__).parents[1] / self.file).exists()


CHAPTERS = (
    Chapter("00", "start_here", "Start here", "nothing yet: the map, the notation, a check of your machine, a first taste", {}),
    Chapter(
        "01", "linear_regression", "Linear regression", "a line, its loss, gradient descent, and an automatic differentiator", {}
    ),
    Chapter(
        "02",
        "logistic_regression",
        "Logistic regression",
        "a classifier, softmax, and a two-layer network with its gradients",
        {"01": "gradient descent"},
    ),
    Chapter(
        "03", "bag_of_words", "Bag of words", "TF-IDF vectors, naive Bayes, and the ladder of classifiers", {"02": "classifier"}
    ),
    Chapter("04", "word2vec", "word2vec", "word vectors by counting and by prediction", {"02": "loss", "03": "vocabulary"}),
    Chapter(
        "05", "byte_pair_encoding", "Byte-pair encoding", "a tokenizer that reads the vocabulary of a real model", {"03": "words"}
    ),
    Chapter(
        "06",
        "ngram_language_models",
        "n-gram language models",
        "counting models up to Kneser-Ney, and the yardstick for all models",
        {"05": "tokens"},
    ),
    Chapter(
        "07",
        "recurrent_networks",
        "Recurrent networks",
        "Elman, LSTM and GRU networks, trained on the same text",
        {"02": "backpropagation", "05": "tokenizer", "06": "yardstick"},
    ),
    Chapter(
        "08",
        "transformer",
        "Transformer",
        "a Transformer that loads the weights of a real 135-million-parameter model",
        {"05": "tokenizer", "07": "training"},
    ),
    Chapter("09", "finetuning", "Finetuning", "LoRA, instruction tuning and preference tuning on that model", {"08": "model"}),
    Chapter(
        "10",
        "sampling",
        "Sampling",
        "every common way from probabilities to text, on every model so far",
        {"06": "decoding interface", "08": "model"},
    ),
    Chapter(
        "11",
        "rag",
        "Retrieval-augmented generation",
        "search by words and by meaning, and answers with sources",
        {"03": "TF-IDF", "04": "embeddings", "08": "model", "10": "sampling"},
    ),
)


def chapter(number: str) -> Chapter:
    """The chapter with this number, "1" or "01". Raises ValueError for a number that the course does not have."""
    for found in CHAPTERS:
        if found.number == str(number).zfill(2):
            return found
    raise ValueError(f"there is no chapter {number!r}; the chapters are 00 to {CHAPTERS[-1].number}")


def links(number: str) -> dict[str, str]:
    """Where a chapter can be opened: name of the place -> address."""
    repository, release, file = helpers.REPOSITORY, helpers.RELEASE, chapter(number).file
    return {
        "Colab": f"https://colab.research.google.com/github/{repository}/blob/{release}/{file}",
        "Binder": f"https://mybinder.org/v2/gh/{repository}/{release}?urlpath=lab/tree/{file}",
        "GitHub": f"https://github.com/{repository}/blob/{release}/{file}",
    }
