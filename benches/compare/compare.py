#!/usr/bin/env python3
"""p2psim beside other simulators: the same workloads in each, in one go.

Installs p2psimpy and SimPy from PyPI, builds p2psim and the crates simulacra and nexosim, runs each
workload at each size in all of them in turn, and prints delivered messages per CPU second and bytes
per peer. Needs cargo and Python 3.9 or later on Linux or macOS; README.md says more.
"""

import argparse
import datetime
import json
import os
import platform
import re
import shlex
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
SIZES = [1_000, 10_000, 100_000, 1_000_000]
BASELINE_PEERS = 20
MIB = 2**20
# The kernel counts the few MiB of the process that started a run as that run's own.
LEAST_GROWTH = 4 * MIB
TOLERANCE = 0.02

WORKLOADS = {
    "ping": "W1, ping: mean degree 10, round trip norm(12, 2) ms, every peer pings every neighbour each "
    "second, all at the same instant, 10 s. Counted: pings and pongs.",
    "flood": "W2, flood: 100 messages, one every 10 ms, each peer relays each at its first receipt to all "
    "its other neighbours. Counted: relayed copies.",
    "emergent": "W3, emergent: peers find four to eight neighbours through a bootstrap peer for every "
    "thousand (P2PConnectionManager), 30 s. Counted: all messages.",
}

# Starts a run and writes what it used to a file. A process of its own, and a small one: a child's
# peak of memory begins with that of the process that it was forked from.
LAUNCHER = """
import os, resource, sys
result, cpu, memory, command = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:]
child = os.fork()
if child == 0:
    resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu + 5))
    try:
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    except (OSError, ValueError):
        pass
    os.execvp(command[0], command)
_, status, used = os.wait4(child, 0)
with open(result, "w") as file:
    print(status, used.ru_utime + used.ru_stime, used.ru_maxrss, file=file)
"""


class Unavailable(Exception):
    """Why a tool cannot be had here."""


@dataclass
class Tool:
    """A row of the tables: how to get it ready, and the command of a run."""

    label: str
    workloads: tuple
    prepare: object
    version: str = ""
    command: object = None


@dataclass
class Cell:
    """What is known of one tool at one workload and size."""

    runs: list = field(default_factory=list)
    why_not: str = ""

    def median(self, name):
        return statistics.median(run[name] for run in self.runs)

    def rate(self):
        return statistics.median(run["delivered"] / run["cpu_s"] for run in self.runs)


def say(text):
    print(text, file=sys.stderr, flush=True)


def output(command, **keywords):
    """The command's standard output; `Unavailable` with its last words if it fails."""
    try:
        done = subprocess.run(
            [str(word) for word in command], capture_output=True, text=True, **keywords
        )
    except OSError as error:
        raise Unavailable(f"{command[0]}: {error.strerror}") from error
    if done.returncode != 0:
        raise Unavailable(last_line(done.stderr) or f"{command[0]} failed")
    return done.stdout


def last_line(text):
    lines = [line for line in text.strip().splitlines() if line.strip()]
    return lines[-1].strip() if lines else ""


# Getting ready


def built(arguments, options):
    """Builds with cargo; the paths of the programs by name."""
    lines = output(
        ["cargo", *arguments, "--locked", "--message-format=json"],
        cwd=options["cwd"],
        env={**os.environ, **options.get("env", {})},
    ).splitlines()
    messages = (json.loads(line) for line in lines if line.startswith("{"))
    made = (message for message in messages if message.get("executable"))
    return {message["target"]["name"]: message["executable"] for message in made}


def python_3_10():
    """A Python 3.10, on which p2psimpy works as it is."""
    places = ["python3.10"]
    for ask in (["pyenv", "prefix", "3.10"], ["uv", "python", "find", "3.10"]):
        try:
            found = output(ask).strip()
            places.append(f"{found}/bin/python3.10" if ask[0] == "pyenv" else found)
        except Unavailable:
            pass
    places += sorted(str(path) for path in Path.home().glob(".pyenv/versions/3.10.*/bin/python3.10"))
    for place in places:
        try:
            if output([place, "-c", "import sys; print(sys.version_info[:2])"]).strip() == "(3, 10)":
                return place
        except Unavailable:
            pass
    return None


