"""Exercises of chapter 03, Bag of words: checks, hints, reference solutions, wrong answers with their diagnoses."""

import numpy as np

from helpers.lab.checks import Exercise, Trial, Wrong

# ------------------------------------------------------------------------------------------------- 3.1


def count_vector(tokens, ids):
    """Counts of the known words: an array of len(ids) numbers. ids: word -> column. Unknown words are left out."""
    v = np.zeros(len(ids))
    for token in tokens:
        if token in ids:
            v[ids[token]] += 1
    return v


def count_vector_binary(tokens, ids):
    return np.minimum(count_vector(tokens, ids), 1)


def count_vector_one_by_one(tokens, ids):
    return np.array([float(tokens.count(token)) for token in tokens if token in ids])


def count_vector_in_the_order_of_ids(tokens, ids):
    return np.array([float(tokens.count(word)) for word in ids])


def count_vector_inside_words(tokens, ids):
    v = np.zeros(len(ids))
    for word, column in ids.items():
        v[column] = " ".join(tokens).count(word)
    return v


def count_vector_unknown_last(tokens, ids):
    v = np.zeros(len(ids))
    for token in tokens:
        v[ids.get(token, -1)] += 1
    return v


def count_vector_extra_column(tokens, ids):
    return np.append(count_vector(tokens, ids), sum(token not in ids for token in tokens))


def count_vector_share(tokens, ids):
    return count_vector(tokens, ids) / max(len(tokens), 1)


def count_vector_one_short(tokens, ids):
    return count_vector(tokens, ids)[:-1]


def check_count_vector(t: Trial) -> None:
    ids = {"the": 0, "cat": 1, "sat": 2, "mat": 3}
    for tokens in (
        ["cat"],
        ["the", "cat", "the"],
        ["dog", "cat"],
        ["dog", "saw", "the", "unicorn"],
        ["unicorn"],
        [],
        ["there", "sat", "cats"],
    ):
        t.close(t.call(tokens, ids), count_vector(tokens, ids), what="the vector")
    turned = {"cat": 1, "the": 0}  # a dictionary need not list its words in the order of their columns
    t.close(t.call(["cat"], turned), count_vector(["cat"], turned), what="the vector")


# ------------------------------------------------------------------------------------------------- 3.2


def to_csr(X):
    """The three lists (data, indices, indptr) of a dense table X (n, V), row by row. Zeros are not stored."""
    data, indices, indptr = [], [], [0]
    for row in X:
        for j, value in enumerate(row):
            if value != 0:
                data.append(value)
                indices.append(j)
        indptr.append(len(data))
    return data, indices, indptr


def to_csr_without_zero(X):
    data, indices, indptr = to_csr(X)
    return data, indices, indptr[1:]


def to_csr_row_lengths(X):
    data, indices, indptr = to_csr(X)
    return data, indices, [0, *np.diff(indptr).tolist()]


def to_csr_by_columns(X):
    return to_csr(np.asarray(X).T)


def to_csr_flat_places(X):
    data, indices, indptr = to_csr(X)
    rows = np.repeat(np.arange(len(indptr) - 1), np.diff(indptr))
    return data, [int(r * np.shape(X)[1] + j) for r, j in zip(rows, indices)], indptr


def to_csr_first_of_equals(X):
    data, indices, indptr = to_csr(X)
    rows = np.repeat(np.arange(len(indptr) - 1), np.diff(indptr))
    return data, [list(X[r]).index(value) for r, value in zip(rows, data)], indptr


def to_csr_coordinates(X):
    data, indices, indptr = to_csr(X)
    return data, indices, np.repeat(np.arange(len(indptr) - 1), np.diff(indptr)).tolist()


def check_to_csr(t: Trial) -> None:
    for X in (
        [[0, 0, 4], [5, 1, 0]],
        [[1, 0]],
        [[0, 2], [0, 0], [3, 1]],
        [[0, 0], [0, 0]],
        [[0, 0, 1, 3], [2, 0, 0, 0], [0, 7, 0, 9]],
        [[2, 0, 2], [1, 1, 0]],
    ):
        X = np.array(X)
        got, expected = t.call(X), to_csr(X)
        t.several(got, 3, "must return three lists: (data, indices, indptr)", expected)
        for name, a, b in zip(("data", "indices", "indptr"), got, expected):
            t.close(list(a), b, what=name)


# ------------------------------------------------------------------------------------------------- 3.3


