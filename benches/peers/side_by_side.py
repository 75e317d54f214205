"""Runs our `bench` example and PyTorch in turn, several times, and prints both lines and the ratio of their medians.

    cargo build --release --example bench
    python benches/peers/side_by_side.py target/release/examples/bench --network lenet5 --mode train --batch 64 --threads 2

Of each the round with the least median counts: what else the machine does can only add time.
"""

import argparse
import json
import pathlib
import subprocess
import sys

PYTORCH = pathlib.Path(__file__).with_name("pytorch.py")


def line(command):
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bench", help="the built example `bench`")
    parser.add_argument("--network", default="lenet5")
    parser.add_argument("--mode", default="train")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeat", type=int, help="timed steps in each round; as many as 5 seconds hold if not given")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = vars(parser.parse_args())
    bench, rounds = arguments.pop("bench"), arguments.pop("rounds")
    options = [part for name, value in arguments.items() if value for part in (f"--{name}", str(value))]

    ours, theirs = [], []
    for _ in range(rounds):
        ours.append(line([bench, *options]))
        theirs.append(line([sys.executable, PYTORCH, *options]))
    best_of_ours, best_of_theirs = (min(lines, key=lambda each: each["median_ms"]) for lines in (ours, theirs))
    print(json.dumps(best_of_ours))
    print(json.dumps(best_of_theirs))
    print(f"{best_of_theirs['median_ms'] / best_of_ours['median_ms']:.2f} times as fast as PyTorch")


if __name__ == "__main__":
    main()
