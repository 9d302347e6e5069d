"""Exercises of chapter 06, n-gram language models: checks, hints, reference solutions, wrong answers with their diagnoses."""

import numpy as np

from helpers.lab.checks import Exercise, Trial, Wrong

# ------------------------------------------------------------------------------------------------- 6.1


def ngram_counts(sentences, n):
    """How often each n-gram occurs: a dictionary from tuples of n words to counts. sentences: lists of words."""
    counts = {}
    for words in sentences:
        row = ["<s>"] * (n - 1) + list(words) + ["</s>"]
        for i in range(len(row) - n + 1):
            gram = tuple(row[i : i + n])
            counts[gram] = counts.get(gram, 0) + 1
    return counts


def _windows(rows, n):
    counts = {}
    for row in rows:
        for i in range(len(row) - n + 1):
            gram = tuple(row[i : i + n])
            counts[gram] = counts.get(gram, 0) + 1
    return counts


def counts_without_end(sentences, n):
    return _windows([["<s>"] * (n - 1) + list(words) for words in sentences], n)


def counts_without_start(sentences, n):
    return _windows([list(words) + ["</s>"] for words in sentences], n)


def counts_one_start(sentences, n):
    return _windows([["<s>"] + list(words) + ["</s>"] for words in sentences], n)


def counts_n_starts(sentences, n):
    return _windows([["<s>"] * n + list(words) + ["</s>"] for words in sentences], n)


def counts_across(sentences, n):
    return _windows([["<s>"] * (n - 1) + [w for words in sentences for w in [*words, "</s>"]]], n)


def counts_once_each(sentences, n):
    return dict.fromkeys(ngram_counts(sentences, n), 1)


def check_ngram_counts(t: Trial) -> None:
    toy = [["we", "count", "words", "daily"], ["today", "we", "count", "words"]]
    cases = [([["we", "count"]], 2), ([["a", "b"], ["a", "c"]], 2), (toy, 3), ([["a", "b", "a"]], 1)]
    for sentences, n in cases:
        got, expected = t.call(sentences, n), ngram_counts(sentences, n)
        if isinstance(got, dict):
            tuples = all(isinstance(g, tuple) for g in got)
            t.true(tuples, "uses keys that are not tuples; tuple(row[i:i + n]) makes one", expected, got)
            got = dict(got)
        t.equal(got, expected, what="the counts")


# ------------------------------------------------------------------------------------------------- 6.2


def perplexity(p):
    """Perplexity of a text whose tokens got the probabilities p, an array of shape (T,)."""
    return float(np.exp(np.mean(-np.log(p))))


def perplexity_rounded(p):
    return float(np.exp(np.mean(np.round(-np.log(p), 2))))


def perplexity_of_mean(p):
    return float(1 / np.mean(p))


def perplexity_mixed_base(p):
    return float(np.exp(np.mean(-np.log2(p))))


def perplexity_of_sum(p):
    return float(np.exp(np.sum(-np.log(p))))


def perplexity_no_exp(p):
    return float(np.mean(-np.log(p)))


def perplexity_inverse(p):
    return float(np.exp(np.mean(np.log(p))))


def check_perplexity(t: Trial) -> None:
    for p in ([0.25, 0.5], [0.1, 0.1, 0.1], [0.10, 0.20, 0.05, 0.50, 0.30, 0.40, 0.15, 0.25]):
        t.close(t.call(np.array(p)), perplexity(np.array(p)), rtol=1e-6, what="the perplexity")
    t.close(t.call(np.full(3000, 0.01)), 100.0, rtol=1e-6, what="the perplexity of 3,000 tokens with p = 0.01 each")


# ------------------------------------------------------------------------------------------------- 6.3


def bits_per_byte(log_probs, texts):
    """Bits per byte of the texts. log_probs: for each text an array of natural-log probabilities, end of text included."""
    nats = -sum(np.sum(scores) for scores in log_probs)
    n_bytes = sum(len(text.encode("utf-8")) for text in texts)
    return float(nats / np.log(2) / n_bytes)


def bpb_characters(log_probs, texts):
    nats = -sum(np.sum(scores) for scores in log_probs)
    return float(nats / np.log(2) / sum(len(text) for text in texts))


