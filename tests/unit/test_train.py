"""Training: exact resume, accumulation, interruption, losses that are no numbers, foreign checkpoints, several processes."""

import copy
import json
import math
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import torch

from helpers.models.rnn import RecurrentLM
from helpers.models.transformer import Config, Transformer
from helpers.tokenizers.labels import IGNORE
from helpers.training import carried_state, distributed, schedule
from helpers.training.batches import Batch, Streams, Windows
from helpers.training.checkpoint import load_tensors
from helpers.training.schedule import History, Plan, TrainingError, learning_rate, parameter_groups
from helpers.training.trainer import Trainer

ROOT = Path(__file__).resolve().parents[2]
V = 11
DOCUMENTS = [torch.randint(V, (n,), generator=torch.Generator().manual_seed(n)).numpy() for n in (60, 35, 80, 50)]


def transformer(dropout=0.0):
    return Transformer(Config(V, context_length=16, hidden_dim=16, n_layers=2, n_heads=2, dropout=dropout))


def recurrent(dropout=0.0, kind="lstm"):
    return RecurrentLM(V, kind=kind, embedding_dim=8, hidden_dim=12, n_layers=2, dropout=dropout)


def windows():
    return Windows(DOCUMENTS, batch_size=4, length=8)


def streams():
    return Streams(DOCUMENTS, batch_size=4, length=8)


KINDS = {
    "transformer": (transformer, windows),
    "lstm": (recurrent, streams),
    "gru": (lambda dropout=0.0: recurrent(dropout, "gru"), streams),
}
every_kind = pytest.mark.parametrize("kind", KINDS)
FULL = dict(steps=16, peak=1e-2, warmup=3, average=0.9, accumulate=2)  # 16 steps of streams: two epochs and a half


def trainer_of(kind, dropout=0.0, *, plan=None, **options):
    model, data = KINDS[kind]
    return Trainer(model(dropout), data(), Plan(**plan or FULL), **options)


def everything(trainer):
    """All that the next step depends on, as one flat dictionary."""
    found = {f"model {n}": p.detach().clone() for n, p in trainer.model.named_parameters()}
    found |= {f"average {n}": t.clone() for n, t in trainer.average.items()}
    for n, p in trainer.model.named_parameters():
        found |= {f"{key} {n}": t.clone() for key, t in trainer.optimizer.state[p].items()}
    return found | {f"state {i}": t.clone() for i, t in enumerate(carried_state.leaves(trainer.states))}


def assert_same(a, b):
    assert a.keys() == b.keys()
    for name, t in a.items():
        assert torch.equal(t, b[name]), name


# --------------------------------------------------------------------------------------------------------- learning rate


def test_warm_up_of_the_worked_example():
    rates = [learning_rate(step, peak=2e-4, warmup=1000) for step in (0, 500, 1000, 4000)]
    assert rates == pytest.approx([0, 1e-4, 2e-4, 2e-4], abs=1e-18)


def test_the_cosine_falls_to_the_floor():
    rates = [learning_rate(step, peak=1.0, warmup=10, total=110, floor=0.2) for step in (10, 35, 60, 85, 110, 500)]
    middle = [0.2 + 0.8 * (1 + math.cos(math.pi * x)) / 2 for x in (0.25, 0.75)]
    assert rates == pytest.approx([1, middle[0], 0.6, middle[1], 0.2, 0.2])
    assert learning_rate(0, peak=1.0, warmup=0, total=10) == 1.0
    assert learning_rate(5, peak=1.0, warmup=5, total=5) == 1.0  # warm-up to the end


def test_the_rate_of_each_step():
    """Step 1 already learns, step `warmup` has the peak, the last step has the floor."""
    trainer = trainer_of("transformer", plan=dict(steps=8, peak=1e-2, warmup=4, floor=0.1))
    rates = trainer.run().rates
    assert len(rates) == 8 and rates[:4] == pytest.approx([0.0025, 0.005, 0.0075, 0.01]) and rates[-1] == pytest.approx(0.001)
    assert rates == [learning_rate(n, peak=1e-2, warmup=4, total=8, floor=0.1) for n in range(1, 9)]
    assert all(group["lr"] == rates[-1] for group in trainer.optimizer.param_groups)


