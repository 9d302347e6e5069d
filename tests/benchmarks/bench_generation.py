"""SmolLM2 on our own class (performance targets 7a and 7b): greedy generation beside `transformers`, and beside the memory."""

import torch

from helpers.models import pretrained
from helpers.models.neural import count_parameters
from tests.benchmarks.harness import Case, torch_threads

N = 64  # tokens to write
READS = 8  # readings of all weights in one timing
QUESTION = "Explain in three sentences what a lighthouse is for."


def ours_writes(model, ids):
    """Greedy, with a cache: the prompt at once, then token by token."""
    with torch.inference_mode():
        state, written = model.begin_state(1), []
        logits, state = model(ids, state)
        while True:
            written.append(int(logits[0, -1].argmax()))
            if len(written) == N:
                return written
            logits, state = model(torch.tensor([written[-1:]]), state)


def library_writes(model, ids):
    out = model.generate(
        ids,
        attention_mask=torch.ones_like(ids),
        max_new_tokens=N,
        do_sample=False,
        eos_token_id=None,
        repetition_penalty=1.0,
        pad_token_id=2,
    )
    return out[0, ids.shape[1] :].tolist()


def same_tokens(ours, theirs):
    assert ours == theirs, "other tokens"


def cases() -> list[Case]:
    n_threads = torch_threads()
    library, tokenizer = pretrained.load_smollm2()
    own = pretrained.load_own_smollm2(library)
    ids = tokenizer.apply_chat_template(
        [{"role": "user", "content": QUESTION}], add_generation_prompt=True, return_tensors="pt", return_dict=True
    )["input_ids"]
    weights = [p.detach().view(-1) for p in own.parameters()]
    n_bytes = 4 * count_parameters(own)

    def read():
        """Every weight once per token, as one product with a vector must; nothing else. The best time that memory allows."""
        return [sum(float(w.sum()) for w in weights) for _ in range(READS)]

    prompt = f"{ids.shape[1]} tokens of prompt, {N} written, 32 bits, {n_threads} threads"
    return [
        Case(
            name=f"SmolLM2-135M, greedy with a key-value cache: {prompt}",
            item="7a",
            ours=lambda: ours_writes(own, ids),
            peers={"transformers generate": lambda: library_writes(library, ids)},
            same=same_tokens,
            targets={"transformers generate": 1 / 1.15},
            stretch={"transformers generate": 1 / 1.5},
            amounts={"ours": N, "transformers generate": N},
            unit="tokens",
            note="target: at least 1.15x as fast",
        ),
        Case(
            name=f"the same beside reading all weights once per token ({n_bytes / 1e6:.0f} MB)",
            item="7b",
            ours=lambda: ours_writes(own, ids[:, :1]),
            peers={"reading the weights": read},
            targets={"reading the weights": 1 / 0.6},
            stretch={"reading the weights": 1 / 0.8},
            amounts={"ours": N, "reading the weights": READS},
            unit="tokens",
            note="target: at least 60 % of the speed that memory allows",
        ),
    ]