def bpb_nats(log_probs, texts):
    return bits_per_byte(log_probs, texts) * float(np.log(2))


def bpb_times_ln2(log_probs, texts):
    return bits_per_byte(log_probs, texts) * float(np.log(2)) ** 2


def bpb_mean_of_ratios(log_probs, texts):
    return float(np.mean([bits_per_byte([s], [text]) for s, text in zip(log_probs, texts)]))


def bpb_per_token(log_probs, texts):
    return float(-np.concatenate(log_probs).mean() / np.log(2))


def bpb_without_end(log_probs, texts):
    return bits_per_byte([scores[:-1] for scores in log_probs], texts)


def bpb_positive(log_probs, texts):
    return -bits_per_byte(log_probs, texts)


def check_bits_per_byte(t: Trial) -> None:
    cases = [
        ([[0.5, 0.25]], ["ab"]),
        ([[0.5, 0.1, 0.2], [0.25, 0.9]], ["word by word", "a"]),
        ([[0.1, 0.2, 0.05, 0.5]], ["naïve café"]),
    ]
    for p, texts in cases:
        log_probs = [np.log(np.array(row)) for row in p]
        t.close(t.call(log_probs, texts), bits_per_byte(log_probs, texts), rtol=1e-6, what="bits per byte")


# ------------------------------------------------------------------------------------------------- 6.4


def next_probability(word, context, counts, V, D):
    """P(word | context) by absolute discounting, from short contexts to long ones; over all V words it sums to 1.

    context: a tuple of words. counts: n-grams as tuples -> occurrences, of all lengths up to len(context) + 1.
    Below the single words stands the uniform distribution 1/V. A context that was never seen adds nothing.
    """
    p = 1 / V
    for k in range(len(context) + 1):
        u = context[len(context) - k :]
        following = [c for gram, c in counts.items() if len(gram) == k + 1 and gram[:-1] == u]
        c = counts.get(u + (word,), 0)
        if following:
            p = max(c - D, 0) / sum(following) + D * len(following) / sum(following) * p
    return p


def next_without_weight(word, context, counts, V, D):
    """P(word | context) by absolute discounting, from short contexts to long ones; over all V words it sums to 1.

    context: a tuple of words. counts: n-grams as tuples -> occurrences, of all lengths up to len(context) + 1.
    Below the single words stands the uniform distribution 1/V. A context that was never seen adds nothing.
    """
    p = 1 / V
    for k in range(len(context) + 1):
        u = context[len(context) - k :]
        following = [c for gram, c in counts.items() if len(gram) == k + 1 and gram[:-1] == u]
        c = counts.get(u + (word,), 0)
        if c > 0:
            p = c / sum(following)
    return p


def _steps(word, context, counts, V, D, step):
    p = 1 / V
    for k in range(len(context) + 1):
        u = context[len(context) - k :]
        following = [c for gram, c in counts.items() if len(gram) == k + 1 and gram[:-1] == u]
        p = step(counts.get(u + (word,), 0), following, p, D)
    return p


def next_adds_all(word, context, counts, V, D):
    return _steps(word, context, counts, V, D, lambda c, f, p, D: max(c - D, 0) / sum(f) + p if f else p)


def next_no_discount(word, context, counts, V, D):
    return _steps(word, context, counts, V, D, lambda c, f, p, D: (c + D * len(f) * p) / sum(f) if f else p)


def next_weight_of_one(word, context, counts, V, D):
    return _steps(word, context, counts, V, D, lambda c, f, p, D: (max(c - D, 0) + D * p) / sum(f) if f else p)


def next_only_if_unseen(word, context, counts, V, D):
    return _steps(word, context, counts, V, D, lambda c, f, p, D: ((c - D) if c else D * len(f) * p) / sum(f) if f else p)


def next_by_tokens(word, context, counts, V, D):
    return _steps(word, context, counts, V, D, lambda c, f, p, D: max(c - D, 0) / sum(f) + D * p if f else p)


def next_only_if_seen(word, context, counts, V, D):
    return _steps(word, context, counts, V, D, lambda c, f, p, D: (max(c - D, 0) + D * len(f) * p) / sum(f) if c else p)