def test_cooling_down_is_a_straight_line_to_the_floor():
    plan = dict(steps=100, peak=1e-2, warmup=4, floor=0.1)
    trainer = trainer_of("transformer", plan=plan)
    trainer.run(10)
    assert trainer.last_step == 100
    trainer.cool_down(5)
    assert trainer.last_step == 15
    before = learning_rate(10, peak=1e-2, warmup=4, total=100, floor=0.1)
    history = trainer.run()
    assert trainer.step == 15 and history.rates[9] == before
    assert history.rates[10:] == pytest.approx([before + (1e-3 - before) * n / 5 for n in range(1, 6)])
    assert history.rates[-1] == pytest.approx(1e-3)
    trainer.run()  # complete
    assert trainer.step == 15
    for steps in (0, 3):  # too few; already cooling down
        with pytest.raises(ValueError, match=r"steps >= 1 and a run that is not cooling down yet, got"):
            (trainer if steps else trainer_of("transformer", plan=plan)).cool_down(steps)


@pytest.mark.parametrize("cut", [6, 8])
def test_a_run_that_cools_down_is_resumed_exactly(cut, tmp_path):
    plan = FULL | dict(steps=50)
    runs = []
    for path in (None, tmp_path / "run.safetensors"):
        trainer = trainer_of("lstm", 0.3, plan=plan, checkpoint=path)
        trainer.run(6)
        trainer.cool_down(5)
        if path:
            trainer.run(cut - 6)
            trainer = trainer_of("lstm", 0.3, plan=plan, checkpoint=path)
            assert trainer.cooling == (6, 5) and trainer.step == cut
        trainer.run()
        runs.append(trainer)
    assert runs[0].step == 11 and runs[0].history.losses == runs[1].history.losses
    assert_same(everything(runs[0]), everything(runs[1]))


# ----------------------------------------------------------------------------------------------------------- what it does


@every_kind
def test_it_learns(kind):
    model, data = KINDS[kind]
    row = [torch.arange(110).remainder(V).numpy()]  # 0 1 2 ... 10 0 1 2 ...: the next id is certain
    trainer = Trainer(model(), type(data())(row, 4, 8), Plan(steps=80, peak=2e-2, warmup=5))
    history = trainer.run()
    assert history.losses[0] > 2 and sum(history.losses[-5:]) / 5 < 0.3
    assert history.tokens == 80 * 4 * 8 and len(history.norms) == 80 and history.seconds > 0 and trainer.step == 80
    assert not trainer.model.training


def test_one_step_is_adamw_with_clipping_by_hand():
    plan = Plan(steps=5, peak=1e-2, warmup=0, floor=1.0, weight_decay=0.3, clip=0.01)
    trainer = Trainer(transformer(), windows(), plan)
    model = copy.deepcopy(trainer.model)
    optimizer = torch.optim.AdamW(
        [
            {"params": [p for p in model.parameters() if p.ndim >= 2], "weight_decay": 0.3},
            {"params": [p for p in model.parameters() if p.ndim < 2], "weight_decay": 0.0},
        ],
        lr=1e-2,
        betas=(0.9, 0.99),
    )
    for step in range(3):
        x, y, _ = windows().batch(step)
        loss = torch.nn.functional.cross_entropy(model(x)[0].flatten(0, 1), y.flatten())
        optimizer.zero_grad()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 0.01)
        optimizer.step()
        assert trainer.update() == pytest.approx(loss.item(), rel=1e-5)
        assert trainer.history.norms[-1] == pytest.approx(norm.item(), rel=1e-4)
    for a, b in zip(trainer.model.parameters(), model.parameters()):
        torch.testing.assert_close(a, b, atol=2e-5, rtol=1e-3)