def environment(folder, python, *installs):
    """The Python of a virtual environment with these installed, each a list of pip's arguments."""
    inside, done = folder / "bin" / "python", folder / "installed"
    wanted = repr((str(python), installs))
    if not done.exists() or done.read_text() != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        output([python, "-m", "venv", folder])
        for install in installs:
            output([inside, "-m", "pip", "install", "--quiet", *install])
        done.write_text(wanted)
    return inside


def installed_versions(python, *packages):
    code = (
        "import platform, sys; from importlib.metadata import version as v;"
        "print(', '.join(f'{p} {v(p)}' for p in sys.argv[1:]), 'on Python', platform.python_version())"
    )
    return output([python, "-c", code, *packages]).strip()


def prepare_p2psim(tool, options, queues):
    program = built(["build", "--release"], {"cwd": REPOSITORY})["p2psim"]
    more = shlex.split(options.p2psim_options)
    tool.version = " ".join([output([program, "--version"]).strip(), *more])

    def command(workload, peers, seed, out):
        settings = [f"topology.graph=gnp({peers}, {min(10 / peers, 1)})"]
        if workload == "emergent":
            count = max(peers // 1000, 1)
            settings = [f"topology.emergent.peer={peers}", f"topology.bootstrap.count={count}"]
        if not queues:
            settings += ["network.uplink=unlimited", "network.downlink=unlimited", "output.load=none"]
        scenario = REPOSITORY / "benches" / f"{workload}.yaml"
        sets = [word for setting in settings for word in ("--set", setting)]
        return [program, "run", scenario, *sets, "--seed", seed, "--out", out, "--force", "--quiet", "--threads", "1", *more]

    tool.command = command


def prepare_limit(tool, _options):
    program = built(["bench", "--bench", "limit", "--no-run"], {"cwd": REPOSITORY})["limit"]
    tool.version = "benches/limit.rs"
    tool.command = lambda workload, peers, _seed, _out: [program, "once", workload, peers]


def prepare_p2psimpy(tool, options):
    python, folder = options.python310 or python_3_10(), options.work_dir / "p2psimpy"
    if python:
        inside = environment(folder, python, ["p2psimpy==0.1.0"])
    else:
        say("no Python 3.10: p2psimpy on this Python, without the emergent workload")
        tool.workloads = ("ping", "flood")
        needs = ["simpy", "networkx", "numpy", "scipy", "pyyaml"]
        itself = ["--no-deps", "--ignore-requires-python", "p2psimpy==0.1.0"]
        inside = environment(folder, sys.executable, needs, itself)
    tool.version = installed_versions(inside, "p2psimpy", "simpy", "networkx", "scipy")
    tool.command = lambda *run: [inside, HERE / "p2psimpy_run.py", *run[:3]]


def prepare_simpy(tool, options):
    inside = environment(options.work_dir / "simpy", sys.executable, ["simpy==4.1.2"])
    tool.version = installed_versions(inside, "simpy")
    tool.command = lambda *run: [inside, HERE / "simpy_run.py", *run[:3]]


def prepare_crate(tool, options, crate, *rest):
    target = {"CARGO_TARGET_DIR": str(options.work_dir / "rust")}
    program = built(["build", "--release"], {"cwd": HERE / "rust", "env": target})[crate]
    lock = (HERE / "rust" / "Cargo.lock").read_text()
    tool.version = f"{crate} " + re.search(rf'name = "{crate}"\nversion = "(.*)"', lock)[1]
    tool.command = lambda *run: [program, *run[:3], *rest]


ALL = tuple(WORKLOADS)
TOOLS = {
    "p2psim": Tool("p2psim", ALL, lambda *a: prepare_p2psim(*a, queues=False)),
    "p2psim-queues": Tool(
        "p2psim, both link queues", ("ping",), lambda *a: prepare_p2psim(*a, queues=True)
    ),
    "limit": Tool("hand-written loop", ("ping", "flood"), prepare_limit),
    "p2psimpy": Tool("p2psimpy", ALL, prepare_p2psimpy),
    "simpy": Tool("SimPy", ALL, prepare_simpy),
    "simulacra": Tool("simulacra", ALL, lambda *a: prepare_crate(*a, "simulacra")),
    "simulacra-kernel": Tool(
        "simulacra, event loop only", ALL, lambda *a: prepare_crate(*a, "simulacra", "kernel")
    ),
    "nexosim": Tool("nexosim", ALL, lambda *a: prepare_crate(*a, "nexosim")),
}


# Running


def run_once(tool, workload, peers, seed, options):
    """What one run used and delivered, or a text that says why it did not end well."""
    # A folder for each run: for five seconds after others were deleted, ext4 makes files slowly.
    options.runs_dir.mkdir(exist_ok=True)
    out = Path(tempfile.mkdtemp(dir=options.runs_dir)) / "run"
    used = options.work_dir / "used"
    used.unlink(missing_ok=True)
    command = [str(word) for word in tool.command(workload, peers, seed, out)]
    limits = [str(used), str(options.limit), str(options.memory * MIB)]
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", LAUNCHER, *limits, *command],
        capture_output=True,
        text=True,
        # Numerical libraries would otherwise start threads that only wait.
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
    )
    if not used.exists():
        return last_line(done.stderr) or "could not be started"
    status, cpu_s, peak = used.read_text().split()
    if os.WIFSIGNALED(int(status)) and os.WTERMSIG(int(status)) == signal.SIGXCPU:
        return f"over {options.limit} s"
    if int(status) != 0:
        out_of_memory = re.search(r"memory allocation|MemoryError|[Oo]ut of memory", done.stderr)
        if out_of_memory or os.WIFSIGNALED(int(status)):
            return f"over {options.memory} MiB" if out_of_memory else "ended by a signal"
        say(done.stderr)
        return f"failed: {last_line(done.stderr)}"
    kib = 1 if platform.system() == "Darwin" else 1024
    counts = counts_of_p2psim(out, workload) if out.exists() else json.loads(done.stdout)
    run = {"cpu_s": float(cpu_s), "peak_bytes": int(peak) * kib, "seed": seed}
    return {**run, "links": counts["links"], "delivered": counts["delivered"]}