def next_unseen_zero(word, context, counts, V, D):
    return _steps(word, context, counts, V, D, lambda c, f, p, D: (max(c - D, 0) + D * len(f) * p) / sum(f) if f else 0.0)


def check_next_probability(t: Trial) -> None:
    toy = [["we", "count", "words", "daily"], ["today", "we", "count", "words"]]
    counts = {}
    for n in (1, 2, 3):
        counts |= _windows(toy, n)
    words, D = ("count", "we", "words", "daily", "today"), 0.5
    for context in ((), ("we",), ("count",), ("we", "count"), ("daily",), ("daily", "we"), ("words", "daily")):
        for word in words:
            got, expected = t.call(word, context, counts, 5, D), next_probability(word, context, counts, 5, D)
            t.close(got, expected, rtol=1e-9, what=f"P({word} | {' '.join(context)})")
        total = sum(t.call(word, context, counts, 5, 0.75) for word in words)
        t.close(total, 1.0, rtol=1e-9, what="the sum over all words")


# ------------------------------------------------------------------------------------------------- 6.5


def continuation_probabilities(C):
    """Kneser-Ney's unigrams, shape (V,). C[u, w]: how often word w followed word u, shape (V, V)."""
    pairs = C > 0
    return pairs.sum(axis=0) / pairs.sum()


def continuation_counts_tokens(C):
    return C.sum(axis=0) / C.sum()


def continuation_followers(C):
    pairs = C > 0
    return pairs.sum(axis=1) / pairs.sum()


def continuation_by_vocabulary(C):
    return (C > 0).sum(axis=0) / len(C)


def continuation_by_tokens(C):
    return (C > 0).sum(axis=0) / C.sum()


def continuation_not_divided(C):
    return (C > 0).sum(axis=0).astype(float)


def check_continuation(t: Trial) -> None:
    for C in ([[0, 3], [1, 2]], [[0, 3, 0], [1, 2, 1], [0, 3, 5]], [[0, 9, 0, 1], [0, 0, 4, 1], [2, 0, 0, 1], [0, 0, 0, 0]]):
        C = np.array(C)
        t.close(t.call(C), continuation_probabilities(C), rtol=1e-9, what="the probabilities")


# ------------------------------------------------------------------------------------------------- 6.6


def kneser_ney_bigram(C, D):
    """P[u, w] of interpolated Kneser-Ney, shape (V, V). C[u, w]: how often w followed u; D: the discount."""
    pairs = C > 0
    lower = pairs.sum(axis=0) / pairs.sum()
    total = np.maximum(C.sum(axis=1, keepdims=True), 1)
    P = np.maximum(C - D, 0) / total + D * pairs.sum(axis=1, keepdims=True) / total * lower
    return np.where(C.sum(axis=1, keepdims=True) > 0, P, lower)


def _kn(C, D, lower=None, weight=None, unseen=None, keep=None):
    pairs = C > 0
    base = pairs.sum(axis=0) / pairs.sum()
    lower = base if lower is None else lower
    total = np.maximum(C.sum(axis=1, keepdims=True), 1)
    weight = D * pairs.sum(axis=1, keepdims=True) if weight is None else weight
    keep = np.maximum(C - D, 0) if keep is None else keep
    P = keep / total + weight / total * lower
    return np.where(C.sum(axis=1, keepdims=True) > 0, P, lower if unseen is None else unseen)


def kn_plain_unigrams(C, D):
    return _kn(C, D, lower=C.sum(axis=0) / C.sum())


def kn_uniform(C, D):
    return _kn(C, D, lower=np.full(len(C), 1 / len(C)))


def kn_weight_once(C, D):
    return _kn(C, D, weight=D)


def kn_below_zero(C, D):
    return _kn(C, D, keep=C - D)


def kn_keeps_counts(C, D):
    return _kn(C, D, keep=C)


def kn_unseen_uniform(C, D):
    return _kn(C, D, unseen=np.full(len(C), 1 / len(C)))


def kn_unseen_zero(C, D):
    return _kn(C, D, unseen=0.0)