def test_matrices_decay_and_scales_do_not():
    matrices, rest = parameter_groups(transformer(), 0.1)
    assert matrices["weight_decay"] == 0.1 and rest["weight_decay"] == 0 and len(rest["params"]) == 5
    assert all(p.ndim == 2 for p in matrices["params"]) and all(p.ndim == 1 for p in rest["params"])
    frozen = transformer()
    frozen.embedding.weight.requires_grad = False
    assert len(parameter_groups(frozen, 0.1)[0]["params"]) == len(matrices["params"]) - 1


@every_kind
@pytest.mark.parametrize("accumulate", [2, 4])
def test_accumulation_is_no_accumulation(kind, accumulate):
    plan = dict(steps=12, peak=1e-2, warmup=2)
    whole, parts = trainer_of(kind, plan=plan), trainer_of(kind, plan=plan | dict(accumulate=accumulate))
    assert parts.run().losses == pytest.approx(whole.run().losses, rel=2e-5)
    assert parts.history.norms == pytest.approx(whole.history.norms, rel=1e-3)


class Padded:
    """Batches whose rows have different numbers of targets that count."""

    batch_size, length = 4, 8

    def batch(self, step):
        x, y, _ = windows().batch(step)
        y = y.clone()
        for row, kept in enumerate((1, 8, 3, 0)):
            y[row, kept:] = IGNORE
        return Batch(x, y, True)


@pytest.mark.parametrize("accumulate", [2, 4])
def test_every_target_weighs_the_same_wherever_it_is_computed(accumulate):
    plans = [Plan(steps=4, peak=1e-2, warmup=0, accumulate=n) for n in (1, accumulate)]
    whole, parts = (Trainer(transformer(), Padded(), plan).run() for plan in plans)
    assert parts.losses == pytest.approx(whole.losses, rel=2e-5) and parts.norms == pytest.approx(whole.norms, rel=1e-3)


def test_a_recurrent_state_is_carried_without_its_gradient_and_dropped_when_fresh():
    seen = []

    class Watched(RecurrentLM):
        def loss(self, ids, targets, state=None, **options):
            seen.append(state)
            return super().loss(ids, targets, state, **options)

    data = streams()
    model = Watched(V, embedding_dim=8, hidden_dim=12)
    trainer = Trainer(model, data, Plan(steps=data.steps_per_epoch + 2, average=0.0))
    trainer.run(1)
    after_first = trainer.states[0]
    assert all(not t.requires_grad for t in carried_state.leaves(after_first)) and len(carried_state.leaves(after_first)) == 2
    trainer.run()
    assert [state is None for state in seen] == [step % data.steps_per_epoch == 0 for step in range(len(seen))]
    for a, b in zip(carried_state.leaves(seen[1]), carried_state.leaves(after_first)):
        assert torch.equal(a, b)
    assert any(t.abs().max() > 0 for t in carried_state.leaves(after_first))


def test_the_average_follows_the_weights():
    trainer = Trainer(transformer(), windows(), Plan(steps=6, peak=1e-2, warmup=0, average=0.8))
    name, p = next(iter(trainer.model.named_parameters()))
    expected = p.detach().clone()
    for step in range(1, 7):
        trainer.update()
        decay = min(0.8, step / (step + 10))
        expected = decay * expected + (1 - decay) * p.detach()
        torch.testing.assert_close(trainer.average[name], expected, atol=1e-6, rtol=1e-5)
    last = p.detach().clone()
    assert not torch.equal(last, expected)
    with trainer.averaged() as model:
        assert torch.equal(dict(model.named_parameters())[name], trainer.average[name])
    assert torch.equal(p, last)
    with pytest.raises(RuntimeError, match="stop"), trainer.averaged():
        raise RuntimeError("stop")
    assert torch.equal(p, last)  # put back after an error too


