"""python -m tests.fuzz [--cases N] [--seed S] [--only TEXT]: damaged calls of every public function, and what came of them."""

import argparse
import json
import time

from tests.fuzz.calls import targets
from tests.fuzz.engine import fuzz
from tests.fuzz.known import FILE


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=200, help="of each function (default: 200)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="functions whose name holds this")
    parser.add_argument("--list", action="store_true", help="write what is found into known.json (after mending, to shorten it)")
    options = parser.parse_args()
    begun, found = time.monotonic(), 0
    chosen = [t for t in targets() if options.only in t.name]
    tallies = []
    for target in chosen:
        start = time.monotonic()
        tally = fuzz(target, options.cases, options.seed)
        tallies.append(tally)
        took = time.monotonic() - start
        if tally.findings or took > 2:
            print(f"{tally.name}: {tally.refused} refused, {tally.results} results, {took:.1f} s")
        for kind, where in tally.findings.items():
            found += 1
            print(f"    {kind}: {where}")
    if options.list:
        kinds = {t.name: sorted(k for k in t.findings if k != "does not come back") for t in tallies}
        FILE.write_text(
            json.dumps({name: k for name, k in kinds.items() if k}, indent=0, sort_keys=True) + "\n", encoding="utf-8"
        )
    cases, refused = sum(t.cases for t in tallies), sum(t.refused for t in tallies)
    print(
        f"{len(chosen)} functions, {cases} cases, {refused} refused, {sum(t.results for t in tallies)} results, "
        f"{found} findings, seed {options.seed}, {time.monotonic() - begun:.0f} s"
    )


if __name__ == "__main__":
    main()
