"""Times our `bench` example and other libraries in turn, and prints a Markdown table.

    cargo build --release --example bench
    python benches/peers/side_by_side.py target/release/examples/bench
    python benches/peers/side_by_side.py target/release/examples/bench --rows lenet5:train:64,resnet18:infer:1 --peers pytorch,onnxruntime
    python benches/peers/side_by_side.py target/release/examples/bench --memory

Each time is the median of the rounds, and each round the median of the steps of a process of its own. A peer that cannot be
installed, fails, or computes something else than PyTorch is said on the standard error and left out.
"""

import argparse
import datetime
import json
import os
import pathlib
import platform
import shlex
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass

from runners import PEERS

ONE_PEER = pathlib.Path(__file__).with_name("one_peer.py")
ROWS = (
    "lenet5:train:64,lenet5:infer:1,lenet5:infer:64,vgg_cifar:train:64,vgg_cifar:infer:1,vgg_cifar:infer:64,"
    "resnet18:infer:1,resnet18:infer:8,resnet18:train:8,mobilenet_v2:infer:1,mobilenet_v2:infer:8,mobilenet_v2:train:8"
)
MEMORY_ROWS = "vgg_cifar:train:64,resnet18:train:8"
# `torch.compile` is left out: its process is a compiler too.
MEMORY_PEERS = ["pytorch", "pytorch_channels_last"]
TITLES = {"lenet5": "LeNet-5", "resnet18": "ResNet-18", "resnet50": "ResNet-50", "mobilenet_v2": "MobileNetV2"}


@dataclass(frozen=True)
class Row:
    network: str
    mode: str
    batch: int

    @classmethod
    def parse(cls, text):
        network, mode, batch = text.split(":")
        return cls(network, mode, int(batch))

    def __str__(self):
        return f"{TITLES.get(self.network, self.network)} {self.mode}, batch {self.batch}"

    def options(self, mode=None):
        return ["--network", self.network, "--mode", mode or self.mode, "--batch", str(self.batch)]


class Failure(Exception):
    pass


