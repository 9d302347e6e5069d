"""What several exercises of chapter 06 use."""


def count_windows(rows, n):
    """How often each window of ``n`` neighbors stands in the rows."""
    counts = {}
    for row in rows:
        for i in range(len(row) - n + 1):
            gram = tuple(row[i : i + n])
            counts[gram] = counts.get(gram, 0) + 1
    return counts