def test_evaluations_judge_the_average_and_do_not_disturb_the_training():
    judged = []

    def evaluate(model):
        judged.append(next(model.parameters()).detach().clone())
        assert not model.training
        torch.rand(5)  # an evaluation that draws random numbers
        return 1.5

    plan = dict(steps=7, peak=1e-2, warmup=0, average=0.9)
    plain = trainer_of("transformer", 0.3, plan=plan)
    plain.run()
    watched = trainer_of("transformer", 0.3, plan=plan, evaluate=evaluate, evaluate_every=3)
    history = watched.run()
    assert history.evaluations == [(3, 1.5), (6, 1.5), (7, 1.5)] and history.losses == plain.history.losses
    assert_same(everything(watched), everything(plain))
    assert torch.equal(judged[-1], next(iter(watched.average.values())))
    watched.run()  # nothing left to do: no second evaluation of the same step
    assert len(watched.history.evaluations) == 3


def test_steps_and_seconds_limit_a_run():
    trainer = trainer_of("transformer")
    trainer.run(3)
    assert trainer.step == 3
    trainer.run(seconds=0)
    assert trainer.step == 4  # at least one
    shown = []
    trainer.run(progress=lambda steps: shown.append(steps) or steps)
    assert trainer.step == 16 and shown == [range(4, 16)]


def test_bfloat16_also_learns():
    trainer = trainer_of("transformer", plan=dict(steps=20, peak=1e-2, warmup=2, precision="bf16"))
    exact = trainer_of("transformer", plan=dict(steps=20, peak=1e-2, warmup=2))
    losses, expected = trainer.run().losses, exact.run().losses
    assert losses != expected and losses == pytest.approx(expected, rel=0.02)
    assert all(p.dtype == torch.float32 for p in trainer.model.parameters())


# ------------------------------------------------------------------------------------------------------ stop and go on


@pytest.mark.parametrize("kind", ["transformer", "lstm"])
@pytest.mark.parametrize("cut", [1, 6, 15])
def test_a_resumed_run_is_bit_for_bit_the_uninterrupted_one(kind, cut, tmp_path):
    evaluate = lambda model: model.score(range(V)).sum()  # noqa: E731
    options = dict(evaluate=evaluate, evaluate_every=5)
    whole = trainer_of(kind, 0.3, **options)
    whole.run()
    first = trainer_of(kind, 0.3, checkpoint=tmp_path / "run.safetensors", **options)
    first.evaluate = None  # a stop is not an end: no evaluation there
    first.evaluate_every = 0
    first.run(cut)
    torch.rand(100)  # whatever happens in between
    second = trainer_of(kind, 0.3, checkpoint=tmp_path / "run.safetensors", **options)
    assert second.step == cut and second.history.losses == first.history.losses
    second.run()
    assert second.history.losses == whole.history.losses and second.history.norms == whole.history.norms
    assert second.history.rates == whole.history.rates and second.history.tokens == whole.history.tokens
    assert second.history.evaluations == [e for e in whole.history.evaluations if e[0] > cut]
    assert_same(everything(second), everything(whole))


def test_going_on_in_the_same_process_is_the_same_too():
    whole, parts = trainer_of("lstm", 0.3), trainer_of("lstm", 0.3)
    whole.run()
    expected = everything(whole)
    whole = None
    torch.manual_seed(0)
    parts = trainer_of("lstm", 0.3)
    for steps in (1, 4, 7, 10):
        parts.run(steps)
    assert_same(everything(parts), expected)


def test_a_checkpoint_is_written_on_the_way_and_at_the_end(tmp_path):
    path, saved = tmp_path / "run.safetensors", []
    trainer = trainer_of("lstm", checkpoint=path, checkpoint_every=5)
    save = trainer.save
    trainer.save = lambda: (saved.append(trainer.step), save())
    trainer.run(12)
    assert saved == [5, 10, 12] and load_tensors(path)[1]["step"] == 12
    assert [p.name for p in tmp_path.iterdir()] == ["run.safetensors"]


