"""Samplers beside the logits processors of `transformers` on SmolLM2's vocabulary; beam search and batches beside `generate`."""

import numpy as np
import torch

from helpers.generation.batched import generate_batch
from helpers.generation.beam import beam_search
from helpers.generation.constrained import Constraint, TokenTable, json_pattern, token_bytes
from helpers.generation.sampling import GREEDY, Sampler
from helpers.models import pretrained
from helpers.models.losses import softmax
from helpers.tokenizers.bpe import BPE
from tests.benchmarks.harness import Case, torch_threads

V, ROWS = 49_152, 20
SCHEMA = {"type": "object", "properties": {"name": {"type": "string", "maxLength": 40}, "living": {"type": "boolean"}}}


def same_scores(ours, theirs):
    for a, b in zip(ours, theirs):
        assert np.abs(softmax(a) - softmax(b)).max() < 1e-9, "other probabilities"


def same_tokens(ours, theirs):
    assert ours == theirs, "other tokens"


def filters(rows) -> list[Case]:
    """Each filter alone and all in one chain, 20 rows of logits."""
    from transformers import LogitsProcessorList, generation

    seen, tensors = [3, 5, 17], [torch.tensor(row)[None] for row in rows]
    ids = torch.tensor([seen])

    def peer(*processors):
        chain = LogitsProcessorList(processors)
        return lambda: [chain(ids, t)[0].numpy() for t in tensors]

    every = Sampler(temperature=0.8, top_k=50, top_p=0.95, min_p=0.02, repetition=1.2)
    repetition = generation.RepetitionPenaltyLogitsProcessor(1.2)
    pairs = {
        "temperature 0.8": (Sampler(temperature=0.8), peer(generation.TemperatureLogitsWarper(0.8))),
        "top-k 50": (Sampler(top_k=50), peer(generation.TopKLogitsWarper(50))),
        "top-p 0.95": (Sampler(top_p=0.95), peer(generation.TopPLogitsWarper(0.95))),
        "min-p 0.02": (Sampler(min_p=0.02), peer(generation.MinPLogitsWarper(0.02))),
        "typical 0.9": (Sampler(typical_p=0.9), peer(generation.TypicalLogitsWarper(0.9))),
        "repetition, temperature, top-k, top-p, min-p": (
            every,
            peer(
                repetition,
                generation.TemperatureLogitsWarper(0.8),
                generation.TopKLogitsWarper(50),
                generation.TopPLogitsWarper(0.95),
                generation.MinPLogitsWarper(0.02),
            ),
        ),
    }
    return [
        Case(
            name=f"{name}: {ROWS} rows of {V:,} logits, float64",
            ours=lambda s=sampler: [s.scores(r, seen) for r in rows],
            peers={"transformers": theirs},
            same=same_scores,
            amounts={"ours": ROWS, "transformers": ROWS},
            unit="rows",
        )
        for name, (sampler, theirs) in pairs.items()
    ]


def cases() -> list[Case]:
    n_threads = torch_threads()
    rng = np.random.default_rng(0)
    listed = filters([rng.normal(size=V) * 3 for _ in range(ROWS)])
    library, _ = pretrained.load_smollm2()
    own, tokenizer = pretrained.load_own_smollm2(library), BPE.from_smollm2()
    prompt = tokenizer.encode("The capital of France is Paris. The capital of Italy is")

    class Bare:  # generate puts no start symbol before the prompt
        vocab_size = V
        begin = staticmethod(lambda ids: own.begin(ids, start=False))

    def theirs(n, new, **kw):
        ids = torch.tensor([prompt] * n)
        with torch.no_grad():
            out = library.generate(
                ids, attention_mask=torch.ones_like(ids), max_new_tokens=new, do_sample=False, pad_token_id=2, **kw
            )
        return [row[len(prompt) :].tolist() for row in out]

    ours_beam = lambda: [list(b.ids) for b in beam_search(Bare, prompt, width=4, max_tokens=12, end_id=2)][:1]  # noqa: E731
    batch = lambda: [t.ids for t in generate_batch(own, [prompt] * 16, GREEDY, max_tokens=16, start=False)]  # noqa: E731
    table = TokenTable(token_bytes(tokenizer))
    words = [w for w in ('{"name":"', "Nile", '","living":false}')]

    def masks():
        allowed = Constraint(json_pattern(SCHEMA), table, end_id=2)
        for word in words:
            for id in tokenizer.encode(word):
                allowed.mask()
                allowed.advance(id)
        return allowed.matches

    return [
        *listed,
        Case(
            name=f"SmolLM2, beam search, width 4, 12 tokens, {n_threads} threads",
            ours=ours_beam,
            peers={"transformers generate": lambda: theirs(1, 12, num_beams=4, length_penalty=1.0)},
            same=same_tokens,
            note="ours moves each beam by itself, the library all four as one batch",
        ),
        Case(
            name=f"SmolLM2, greedy, 16 texts of 16 tokens in one batch, {n_threads} threads",
            ours=batch,
            peers={"transformers generate": lambda: theirs(16, 16, eos_token_id=None)},
            same=same_tokens,
            amounts={"ours": 256, "transformers generate": 256},
            unit="tokens",
        ),
        Case(
            name=f"JSON masks over {V:,} tokens, {sum(len(tokenizer.encode(w)) for w in words)} steps, states not yet known",
            ours=masks,
            peers={},
            note="no peer; the pattern is compiled already",
        ),
    ]
