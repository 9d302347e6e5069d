"""Famous bugs, each as a change of one or two snippets of a real module, and the test that must turn red.

A mutant is a copy of the package `helpers` under another name, in which one module has the bug; every other module of the copy
is the real one and imports the mutated one. The test is a real one of tests/unit or tests/parity, loaded again so that it
imports the copy. So what is proved is not only that a bug could be seen, but that this test suite sees it.
"""

from __future__ import annotations

import importlib.abc
import importlib.util
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Mutant:
    """bug: in words. module: of helpers. changes: (old, new) snippets. test: "unit/test_x.py::test_name", and its arguments;
    fixtures are filled in. error: what the test raises besides failing, where the bug stumbles over a guard."""

    bug: str
    module: str
    changes: tuple[tuple[str, str], ...]
    test: str
    arguments: dict[str, Any] = field(default_factory=dict)
    error: type[BaseException] = AssertionError

    @property
    def path(self) -> Path:
        return ROOT.joinpath("helpers", *self.module.split(".")).with_suffix(".py")

    def source(self) -> str:
        """The mutated source. Raises ValueError unless each old snippet occurs exactly once and is changed."""
        text = self.path.read_text(encoding="utf-8")
        for old, new in self.changes:
            if text.count(old) != 1 or old == new:
                raise ValueError(
                    f"{self.module}.py holds this snippet {text.count(old)} times, expected once; was it rewritten? {old!r}"
                )
            text = text.replace(old, new)
        return text


def bug(
    words: str, module: str, *snippets: str, test: str, error: type[BaseException] = AssertionError, **arguments: Any
) -> Mutant:
    """A mutant from snippets listed as old, new, old, new."""
    return Mutant(words, module, tuple(zip(snippets[::2], snippets[1::2], strict=True)), test, arguments, error)


@contextmanager
def copy_of_helpers(name: str, mutant: Mutant | None = None) -> Iterator[None]:
    """While it lasts, the package `name` is a copy of helpers, with the bug in it. Its modules import the copy, not helpers."""
    finder = _Copies(name, mutant)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for loaded in [key for key in sys.modules if key == name or key.startswith(f"{name}.")]:
            del sys.modules[loaded]


class _Copies(importlib.abc.MetaPathFinder, importlib.abc.SourceLoader):
    """Finds the modules of the package `name` in the files of helpers, and renames helpers in what they import."""

    def __init__(self, name: str, mutant: Mutant | None):
        self.name, self.mutant = name, mutant

    def find_spec(self, fullname, path=None, target=None):
        head, *rest = fullname.split(".")
        if head != self.name:
            return None
        place = ROOT.joinpath("helpers", *rest)
        file = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
        if not file.exists():
            return None
        return importlib.util.spec_from_file_location(
            fullname, file, loader=self, submodule_search_locations=[str(place)] if place.is_dir() else None
        )

    def get_filename(self, fullname):
        return self.find_spec(fullname).origin

    def get_data(self, path):
        mutated = self.mutant is not None and Path(path) == self.mutant.path
        source = self.mutant.source() if mutated else Path(path).read_text(encoding="utf-8")
        return in_the_name_of(self.name, source).encode("utf-8")


def in_the_name_of(name: str, source: str) -> str:
    """The source with `name` in place of helpers wherever it imports."""
    return re.sub(r"^(\s*(?:from|import) )helpers\b", rf"\1{name}", source, flags=re.MULTILINE)


def load_test(test: str, name: str) -> Callable[..., Any]:
    """The test of the suite, in a copy of its file that imports the package `name` in the place of helpers."""
    file, _, function = test.partition("::")
    path = ROOT / "tests" / file
    before = path.read_text(encoding="utf-8")
    source = in_the_name_of(name, before)
    assert source != before, f"{path} does not import helpers"
    spec = importlib.util.spec_from_loader(f"{name}.tests_{path.stem}", loader=None)
    module = importlib.util.module_from_spec(spec)
    module.__file__ = str(path)
    sys.modules[module.__name__] = module
    exec(compile(source, f"{path} on {name}", "exec"), module.__dict__)
    return getattr(module, function)


ATTENTION, RNN, TRANSFORMER = (f"unit/test_{n}.py::" for n in ("attention", "rnn", "transformer"))
TRAIN, NEURAL = (f"unit/test_{n}.py::" for n in ("train", "neural"))
DPO = "pairwise_loss(beta * (chosen - chosen_reference), beta * (rejected - rejected_reference))"
PREFERENCES, SENTENCES, REWARDS = (f"unit/test_{n}.py::" for n in ("preferences", "sentences", "reward_model"))
LORA, CHAT, FINETUNE = (f"unit/test_{n}.py::" for n in ("lora", "chat", "finetune"))
BM25_, RANKS, SEARCH, CHUNKS, DOCUMENTS = (
    f"unit/test_{n}.py::" for n in ("bm25", "rank_metrics", "retrieval", "chunking", "documents")
)
LM, NGRAM, BPE, BATCHES, CHECKPOINT = (f"unit/test_{n}.py::" for n in ("language_model", "ngram", "bpe", "batches", "checkpoint"))
LLAMA, TORCH_RNN = "parity/test_transformer_parity.py::", "parity/test_rnn_parity.py::"
CACHED = TRANSFORMER + "test_cached_is_uncached"
CAUSAL = TRANSFORMER + "test_a_later_token_never_changes_earlier_logits"
SAMPLING, SAMPLING_PARITY = "unit/test_sampling.py::", "parity/test_sampling_parity.py::"
SPECULATIVE, CONSTRAINED, BATCHED = (f"unit/test_{n}.py::" for n in ("speculative", "constrained", "batched"))