@pytest.mark.parametrize("plan", [FULL | dict(peak=2e-2), FULL | dict(steps=17), FULL | dict(seed=1)])
def test_a_checkpoint_of_another_plan_is_refused(plan, tmp_path):
    path = tmp_path / "run.safetensors"
    trainer_of("transformer", checkpoint=path).run(2)
    with pytest.raises(ValueError, match=r"run.safetensors belongs to another run \(other plan or other model\); delete it"):
        trainer_of("transformer", plan=plan, checkpoint=path)
    assert trainer_of("transformer", plan=plan, checkpoint=path, resume=False).step == 0


def test_a_checkpoint_of_another_model_is_refused(tmp_path):
    path = tmp_path / "run.safetensors"
    trainer_of("transformer", checkpoint=path).run(2)
    for other in ("lstm", "gru"):
        with pytest.raises(ValueError, match="belongs to another run"):
            trainer_of(other, checkpoint=path)
    with pytest.raises(ValueError, match="belongs to another run"):
        trainer_of("transformer", 0.1, checkpoint=path)


def test_a_checkpoint_of_other_batches_is_refused(tmp_path):
    path = tmp_path / "run.safetensors"
    trainer_of("transformer", checkpoint=path).run(2)
    others = Windows(DOCUMENTS[1:], batch_size=4, length=8), Windows(DOCUMENTS, batch_size=4, length=8, seed=1)
    for data in others:
        with pytest.raises(ValueError, match=r"was trained on other batches \(other documents, size or seed\); delete it"):
            Trainer(transformer(), data, Plan(**FULL), checkpoint=path)
    assert trainer_of("transformer", checkpoint=path).step == 2


def test_a_damaged_checkpoint_is_refused_and_a_missing_one_means_a_new_run(tmp_path):
    path = tmp_path / "run.safetensors"
    trainer_of("transformer", checkpoint=path).run(2)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ValueError, match="run.safetensors cannot be used as a checkpoint: it is damaged, cut short"):
        trainer_of("transformer", checkpoint=path)
    path.unlink()
    trainer = trainer_of("transformer", checkpoint=path)
    assert trainer.step == 0
    with pytest.raises(FileNotFoundError, match="there is no checkpoint run.safetensors"):
        trainer.load(path)


# --------------------------------------------------------------------------------------------------------- interruption


SIGNALS = [signal.SIGINT] + [signal.SIGTERM] * (os.name != "nt")  # Windows ends a process for the second


def pressing(trainer, at, times=1, number=signal.SIGINT):
    """A trainer whose process gets Ctrl-C, or is asked to end, in the middle of a step, while the batch is made."""
    batch = trainer.data.batch

    def pressed(step):
        if step == at:
            for _ in range(times):
                os.kill(os.getpid(), number)
        return batch(step)

    trainer.data.batch = pressed
    return trainer


@pytest.mark.parametrize("number", SIGNALS)
def test_ctrl_c_stops_between_two_steps_and_keeps_the_model(number, tmp_path):
    before = signal.getsignal(number)
    path = tmp_path / "run.safetensors"
    whole = trainer_of("lstm", 0.3)
    whole.run()
    expected = everything(whole)
    trainer = pressing(trainer_of("lstm", 0.3, checkpoint=path, evaluate=lambda model: 1.0), at=4, number=number)
    history = trainer.run()
    assert trainer.interrupted and trainer.step == 5 == len(history.losses)  # the step that was begun is finished
    assert history.evaluations == [] and not trainer.model.training
    assert load_tensors(path)[1]["step"] == 5
    assert signal.getsignal(number) is before  # the handler is given back
    trainer.run()
    assert not trainer.interrupted and trainer.step == 16 and trainer.history.losses == whole.history.losses
    assert_same(everything(trainer), expected)


@pytest.mark.parametrize("number", SIGNALS)
def test_a_second_ctrl_c_is_obeyed_at_once_and_leaves_whole_weights(number, tmp_path):
    path = tmp_path / "run.safetensors"
    trainer = pressing(trainer_of("lstm", checkpoint=path), at=4, times=2, number=number)
    with pytest.raises(KeyboardInterrupt):
        trainer.run()
    assert trainer.step == 4 and not trainer.model.training and load_tensors(path)[1]["step"] == 4
    resumed = trainer_of("lstm", checkpoint=path)
    reference = trainer_of("lstm")
    assert resumed.run().losses == reference.run().losses