def check_kneser_ney_bigram(t: Trial) -> None:
    for C, D in [
        ([[2, 1], [0, 3]], 0.5),
        ([[0, 9, 0, 1], [0, 0, 4, 1], [2, 0, 0, 1], [1, 1, 0, 6]], 0.75),
        ([[0, 9, 0, 1], [0, 0, 4, 1], [2, 0, 0, 1], [0, 0, 0, 0]], 0.75),
    ]:
        C = np.array(C)
        t.close(t.call(C, D), kneser_ney_bigram(C, D), rtol=1e-9, what="P")


# ------------------------------------------------------------------------------------------------- 6.7


def rouge_1(candidate, reference):
    """ROUGE-1 of two lists of words, as (precision, recall, F1); all 0 when no word is shared."""
    shared = 0
    for word in set(candidate):
        shared += min(candidate.count(word), reference.count(word))
    if shared == 0:
        return 0.0, 0.0, 0.0
    p, r = shared / len(candidate), shared / len(reference)
    return p, r, 2 * p * r / (p + r)


def rouge_unclipped(candidate, reference):
    """ROUGE-1 of two lists of words, as (precision, recall, F1); all 0 when no word is shared."""
    shared = 0
    for word in candidate:
        shared += word in reference
    if shared == 0:
        return 0.0, 0.0, 0.0
    p, r = shared / len(candidate), shared / len(reference)
    return p, r, 2 * p * r / (p + r)


def _rouge(shared, n_candidate, n_reference):
    p, r = shared / n_candidate, shared / n_reference
    return (p, r, 2 * p * r / (p + r)) if shared else (0.0, 0.0, 0.0)


def rouge_types(candidate, reference):
    return _rouge(len(set(candidate) & set(reference)), len(set(candidate)), len(set(reference)))


def rouge_types_over_tokens(candidate, reference):
    return _rouge(len(set(candidate) & set(reference)), len(candidate), len(reference))


def rouge_by_reference(candidate, reference):
    shared = sum(reference.count(w) for w in set(candidate) & set(reference))
    return _rouge(shared, len(candidate), len(reference))


def rouge_swapped(candidate, reference):
    p, r, f1 = rouge_1(candidate, reference)
    return r, p, f1


def rouge_mean(candidate, reference):
    p, r, _ = rouge_1(candidate, reference)
    return p, r, (p + r) / 2


def check_rouge_1(t: Trial) -> None:
    cases = [
        "the cat | the cat sat",
        "a b | c d",
        "the the | the cat sat",
        "the the the the cat | the cat sat on the mat",
        "on the mat | the mat the cat sat on",
        "we count the words the words | words we count daily",
    ]
    for case in cases:
        candidate, reference = (side.split() for side in case.split("|"))
        got, expected = t.call(candidate, reference), rouge_1(candidate, reference)
        t.close(got, expected, rtol=1e-9, what="(precision, recall, F1)")


# ------------------------------------------------------------------------------------------------- 6.8


def elo_ratings(players, games, k):
    """Ratings after all games: a dictionary. Everybody starts at 1500. games: pairs (winner, loser), in order; k: the step."""
    ratings = {player: 1500.0 for player in players}
    for winner, loser in games:
        expected = 1 / (1 + 10 ** ((ratings[loser] - ratings[winner]) / 400))
        ratings[winner] += k * (1 - expected)
        ratings[loser] -= k * (1 - expected)
    return ratings


def _elo(players, games, k, gain):
    ratings = {player: 1500.0 for player in players}
    for winner, loser in games:
        up, down = gain(ratings[winner], ratings[loser], k)
        ratings[winner] += up
        ratings[loser] -= down
    return ratings


def elo_base_e(players, games, k):
    def gain(a, b, k):
        g = k * (1 - 1 / (1 + np.exp((b - a) / 400)))
        return g, g

    return _elo(players, games, k, gain)


def elo_winner_only(players, games, k):
    return _elo(players, games, k, lambda a, b, k: (k * (1 - 1 / (1 + 10 ** ((b - a) / 400))), 0.0))


def elo_fixed_step(players, games, k):
    return _elo(players, games, k, lambda a, b, k: (k / 2, k / 2))


def elo_whole_step(players, games, k):
    return _elo(players, games, k, lambda a, b, k: (k, k))


def elo_wrong_way_round(players, games, k):
    def gain(a, b, k):
        g = k * (1 - 1 / (1 + 10 ** ((a - b) / 400)))
        return g, g

    return _elo(players, games, k, gain)