MUTANTS = [
    # --- attention
    bug(
        "causal mask upside down",
        "models.attention",
        ".tril(n_keys - n_queries)",
        ".triu(n_keys - n_queries)",
        test=ATTENTION + "test_the_causal_mask_shows_what_came_before",
    ),
    bug(
        "True in a mask means hidden",
        "models.attention",
        "masked_fill(~mask, -math.inf)",
        "masked_fill(mask, -math.inf)",
        test=ATTENTION + "test_the_worked_row",
    ),
    bug(
        "mask aligned at the first key",
        "models.attention",
        ".tril(n_keys - n_queries)",
        ".tril()",
        test=ATTENTION + "test_the_causal_mask_shows_what_came_before",
    ),
    bug("no causal mask in the fused kernel", "models.attention", "is_causal=T == S and T > 1", "is_causal=False", test=CAUSAL),
    bug(
        "no mask when a text is read in parts",
        "models.attention",
        "mask = None if T == 1 or T == S else causal_mask(T, S, q.device)",
        "mask = None",
        test=CACHED,
    ),
    bug(
        "scores not divided by the root of the width",
        "models.attention",
        "scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])  # (..., T, S)",
        "scores = q @ k.transpose(-2, -1)",
        test=ATTENTION + "test_the_scores_are_divided_by_the_root_of_the_head_width",
    ),
    bug(
        "key-value heads tiled, not repeated side by side",
        "models.attention",
        "x[:, :, None].expand(B, K, times, S, D)",
        "x[:, None].expand(B, times, K, S, D)",
        test=ATTENTION + "test_heads_of_a_group_stand_side_by_side",
    ),
    # --- rotation
    bug(
        "the other pairing of rotated channels",
        "models.transformer",
        "rotary_table, rotate, sinusoids\n",
        "rotary_table, rotate_interleaved as rotate, sinusoids\n",
        test=LLAMA + "test_logits",
        name="plain",
    ),
    bug(
        "rotation the wrong way round",
        "models.attention",
        "torch.cat([first * cos - second * sin, second * cos + first * sin]",
        "torch.cat([first * cos + second * sin, second * cos - first * sin]",
        test=ATTENTION + "test_a_turn_by_45_degrees",
    ),
    bug(
        "frequencies of half the width",
        "models.attention",
        "dtype=torch.float32) / head_dim)",
        "dtype=torch.float32) / (head_dim // 2))",
        test=ATTENTION + "test_frequencies_of_width_six",
    ),
    bug(
        "values are rotated too",
        "models.transformer",
        "q, k = rotate(q, *rotary), rotate(k, *rotary)",
        "q, k, v = rotate(q, *rotary), rotate(k, *rotary), rotate(v, *rotary)",
        test=TRANSFORMER + "test_values_are_not_rotated",
    ),
    bug(
        "rotation starts at 0 behind a cache",
        "models.transformer",
        "slice(past, past + ids.shape[1])",
        "slice(0, ids.shape[1])",
        test=CACHED,
    ),
    bug(
        "base of the rotation ignored",
        "models.transformer",
        "self.context_length, self.config.rope_base)",
        "self.context_length)",
        test=LLAMA + "test_logits",
        name="one key-value head, another base",
    ),
    # --- the cache
    bug(
        "cache written one place too early",
        "models.kv_cache",
        "start, end = self.length, self.length + k.shape[2]",
        "start = max(0, self.length - 1)\n        end = start + k.shape[2]",
        test=CACHED,
    ),
    bug(
        "labels counted for every token",
        "models.neural",
        "    kept = y != IGNORE\n    features, _",
        "    kept = y != 0\n    features, _",
        test=NEURAL + "test_label_log_probs_are_the_sums_that_score_gives",
        error=Exception,
    ),
    bug(
        "length moved on by the first layer",
        "models.kv_cache",
        "if layer == len(self.keys) - 1:",
        "if layer == 0:",
        test=ATTENTION + "test_the_length_moves_on_with_the_last_layer",
    ),
    bug(
        "a fork shares its cache",
        "models.kv_cache",
        "t[:, :, : self.length].clone()",
        "t",
        test=ATTENTION + "test_a_fork_goes_its_own_way",
    ),
    # --- blocks
    bug(
        "residual dropped",
        "models.transformer",
        "x = x + self.attention(self.norm1(x), rotary, cache)",
        "x = self.attention(self.norm1(x), rotary, cache)",
        test=TRANSFORMER + "test_the_gradient_through_three_layers_with_and_without_residuals",
    ),
    bug(
        "pre-norm and post-norm swapped",
        "models.transformer",
        '("pre", True): Block, ("post", True): PostNormBlock',
        '("post", True): Block, ("pre", True): PostNormBlock',
        test=TRANSFORMER + "test_pre_norm_and_post_norm_by_hand",
    ),
    bug(
        "RMSNorm without eps",
        "models.transformer",
        "self.weight, self.eps)\n\n\ndef make_norm",
        "self.weight, 0.0)\n\n\ndef make_norm",
        test=TRANSFORMER + "test_rms_norm_by_hand",
    ),
    bug(
        "RMSNorm divides by the length, not by its mean square",
        "models.transformer",
        "return F.rms_norm(x, self.weight.shape, self.weight, self.eps)",
        "return x / torch.sqrt((x * x).sum(-1, keepdim=True) + self.eps) * self.weight",
        test=TRANSFORMER + "test_rms_norm_by_hand",
    ),
    bug(
        "last norm forgotten",
        "models.transformer",
        "return self.norm(x), state",
        "return x, state",
        test=LLAMA + "test_logits",
        name="grouped, tied",
    ),
    bug(
        "gate and up swapped in SwiGLU",
        "models.transformer",
        "F.silu(self.gate(x)) * self.up(x)",
        "F.silu(self.up(x)) * self.gate(x)",
        test=TRANSFORMER + "test_the_feed_forward_layers_by_hand",
    ),
    # --- the loss
    bug(
        "mean over padding too",
        "models.chunked_loss",
        "n = kept.sum().clamp(min=1)",
        "n = torch.tensor(max(1, len(targets)))",
        test=NEURAL + "test_ignored_targets_do_not_count",
    ),
    bug(
        "padding enters the loss",
        "models.chunked_loss",
        ".squeeze(1) * keep).sum()",
        ".squeeze(1)).sum()",
        test=NEURAL + "test_ignored_targets_do_not_count",
    ),
    bug(
        "padding enters the gradient",
        "models.chunked_loss",
        "p *= (keep / n)[:, None]",
        "p /= n",
        test=NEURAL + "test_ignored_targets_do_not_count",
    ),
    bug(
        "gradient divided by the count of its own chunk",
        "models.chunked_loss",
        "p *= (keep / n)[:, None]",
        "p *= (keep / keep.sum().clamp(min=1))[:, None]",
        test=TORCH_RNN + "test_the_loss_is_torch_s_cross_entropy_on_the_logits",
    ),
    # --- the window, judging
    bug(
        "begin keeps another window than score",
        "models.neural_state",
        "self._row[-(-excess // step) * step :]",
        "self._row[excess:]",
        test=NEURAL + "test_score_is_begin_and_advance_also_beyond_the_context",
        name="transformer",
    ),
    bug(
        "a full cache is moved on without its memory",
        "models.neural_state",
        "self._memory = self.model.begin_state(1)\n            self._read(self._row)",
        "self._memory = self.model.begin_state(1)\n            self._read(self._row[-1:])",
        test=NEURAL + "test_score_is_begin_and_advance_also_beyond_the_context",
        name="transformer",
    ),
    bug(
        "dropout stays on while judging",
        "models.neural_state",
        "was_training = model.training\n    model.eval()",
        "was_training = model.training",
        test=NEURAL + "test_dropout_is_off_while_judging_and_on_again_afterwards",
    ),
    # --- recurrent networks
    bug(
        "gates of the LSTM in another order",
        "models.rnn",
        "i, f, g, o = (x + F.linear(",
        "i, g, f, o = (x + F.linear(",
        test=TORCH_RNN + "test_without_a_state_both_begin_with_zeros",
        kind="LSTM",
    ),
    bug(
        "reset gate before the product",
        "models.rnn",
        "torch.tanh(x_n + r * h_n)",
        "torch.tanh(x_n + F.linear(r * h, self.weight_hh_l0.chunk(3)[2], self.bias_hh_l0.chunk(3)[2]))",
        test=RNN + "test_a_gru_step_by_hand_resets_after_the_product",
    ),
    bug(
        "update gate the other way round",
        "models.rnn",
        "(1 - z) * torch.tanh(x_n + r * h_n) + z * h",
        "z * torch.tanh(x_n + r * h_n) + (1 - z) * h",
        test=RNN + "test_a_gru_step_by_hand_resets_after_the_product",
    ),
    bug(
        "backward pass forgets the cell",
        "models.bptt",
        "d_c.mul_(f[t])",
        "d_c.zero_()",
        test=RNN + "test_the_written_out_lstm_has_autograd_s_gradients",
    ),
    bug(
        "backward pass forgets the state",
        "models.bptt",
        "d_next = d_a @ U.T",
        "d_next = torch.zeros_like(d_a)",
        test=RNN + "test_a_gradient_through_32_halves",
    ),
    # --- batches
    bug(
        "target is the input",
        "training.batches",
        "Batch(windows[:, :-1], windows[:, 1:], True)",
        "Batch(windows[:, :-1], windows[:, :-1], True)",
        test=BATCHES + "test_packing_sizes_of_the_worked_example",
    ),
    bug(
        "last window never drawn",
        "training.batches",
        "rng.integers(len(self.row) - self.length, size",
        "rng.integers(len(self.row) - self.length - 1, size",
        test=BATCHES + "test_windows_begin_everywhere_the_last_place_included",
    ),
    bug(
        "streams do not continue",
        "training.batches",
        "starts = np.arange(self.batch_size) * size",
        "starts = np.arange(self.batch_size) * size\n            starts[1:] -= 1",
        test=BATCHES + "test_an_epoch_of_streams_reads_no_id_twice_and_keeps_documents_whole",
    ),
    bug(
        "state thrown away before every batch",
        "training.batches",
        "part[:, 1:], place == 0)",
        "part[:, 1:], True)",
        test=TRAIN + "test_a_recurrent_state_is_carried_without_its_gradient_and_dropped_when_fresh",
    ),
    # --- training
    bug(
        "state carried with its gradient",
        "training.carried_state",
        "return state.detach()",
        "return state",
        test=TRAIN + "test_a_recurrent_state_is_carried_without_its_gradient_and_dropped_when_fresh",
    ),
    bug(
        "state not carried",
        "training.trainer",
        "self.states, self.step = states, self.step + 1",
        "self.step = self.step + 1",
        test=TRAIN + "test_a_recurrent_state_is_carried_without_its_gradient_and_dropped_when_fresh",
        error=IndexError,
    ),
    bug(
        "state carried into a new epoch",
        "training.trainer",
        "        if fresh:\n",
        "        if fresh and self.step == 0:\n",
        test=TRAIN + "test_a_recurrent_state_is_carried_without_its_gradient_and_dropped_when_fresh",
    ),
    bug(
        "accumulated parts summed, not averaged",
        "training.trainer",
        "* self.world / n_targets)",
        "* self.world / int((some_y != IGNORE).sum()))",
        test=TRAIN + "test_accumulation_is_no_accumulation",
        kind="transformer",
        accumulate=2,
    ),
    bug(
        "each part counts the same, whatever it holds",
        "training.trainer",
        "loss = loss * (int((some_y != IGNORE).sum()) * self.world / n_targets)",
        "loss = loss / self.plan.accumulate",
        test=TRAIN + "test_every_target_weighs_the_same_wherever_it_is_computed",
        accumulate=2,
    ),
    bug(
        "learning rate one step late",
        "training.trainer",
        "self.rate(self.step + 1)",
        "self.rate(self.step)",
        test=TRAIN + "test_the_rate_of_each_step",
    ),
    bug(
        "warm-up from the peak",
        "training.schedule",
        "return peak * step / warmup",
        "return peak",
        test=TRAIN + "test_warm_up_of_the_worked_example",
    ),
    bug(
        "cooling down starts from the peak",
        "training.trainer",
        "return planned(begin) + (",
        "return plan.peak + (",
        test=TRAIN + "test_cooling_down_is_a_straight_line_to_the_floor",
    ),
    bug(
        "averaged weights never used",
        "training.trainer",
        "with self.averaged(), torch.random.fork_rng():",
        "with torch.random.fork_rng():",
        test=TRAIN + "test_evaluations_judge_the_average_and_do_not_disturb_the_training",
    ),
    bug(
        "evaluation moves the random numbers",
        "training.trainer",
        "with self.averaged(), torch.random.fork_rng():",
        "with self.averaged():",
        test=TRAIN + "test_evaluations_judge_the_average_and_do_not_disturb_the_training",
    ),
    bug(
        "average and weights mixed up",
        "training.trainer",
        ".lerp_(p, 1 - decay)",
        ".lerp_(p, decay)",
        test=TRAIN + "test_the_average_follows_the_weights",
    ),
    bug(
        "scales of the norms decay",
        "training.schedule",
        'if p.ndim < 2], "weight_decay": 0.0}',
        'if p.ndim < 2], "weight_decay": weight_decay}',
        test=TRAIN + "test_matrices_decay_and_scales_do_not",
    ),
    bug(
        "no clipping",
        "training.trainer",
        "clip_grad_norm_(self.model.parameters(), self.plan.clip)",
        "clip_grad_norm_(self.model.parameters(), 1e9)",
        test=TRAIN + "test_one_step_is_adamw_with_clipping_by_hand",
    ),
    bug(
        "a resumed run draws other dropout",
        "training.trainer",
        'torch.set_rng_state(tensors["generator"])',
        "pass",
        test=TRAIN + "test_a_resumed_run_is_bit_for_bit_the_uninterrupted_one",
        kind="transformer",
        cut=6,
    ),
    bug(
        "a resumed run forgets the optimizer's moments",
        "training.trainer",
        "            if keys:\n",
        "            if False:\n",
        test=TRAIN + "test_a_resumed_run_is_bit_for_bit_the_uninterrupted_one",
        kind="lstm",
        cut=6,
    ),
    bug(
        "a loss that is no number is stepped on",
        "training.trainer",
        "if not math.isfinite(total) or not math.isfinite(norm):",
        "if False:",
        test=TRAIN + "test_a_loss_that_is_no_number_leaves_everything_as_it_was",
        kind="lstm",
        value=float("nan"),
    ),
    bug(
        "checkpoint written in place",
        "files",
        'aside = target.with_name(f"{target.name}.{os.getpid()}-{secrets.token_hex(3)}.tmp")',
        "aside = target",
        test=CHECKPOINT + "test_a_failure_while_writing_leaves_the_old_file",
        error=FileNotFoundError,
        error_=OSError(28, "No space left on device"),
    ),
    # --- counts, tokens, the yardstick
    bug(
        "backoff without a weight",
        "models.ngram_model",
        "p = p * gamma[nodes[k - 1]]",
        "p = p.copy()",
        test=NGRAM + "test_laplace_and_absolute_discounting_by_hand",
    ),
    bug(
        "nothing taken off, all handed down",
        "models.ngram",
        "return (counts - taken) / _per_gram(safe, level)",
        "return counts / _per_gram(safe, level)",
        test=NGRAM + "test_laplace_and_absolute_discounting_by_hand",
    ),
    bug(
        "Kneser-Ney counts occurrences",
        "models.ngram",
        "adjusted = level.counts if k == order else np.where(level.counts > 0, level.continuations, 0)",
        "adjusted = level.counts",
        test=NGRAM + "test_kneser_ney_counts_neighbors_not_occurrences",
    ),
    bug(
        "ties of merges go by the order of the words",
        "tokenizers.bpe_training",
        "    heapq.heapify(heap)\n",
        "",
        "negative, pair = heapq.heappop(heap)",
        "negative, pair = heap.pop(min(range(len(heap)), key=lambda i: heap[i][0]))",
        test=BPE + "test_ties_go_to_the_oldest_tokens",
    ),
    bug(
        "perplexity of another base",
        "evaluation.yardstick",
        "Perplexity(math.exp(mean)",
        "Perplexity(2.0**mean",
        test=LM + "test_perplexity_is_the_geometric_mean_form",
    ),
    bug(
        "nats per byte",
        "evaluation.yardstick",
        "for s in scores]) / math.log(2)",
        "for s in scores])",
        test=LM + "test_bits_per_byte_counts_all_tokens_and_all_bytes",
    ),
    bug(
        "bits per character",
        "evaluation.yardstick",
        'n_bytes = np.array([len(text.encode("utf-8"))',
        "n_bytes = np.array([len(text)",
        test=LM + "test_bits_per_byte_counts_all_tokens_and_all_bytes",
    ),
    bug(
        "end of text not paid for",
        "evaluation.yardstick",
        "scores = score_documents(model, documents)",
        "scores = score_documents(model, [d[:-1] for d in documents])",
        test=LM + "test_bits_per_byte_counts_all_tokens_and_all_bytes",
    ),
    # --- finetuning
    bug(
        "alpha / r left out",
        "finetuning.lora",
        "return self.alpha / self.rank",
        "return 1.0",
        test=LORA + "test_the_update_is_scaled_by_alpha_over_rank_and_has_that_rank",
    ),
    bug(
        "alpha not divided by the rank",
        "finetuning.lora",
        "return self.alpha / self.rank",
        "return self.alpha",
        test=LORA + "test_the_update_is_scaled_by_alpha_over_rank_and_has_that_rank",
    ),
    bug(
        "B not zero at the start",
        "finetuning.lora",
        "torch.zeros(out_dim, rank, **like)",
        "torch.ones(out_dim, rank, **like)",
        test=LORA + "test_before_training_the_adapted_model_is_the_base_exactly",
    ),
    bug(
        "merged twice",
        "finetuning.lora",
        "if not layer.merged:\n            layer.original",
        "if True:\n            layer.original",
        test=LORA + "test_merged_equals_unmerged_and_unmerging_is_exact",
    ),
    bug(
        "merged, and the update beside it as well",
        "finetuning.lora",
        "if self.merged:\n            return y",
        "if False:\n            return y",
        test=LORA + "test_merged_equals_unmerged_and_unmerging_is_exact",
    ),
    bug(
        "unmerging subtracts, with rounding errors",
        "finetuning.lora",
        "layer.base.weight.data, layer.original = layer.original, None",
        "layer.base.weight.data, layer.original = layer.base.weight.data - layer.delta(), None",
        test=LORA + "test_merged_equals_unmerged_and_unmerging_is_exact",
    ),
    bug(
        "the rest of the model is trained too",
        "finetuning.lora",
        "    model.requires_grad_(False)\n    for parent",
        "    for parent",
        test=LORA + "test_only_the_updates_are_trained",
    ),
    bug(
        "loss on prompt tokens",
        "tokenizers.chat_template",
        'learned = message["role"] == "assistant"',
        "learned = True",
        test=CHAT + "test_labels_are_the_reply_and_its_end_mark_only",
    ),
    bug(
        "the end mark is not learned",
        "tokenizers.chat_template",
        'add([*tokenizer.encode(message["content"]), end], learned)',
        'add(tokenizer.encode(message["content"]), learned)\n        add([end], False)',
        test=CHAT + "test_labels_are_the_reply_and_its_end_mark_only",
    ),
    bug(
        "padding marked by its id",
        "training.batches",
        "y[row, : len(e.ids) - 1] = torch.tensor(e.labels[1:])",
        "y[row, : len(e.ids) - 1] = torch.tensor(e.labels[1:])\n    y[y == pad_id] = IGNORE",
        test=CHAT + "test_a_batch_shifts_by_one_and_marks_padding_by_position",
    ),
    bug(
        "labels not moved by one",
        "training.batches",
        "torch.tensor(e.labels[1:])",
        "torch.tensor(e.labels[:-1])",
        test=CHAT + "test_a_batch_shifts_by_one_and_marks_padding_by_position",
    ),
    bug(
        "asked with another template than trained on",
        "tokenizers.chat_template",
        "return ids[: len(ids) - 1 - len(",
        "return ids[: len(ids) - len(",
        test=CHAT + "test_the_prompt_is_exactly_what_stands_before_the_reply",
    ),
    bug(
        "block scale from the largest, not the largest absolute weight",
        "finetuning.quantization",
        "rows.abs().amax(1, keepdim=True)",
        "rows.amax(1, keepdim=True).abs()",
        test=LORA + "test_quantised_shapes_storage_and_bad_input",
    ),
    bug(
        "one scale for all blocks",
        "finetuning.quantization",
        "rows.abs().amax(1, keepdim=True)",
        "rows.abs().amax().expand(len(rows), 1)",
        test=LORA + "test_quantisation_in_blocks_limits_what_an_outlier_costs",
    ),
    bug(
        "codes rounded down",
        "finetuning.quantization",
        "borders = (codebook[1:] + codebook[:-1]) / 2",
        "borders = codebook[1:]",
        test=LORA + "test_quantised_shapes_storage_and_bad_input",
    ),
    bug(
        "a reply goes on behind its end mark",
        "finetuning.tasks",
        "stop_ids=[end_id]",
        "stop_ids=()",
        test=FINETUNE + "test_replies_in_batches_are_those_of_each_prompt_alone",
    ),
    bug(
        "the first tokens of the prompt are measured",
        "finetuning.tasks",
        "label_log_probs(model, x, y)",
        "label_log_probs(model, x, y.clamp(min=0))",
        test=FINETUNE + "test_reply_nats_are_those_of_one_example_alone",
    ),
    # --- sampling
    bug(
        "top-p drops the token that crosses",
        "generation.filters",
        "np.cumsum(probs[order]) - probs[order]  # probability of all that come first",
        "np.cumsum(probs[order])",
        test=SAMPLING + "test_top_p_keeps_the_token_that_crosses_and_at_least_one",
    ),
    bug(
        "temperature after the filters",
        "generation.sampling",
        "        if self.temperature != 1:\n            scores = filters.temperature(scores, self.temperature)\n",
        "",
        "                scores = filter_(scores, setting)\n        return scores",
        "                scores = filter_(scores, setting)\n        return filters.temperature(scores, self.temperature)",
        test=SAMPLING + "test_filters_on_the_worked_distribution",
    ),
    bug(
        "repetition penalty divides negative logits",
        "generation.filters",
        "np.where(out[ids] > 0, out[ids] / penalty, out[ids] * penalty)",
        "out[ids] / penalty",
        test=SAMPLING + "test_penalties",
    ),
    bug(
        "frequency penalty counts each token once",
        "generation.filters",
        "np.subtract.at(out, np.asarray(list(seen), dtype=np.int64), penalty)",
        "out[np.asarray(list(seen), dtype=np.int64)] -= penalty",
        test=SAMPLING + "test_penalties",
    ),
    bug(
        "top-k cuts by value",
        "generation.filters",
        "return keep(scores, _by_size(scores)[:k])",
        "return np.where(scores >= np.sort(scores)[-min(k, len(scores))], scores, -np.inf)",
        test=SAMPLING + "test_top_k_keeps_exactly_k_where_scores_are_equal",
    ),
    bug(
        "min-p as a fixed minimum",
        "generation.filters",
        "probs >= p * probs.max()",
        "probs >= p",
        test=SAMPLING + "test_filters_on_the_worked_distribution",
    ),
    bug(
        "the stop id is kept",
        "generation.sampling",
        "        if id in stop_ids:\n            return",
        "        if id in stop_ids:\n            yield Token(id, 0.0)\n            return",
        test=SAMPLING + "test_width_one_is_greedy_and_steps_are_told",
    ),
    bug(
        "the stop string is kept",
        "generation.sampling",
        "min([text.index(s) for s in stops if s in text]",
        "min([text.index(s) + len(s) for s in stops if s in text]",
        test=SAMPLING + "test_stop_strings_across_tokens",
    ),
    bug(
        "the stop string is looked for in single tokens",
        "generation.sampling",
        "any(s in tokenizer.decode(ids) for s in stops)",
        "any(s in tokenizer.decode(ids[-1:]) for s in stops)",
        test=SAMPLING + "test_stop_strings_across_tokens",
    ),
    bug(
        "beams ranked by the sum, whatever the length penalty",
        "generation.beam",
        "total / length**length_penalty",
        "total",
        test=SAMPLING_PARITY + "test_greedy_and_beam_give_the_same_tokens_and_scores",
        seed=0,
    ),
    bug(
        "beams share one state",
        "generation.beam",
        "state = states[parent].fork()",
        "state = states[parent]",
        test=SAMPLING_PARITY + "test_greedy_and_beam_give_the_same_tokens_and_scores",
        seed=0,
        error=Exception,
    ),
    bug(
        "rest of a rejected guess not clipped",
        "generation.speculative",
        "rest = np.maximum(p - q, 0)",
        "rest = np.abs(p - q)",
        test=SPECULATIVE + "test_accepting_draws_from_p_exactly",
    ),
    bug(
        "a rejected guess is drawn again from p",
        "generation.speculative",
        "return False, int(rng.choice(len(p), p=rest / rest.sum()))",
        "return False, int(rng.choice(len(p), p=p))",
        test=SPECULATIVE + "test_accepting_draws_from_p_exactly",
    ),
    bug(
        "acceptance ratio upside down",
        "generation.speculative",
        "rng.random() * q[guess] < p[guess]",
        "rng.random() * p[guess] < q[guess]",
        test=SPECULATIVE + "test_accepting_draws_from_p_exactly",
    ),
    bug(
        "the cache keeps rejected guesses",
        "models.neural_state",
        "self._memory.truncate(len(self._row))",
        "pass",
        test=SPECULATIVE + "test_without_a_start_symbol",
        error=Exception,
    ),
    bug(
        "one guess too many is taken back",
        "generation.speculative",
        "large.rewind(len(guesses) - (len(kept) - 1))",
        "large.rewind(min(len(guesses), len(guesses) - (len(kept) - 1) + 1))",
        test=SPECULATIVE + "test_a_draft_that_is_the_target_is_always_right",
    ),
    bug(
        "a state is rewound to where reading ahead began",
        "models.language_model",
        "for id in ids[: len(ids) - n]:",
        "for id in ():",
        test=SPECULATIVE + "test_the_state_that_was_moved_back_is_the_right_one",
    ),
    bug(
        "counts put a start symbol where none is wanted",
        "models.ngram_model",
        "[: self.order - 1] if start else ()",
        "[: self.order - 1]",
        test=SAMPLING + "test_without_a_start_symbol_counts_know_a_shorter_context",
    ),
    bug(
        "the last token is read in a run of its own",
        "generation.speculative",
        "pending = kept[-1:]",
        "pending = []\n            large.advance(kept[-1])",
        test=SPECULATIVE + "test_the_large_model_runs_once_for_each_round",
    ),
    bug(
        "after a rejection the scores are those of the last guess",
        "models.neural_state",
        "self._ahead = rows[left],",
        "self._ahead = rows[-1],",
        test=SPECULATIVE + "test_the_state_that_was_moved_back_is_the_right_one",
    ),
    bug(
        "dropout stays on while guesses are read",
        "models.neural_state",
        "torch.inference_mode(), evaluating(self.model)",
        "torch.inference_mode()",
        test=SPECULATIVE + "test_reading_ahead_is_without_dropout",
    ),
    bug(
        "living beams are dropped at the limit",
        "generation.beam",
        "sorted([*done, *(beam for beam, _ in kept)], key",
        "sorted(done or [beam for beam, _ in kept], key",
        test=SAMPLING + "test_at_the_limit_living_beams_are_ranked_with_those_that_ended",
    ),
    bug(
        "a search that never stops early bounds a beam by its length so far",
        "generation.beam",
        "best_length = max_tokens if",
        "best_length = length if",
        test=SAMPLING + "test_early_stopping_decides_how_long_beam_search_waits",
    ),
    bug(
        "the end is allowed anywhere",
        "generation.constrained",
        "allowed[self.end_id] = self.ended or self.matches",
        "allowed[self.end_id] = True",
        test=CONSTRAINED + "test_the_end_is_allowed_exactly_where_the_text_matches",
    ),
    bug(
        "the mask does not count the tokens left",
        "generation.constrained",
        "np.isfinite(need) if self.left is None else need <= self.left - 1",
        "np.isfinite(need)",
        test=CONSTRAINED + "test_500_random_schemas_always_give_valid_json",
        error=Exception,
    ),
    bug(
        "all rows of a batch draw alike",
        "generation.batched",
        "np.random.default_rng([seed, i])",
        "np.random.default_rng(seed)",
        test=BATCHED + "test_a_row_uses_its_own_random_numbers_whatever_the_batch",
        number=0,
    ),
    bug(
        "logits read at the padding",
        "generation.batched",
        "torch.tensor([len(e) - 1 for e in part])",
        "torch.tensor([-1] * len(part))",
        test=BATCHED + "test_scores_after_a_shared_prefix",
        number=0,
    ),
    bug(
        "a text that has ended leaves another's cache behind",
        "models.kv_cache",
        "t[rows]",
        "t[: len(rows)]",
        test=BATCHED + "test_texts_that_end_leave_and_the_others_go_on",
        number=0,
    ),
    bug(
        "a longer prompt is read one token late",
        "generation.batched",
        "new = {at: begin[row // n][read]",
        "new = {at: begin[row // n][read - 1]",
        test=BATCHED + "test_prompts_of_any_length_are_read_and_continued_side_by_side",
        number=0,
    ),
    # --- chapter 09, pairs and rewards
    bug(
        "loss of a reward model without the minus",
        "finetuning.preferences",
        "return -F.logsigmoid(better - worse).mean()",
        "return F.logsigmoid(better - worse).mean()",
        test=PREFERENCES + "test_the_pairwise_loss_and_its_derivative",
        d=1,
        loss=0.313262,
    ),
    bug(
        "DPO the wrong way round",
        "finetuning.preferences",
        DPO,
        "pairwise_loss(beta * (rejected - rejected_reference), beta * (chosen - chosen_reference))",
        test=PREFERENCES + "test_dpo_starts_at_ln_2_and_has_the_worked_value",
    ),
    bug(
        "DPO without its reference",
        "finetuning.preferences",
        DPO,
        "pairwise_loss(beta * chosen, beta * rejected)",
        test=PREFERENCES + "test_dpo_starts_at_ln_2_and_has_the_worked_value",
    ),
    bug(
        "beta outside the sigmoid",
        "finetuning.preferences",
        DPO,
        "beta * pairwise_loss(chosen - chosen_reference, rejected - rejected_reference)",
        test=PREFERENCES + "test_dpo_starts_at_ln_2_and_has_the_worked_value",
    ),
    bug(
        "advantages without a baseline",
        "finetuning.preferences",
        "centred = rewards - rewards.mean(1, keepdim=True)",
        "centred = rewards",
        test=PREFERENCES + "test_group_advantages",
    ),
    bug(
        "the deviation of a sample",
        "finetuning.preferences",
        "rewards.std(1, keepdim=True, correction=0)",
        "rewards.std(1, keepdim=True)",
        test=PREFERENCES + "test_group_advantages",
    ),
    bug(
        "the policy gradient goes downhill",
        "finetuning.preferences",
        "return -(advantages.detach() * log_probs).mean()",
        "return (advantages.detach() * log_probs).mean()",
        test=PREFERENCES + "test_policy_gradient_raises_what_was_rewarded",
    ),
    bug(
        "what follows the stop counts as answer",
        "finetuning.preferences",
        "y[open_, place] = new[open_]",
        "y[:, place] = new",
        test=PREFERENCES + "test_samples_have_the_probabilities_of_the_model_and_fit_the_log_probs",
    ),
    bug(
        "answers are drawn from other places",
        "finetuning.preferences",
        "decode_rows(model, features[:, -1],",
        "decode_rows(model, features[:, 0],",
        test=PREFERENCES + "test_samples_have_the_probabilities_of_the_model_and_fit_the_log_probs",
    ),
    bug(
        "similarities times the temperature",
        "finetuning.sentence_encoder",
        "queries @ candidates.T / temperature",
        "queries @ candidates.T * temperature",
        test=SENTENCES + "test_the_ranking_loss_is_info_nce",
    ),
    bug(
        "hard negatives are no candidates",
        "finetuning.sentence_encoder",
        "keys if negatives is None else torch.cat([keys, negatives])",
        "keys",
        test=SENTENCES + "test_hard_negatives_are_candidates",
    ),
    bug(
        "the hardest negative is the right key",
        "finetuning.sentence_encoder",
        "    scores[np.arange(len(truth)), truth] = -np.inf\n",
        "",
        test=SENTENCES + "test_ranks_and_ties",
    ),
    bug(
        "ties count for the query",
        "finetuning.sentence_encoder",
        "return (scores >= own).sum(1)",
        "return (scores > own).sum(1) + 1",
        test=SENTENCES + "test_ranks_and_ties",
    ),
    bug(
        "padding counts in a sentence's vector",
        "models.bert",
        "total = (states * real[:, :, None]).sum(1)",
        "total = states.sum(1)",
        test=SENTENCES + "test_minilm_is_trained_but_for_its_table",
    ),
    bug(
        "rewards are fitted the wrong way round",
        "finetuning.reward_model",
        "D = better - worse  # (n, F)",
        "D = worse - better",
        test=REWARDS + "test_the_fit_is_logistic_regression_on_differences",
    ),
    bug(
        "the judge takes an answer without its end",
        "finetuning.verifiable_sums",
        'float(text == f"{total}.")',
        'float(text.rstrip(".") == f"{total}")',
        test="unit/test_arithmetic.py::test_the_judge_wants_the_sum_and_the_end",
        text="72",
        reward=0,
    ),
    # --- chapter 11
    bug(
        "words in most documents count negative",
        "retrieval.bm25",
        'idf_kind: str = "okapi positive"',
        'idf_kind: str = "okapi"',
        test=BM25_ + "test_a_word_in_most_documents_never_counts_against_one",
    ),
    bug(
        "length does not count",
        "features.tfidf",
        "k1 * (1 - b + b * length / mean)",
        "k1 * (1 - b + b * (length > 0))",
        test=BM25_ + "test_long_documents_are_marked_down_unless_b_is_0",
    ),
    bug(
        "documents without any word of the query are found",
        "retrieval.bm25",
        "total[~seen] = -np.inf",
        "total[~seen] = 0",
        test=BM25_ + "test_nothing_known_nothing_found_and_k_beyond_n",
    ),
    bug(
        "ties go by the largest number",
        "retrieval.bm25",
        'np.argsort(-scores[kept], kind="stable")][:k]',
        'np.argsort(scores[kept], kind="stable")[::-1]][:k]',
        test=BM25_ + "test_long_documents_are_marked_down_unless_b_is_0",
    ),
    bug(
        "the discount of nDCG is off by one",
        "evaluation.ranking",
        "/ math.log2(rank + 1)",
        "/ math.log2(rank + 2)",
        test=RANKS + "test_ndcg_by_hand",
    ),
    bug(
        "reciprocal rank counts from 0",
        "evaluation.ranking",
        """    wanted = _checked(relevant)
    for rank, document in enumerate(_once(ranking), start=1):
        if document in wanted:
            return 1 / rank""",
        """    wanted = _checked(relevant)
    for rank, document in enumerate(_once(ranking)):
        if document in wanted:
            return 1 / max(rank, 1)""",
        test=RANKS + "test_reciprocal_rank_counts_from_1",
    ),
    bug(
        "average precision over the found ones only",
        "evaluation.ranking",
        "return total / len(wanted)",
        "return total / max(found, 1)",
        test=RANKS + "test_average_precision_by_hand",
    ),
    bug(
        "fusion without k",
        "retrieval.dense",
        "scores[document] += 1 / (k + rank)",
        "scores[document] += 1 / rank",
        test=SEARCH + "test_fusion_by_hand",
    ),
    bug(
        "fusion counts ranks from 0",
        "retrieval.dense",
        "for rank, document in enumerate(ranking, start=1):",
        "for rank, document in enumerate(ranking):",
        test=SEARCH + "test_fusion_by_hand",
    ),
    bug(
        "the nearest come in no order",
        "retrieval.dense",
        "order = np.lexsort((part, -values), axis=1)",
        "order = np.argsort(part, axis=1)",
        test=SEARCH + "test_exact_search_is_brute_force",
    ),
    bug(
        "diversity is rewarded for being alike",
        "retrieval.dense",
        "- (1 - weight) * nearest",
        "+ (1 - weight) * nearest",
        test=SEARCH + "test_mmr_by_hand",
    ),
    bug(
        "the overlap of chunks is off by one",
        "retrieval.chunking",
        "document, start, end))\n        first = max(first + 1, last - overlap)\n    return",
        "document, start, end))\n        first = max(first + 1, last - overlap + 1)\n    return",
        test=CHUNKS + "test_fixed_chunks_by_hand",
    ),
    bug(
        "every full stop ends a sentence",
        "retrieval.chunking",
        "if _short.search(text, max(start, end - _LONGEST), end):",
        "if False:",
        test=CHUNKS + "test_sentences",
    ),
    bug(
        "citations are not checked",
        "retrieval.grounding",
        'return "" if found == citation.quote else',
        'return "" if found else',
        test=DOCUMENTS + "test_citations_are_checked_letter_by_letter",
    ),
    bug(
        "a merged model saves its merged weights",
        "finetuning.lora",
        'state[f"{prefix}base.weight"] = layer.original',
        "pass",
        test="unit/test_models_and_files.py::test_an_update_is_counted_once",
        dtype=torch.float32,
    ),
    bug(
        "the digest of a checkpoint is not looked at",
        "training.checkpoint",
        'if metadata.get("digest") != digest(tensors, metadata["facts"]):',
        "if False:",
        test="unit/test_models_and_files.py::test_a_flipped_bit_anywhere_is_found",
    ),
    bug(
        "a JSON file is believed whatever its digest",
        "files",
        "content.pop(DIGEST, None) != digest(content)",
        "content.pop(DIGEST, None) is None",
        test="unit/test_study_files.py::test_damaged_results_are_refused_by_all_who_read_them",
    ),
    bug(
        "a tiny top-p leaves no token",
        "generation.filters",
        "before[0] = -1",
        "pass",
        test="unit/test_models_and_files.py::test_the_limits_of_settings_are_the_likeliest_token",
        error=ValueError,
    ),
    bug(
        "an order may be broken over lines",
        "retrieval.prompt_injection",
        "        if last > first:",
        "        if False:",
        test="unit/test_own_files.py::test_orders_are_dropped_line_by_line_and_counted",
    ),
    bug(
        "every comma in a number is a decimal comma",
        "features.spelling",
        '(body[last] == "," and len(part) == 3 and whole != "0")',
        "False",
        test="unit/test_own_files.py::test_a_number_is_its_value",
    ),
    bug(
        "padding counts in the mean",
        "models.bert",
        "return F.normalize(total / real.sum(1, keepdim=True), dim=-1)",
        "return F.normalize(states.mean(1), dim=-1)",
        test="unit/test_encoder.py::test_padding_changes_nothing",
    ),
    bug(
        "padding is looked at",
        "models.bert",
        "real[:, None, None, :]",
        "torch.ones_like(real)[:, None, None, :]",
        test="unit/test_encoder.py::test_padding_changes_nothing",
    ),
    bug(
        "a source can close its own frame",
        "retrieval.rag",
        """text.replace("<|", "< |").replace("|>", "| >")""",
        "text",
        test="unit/test_rag.py::test_a_source_cannot_close_its_own_frame",
    ),
    bug(
        "an agent may repeat itself",
        "retrieval.agent",
        "if any((s.tool, s.given) == (tool, given) for s in steps):",
        "if False:",
        test="unit/test_agent.py::test_limits",
    ),
]