def test_an_interruption_in_the_middle_of_an_update_keeps_the_last_checkpoint(tmp_path):
    """Weights of step 4 with the number 3 would make a resumed run take step 4 twice."""
    path = tmp_path / "run.safetensors"
    trainer = trainer_of("lstm", checkpoint=path, checkpoint_every=2)
    step, calls = trainer.optimizer.step, []

    def interrupted():
        step()
        calls.append(1)
        if len(calls) == 4:
            raise KeyboardInterrupt

    trainer.optimizer.step = interrupted
    with pytest.raises(KeyboardInterrupt):
        trainer.run()
    assert load_tensors(path)[1]["step"] == 2
    assert trainer_of("lstm", checkpoint=path).run().losses == trainer_of("lstm").run().losses


def test_outside_the_main_thread_training_runs_without_signals():
    trainer, errors = trainer_of("transformer"), []

    def work():
        try:
            trainer.run(2)
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert not errors and trainer.step == 2


def test_an_error_in_the_middle_of_a_step_leaves_no_gradient_behind():
    """The first part of a batch has added to the gradient when the second fails; the next step must not see it."""
    trainer, reference = trainer_of("transformer"), trainer_of("transformer")
    loss, calls = trainer.model.loss, []

    def fails_once(*args):
        calls.append(1)
        if len(calls) == 2:
            raise MemoryError
        return loss(*args)

    trainer.model.loss = fails_once
    with pytest.raises(MemoryError):
        trainer.run()
    assert trainer.step == 0
    assert trainer.run().losses == reference.run().losses


# ------------------------------------------------------------------------------------------------- losses that are no numbers


@every_kind
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_loss_that_is_no_number_leaves_everything_as_it_was(kind, value, tmp_path):
    path = tmp_path / "run.safetensors"
    trainer = trainer_of(kind, 0.3, checkpoint=path)
    trainer.run(4)
    before, loss = everything(trainer), trainer.model.loss
    trainer.model.loss = lambda *args: (loss(*args)[0] * value, loss(*args)[1])
    with pytest.raises(
        TrainingError,
        match=r"the loss of step 5 is (nan|inf) and .*The model is as it was after step 4. Try "
        r"a smaller learning rate \(now 0.00\d+\), more warm-up",
    ):
        trainer.run()
    assert_same(everything(trainer), before)
    assert trainer.step == 4 == len(trainer.history.losses) and not trainer.model.training
    assert load_tensors(path)[1]["step"] == 4 and all(p.grad is None for p in trainer.model.parameters())
    trainer.model.loss = loss
    trainer.run()  # and it goes on
    assert trainer.step == 16 and all(math.isfinite(x) for x in trainer.history.losses)


def test_a_gradient_that_is_no_number_is_found_even_when_the_loss_is_one():
    trainer = trainer_of("transformer")
    before, loss = everything(trainer), trainer.model.loss

    def bad(*args):
        value, state = loss(*args)
        value.register_hook(lambda grad: grad * math.nan)
        return value, state

    trainer.model.loss = bad
    with pytest.raises(TrainingError, match=r"the loss of step 1 is \d\.\d+ and the norm of its gradient nan"):
        trainer.run()
    assert_same(everything(trainer), before)
    assert issubclass(TrainingError, ArithmeticError)


def test_ids_outside_the_vocabulary_and_windows_beyond_the_context():
    model = transformer()
    before = copy.deepcopy(model.state_dict())
    with pytest.raises(ValueError, match=f"ids from 0 to {V - 1}, got {V}; does the tokenizer belong to this model"):
        Trainer(model, Windows([torch.full((30,), V).numpy()], 2, 4), Plan(steps=2)).run()
    with pytest.raises(ValueError, match="at most context_length = 16 tokens, got 20"):
        Trainer(model, Windows(DOCUMENTS, 2, 20), Plan(steps=2)).run()
    assert all(torch.equal(t, before[n]) for n, t in model.state_dict().items())