def counts_of_p2psim(out, workload):
    summary = json.loads((out / "summary.json").read_text())
    messages = summary["messages"]
    counted = {"ping": ("Ping", "Pong"), "flood": ("GossipMessage",)}.get(workload)
    if counted:
        delivered = sum(messages["by_type"][name]["delivered"] for name in counted)
    else:
        delivered = messages["total"]["delivered"]
    return {"links": summary["connections"], "delivered": delivered}


def measure(names, workload, cells, options, save):
    """Fills the cells of one workload by (size, tool). In each round every tool runs once, after a
    network of 20 peers that is not counted."""
    sizes, baselines = options.sizes, {}
    for index, peers in enumerate(sizes):
        for name in names:
            cells[peers, name] = Cell(why_not=reason_to_skip(cells, name, sizes[:index], peers, options))
        for seed in range(1, options.runs + 1):
            for name in names:
                cell = cells[peers, name]
                spent = sum(run["cpu_s"] for run in cell.runs)
                if cell.why_not or spent > options.enough:
                    continue
                # A small network first: else what comes after a long run of another tool, or after
                # one of its own program, would find caches and cores as that left them.
                small = run_once(TOOLS[name], workload, BASELINE_PEERS, 1, options)
                baselines.setdefault(name, small)
                run = run_once(TOOLS[name], workload, peers, seed, options)
                what = f"{workload} {peers:,} {TOOLS[name].label}"
                if isinstance(run, str):
                    # Earlier runs at this size stand.
                    cell.why_not = run
                    say(f"{what}: {run}")
                    continue
                if isinstance(baselines[name], dict):
                    grown = run["peak_bytes"] - baselines[name]["peak_bytes"]
                    run["bytes_per_peer"] = grown / peers if grown >= LEAST_GROWTH else None
                cell.runs.append(run)
                say(f"{what}: {run['delivered']:,} messages in {run['cpu_s']:.3f} CPU s")
        shutil.rmtree(options.runs_dir, ignore_errors=True)
        save()


