"""Training by the clock (performance target 10): held-out bits per byte after 60 s and 120 s, beside Kneser-Ney.

What is compared is quality at equal time, so this benchmark reports lines instead of ratios of times. Each time is a run of its
own, with a schedule that ends when the time ends; how many steps fit is measured first. It is run only when it is named.
"""

import time
from collections.abc import Callable, Iterator, Sequence

from helpers.models import ngram, ngram_counts
from helpers.models.rnn import RecurrentLM
from helpers.models.transformer import Config, Transformer
from helpers.tokenizers import course_tokenizer
from helpers.training import recipes
from helpers.training.batches import Streams, Windows
from helpers.training.schedule import Plan
from helpers.training.trainer import Trainer
from tests.benchmarks.harness import torch_threads

ORDER = 5
TRIAL = 15  # steps that tell how long a step takes
TARGETS = {("GRU", 60): 1.85, ("GRU", 120): 1.74, ("Transformer", 60): 1.95, ("Transformer", 120): 1.85}
PLAN = dict(warmup=50, floor=0.02, weight_decay=0.1, average=0.98)
PEAK = {"GRU": 5e-3, "Transformer": 3e-3}


def gru(documents, common, seconds) -> tuple:
    """Small, with small batches: in a minute the number of steps counts for more than the width."""
    model = RecurrentLM(**common, kind="gru", embedding_dim=128, hidden_dim=192)
    return model, Streams(documents, batch_size=16, length=48)


def transformer(documents, common, seconds) -> tuple:
    """For a minute a small model sees enough text; for two a wider one is better."""
    size = dict(hidden_dim=128, n_layers=2) if seconds <= 60 else dict(hidden_dim=160, n_layers=3)
    return Transformer(Config(**common, **size, n_heads=4, context_length=128)), Windows(documents, batch_size=8, length=128)


def trained(make: Callable[..., tuple], documents, common, seconds: float, peak: float) -> Trainer:
    """A model after `seconds` of training, evaluation and compilation left out."""
    trial = Trainer(*make(documents, common, seconds), Plan(steps=TRIAL, peak=peak, **PLAN | dict(warmup=1)))
    trial.run()
    slow_start = trial.history.seconds
    trial = Trainer(*make(documents, common, seconds), Plan(steps=TRIAL, peak=peak, **PLAN | dict(warmup=1)))
    trial.run()
    per_step = min(slow_start, trial.history.seconds) / TRIAL
    steps = max(10, int(seconds / per_step))
    trainer = Trainer(*make(documents, common, seconds), Plan(steps=steps, peak=peak, **PLAN | dict(warmup=min(50, steps // 4))))
    trainer.run(seconds=1.05 * seconds)  # the schedule ends it; the clock is only a stop for a machine that became busy
    return trainer


def report(seconds: Sequence[float] = (60, 120), n_train: int | None = None, n_valid: int | None = None) -> Iterator[str]:
    """Lines of a table. n_train, n_valid: only so many documents, to try this file out."""
    n_threads, tokenizer = torch_threads(), course_tokenizer()
    documents, valid = recipes.documents_of("train")[0][:n_train], recipes.documents_of("valid")[0][:n_valid]
    n_bytes = sum(len(tokenizer.decode(d[:-1].tolist()).encode("utf-8")) for d in valid)
    common = dict(vocab_size=tokenizer.vocab_size, start_id=tokenizer.end_of_text)
    yield f"[10] bits per byte on {len(valid)} validation leads, {n_threads} threads, one seed"
    begin = time.perf_counter()
    counted = ngram.kneser_ney(ngram_counts.count_ngrams(documents, ORDER, tokenizer.vocab_size))
    spent = time.perf_counter() - begin
    yield f"    {f'Kneser-Ney {ORDER}-gram':<14} {recipes.bits_of(counted, valid, n_bytes):7.3f} after {spent:6.1f} s"
    for name, make in (("GRU", gru), ("Transformer", transformer)):
        for limit in seconds:
            trainer = trained(make, documents, common, limit, PEAK[name])
            with trainer.averaged() as model:
                bits = recipes.bits_of(model, valid, n_bytes)
            h, target = trainer.history, TARGETS.get((name, limit))
            verdict = "no target" if target is None else f"{'met' if bits <= target else 'missed'} (target <= {target})"
            whole = "" if trainer.step == trainer.plan.steps else f", stopped at step {trainer.step} of {trainer.plan.steps}"
            yield (
                f"    {name:<14} {bits:7.3f} after {h.seconds:6.1f} s  {h.tokens / 1e6:.2f} M tokens, "
                f"{h.tokens / h.seconds:,.0f} tokens/s  {verdict}{whole}"
            )
