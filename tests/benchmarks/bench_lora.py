"""A LoRA step on SmolLM2 (performance target 8): ours beside `peft` on `transformers`, and the memory of each.

r = 8 on q and v, a batch of 4 x 64 tokens, forward, backward, AdamW on the updates, in 32 bits. Loss and gradients are compared
first, from the same A and B. The memory of each party is the peak of a process of its own.
"""

import subprocess
import sys
from collections.abc import Iterator

import torch
import torch.nn.functional as F

from helpers.finetuning import lora
from helpers.models import pretrained
from helpers.paths import repository_root
from helpers.tokenizers.labels import IGNORE
from tests.benchmarks.harness import Case, needs

RANK, ALPHA, B, T, REPLY = 8, 16, 4, 64, 8
PEER = "peft on transformers"


def batch(reply_only: bool):
    """x, y: (B, T) random ids and targets; with reply_only the last REPLY of each row count."""
    ids = torch.randint(3, 40_000, (B, T + 1), generator=torch.Generator().manual_seed(0))
    y = ids[:, 1:].clone()
    if reply_only:
        y[:, :-REPLY] = IGNORE
    return ids[:, :-1].contiguous(), y


def our_model():
    model = pretrained.load_own_smollm2()
    lora.add_lora(model, ("q", "v"), rank=RANK, alpha=ALPHA)
    return model, lora.lora_parameters(model)


def their_model():
    import peft

    model, _ = pretrained.load_smollm2()
    config = peft.LoraConfig(r=RANK, lora_alpha=ALPHA, target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM")
    model = peft.get_peft_model(model, config)
    return model, [p for p in model.parameters() if p.requires_grad]


def our_loss(model, x, y):
    return model.loss(x, y)[0]


def their_loss(model, x, y):
    return F.cross_entropy(model(input_ids=x).logits.flatten(0, 1), y.flatten(), ignore_index=IGNORE)


def stepper(model, trained, loss_of, data, threads: int):
    """A function that does one step, always from the same A and B, and returns its loss and the gradients."""
    optimizer = torch.optim.AdamW(trained, lr=1e-4, fused=True)
    start = [p.detach().clone() for p in trained]

    def step():
        torch.set_num_threads(threads)
        loss = loss_of(model, *data)
        loss.backward()
        gradients = [p.grad.clone() for p in trained]
        optimizer.step()
        optimizer.zero_grad()
        with torch.no_grad():
            torch._foreach_copy_(trained, start)  # hundreds of AdamW steps would drift apart, and nothing could be compared
        return float(loss.detach()), gradients

    return step


def same(ours, theirs):
    assert abs(ours[0] - theirs[0]) < 1e-4, f"loss {ours[0]} and {theirs[0]}"
    assert len(ours[1]) == len(theirs[1]), f"{len(ours[1])} and {len(theirs[1])} gradients"
    for a, b in zip(ours[1], theirs[1]):
        assert torch.allclose(a, b, rtol=1e-2, atol=1e-4 * max(1e-3, float(b.abs().max()))), "other gradients"


def with_equal_updates(ours: list, theirs: list) -> None:
    """Give both the same A and the same B, not zero, so that every gradient is compared; both list A, B, A, B, ..."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for a, b in zip(ours, theirs, strict=True):
            a.normal_(0, 0.02, generator=generator)
            b.copy_(a)


def cases() -> list[Case]:
    made = []

    def peer(ours):
        model, trained = their_model()
        with_equal_updates(ours, trained)
        return model, trained

    model, trained = our_model()
    theirs = needs("peft", lambda: peer(trained))
    for threads in (1, 2):
        for reply_only in (False, True):
            data = batch(reply_only)
            what = f"the last {REPLY} of each row count" if reply_only else "every token counts"
            work = theirs if isinstance(theirs, str) else stepper(*theirs, their_loss, data, threads)
            made.append(
                Case(
                    name=f"LoRA step on SmolLM2-135M, r = {RANK} on q and v, {B} x {T}, {what}, {threads} thread(s)",
                    item="8",
                    ours=stepper(model, trained, our_loss, data, threads),
                    peers={PEER: work},
                    same=same,
                    targets={PEER: 1.0},
                    stretch={PEER: 1 / 1.3},
                    amounts={"ours": B * T, PEER: B * T},
                    unit="tokens",
                )
            )
    return made


MEASURE = """
import sys, torch
from tests.benchmarks import bench_lora as b
torch.set_num_threads(2)
model, trained = b.our_model() if sys.argv[1] == "ours" else b.their_model()
step = b.stepper(model, trained, b.our_loss if sys.argv[1] == "ours" else b.their_loss, b.batch(False), 2)
for _ in range(3):
    step()
print(open("/proc/self/status").read().split("VmHWM:")[1].split()[0])
"""


def report() -> Iterator[str]:
    """Peak memory of a process that loads the model and takes three steps (Linux only)."""
    yield f"[8] peak memory of three LoRA steps, {B} x {T}, each in a process of its own"
    found = {}
    for name, party in (("ours", "ours"), (PEER, "peft")):
        if party == "peft" and isinstance(needs("peft", lambda: "there"), str) and needs("peft", lambda: "there") != "there":
            yield f"    {name:<28} left out: {needs('peft', lambda: 'there')}"
            continue
        done = subprocess.run([sys.executable, "-c", MEASURE, party], cwd=repository_root(), capture_output=True, text=True)
        if done.returncode:
            yield f"    {name:<28} not measured: {done.stderr.strip().splitlines()[-1:]}"
            continue
        found[name] = int(done.stdout.split()[-1]) / 1e6
        ratio = f"   ours / it = {found['ours'] / found[name]:.2f} (target <= 1)" if name != "ours" and "ours" in found else ""
        yield f"    {name:<28} {found[name]:6.2f} GB{ratio}"