def reason_to_skip(cells, name, smaller, peers, options):
    """Why a tool is not tried at this size, judged by the size before; empty if it is."""
    if not smaller:
        return ""
    before = cells[smaller[-1], name]
    if not before.runs:
        return "not tried" if "not tried" in before.why_not else f"not tried ({before.why_not} before)"
    if before.why_not:
        return f"not tried ({before.why_not} before)"
    expected = before.median("cpu_s") * peers / smaller[-1]
    return f"not tried (about {expected:,.0f} s)" if expected > options.limit else ""


def deviations(workload, cells):
    """Whether all did the same work: lines for a reader, the first says how well."""
    worst, lines = 0.0, []
    for (peers, name), cell in cells.items():
        for run in cell.runs:
            expected = expected_deliveries(workload, peers, run, cells)
            if not expected:
                continue
            off = run["delivered"] / expected - 1
            worst = max(worst, abs(off))
            if abs(off) > TOLERANCE:
                lines.append(
                    f"DEVIATION: {TOOLS[name].label}, {peers:,} peers, seed {run['seed']}: "
                    f"{run['delivered']:,} delivered, {off:+.1%} from {expected:,.0f}"
                )
    told_by = {
        "ping": "36 for each link of the run's own graph",
        "flood": "100 (2 links - peers) of the run's own graph",
        "emergent": "p2psim's median",
    }[workload]
    lines += strange_graphs(workload, cells)
    return [f"Deliveries are within {worst:.2%} of {told_by}.", *lines]


def strange_graphs(workload, cells):
    """Runs whose graph has more or fewer links than chance allows, and so is none of that kind."""
    for (peers, name), cell in cells.items():
        pairs, probability = peers * (peers - 1) / 2, min(10 / peers, 1)
        mean = pairs * probability + (10 if workload == "flood" else 0)
        allowed = 5 * (mean * (1 - probability)) ** 0.5
        for run in cell.runs:
            if workload != "emergent" and abs(run["links"] - mean) > allowed + 10:
                yield (
                    f"DEVIATION: {TOOLS[name].label}, {peers:,} peers, seed {run['seed']}: "
                    f"{run['links']:,} links, not {mean:,.0f} +- {allowed:,.0f}"
                )


def expected_deliveries(workload, peers, run, cells):
    if workload == "ping":
        # Nine rounds; each end of a link pings and answers.
        return 36 * run["links"]
    if workload == "flood":
        # Each peer but the producer keeps the first copy from going back where it came from.
        return 100 * (2 * run["links"] - peers)
    own = cells.get((peers, "p2psim"))
    return own.median("delivered") if own and own.runs else None


# Telling

COLUMNS = ["peers", "", "messages", "CPU s (runs)", "messages/CPU s", "times as fast", "bytes/peer", "peak MiB"]


def table(cells):
    rows = []
    for (peers, name), cell in cells.items():
        label = TOOLS[name].label
        if not cell.runs:
            rows.append([f"{peers:,}", label, cell.why_not, "", "", "", "", ""])
            continue
        own = cells.get((peers, "p2psim"))
        ratio = f"{own.rate() / cell.rate():.3g}" if own and own.runs and own is not cell else ""
        grown = [run.get("bytes_per_peer") for run in cell.runs]
        a_peer = f"{statistics.median(grown):,.0f}" if None not in grown else ""
        cpu_s = f"{cell.median('cpu_s'):.3g} ({len(cell.runs)})"
        peak = f"{cell.median('peak_bytes') / MIB:,.0f}"
        rate = f"{float(f'{cell.rate():.3g}'):,.0f}"
        delivered = f"{cell.median('delivered'):,.0f}"
        rows.append([f"{peers:,}", label, delivered, cpu_s, rate, ratio, a_peer, peak])
    return rows


