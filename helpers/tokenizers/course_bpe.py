"""The byte-pair encoding that chapters 05 to 08 share, learned once from the English training leads."""

from __future__ import annotations

import hashlib
import json
from functools import cache

from helpers.data import datasets, sources
from helpers.paths import cache_folder
from helpers.tokenizers.bpe import BPE, END_OF_TEXT, FORMAT
from helpers.tokenizers.bpe_training import PATTERNS

__all__ = ["course_tokenizer"]

VOCABULARY = 4096


@cache
def course_tokenizer() -> BPE:
    """The tokenizer of chapters 05 to 08: 4,096 entries learned from the English training leads, GPT-2 pattern.

    Trained on first use (about 2 seconds) and kept in the cache folder, under a name made from the data and the settings.

    Raises DataError when the leads are missing or damaged.

    >>> [course_tokenizer().tokens[i] for i in course_tokenizer().encode("Then chat.")]
    [b'The', b'n', b' ch', b'at', b'.']
    """
    digests = [file.sha256 for file in sources.about("leads").files if file.path.endswith(datasets.LANGUAGES["en"])]
    key = json.dumps([FORMAT, VOCABULARY, PATTERNS["gpt2"], END_OF_TEXT, digests])
    path = cache_folder() / f"bpe-{VOCABULARY}-{hashlib.sha256(key.encode()).hexdigest()[:12]}.json"
    try:
        kept = BPE.load(path)
        if kept.vocab_size == VOCABULARY:
            return kept
    except (OSError, ValueError):
        pass  # not there, or damaged: make it
    made = BPE.train((lead.text for lead in datasets.leads(split="train")), VOCABULARY)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        made.save(path)
    except OSError:
        pass  # a folder that cannot be written costs two seconds each time, no more
    return made
