"""Training a language model: one loop for recurrent networks and Transformers, from a laptop to several processes.

    trainer = Trainer(model, Windows(documents, batch_size=32, length=128), Plan(steps=1000))
    trainer.run()                       # can be interrupted, and called again: it goes on where it stopped
    trainer.history                     # losses, learning rates, evaluations

A checkpoint holds all that the next step depends on - weights, averages, the optimizer's moments, the state carried by a
recurrent network, the random generator - so a run that was stopped and resumed has the curve of one that was not.
"""

from __future__ import annotations

import dataclasses
import math
import time
import zlib
from collections.abc import Callable, Iterable
from contextlib import contextmanager, nullcontext
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from helpers.models.neural import NeuralLM
from helpers.tokenizers.labels import IGNORE
from helpers.training.batches import Batches
from helpers.training.carried_state import detached, filled, leaves, skeleton
from helpers.training.checkpoint import load_tensors, save_tensors
from helpers.training.interruption import stop_between_steps
from helpers.training.schedule import History, Plan, TrainingError, learning_rate, parameter_groups

__all__ = ["Trainer"]


class Trainer:
    """Trains `model` on `data` by `plan`, with AdamW (Loshchilov and Hutter 2019).

    evaluate: a function of the model that returns one number, called every `evaluate_every` steps and at the end.
    checkpoint: a file that is written every `checkpoint_every` steps, on an interruption and at the end; if it is there
    already and `resume` is set, training goes on from it. Under torchrun every process trains on its rows of each batch and
    the gradients are averaged, so the result is that of one process.
    """

    def __init__(
        self,
        model: NeuralLM,
        data: Batches,
        plan: Plan,
        *,
        evaluate: Callable[[NeuralLM], float] | None = None,
        evaluate_every: int = 0,
        checkpoint: str | Path | None = None,
        checkpoint_every: int = 0,
        resume: bool = True,
    ):
        """Raises ValueError when the batch cannot be cut into equal parts, the checkpoint belongs to another run, or LoRA's
        updates are merged, so that no step would change what the model says."""
        if any(getattr(module, "merged", False) for module in model.modules()):
            raise ValueError("expected a model whose LoRA updates are not merged, got a merged one; call unmerge(model) first")
        self.model, self.data, self.plan = model, data, plan
        self.evaluate, self.evaluate_every = evaluate, evaluate_every
        self.checkpoint_every = checkpoint_every
        together = dist.is_available() and dist.is_initialized()
        self.rank, self.world = (dist.get_rank(), dist.get_world_size()) if together else (0, 1)
        self.checkpoint = Path(f"{checkpoint}.{self.rank}" if self.rank else checkpoint) if checkpoint else None
        parts = self.world * plan.accumulate
        if data.batch_size % parts:
            raise ValueError(f"expected a batch_size that divides by {parts} (processes x accumulate), got {data.batch_size}")
        fused = {"fused": True} if model.device.type in ("cpu", "cuda") else {}
        self.optimizer = torch.optim.AdamW(parameter_groups(model, plan.weight_decay), lr=plan.peak, betas=plan.betas, **fused)
        self.average = {n: p.detach().clone() for n, p in model.named_parameters()} if plan.average else {}  # the EMA
        self.states: list[Any] = [None] * plan.accumulate  # what a recurrent network carries, one for each part of the batch
        self.step, self.history, self.interrupted = 0, History(), False
        self._whole = True  # False while weights, averages and step number belong to different steps
        self.cooling: tuple[int, int] | None = None  # (step at which the cooling down began, its length)
        torch.manual_seed(plan.seed + self.rank)  # dropout
        if self.checkpoint and resume and self.checkpoint.exists():
            self.load(self.checkpoint)

    # --- the loop

    def run(
        self, steps: int | None = None, *, seconds: float | None = None, progress: Callable[[Iterable], Iterable] | None = None
    ) -> History:
        """Train until `plan.steps`, or `steps` more, or `seconds` of training. progress: wraps the range of steps (a tqdm bar).

        Ctrl-C, or the stop button of a notebook, ends it between two steps: the model so far is kept, `interrupted` is set, and
        a further call goes on. Raises TrainingError when the loss is not finite; the model is then as before that step.
        """
        last = self.last_step if steps is None else min(self.last_step, self.step + steps)
        todo, started = range(self.step, last), self.history.seconds
        self.model.train()
        try:
            with stop_between_steps() as stop:
                for _ in progress(todo) if progress else todo:
                    self.update()
                    if self.evaluate and self.evaluate_every and self.step % self.evaluate_every == 0:
                        self._evaluate()
                    if self.checkpoint_every and self.step % self.checkpoint_every == 0:
                        self.save()
                    if stop or seconds is not None and self.history.seconds - started >= seconds:
                        break
            self.interrupted = bool(stop)
            if self.evaluate and not stop and [step for step, _ in self.history.evaluations[-1:]] != [self.step]:
                self._evaluate()
        finally:
            self.model.eval()
            if self._whole:  # else the last checkpoint is worth more than this state
                self.save()
        return self.history

    @property
    def last_step(self) -> int:
        """The step with which the run is complete: that of the plan, or of a cooling down (decay phase)."""
        return self.plan.steps if self.cooling is None else sum(self.cooling)

    def cool_down(self, steps: int) -> None:
        """The decay phase of a WSD schedule, begun before the plan ends: in a line to the lowest rate, over `steps` updates.

        A run that is simply cut off stands at a high rate and loses what the last small steps would have brought.
        Raises ValueError for steps < 1 or when the run is cooling down already.
        """
        if steps < 1 or self.cooling is not None:
            raise ValueError(f"expected steps >= 1 and a run that is not cooling down yet, got {steps} and {self.cooling}")
        self.cooling = (self.step, steps)

    def rate(self, step: int) -> float:
        """The learning rate of an update, counted from 1."""
        plan = self.plan
        planned = lambda s: learning_rate(s, peak=plan.peak, warmup=plan.warmup, total=plan.steps, floor=plan.floor)  # noqa: E731
        if self.cooling is None:
            return planned(step)
        begin, length = self.cooling
        return planned(begin) + (plan.peak * plan.floor - planned(begin)) * (step - begin) / length

    def update(self) -> float:
        """One step: loss, gradient, clipping, AdamW. Returns the loss in nats per token."""
        # 1. the learning rate of this step, and its batch
        begin, rate = time.perf_counter(), self.rate(self.step + 1)
        self.optimizer.zero_grad()  # what a step that was broken off may have left
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        x, y, fresh = self.data.batch(self.step)
        if fresh:
            self.states = [None] * self.plan.accumulate
        n_targets = max(1, int((y != IGNORE).sum()))  # of the whole batch: every target weighs the same, wherever it is computed
        x, y = x[self.rank :: self.world].to(self.model.device), y[self.rank :: self.world].to(self.model.device)
        # 2. loss and gradient, part by part, and of all processes together
        states, total = [], 0.0
        for part, (some_x, some_y) in enumerate(zip(x.chunk(self.plan.accumulate), y.chunk(self.plan.accumulate))):
            with self._precision():
                loss, state = self.model.loss(some_x, some_y, self.states[part])
            loss = loss * (int((some_y != IGNORE).sum()) * self.world / n_targets)
            loss.backward()
            states.append(detached(state))
            total += float(loss.detach())
        total = self._share(total)
        # 3. clipping; what is not finite ends the training here
        norm = float(nn.utils.clip_grad_norm_(self.model.parameters(), self.plan.clip))
        if not math.isfinite(total) or not math.isfinite(norm):
            self.optimizer.zero_grad()
            raise TrainingError(
                f"the loss of step {self.step + 1} is {total} and the norm of its gradient {norm}. The model is "
                f"as it was after step {self.step}. Try a smaller learning rate (now {rate:.2g}), more warm-up, "
                "or look for a logarithm of 0 or a division by 0 in the model."
            )
        # 4. the step itself, the average of the weights, the record
        self._whole = False
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.states, self.step = states, self.step + 1
        self._follow()
        self._whole = True
        self.history.losses.append(total)
        self.history.rates.append(rate)
        self.history.norms.append(norm)
        self.history.tokens += self.data.batch_size * self.data.length
        self.history.seconds += time.perf_counter() - begin
        return total

    def _share(self, loss: float) -> float:
        """Average loss and gradients over the processes of torchrun; each has seen other rows of the batch."""
        if self.world == 1:
            return loss
        mean = torch.tensor(loss, device=self.model.device)
        for tensor in [mean, *(p.grad for p in self.model.parameters() if p.grad is not None)]:
            dist.all_reduce(tensor)
            tensor /= self.world
        return float(mean)

    def _precision(self):
        kind = self.model.device.type
        wanted = self.plan.precision
        if wanted == "auto":
            wanted = "bf16" if kind == "cuda" and torch.cuda.is_bf16_supported() else "fp32"
        return torch.autocast(kind, dtype=torch.bfloat16) if wanted == "bf16" else nullcontext()

    @torch.no_grad()
    def _follow(self) -> None:
        """Exponential moving average (EMA): one step towards the weights; slower later on, so that the start is forgotten."""
        if self.average:
            decay = min(self.plan.average, self.step / (self.step + 10))
            for name, p in self.model.named_parameters():
                self.average[name].lerp_(p, 1 - decay)

    @torch.no_grad()
    def _put(self, weights: dict[str, Tensor]) -> None:
        for name, p in self.model.named_parameters():
            if name in weights:
                p.copy_(weights[name])

    @contextmanager
    def averaged(self):
        """Inside, the model has its averaged weights (those of the last step where the plan has no average)."""
        kept = {n: p.detach().clone() for n, p in self.model.named_parameters() if n in self.average}
        self._put(self.average)
        try:
            yield self.model
        finally:
            self._put(kept)

    def _evaluate(self) -> None:
        """One evaluation of the averaged weights; it does not touch the random numbers of the training."""
        assert self.evaluate is not None
        with self.averaged(), torch.random.fork_rng():
            self.model.eval()
            self.history.evaluations.append((self.step, float(self.evaluate(self.model))))
        self.model.train()

    # --- stopping and going on

    @cached_property
    def first_batch(self) -> int:
        """A checksum of the first batch: it tells other documents, sizes and seeds apart."""
        return zlib.crc32(self.data.batch(0).x.contiguous().numpy().tobytes())

    def save(self) -> None:
        """Write the checkpoint, if there is a place for it. Further processes write beside it: they carry other states."""
        if self.checkpoint:
            tensors = {f"model.{n}": p for n, p in self.model.named_parameters()}
            tensors |= {f"average.{n}": t for n, t in self.average.items()}
            names = {p: n for n, p in self.model.named_parameters()}
            for p, state in self.optimizer.state.items():
                tensors |= {f"optimizer.{key}.{names[p]}": t for key, t in state.items() if isinstance(t, Tensor)}
            tensors |= {f"state.{i:03}": t for i, t in enumerate(leaves(self.states))}
            tensors["generator"] = torch.get_rng_state()
            if self.model.device.type == "cuda":
                tensors["generator_cuda"] = torch.cuda.get_rng_state(self.model.device)
            facts = {
                "plan": dataclasses.asdict(self.plan),
                "step": self.step,
                "history": dataclasses.asdict(self.history),
                "cooling": self.cooling,
                "states": skeleton(self.states),
                "model": [type(self.model).__name__, self.model.settings],
                "first_batch": self.first_batch,
            }
            save_tensors(self.checkpoint, tensors, facts)

    def load(self, path: str | Path) -> None:
        """Go back to a checkpoint. Raises FileNotFoundError, or ValueError when it is damaged or of another model or plan."""
        tensors, facts = load_tensors(path)
        plan = dataclasses.asdict(self.plan)
        same = {key: list(v) if isinstance(v, tuple) else v for key, v in plan.items()} == facts.get("plan")
        if not same or facts.get("model") != [type(self.model).__name__, self.model.settings]:
            raise ValueError(
                f"{Path(path).name} belongs to another run (other plan or other model); delete it, or pass resume=False"
            )
        if facts.get("first_batch", self.first_batch) != self.first_batch:
            raise ValueError(
                f"{Path(path).name} was trained on other batches (other documents, size or seed); delete it, or pass resume=False"
            )
        self.optimizer.state.clear()  # a checkpoint of step 0 has no moments
        self._put({n: tensors[f"model.{n}"] for n, _ in self.model.named_parameters()})
        for n, t in self.average.items():
            t.copy_(tensors[f"average.{n}"])
        for n, p in self.model.named_parameters():
            keys = [k for k in tensors if k.startswith("optimizer.") and k.split(".", 2)[2] == n]
            if keys:
                self.optimizer.state[p] = {k.split(".")[1]: tensors[k].to(p.device) for k in keys}
        carried = iter([tensors[k].to(self.model.device) for k in sorted(tensors) if k.startswith("state.")])
        self.states = filled(facts["states"], carried)
        self.step, self.history = facts["step"], History(**facts["history"])
        self.cooling = tuple(facts["cooling"]) if facts.get("cooling") else None
        self.history.evaluations = [(step, value) for step, value in self.history.evaluations]
        torch.set_rng_state(tensors["generator"])
        if "generator_cuda" in tensors and self.model.device.type == "cuda":
            torch.cuda.set_rng_state(tensors["generator_cuda"], self.model.device)