def as_text(rows):
    widths = [max(map(len, column)) for column in zip(COLUMNS, *rows)]
    # A reason is a sentence, not a number: it may run into the empty columns after it.
    widths[2] = max(len(row[2]) for row in [COLUMNS, *rows] if row[3] or row is COLUMNS)
    lines, last = [], None
    for row in [COLUMNS, *rows]:
        if row[0] != last:
            lines.append("")
        last = row[0]
        cells = [
            text.ljust(width) if column == 1 or (column == 2 and not row[3]) else text.rjust(width)
            for column, (text, width) in enumerate(zip(row, widths))
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines[1:])


def as_markdown(rows):
    lines = [COLUMNS, ["---:", "---", *["---:"] * 6], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def machine():
    name = platform.processor() or platform.machine()
    try:
        name = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())[1]
    except (OSError, TypeError):
        pass
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{name}, {os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} {platform.release()}"


def revision():
    try:
        return output(["git", "describe", "--always", "--dirty"], cwd=REPOSITORY).strip()
    except Unavailable:
        return "unknown"


def report(context, results, markdown):
    yield f"{context['date']}, {context['machine']}."
    yield f"Load {context['load_before']} before, {context['load_after']} after, the run itself being 1 of it."
    yield "Versions: " + "; ".join(context["versions"]) + "."
    yield (
        "CPU seconds are user and system seconds of the whole process: starting it, making the graph, "
        "running, writing what it writes. Medians; runs of all tools in turn. Times as fast: p2psim's messages "
        "per CPU second over those of the row. Bytes per peer: peak memory less that of a network of "
        f"{BASELINE_PEERS} peers."
    )
    for workload, cells in results.items():
        rows = table(cells)
        yield f"{'**' if markdown else ''}{WORKLOADS[workload]}{'**' if markdown else ''}"
        yield as_markdown(rows) if markdown else as_text(rows)
        yield "\n".join(deviations(workload, cells))


def plain(results):
    """The cells as JSON has them."""
    return [
        {"workload": workload, "peers": peers, "tool": name, "why_not": cell.why_not, "runs": cell.runs}
        for workload, cells in results.items()
        for (peers, name), cell in cells.items()
    ]


def earlier(file):
    """What --json wrote: as `report` takes it."""
    context = json.loads(file.read_text())
    results = {}
    for cell in context.pop("results"):
        cells = results.setdefault(cell["workload"], {})
        cells[cell["peers"], cell["tool"]] = Cell(cell["runs"], cell["why_not"])
    return context, results