def idf(X):
    """Smooth inverse document frequency, ln((1 + n) / (1 + df)) + 1, of each column of the counts X (n, V); shape (V,)."""
    n, df = len(X), np.sum(X > 0, axis=0)
    return np.log((1 + n) / (1 + df)) + 1


def idf_of_counts(X):
    return np.log((1 + len(X)) / (1 + np.sum(X, axis=0))) + 1


def idf_unsmoothed(X):
    with np.errstate(divide="ignore"):
        return np.log(len(X) / np.sum(X > 0, axis=0)) + 1


def idf_without_one(X):
    return idf(X) - 1


def idf_base_ten(X):
    return np.log10((1 + len(X)) / (1 + np.sum(X > 0, axis=0))) + 1


def idf_upside_down(X):
    return 2 - idf(X)


def idf_of_columns(X):
    return np.log((1 + X.shape[1]) / (1 + np.sum(X > 0, axis=0))) + 1


def check_idf(t: Trial) -> None:
    for X in ([[3, 0], [1, 0], [0, 1]], [[1, 1, 5], [0, 2, 1]], [[2, 0, 0], [1, 1, 0], [4, 0, 1], [1, 0, 0]], [[1, 0, 0, 2]]):
        X = np.array(X)
        t.close(t.call(X), idf(X), what="the idf")


# ------------------------------------------------------------------------------------------------- 3.4


def cosine(a, b):
    """Cosine of the angle between two vectors of the same length; 0 when one of them is all zeros."""
    length = np.sqrt(a @ a) * np.sqrt(b @ b)
    return float(a @ b / length) if length > 0 else 0.0


def cosine_without_lengths(a, b):
    return float(a @ b)


def cosine_squared_lengths(a, b):
    length = (a @ a) * (b @ b)
    return float(a @ b / length) if length > 0 else 0.0


def cosine_one_length(a, b):
    return float(a @ b / (a @ a)) if a @ a > 0 else 0.0


def cosine_of_sums(a, b):
    return float(a @ b / (a.sum() * b.sum())) if a.any() and b.any() else 0.0


def cosine_of_centered(a, b):
    return cosine(a - a.mean(), b - b.mean())


def cosine_zero_is_nan(a, b):
    with np.errstate(invalid="ignore", divide="ignore"):
        return float(np.float64(a @ b) / (np.sqrt(a @ a) * np.sqrt(b @ b)))


def cosine_zero_is_one(a, b):
    return cosine(a, b) if a.any() and b.any() else 1.0


def check_cosine(t: Trial) -> None:
    for a, b in (
        ([3, 0], [1, 1]),
        ([2, 0, 0], [4, 0, 0]),
        ([3, 4, 0], [0, 4, 3]),
        ([1, 0, 2], [0, 5, 0]),
        ([1, 2], [0, 0]),
        ([0, 0], [0, 0]),
    ):
        a, b = np.array(a, dtype=float), np.array(b, dtype=float)
        t.close(t.call(a, b), cosine(a, b), what="the cosine")


# ------------------------------------------------------------------------------------------------- 3.5


def word_log_probs(X, y, K, alpha=1.0):
    """ln P(word | class), shape (K, V), from counts X (n, V) and classes y (n,) in 0..K-1, with alpha added to each count."""
    counts = np.array([X[y == k].sum(axis=0) for k in range(K)]) + alpha
    return np.log(counts / counts.sum(axis=1, keepdims=True))


def word_log_probs_alpha_once(X, y, K, alpha=1.0):
    counts = np.array([X[y == k].sum(axis=0) for k in range(K)])
    return np.log((counts + alpha) / (counts.sum(axis=1, keepdims=True) + alpha))


def word_log_probs_alpha_on_top(X, y, K, alpha=1.0):
    counts = np.array([X[y == k].sum(axis=0) for k in range(K)])
    return np.log((counts + alpha) / np.maximum(counts.sum(axis=1, keepdims=True), 1))


def word_log_probs_unsmoothed(X, y, K, alpha=1.0):
    counts = np.array([X[y == k].sum(axis=0) for k in range(K)])
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log(counts / counts.sum(axis=1, keepdims=True))


def word_log_probs_of_texts(X, y, K, alpha=1.0):
    return word_log_probs((X > 0).astype(float), y, K, alpha)


def word_log_probs_over_classes(X, y, K, alpha=1.0):
    counts = np.array([X[y == k].sum(axis=0) for k in range(K)]) + alpha
    return np.log(counts / counts.sum(axis=0, keepdims=True))