def elo_after_the_winner(players, games, k):
    def gain(a, b, k):
        up = k * (1 - 1 / (1 + 10 ** ((b - a) / 400)))
        return up, k * (1 - 1 / (1 + 10 ** ((b - a - up) / 400)))

    return _elo(players, games, k, gain)


def elo_only_who_played(players, games, k):
    return {player: r for player, r in elo_ratings(players, games, k).items() if any(player in game for game in games)}


def check_elo(t: Trial) -> None:
    cases = [
        (["A", "B"], [("A", "B")]),
        (["A", "B"], [("A", "B"), ("B", "A")]),
        (["A", "B", "C"], [("A", "B")]),
        (["A", "B", "C"], [("A", "B"), ("A", "C"), ("B", "C"), ("C", "A"), ("A", "B")]),
    ]
    for players, games in cases:
        got, expected = t.call(players, games, 32), elo_ratings(players, games, 32)
        t.true(got is None or isinstance(got, dict), "must return a dictionary, player -> rating", expected, got)
        t.true(
            got is None or set(got) == set(expected),
            "must have one rating for each player, also for one without a game",
            expected,
            got,
        )
        order = None if got is None else [got[p] for p in players]
        t.close(order, [expected[p] for p in players], rtol=1e-9, what=f"the ratings of {', '.join(players)}")