def arguments():
    def some_of(known):
        def parse(text):
            words = text.split(",")
            unknown = [word for word in words if word not in known]
            if unknown:
                raise argparse.ArgumentTypeError(f"{unknown[0]!r} is none of {', '.join(known)}")
            return words

        return parse

    def numbers(text):
        sizes = sorted({int(word.replace("_", "")) for word in text.split(",")})
        if sizes[0] < BASELINE_PEERS:
            raise argparse.ArgumentTypeError(f"{sizes[0]} peers: {BASELINE_PEERS} or more")
        return sizes

    def positive(text):
        if int(text) < 1:
            raise argparse.ArgumentTypeError(f"{text}: 1 or more")
        return int(text)

    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") * 3 // 4 // MIB
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    lists = ", ".join
    parser.add_argument("--sizes", type=numbers, default=SIZES, metavar="N,...",
                        help="numbers of peers (default: 1000, 10000, 100000, 1000000)")
    parser.add_argument("--workloads", type=some_of(list(WORKLOADS)), default=list(WORKLOADS),
                        metavar="W,...", help=f"some of {lists(WORKLOADS)} (default: all)")
    parser.add_argument("--tools", type=some_of(list(TOOLS)), default=list(TOOLS), metavar="T,...",
                        help=f"some of {lists(TOOLS)} (default: all)")
    parser.add_argument("--runs", type=positive, default=5, metavar="N",
                        help="runs of each, of which medians are told (default: 5)")
    parser.add_argument("--enough", type=positive, default=30, metavar="SECONDS",
                        help="a tool that has used so many CPU seconds at a size is not run there again "
                        "(default: 30)")
    parser.add_argument("--limit", type=positive, default=200, metavar="SECONDS",
                        help="CPU seconds a run may take; a tool that goes over it, or would by its time at "
                        "the size before, is not tried at larger ones (default: 200)")
    parser.add_argument("--memory", type=positive, default=memory, metavar="MIB",
                        help="memory that a run may take (default: three quarters of the machine's)")
    parser.add_argument("--work-dir", type=Path, default=REPOSITORY / "target" / "compare", metavar="DIR",
                        help="for virtual environments, builds and runs (default: target/compare)")
    parser.add_argument("--p2psim-options", default="", metavar="OPTIONS",
                        help="further options of p2psim run: --p2psim-options='--logs all'")
    parser.add_argument("--python310", metavar="PATH",
                        help="a Python 3.10 for p2psimpy (default: found by itself, else this Python)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every run to this file")
    parser.add_argument("--from-json", type=Path, metavar="FILE",
                        help="run nothing: the tables of a file that --json wrote")
    parser.add_argument("--markdown", action="store_true", help="tables for docs/performance.md")
    options = parser.parse_args()
    options.work_dir = options.work_dir.resolve()
    if options.json and not options.json.resolve().parent.is_dir():
        parser.error(f"--json {options.json}: there is no such folder")
    return options


def main():
    if not hasattr(os, "wait4"):
        sys.exit("CPU time and memory of a run are measured as Linux and macOS do it: not here.")
    options = arguments()
    if options.from_json:
        try:
            context, results = earlier(options.from_json)
        except (OSError, ValueError, KeyError) as why:
            sys.exit(f"--from-json {options.from_json}: not a file that --json wrote ({why})")
        print("\n\n".join(report(context, results, options.markdown)))
        return
    options.work_dir.mkdir(parents=True, exist_ok=True)
    options.runs_dir = options.work_dir / "runs"
    shutil.rmtree(options.runs_dir, ignore_errors=True)
    names = []
    for name in options.tools:
        tool = TOOLS[name]
        if not set(tool.workloads) & set(options.workloads):
            continue
        say(f"{tool.label}: getting it ready")
        try:
            tool.prepare(tool, options)
            names.append(name)
        except Unavailable as why:
            say(f"{tool.label} is left out: {why}")
    if not names:
        sys.exit("nothing to run")
    load = lambda: " ".join(f"{average:.1f}" for average in os.getloadavg())
    context = {
        "date": datetime.date.today().isoformat(),
        "machine": machine(),
        "versions": [
            f"p2psim at {revision()}",
            *dict.fromkeys(TOOLS[name].version for name in names),
            output(["rustc", "--version"]).strip(),
        ],
        "load_before": load(),
    }
    results = {}

    def save():
        context["load_after"] = load()
        if options.json:
            text = json.dumps({**context, "results": plain(results)}, indent=1)
            options.json.write_text(text + "\n")

    try:
        for workload in options.workloads:
            able = [name for name in names if workload in TOOLS[name].workloads]
            measure(able, workload, results.setdefault(workload, {}), options, save)
    except KeyboardInterrupt:
        say("interrupted: what was measured until now")
        save()
    print("\n\n".join(report(context, results, options.markdown)))
    # Not the same work: the figures above say nothing.
    if any(len(deviations(workload, cells)) > 1 for workload, cells in results.items()):
        sys.exit(1)


if __name__ == "__main__":
    main()
