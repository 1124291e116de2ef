"""`make fuzz`: fuzz codec and reader for as long as it is told, and say what came of it.

Inputs that reached something new are kept in .fuzz/ and are where the next time begins; what broke
something is there too, under crash-, timeout- or oom-.
"""

import argparse
import sys
from pathlib import Path

from tests.fuzz.campaign import fuzz
from tests.fuzz.fuzzer import KINDS


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=int, default=600, help="for each of codec and reader")
    parser.add_argument("--runs", type=int, default=0, help="stop after so many inputs")
    parser.add_argument("--kind", choices=KINDS, action="append")
    parser.add_argument("--dir", type=Path, default=Path(".fuzz"))
    arguments = parser.parse_args()
    fine = True
    for kind in arguments.kind or KINDS:
        campaign = fuzz(kind, arguments.dir / kind, seconds=arguments.seconds, runs=arguments.runs)
        print(campaign.told(), flush=True)
        fine &= not campaign.broke
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
