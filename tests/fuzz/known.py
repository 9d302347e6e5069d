"""Findings that are known, and what is as asked: the list of the first may only grow shorter."""

import json
from pathlib import Path

# Function -> why it may take as long as it is asked to: it is not asked for more than `MOST` of anything.
MOST = 50
AS_LONG_AS_ASKED = {
    "helpers.models.logistic.steepest_descent": "its argument `steps` says how many",
    "helpers.generation.prompt_tasks.sums": "its argument `n` says how many",
    "helpers.models.descent.gradient_descent": "its argument `steps` says how many",
    "helpers.models.mlp.TwoLayerNetwork.fit": "its argument `steps` says how many",
    "helpers.generation.batched.generate_batch": "its argument `max_new_tokens` says how many",
    "helpers.tokenizers.labels.align_labels": "a word of so many pieces has so many labels",
}
# Function -> where its docstring says when it gives NaN.
SAYS_NAN = {"helpers.evaluation.word_similarity.spearman": "NaN when x or y is constant"}
FILE = Path(__file__).with_name("known.json")


def known() -> dict[str, list[str]]:
    """Function -> kinds of findings that are still to be mended: unclear exceptions for odd arguments, never a wrong result."""
    return json.loads(FILE.read_text(encoding="utf-8"))