def word_log_probs_no_log(X, y, K, alpha=1.0):
    return np.exp(word_log_probs(X, y, K, alpha))


def check_word_log_probs(t: Trial) -> None:
    cases = [
        ([[3, 1], [0, 2]], [0, 1], 2, 1.0),
        ([[2, 0, 1], [1, 1, 0], [0, 0, 4]], [0, 0, 1], 2, 1.0),
        ([[2, 0, 1], [1, 1, 0], [0, 0, 4]], [0, 0, 1], 2, 0.1),
        ([[1, 0, 0, 2], [0, 3, 1, 0]], [2, 0], 3, 0.5),  # class 1 has no example
    ]
    for X, y, K, alpha in cases:
        X, y = np.array(X, dtype=float), np.array(y)
        t.close(t.call(X, y, K, alpha), word_log_probs(X, y, K, alpha), what="the table of log-probabilities")


# ------------------------------------------------------------------------------------------------- 3.6


def describe_clusters(labels):
    """(number of topics, share of the texts in the largest topic, share in no topic); the label -1 means "no topic"."""
    topics, sizes = np.unique(labels[labels >= 0], return_counts=True)
    return len(topics), float(sizes.max() / len(labels)), float(np.mean(labels < 0))


def describe_clusters_with_noise(labels):
    """(number of topics, share of the texts in the largest topic, share in no topic); the label -1 means "no topic"."""
    topics, sizes = np.unique(labels, return_counts=True)
    return len(topics), float(sizes.max() / len(labels)), float(np.mean(labels < 0))


def describe_clusters_always_one_less(labels):
    topics, sizes = np.unique(labels, return_counts=True)
    return len(topics) - 1, float(sizes[topics >= 0].max() / len(labels)), float(np.mean(labels < 0))


def describe_clusters_of_the_rest(labels):
    topics, sizes = np.unique(labels[labels >= 0], return_counts=True)
    return len(topics), float(sizes.max() / sizes.sum()), float(np.mean(labels < 0))


def describe_clusters_noise_is_largest(labels):
    topics, sizes = np.unique(labels, return_counts=True)
    return int(np.sum(topics >= 0)), float(sizes.max() / len(labels)), float(np.mean(labels < 0))


def describe_clusters_highest_label(labels):
    _, sizes = np.unique(labels[labels >= 0], return_counts=True)
    return int(labels.max()) + 1, float(sizes.max() / len(labels)), float(np.mean(labels < 0))


def check_describe_clusters(t: Trial) -> None:
    for labels in ([0, 0, 1], [0, -1, 1, 1], [-1, -1, -1, 0, 1, 2, 2], [5, 5, -1, 2], [0, 0, 0, 1, -1, -1, -1, -1, 4, 4]):
        labels = np.array(labels)
        got, expected = t.call(labels), describe_clusters(labels)
        t.several(got, 3, "must return three numbers", expected)
        t.close(got, expected, what="the three numbers")


# ------------------------------------------------------------------------------------------------- 3.7


def class_tfidf(counts):
    """tf * ln(1 + A / f) from the counts (K, V) of K classes: tf share of the word in its class, f its count in all classes,
    A the mean number of words per class."""
    tf = counts / counts.sum(axis=1, keepdims=True)
    f = counts.sum(axis=0)
    A = counts.sum() / len(counts)
    return tf * np.log(1 + A / f)


def class_tfidf_raw_counts(counts):
    return counts * np.log(1 + counts.sum() / len(counts) / counts.sum(axis=0))


def class_tfidf_without_one(counts):
    tf = counts / counts.sum(axis=1, keepdims=True)
    return tf * np.log(counts.sum() / len(counts) / counts.sum(axis=0))


def class_tfidf_all_words(counts):
    tf = counts / counts.sum(axis=1, keepdims=True)
    return tf * np.log(1 + counts.sum() / counts.sum(axis=0))


def class_tfidf_of_classes(counts):
    tf = counts / counts.sum(axis=1, keepdims=True)
    return tf * np.log(1 + len(counts) / (counts > 0).sum(axis=0))


def class_tfidf_mean_cell(counts):
    tf = counts / counts.sum(axis=1, keepdims=True)
    return tf * np.log(1 + counts.mean() / counts.sum(axis=0))