def run(command):
    """The JSON line that the command prints, and the most memory in MB that it had."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = subprocess.Popen([str(part) for part in command], stdout=out, stderr=err)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        lines = [line for line in out.read().decode().splitlines() if line.startswith("{")]
        if child.returncode or not lines:
            said = [line for line in err.read().decode(errors="replace").splitlines() if line.strip()]
            raise Failure(said[-1] if said else f"ended with {child.returncode}")
        return json.loads(lines[-1]), usage.ru_maxrss * 1024 / 1e6


class Ours:
    def __init__(self, bench):
        self.bench = bench
        modes = subprocess.run([bench, "--help"], check=True, capture_output=True, text=True).stdout
        self.infer = "predict" if "predict" in modes else "infer"

    def command(self, row, arguments):
        mode = self.infer if row.mode == "infer" else row.mode
        return [self.bench, *row.options(mode), "--threads", arguments.threads, "--seconds", arguments.seconds]


class Peer:
    def __init__(self, key):
        self.key, self.about, self.said = key, None, set()

    def prepare(self, row, arguments):
        """Whether it can be timed."""
        done = pathlib.Path(arguments.folder, f"{row.network}-{row.mode}-{row.batch}-{self.key}.json")
        try:
            if not done.exists():
                about, _ = run(self.command(row, arguments, "prepare"))
                done.parent.mkdir(parents=True, exist_ok=True)
                done.write_text(json.dumps(about))
            self.about = json.loads(done.read_text())
            return row.mode in self.about["modes"]
        except Failure as failure:
            self.leave_out(row, failure)
            return False

    def leave_out(self, row, failure):
        if str(failure) not in self.said:
            print(f"{self.key} is left out of {row} and of others where the same happens: {failure}", file=sys.stderr)
        self.said.add(str(failure))

    def command(self, row, arguments, action="time"):
        options = ["--threads", arguments.threads, "--seconds", arguments.seconds, "--folder", arguments.folder]
        return [sys.executable, ONE_PEER, action, "--peer", self.key, *row.options(), *options]


def measure(row, ours, peers, arguments):
    """What the rounds of ours and of each peer came to: pairs of milliseconds and MB."""
    results = {who: [] for who in [ours, *(peer for peer in peers if peer.prepare(row, arguments))]}
    for _ in range(arguments.rounds):
        for who in list(results):
            try:
                results[who].append(run([*arguments.wrap, *who.command(row, arguments)]))
            except Failure as failure:
                if who is ours:
                    sys.exit(f"{row}: ours fails: {failure}")
                who.leave_out(row, failure)
                del results[who]
    return results


def processor():
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def number(value):
    return f"{value:#.3g}".rstrip(".")


def table(head, lines):
    return "\n".join("| " + " | ".join(line) + " |" for line in [head, ["---"] * len(head), *lines])


def report(rows, ours, peers, arguments):
    unit, pick = ("MB", lambda run: run[1]) if arguments.memory else ("ms", lambda run: run[0]["median_ms"])
    measured = {}
    for row in rows:
        results = measure(row, ours, peers, arguments)
        measured[row] = {who: statistics.median(pick(run) for run in runs) for who, runs in results.items()}
        isa = results[ours][0][0]["isa"]
        values = ", ".join(f"{getattr(who, 'key', 'ours')} {number(value)}" for who, value in measured[row].items())
        print(f"{row}: {values} {unit}", file=sys.stderr)

    peers = [peer for peer in peers if any(peer in values for values in measured.values())]
    lines = []
    for row, values in measured.items():
        own = values.pop(ours)
        best = min(values, key=values.get, default=None)
        against = [best.about["name"], number(values[best]), f"{own / values[best]:.2f}"] if best else ["", "", ""]
        each = [number(values[peer]) if peer in values else "" for peer in peers]
        lines.append([str(row), number(own), *against, *each])
    head = ["work", f"ours, {unit}", "best peer", f"its {unit}", "ours / best", *(peer.about["name"] for peer in peers)]

    what = "Most memory that a process held" if arguments.memory else "Milliseconds a step"
    versions = ", ".join(dict.fromkeys(f"{peer.about['name'].split(',')[0]} {peer.about['version']}" for peer in peers))
    print(
        f"{what}, median of {arguments.rounds} rounds in turn. {processor()}, ours with {isa}, {arguments.threads} threads, "
        f"{datetime.date.today()}. Ours infers by `bench --mode {ours.infer}`. {versions}.\n"
    )
    print(table(head, lines))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bench", help="the built example `bench`")
    parser.add_argument("--rows", help=f"network:mode:batch, ..; if not given {ROWS}")
    parser.add_argument("--peers", help=f"of {','.join(PEERS)}")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=1, help="how long a round times steps, of which there are at least 5")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--memory", action="store_true", help=f"the resident peak instead; of {MEMORY_ROWS} if no rows are given")
    parser.add_argument("--folder", help="keeps converted networks there for another time")
    parser.add_argument("--prepare", action="store_true", help="only converts, to --folder")
    parser.add_argument("--wrap", type=shlex.split, default=[], help="a command that starts what is timed, such as 'taskset -c 0,1'")
    arguments = parser.parse_args()
    rows = [Row.parse(text) for text in (arguments.rows or (MEMORY_ROWS if arguments.memory else ROWS)).split(",")]
    keys = arguments.peers.split(",") if arguments.peers else MEMORY_PEERS if arguments.memory else PEERS
    peers = [Peer(key) for key in keys]
    with tempfile.TemporaryDirectory() as temporary:
        arguments.folder = os.path.abspath(arguments.folder or temporary)
        # Compiled once for all rounds.
        os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", os.path.join(arguments.folder, "inductor"))
        if arguments.prepare:
            for row in rows:
                print(row, *(peer.key for peer in peers if peer.prepare(row, arguments)))
        else:
            report(rows, Ours(arguments.bench), peers, arguments)


if __name__ == "__main__":
    main()