# --------------------------------------------------------------------------------------------------------------- bad plans


@pytest.mark.parametrize(
    "changes, words",
    [
        (dict(steps=0), "steps >= 1, warmup >= 0, accumulate >= 1, got 0, 100, 1"),
        (dict(warmup=-1), "got 5, -1, 1"),
        (dict(accumulate=0), "got 5, 100, 0"),
        (dict(peak=0.0), r"peak > 0, floor in \[0, 1\], clip > 0, .*, got 0.0"),
        (dict(floor=1.5), "got 0.001, 1.5"),
        (dict(clip=0.0), "0.0, 0.0"),
        (dict(average=1.0), "1.0$"),
        (dict(peak=math.nan), "got nan"),
        (dict(precision="fp8"), "precision auto, fp32, bf16, got 'fp8'"),
    ],
)
def test_plans_that_make_no_sense(changes, words):
    with pytest.raises(ValueError, match=words):
        Plan(**dict(steps=5) | changes)


def test_a_batch_that_cannot_be_cut_into_equal_parts():
    with pytest.raises(ValueError, match=r"batch_size that divides by 3 \(processes x accumulate\), got 4"):
        trainer_of("transformer", plan=dict(steps=5, accumulate=3))


def test_a_history_starts_empty():
    assert History() == History([], [], [], [], 0, 0.0) and History().losses is not History().losses


# ------------------------------------------------------------------------------------------------------ several processes


WORKER = """
import json, sys
import torch, torch.distributed as dist
torch.set_num_threads(1)
from tests.unit.test_train import curves, refuse_eight_parts
from helpers.training import distributed
distributed.join()
with open(f"{sys.argv[1]}.{dist.get_rank()}.json", "w") as file:
    json.dump(curves(sys.argv[1]), file)
refuse_eight_parts()
distributed.leave()
"""


def curves(name):
    """Losses, norms, weights and tokens of training runs that are stopped and resumed once; also called by the worker."""
    found = {}
    for kind in ("transformer", "lstm", "padded"):
        for accumulate in (1, 2):
            model, data = KINDS.get(kind, (transformer, Padded))
            plan = Plan(steps=12, peak=1e-2, warmup=2, accumulate=accumulate, average=0.9)
            path = f"{name}.{kind}{accumulate}"
            Trainer(model(), data(), plan, checkpoint=path).run(7)
            trainer = Trainer(model(), data(), plan, checkpoint=path)  # each process goes on from its own checkpoint
            assert trainer.step == 7
            history = trainer.run()
            weights = sum(float(p.detach().double().abs().sum()) for p in trainer.model.parameters())
            found[f"{kind} {accumulate}"] = [history.losses, history.norms, weights, history.tokens, trainer.world]
    return found


def refuse_eight_parts():
    with pytest.raises(ValueError, match=r"divides by 8 \(processes x accumulate\), got 4"):
        Trainer(transformer(), windows(), Plan(steps=2, accumulate=4))


def test_a_process_on_its_own_joins_and_leaves_nothing(monkeypatch):
    monkeypatch.delenv("RANK", raising=False)
    distributed.join()
    assert not torch.distributed.is_available() or not torch.distributed.is_initialized()
    assert distributed.leave() == 0 and distributed.leave(3) == 3