def class_tfidf_wrong_axis(counts):
    return counts / counts.sum(axis=0) * np.log(1 + counts.sum() / len(counts) / counts.sum(axis=0))


def check_class_tfidf(t: Trial) -> None:
    for counts in ([[4, 0], [1, 3]], [[5, 1, 2], [5, 0, 1]], [[9, 3, 0, 0], [8, 0, 2, 0], [20, 1, 1, 6]]):
        counts = np.array(counts, dtype=float)
        t.close(t.call(counts), class_tfidf(counts), what="the weights")


EXERCISES = [
    Exercise(
        id="3.1",
        title="A text as counts",
        kind="warm-up",
        points=1,
        solution=count_vector,
        check=check_count_vector,
        hints=(
            "Start with np.zeros(len(ids)): one place for every known word, also for those that do not occur.",
            "`if token in ids:` skips the unknown words; ids[token] is the place to add 1 to.",
        ),
        wrong=(
            Wrong(count_vector_binary, "notes only that a word occurs; a word that stands twice must count 2"),
            Wrong(count_vector_one_by_one, "has one entry per word of the text; it needs one entry per word of the vocabulary"),
            Wrong(
                count_vector_in_the_order_of_ids,
                "puts the counts in the order in which ids lists its words; the number behind a word says its column",
            ),
            Wrong(count_vector_inside_words, "finds words inside other words, such as the in there; compare whole tokens"),
            Wrong(count_vector_unknown_last, "adds unknown words to the last known word: index -1 is the last place of an array"),
            Wrong(
                count_vector_extra_column, "adds a column for unknown words; here they are left out, so the length is len(ids)"
            ),
            Wrong(count_vector_share, "divides by the length of the text; counts are wanted here, not shares"),
            Wrong(count_vector_one_short, "is one entry short: the length must be the size of the vocabulary, len(ids)"),
        ),
    ),
    Exercise(
        id="3.2",
        title="A table without its zeros",
        kind="core",
        points=2,
        solution=to_csr,
        check=check_to_csr,
        hints=(
            "Walk through the rows; note each value that is not zero in data and its column in indices.",
            "indptr starts as [0]; after every row append the number of values stored so far, also after a row of zeros.",
            "Row i is then data[indptr[i]:indptr[i + 1]], and indptr has one entry more than there are rows.",
        ),
        wrong=(
            Wrong(to_csr_without_zero, "forgets the 0 at the start of indptr: row 0 needs a beginning too"),
            Wrong(
                to_csr_row_lengths, "puts the length of each row into indptr; it must hold where each row ends, a running total"
            ),
            Wrong(to_csr_by_columns, "walks down the columns: that is CSC, the sister format; here rows come first"),
            Wrong(to_csr_flat_places, "numbers the places through the whole table; indices must be the column within the row"),
            Wrong(
                to_csr_first_of_equals,
                "looks up the column by the value, so equal values of a row all get the column "
                "of the first; count the columns along",
            ),
            Wrong(
                to_csr_coordinates,
                "stores the row of each value (the COO format); indptr holds only where each row begins and ends",
            ),
        ),
    ),
    Exercise(
        id="3.3",
        title="Rare words weigh more",
        kind="core",
        points=2,
        solution=idf,
        check=check_idf,
        hints=(
            "df is the number of rows in which the column is not zero: np.sum(X > 0, axis=0).",
            "n is the number of rows, len(X). The formula has a 1 in three places.",
        ),
        wrong=(
            Wrong(
                idf_of_counts, "adds up the counts; df is the number of documents with the word, however often it stands in each"
            ),
            Wrong(idf_unsmoothed, "leaves out the smoothing: 1 is added to n and to df, as if one more text held every word"),
            Wrong(idf_without_one, "forgets the + 1 at the end; without it a word that is in every text would vanish"),
            Wrong(idf_base_ten, "takes the logarithm to base 10; the natural logarithm np.log is meant"),
            Wrong(idf_upside_down, "divides the wrong way round: rare words get the small weights"),
            Wrong(idf_of_columns, "takes the number of columns for n; the documents are the rows"),
        ),
    ),
    Exercise(
        id="3.4",
        title="The angle between two texts",
        kind="core",
        points=2,
        solution=cosine,
        check=check_cosine,
        hints=(
            "The length of a vector is the root of its dot product with itself: np.sqrt(a @ a).",
            "Divide a @ b by the product of both lengths; ask first whether that product is zero.",
        ),
        wrong=(
            Wrong(cosine_without_lengths, "gives the dot product; divide by both lengths, or long texts win"),
            Wrong(cosine_squared_lengths, "divides by the squared lengths; the root is missing"),
            Wrong(
                cosine_one_length, "divides by the squared length of the first vector only, so the order of the two would matter"
            ),
            Wrong(
                cosine_of_sums, "divides by the sums of the counts; the length of a vector is the root of the sum of its squares"
            ),
            Wrong(cosine_of_centered, "subtracts the mean first: that is Pearson's correlation"),
            Wrong(cosine_zero_is_nan, "divides 0 by 0 for a text without known words; return 0.0 when a length is zero"),
            Wrong(cosine_zero_is_one, "gives 1 for a text without known words; it has no direction, and 0.0 is agreed on"),
        ),
    ),
    Exercise(
        id="3.5",
        title="Words given the class",
        kind="core",
        points=3,
        solution=word_log_probs,
        check=check_word_log_probs,
        hints=(
            "X[y == k] are the rows of class k; their sum over axis 0 are the counts of the words in the class.",
            "Add alpha to every count first, then divide each row by its sum: then each row sums to 1.",
            "A class without texts then gets 1/V for every word; no special case is needed.",
        ),
        wrong=(
            Wrong(
                word_log_probs_alpha_once, "adds alpha once to the total; V counts grew by alpha, so the total grows by V alpha"
            ),
            Wrong(
                word_log_probs_alpha_on_top,
                "adds alpha to the counts but not to the total, so the probabilities sum to more than 1",
            ),
            Wrong(word_log_probs_unsmoothed, "does not use alpha: a word that a class has never seen gets ln 0 = -inf"),
            Wrong(word_log_probs_of_texts, "counts in how many texts a word stands; this model counts every occurrence"),
            Wrong(
                word_log_probs_over_classes,
                "normalizes over the classes, which gives P(class | word); each class must sum to 1 over words",
            ),
            Wrong(word_log_probs_no_log, "returns probabilities; their logarithms are wanted"),
        ),
    ),
    Exercise(
        id="3.6",
        title="156 labels are not 156 topics",
        kind="find the bug",
        points=2,
        solution=describe_clusters,
        check=check_describe_clusters,
        start=describe_clusters_with_noise,
        hints=(
            "Try it by hand on the labels 0, -1, 1, 1. How many topics are there?",
            "labels[labels >= 0] are the labels of the texts that are in a topic. The shares still refer to all texts.",
        ),
        wrong=(
            Wrong(describe_clusters_with_noise, "counts the label -1 as a topic; it marks the texts that belong to none"),
            Wrong(describe_clusters_always_one_less, "subtracts one topic also when no label is -1"),
            Wrong(
                describe_clusters_of_the_rest,
                "divides the largest topic by the texts that are in a topic; the share of all texts is asked",
            ),
            Wrong(
                describe_clusters_noise_is_largest, "leaves -1 out of the number of topics, but it can still be the largest topic"
            ),
            Wrong(describe_clusters_highest_label, "takes the highest label plus one; labels may have gaps"),
        ),
    ),
    Exercise(
        id="3.7",
        title="Keywords of a class",
        kind="stretch",
        points=3,
        solution=class_tfidf,
        check=check_class_tfidf,
        hints=(
            "All texts of a class are glued together into one long text; counts holds one row per class.",
            "tf: divide each row by its sum (keepdims=True). f: sum over axis 0. A: the sum of everything, "
            "divided by the classes.",
            "np.log(1 + A / f) has shape (V,) and multiplies every row.",
        ),
        wrong=(
            Wrong(
                class_tfidf_raw_counts,
                "multiplies raw counts; tf is the share of the word within its class, so that large classes do not win",
            ),
            Wrong(
                class_tfidf_without_one,
                "leaves out the 1 in ln(1 + A / f): words more frequent than A would get negative weights",
            ),
            Wrong(class_tfidf_all_words, "takes all words for A; A is the mean number of words per class"),
            Wrong(
                class_tfidf_of_classes,
                "counts in how many classes a word stands; f is how often it stands in all of them together",
            ),
            Wrong(class_tfidf_mean_cell, "takes the mean of the cells for A; A is the mean of the row sums"),
            Wrong(
                class_tfidf_wrong_axis,
                "divides by the word's total over the classes; tf is a share of the words of the class (axis 1)",
            ),
        ),
    ),
]
