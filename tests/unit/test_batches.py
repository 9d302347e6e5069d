"""Batches: pure functions of (seed, step), streams that read on, windows that stay inside."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.training.batches import Streams, Windows


def documents_of(lengths, seed=0):
    """Every id is different, so that each can be found again."""
    order = np.random.default_rng(seed).permutation(sum(lengths))
    return np.split(order, np.cumsum(lengths)[:-1])


DOCUMENTS = documents_of([13, 5, 29, 1, 40, 22])  # 110 ids
shapes = st.tuples(st.integers(1, 4), st.integers(1, 6), st.integers(0, 3))


@pytest.mark.parametrize("kind", [Windows, Streams])
def test_a_batch_depends_on_seed_and_step_only(kind):
    steps = [0, 7, 3, 0, 20, 3, 21]
    data = kind(DOCUMENTS, 3, 4, seed=5)
    first = {}
    for step in steps:
        batch = data.batch(step)
        again = kind(DOCUMENTS, 3, 4, seed=5).batch(step)  # from a fresh object, whatever was asked before
        assert torch.equal(batch.x, again.x) and torch.equal(batch.y, again.y) and batch.fresh == again.fresh
        known = first.setdefault(step, batch)
        assert torch.equal(known.x, batch.x)
    other = kind(DOCUMENTS, 3, 4, seed=6).batch(0)
    assert not torch.equal(other.x, first[0].x) and not torch.equal(first[0].x, first[7].x)


@pytest.mark.parametrize("kind", [Windows, Streams])
@given(shapes)
@settings(max_examples=25, deadline=None)
def test_the_target_is_the_next_id_of_the_row(kind, shape):
    B, T, seed = shape
    data = kind(DOCUMENTS, B, T, seed)
    before = torch.random.get_rng_state()
    for step in range(4):
        x, y, _ = data.batch(step)
        assert x.shape == y.shape == (B, T) and x.dtype == y.dtype == torch.int64
        assert torch.equal(x[:, 1:], y[:, :-1])
    assert torch.equal(torch.random.get_rng_state(), before)


@given(shapes)
@settings(max_examples=25, deadline=None)
def test_windows_are_pieces_of_the_row(shape):
    B, T, seed = shape
    data = Windows(DOCUMENTS, B, T, seed)
    row = np.concatenate(DOCUMENTS).tolist()
    for step in range(5):
        x, y, fresh = data.batch(step)
        assert fresh
        for window in torch.cat([x, y[:, -1:]], 1).tolist():
            start = row.index(window[0])
            assert row[start : start + T + 1] == window


def test_windows_begin_everywhere_the_last_place_included():
    data = Windows([np.arange(6)], batch_size=50, length=4)
    starts = {start for step in range(20) for start in data.batch(step).x[:, 0].tolist()}
    assert starts == {0, 1}
    assert Windows([np.arange(5)], 2, 4).batch(0).y.tolist() == [[1, 2, 3, 4]] * 2  # just long enough


@given(shapes)
@settings(max_examples=40, deadline=None)
def test_streams_read_on_where_they_stopped(shape):
    B, T, seed = shape
    data = Streams(DOCUMENTS, B, T, seed)
    n = data.steps_per_epoch
    assert n == (110 - 1) // (B * T)
    for step in range(2 * n + 1):
        now, later = data.batch(step), data.batch(step + 1)
        assert now.fresh == (step % n == 0)
        if not later.fresh:
            assert torch.equal(later.x[:, 0], now.y[:, -1])


def test_an_epoch_of_streams_reads_no_id_twice_and_keeps_documents_whole():
    data = Streams(DOCUMENTS, 3, 4, seed=1)
    for epoch in range(2):
        batches = [data.batch(epoch * data.steps_per_epoch + step) for step in range(data.steps_per_epoch)]
        rows = torch.cat([b.x for b in batches], 1)
        flat = rows.flatten().tolist()
        assert len(set(flat)) == len(flat) == 3 * 4 * data.steps_per_epoch >= 110 - 12
        follows = set(itertools.chain.from_iterable(itertools.pairwise(d.tolist()) for d in DOCUMENTS))
        ends = {int(d[-1]) for d in DOCUMENTS}
        assert all(pair in follows or pair[0] in ends for pair in itertools.pairwise(flat))
    first, second = (data.batch(e * data.steps_per_epoch).x for e in (0, 1))
    assert not torch.equal(first, second)  # shuffled anew


@pytest.mark.parametrize("kind, needed", [(Windows, 11), (Streams, 31)])
def test_too_little_text(kind, needed):
    with pytest.raises(ValueError, match=f"at least {needed} ids to make one batch, got 8; use more documents"):
        kind([np.arange(8)], batch_size=3, length=10)
    with pytest.raises(ValueError, match="got 0"):
        kind([], 1, 1)
    assert kind([np.arange(needed)], 3, 10).batch(0).x.shape == (3, 10)


def test_packing_sizes_of_the_worked_example():
    assert 58_746 * 64 * 256 == 962_494_464 and 58_246 // 8 == 7_280
    w = np.arange(257)
    data = Windows([w], 64, 256)
    x, y, _ = data.batch(0)
    assert torch.equal(x[0], torch.from_numpy(w[:-1])) and torch.equal(y[0], torch.from_numpy(w[1:])) and x.numel() == 64 * 256
    assert Windows([np.zeros(64 * 256 * 10, dtype=int)], 64, 256).steps_per_epoch == 10
