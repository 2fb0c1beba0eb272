"""Runs halmos on test/symbolic, and fails unless every property there was shown in full.

halmos itself passes over a loop that it did not follow to its end, and over a contract without properties; here both
are failures, as are a counterexample, a timeout, a path that could not be followed, and a property that never ran.
Called by `tools/halmos`, in contracts/.
"""

import re
import sys
from pathlib import Path

import halmos.__main__ as halmos
import halmos.sevm as sevm

OPTIONS = [
    "--root", ".",
    "--forge-build-out", "cache/halmos/out",
    "--solver", "yices",
    "--solver-threads", "1",
    "--solver-timeout-branching", "50ms",
    "--solver-timeout-assertion", "60s",
    "--loop", "9",
    "--default-bytes-lengths", "33",
    "--default-array-lengths", "0",
    "--no-status",
]  # fmt: skip

OUTCOMES = {outcome.value: outcome.name.lower().replace("_", " ") for outcome in halmos.Exitcode}


def mend_blockhash():
    """halmos hands BLOCKHASH's number to the solver in a form that it does not take. Of the hash nothing is assumed but
    that the same number gives the same one."""
    hash_of = sevm.f_blockhash
    sevm.f_blockhash = lambda number: hash_of(sevm.uint256(number).as_z3())


def declared():
    """Every `check_` function of every contract in test/symbolic, as (contract, function)."""
    found = set()
    for path in Path("test/symbolic").glob("*.sol"):
        contract = None
        for line in path.read_text().splitlines():
            if match := re.match(r"(?:abstract )?contract (\w+)", line):
                contract = match[1]
            elif match := re.match(r"\s+function (check_\w+)", line):
                found.add((contract, match[1]))
    return found


def main(arguments):
    mend_blockhash()
    result = halmos._main(OPTIONS + arguments)
    ran, failures = set(), []
    for path, tests in (result.test_results or {}).items():
        contract = path.rpartition(":")[2]
        for test in tests:
            name = (contract, test.name.partition("(")[0])
            ran.add(name)
            if test.exitcode != halmos.PASS:
                failures.append((*name, OUTCOMES.get(test.exitcode, test.exitcode)))
            elif test.num_bounded_loops:
                failures.append((*name, "a loop was not followed to its end"))
    if not arguments:
        failures += [(*name, "did not run") for name in sorted(declared() - ran)]

    print(f"\n{len(ran)} properties, {len(failures)} not shown")
    for contract, test, why in failures:
        print(f"  {contract}.{test}: {why}")
    return 0 if ran and not failures and result.exitcode == 0 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