EXERCISES = [
    Exercise(
        id="6.1",
        title="Counts with borders",
        kind="warm-up",
        points=2,
        solution=ngram_counts,
        check=check_ngram_counts,
        hints=(
            'Build one row for each sentence: ["<s>"] * (n - 1) + words + ["</s>"].',
            "A row of length L has L - n + 1 windows of length n: row[i:i + n] for i in range(L - n + 1).",
            "counts[gram] = counts.get(gram, 0) + 1 counts in a dictionary; the key must be a tuple.",
        ),
        wrong=(
            Wrong(
                counts_without_end,
                'forgets the end symbol "</s>": the model would never learn where sentences stop, and '
                "its probabilities would "
                "sum to 1 for each length of sentence apart (or the loop stops one window early: there are len(row) - n + 1)",
            ),
            Wrong(
                counts_without_start,
                'forgets the start symbols: the first words of a sentence need a context as well, n - 1 times "<s>"',
            ),
            Wrong(
                counts_one_start,
                'puts exactly one "<s>" before each sentence: n - 1 are needed, so that the first word '
                "has a full context "
                "(and none for n = 1)",
            ),
            Wrong(
                counts_n_starts,
                'puts n start symbols before each sentence: then an n-gram of nothing but "<s>" is '
                "counted, as if it were predicted",
            ),
            Wrong(counts_across, "lets n-grams run from one sentence into the next: build and cut each sentence on its own"),
            Wrong(counts_once_each, "counts every n-gram once at most: add 1 for each time it occurs"),
        ),
    ),
    Exercise(
        id="6.2",
        title="Perplexity",
        kind="warm-up",
        points=1,
        solution=perplexity,
        check=check_perplexity,
        hints=(
            "Three steps: -ln p of every token, the mean of these, e to the power of the mean.",
            "np.log is the natural logarithm, np.exp its inverse: np.exp(np.mean(-np.log(p))).",
        ),
        wrong=(
            Wrong(perplexity_rounded, "rounds the losses before it averages them: round only what you print"),
            Wrong(
                perplexity_of_mean,
                "turns the mean probability over. Perplexity uses the geometric mean: average the "
                "logarithms, so that one "
                "tiny probability weighs in full",
            ),
            Wrong(perplexity_mixed_base, "takes the logarithm to base 2 and the power of e: both must have the same base"),
            Wrong(
                perplexity_of_sum,
                "adds the losses up without dividing by the number of tokens: a longer text would always look worse",
            ),
            Wrong(perplexity_no_exp, "stops at the cross-entropy in nats: perplexity is e to the power of it"),
            Wrong(perplexity_inverse, "has the sign turned: the loss is -ln p, and a perplexity is never below 1"),
        ),
    ),
    Exercise(
        id="6.3",
        title="Bits per byte",
        kind="core",
        points=2,
        solution=bits_per_byte,
        check=check_bits_per_byte,
        hints=(
            "Above the line: all losses of all tokens of all texts, added up, in bits. One nat is 1 / ln 2 bits.",
            'Below the line: all bytes of all texts. len(text) counts characters; len(text.encode("utf-8")) counts bytes.',
        ),
        wrong=(
            Wrong(
                bpb_characters,
                'divides by characters: an é has two bytes, a Chinese character three. Use len(text.encode("utf-8"))',
            ),
            Wrong(bpb_nats, "gives nats per byte: divide by ln 2 to get bits"),
            Wrong(
                bpb_times_ln2,
                "multiplies by ln 2 where it must divide: a nat is more than a bit, so the number of bits is larger",
            ),
            Wrong(
                bpb_mean_of_ratios,
                "averages the bits per byte of the texts: a text of one byte would weigh as much as a "
                "long one. Add up first, "
                "divide once",
            ),
            Wrong(
                bpb_per_token,
                "divides by the number of tokens: then the number depends on the tokenizer, which is what bits per byte avoids",
            ),
            Wrong(
                bpb_without_end, "leaves out the last token of each text, its end: the end must be predicted, and paid for, too"
            ),
            Wrong(bpb_positive, "has the sign turned: log-probabilities are negative, a cost is positive"),
        ),
    ),
    Exercise(
        id="6.4",
        title="A backoff that sums to more than 1",
        kind="find the bug",
        points=3,
        solution=next_probability,
        check=check_next_probability,
        start=next_without_weight,
        hints=(
            "Add the answers for all words after (we, count). Which words get probability from the short context, although "
            "the long one has "
            "given all of its own away?",
            "A seen n-gram must give something up: max(c - D, 0) in place of c. What the n-grams of this context give up "
            "together is D times their "
            "number.",
            "p = max(c - D, 0) / total + D * len(following) / total * p, for every word, whenever the context has been seen "
            "at all.",
        ),
        wrong=(
            Wrong(
                next_without_weight,
                "takes the longest n-gram it finds and keeps all of its share, while unseen words "
                "keep that of the "
                "shorter context: together more than 1. Discount what was seen, and weight what comes from below",
            ),
            Wrong(
                next_adds_all,
                "adds the shorter context's probability in full: it must be weighted with the share that "
                "the discounts have set free",
            ),
            Wrong(
                next_no_discount,
                "hands probability down without taking it from anybody: subtract D from each count, max(c - D, 0)",
            ),
            Wrong(
                next_weight_of_one,
                "frees D for each different word but hands down D only once: the weight is D * len(following) / total",
            ),
            Wrong(
                next_only_if_unseen,
                "uses the shorter context for unseen words only: the weight was worked out for all "
                "words, so some of it is "
                "lost and the sum stays below 1. Add it for seen words too (interpolation)",
            ),
            Wrong(
                next_by_tokens,
                "weights the shorter context with D: the share set free is D * (number of different words) / total",
            ),
            Wrong(
                next_only_if_seen,
                "uses the formula for seen words only, so that unseen ones keep the shorter context's "
                "probability in full: with c = 0 the formula holds too. Ask whether the context was seen (`if following`)",
            ),
            Wrong(
                next_unseen_zero,
                "gives 0 after a context that was never seen: there the shorter context's answer must stand as it is",
            ),
        ),
    ),
    Exercise(
        id="6.5",
        title="How many different words come before?",
        kind="core",
        points=2,
        solution=continuation_probabilities,
        check=check_continuation,
        hints=(
            "C > 0 is a table of true and false: which pairs occurred at all. True counts as 1 in a sum.",
            "The words before w are in column w: sum over axis 0. Divide by the number of all different pairs.",
        ),
        wrong=(
            Wrong(
                continuation_counts_tokens,
                "counts occurrences: that is the plain unigram. A pair that occurred nine times is still one pair",
            ),
            Wrong(continuation_followers, "counts the words that come after w: the words before it are in the column, axis=0"),
            Wrong(
                continuation_by_vocabulary,
                "divides by the size of the vocabulary: the sum is then not 1. Divide by the number of different pairs",
            ),
            Wrong(
                continuation_by_tokens,
                "divides different pairs by occurrences: above and below the line must count the same thing",
            ),
            Wrong(continuation_not_divided, "returns counts: divide by the number of different pairs to get probabilities"),
        ),
    ),
    Exercise(
        id="6.6",
        title="Kneser-Ney in four lines",
        kind="stretch",
        points=3,
        solution=kneser_ney_bigram,
        check=check_kneser_ney_bigram,
        hints=(
            "Work on whole rows: total = C.sum(axis=1, keepdims=True) has shape (V, 1), so C / total divides each row by "
            "its own total.",
            "What a row gives up is D for each word it was seen with: D * (C > 0).sum(axis=1, keepdims=True) / total. Times "
            "the continuation "
            "probabilities of exercise 6.5.",
            "A row of zeros is a word that nothing followed. There the answer is the continuation probabilities; "
            "np.where(total > 0, P, lower) puts "
            "them in. Divide by np.maximum(total, 1), so that nothing is divided by 0.",
        ),
        wrong=(
            Wrong(
                kn_plain_unigrams,
                "hands down plain unigrams (that is absolute discounting): Kneser-Ney counts different words before w",
            ),
            Wrong(kn_uniform, "hands the freed share down evenly to all words: use the continuation probabilities"),
            Wrong(
                kn_weight_once, "hands down D / total: the share set free is D times the number of different words seen after u"
            ),
            Wrong(kn_below_zero, "subtracts D from counts of 0 as well: max(C - D, 0)"),
            Wrong(kn_keeps_counts, "does not subtract the discount: each row then sums to more than 1"),
            Wrong(
                kn_unseen_uniform,
                "gives all words the same probability after a word that nothing followed: use the continuation probabilities",
            ),
            Wrong(kn_unseen_zero, "gives 0 to all words after a word that nothing followed: such a row must sum to 1 as well"),
        ),
    ),
    Exercise(
        id="6.7",
        title="The summary that says everything twice",
        kind="find the bug",
        points=2,
        solution=rouge_1,
        check=check_rouge_1,
        start=rouge_unclipped,
        hints=(
            'Score "the the the the" against "the cat sat". How many of its words are shared, in earnest?',
            "A word counts as shared as often as it stands in both: min(candidate.count(word), reference.count(word)), once "
            "for each different word.",
        ),
        wrong=(
            Wrong(
                rouge_unclipped,
                "counts a repeated word each time it comes: clip it by the number of times it stands in the reference",
            ),
            Wrong(
                rouge_types, "compares sets, on both sides of the line: a word that the reference has twice should be found twice"
            ),
            Wrong(rouge_types_over_tokens, "counts each different word once: a word that stands twice in both is shared twice"),
            Wrong(
                rouge_by_reference,
                "counts a shared word as often as it stands in the reference, even if the candidate "
                "has it once: take the smaller count",
            ),
            Wrong(
                rouge_swapped,
                "has precision and recall the wrong way round: precision divides by the candidate's "
                "length, recall by the reference's",
            ),
            Wrong(rouge_mean, "averages precision and recall: F1 is their harmonic mean, 2 p r / (p + r)"),
        ),
    ),
    Exercise(
        id="6.8",
        title="Elo from a list of wins",
        kind="core",
        points=2,
        solution=elo_ratings,
        check=check_elo,
        hints=(
            "Before each game: how much of the point was the winner expected to get? 1 / (1 + 10 ** ((loser's - winner's) / "
            "400)).",
            "The winner gains k * (1 - expected), the loser loses exactly the same. Go through the games in order.",
        ),
        wrong=(
            Wrong(elo_base_e, "uses e where Elo's formula has 10: a lead of 400 must mean 10 to 1"),
            Wrong(
                elo_winner_only,
                "changes the winner's rating only: what one gains the other loses, so that the sum stays the same",
            ),
            Wrong(elo_fixed_step, "moves both by k / 2 whatever their ratings: beating a stronger player must be worth more"),
            Wrong(elo_whole_step, "moves both by k: the step is k times the surprise, 1 - expected"),
            Wrong(elo_wrong_way_round, "has the difference the wrong way round: the favorite would gain most by winning"),
            Wrong(
                elo_after_the_winner,
                "works out the loser's step from the winner's new rating: compute the expectation once, before anything changes",
            ),
            Wrong(elo_only_who_played, "must have one rating for each player, also for one without a game"),
        ),
    ),
]