def test_two_processes_have_the_losses_of_one(tmp_path):
    if not torch.distributed.is_available() or not torch.distributed.is_gloo_available():
        pytest.skip("this build of torch has no gloo, so there is no data-parallel training to test")
    script = tmp_path / "worker.py"
    script.write_text(WORKER, encoding="utf-8")
    env = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "COURSE_THREADS": "1"}
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", script, tmp_path / "two"]
    done = subprocess.run(list(map(str, command)), cwd=ROOT, env=env, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stderr[-3000:]
    first, second = (json.loads((tmp_path / f"two.{rank}.json").read_text()) for rank in (0, 1))
    assert first == second  # the processes agree to the last bit
    for name, (losses, norms, weights, tokens, world) in curves(tmp_path / "one").items():
        assert world == 1 and first[name][4] == 2
        assert first[name][0] == pytest.approx(losses, rel=2e-6, abs=2e-6), name
        assert first[name][1] == pytest.approx(norms, rel=1e-4), name
        assert first[name][2] == pytest.approx(weights, rel=1e-5) and first[name][3] == tokens, name


def test_cooling_down_ends_a_run_early_and_survives_a_stop(tmp_path):
    def new(path=None):
        model = Transformer(Config(50, context_length=16, hidden_dim=16, n_layers=1, n_heads=2), seed=0)
        data = Windows([np.arange(1, 50)] * 10, 2, 16)
        return Trainer(model, data, Plan(steps=40, warmup=4, peak=1e-2, floor=0.1), checkpoint=path)

    whole = new()
    whole.run(10)
    whole.cool_down(6)
    whole.run()
    assert whole.step == whole.last_step == 16
    steps = np.diff(whole.history.rates[9:])
    assert np.allclose(steps, steps[0]) and steps[0] < 0 and whole.history.rates[-1] == pytest.approx(1e-3)
    part = new(tmp_path / "run.safetensors")
    part.run(10)
    part.cool_down(6)
    part.run(3)
    again = new(tmp_path / "run.safetensors")
    again.run()
    assert again.history.losses == whole.history.losses and again.history.rates == whole.history.rates
    for steps in (0, 3):
        with pytest.raises(ValueError, match="cooling down"):
            again.cool_down(steps)


def test_a_plain_update_sets_the_rate_clips_and_forgets_the_old_gradient():
    weights = [torch.nn.Parameter(torch.tensor([1.0, 2.0])), torch.nn.Parameter(torch.tensor([3.0]))]
    optimizer = torch.optim.SGD([{"params": [w]} for w in weights], lr=9.0)
    for _ in range(2):  # the second step must not add the first one's gradient
        before = [w.detach().clone() for w in weights]
        loss = 3 * weights[0].sum() + 4 * weights[1].sum()  # gradient (3, 3, 4), norm sqrt(34)
        assert schedule.update(optimizer, loss, 0.1, clip=0.5) == pytest.approx(float(loss.detach()))
        for w, old, slope in zip(weights, before, (3, 4)):
            assert torch.allclose(w, old - 0.1 * slope * 0.5 / math.sqrt(34), atol=1e-5)


def test_a_checkpoint_of_the_first_step_is_a_fresh_start(tmp_path):
    place = tmp_path / "c.safetensors"
    trainer = trainer_of("transformer", checkpoint=place)
    trainer.save()
    begin = place.read_bytes()
    first = list(trainer.run(3).losses)
    place.write_bytes(begin)
    trainer.load(place)  # the moments of the three steps must be gone
    assert list(trainer.run(3).losses) == first


def test_processes_that_take_too_long_are_told():
    with pytest.raises(RuntimeError, match="1 processes were not done after 0.05 s"):
        distributed.launch(1, seconds=0.05)


def test_the_small_loop_is_adamw_with_a_rate_for_each_step():
    x, target, told = torch.tensor([[1.0, 2.0], [3.0, -1.0]]), torch.tensor([0.5, 1.0]), []
    a, b = (torch.nn.Parameter(torch.tensor([0.3, -0.2])) for _ in range(2))
    losses = schedule.optimize(
        [a],
        lambda step: ((x @ a - target) ** 2).mean() + step,
        3,
        lambda step: 0.1 / step,
        betas=(0.9, 0.99),
        weight_decay=0.01,
        report=lambda step, loss: told.append((step, loss)),
    )
    optimizer = torch.optim.AdamW([b], betas=(0.9, 0.99), weight_decay=0.01)
    expected = [schedule.update(optimizer, ((x @ b - target) ** 2).mean() + step, 0.1 / (step + 1)) for step in range(3)]
    assert losses == expected and torch.equal(a, b) and told == list(enumerate(losses))
