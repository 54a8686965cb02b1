"""Compiles every break that cargo-mutants lists into one test program, each behind a number, and runs the tests once for each.

A break changes the body of one function. The body becomes a `match` on the number, the broken bodies beside the sound one, so that
hundreds of breaks are built in one go. A break that does not compile is taken out. What cannot stand beside the sound one (a
constant, a function that returns `impl Trait`) is built and run alone.

    weave.py LIST PACKAGE    LIST: cargo mutants --list --json; PACKAGE: the directory of the crate, which is changed
"""

import json
import os
import signal
import subprocess
import sys
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

# Whose tests have to notice a break in a room, where the room's own do not.
OTHERS = {
    "policy": ["settings::"],
    "grant": ["requests::", "gated::"],
    "requests": ["gated::"],
    "gated": ["requests::"],
    "gate": ["requests::"],
    "settings": ["policy::"],
    "accepted_policy": ["gated::"],
}
PATIENCE = 120
JOBS = int(os.environ.get("JOBS", "1"))
SWITCH = """
pub(crate) fn mutant() -> u32 {
    static NUMBER: std::sync::LazyLock<u32> =
        std::sync::LazyLock::new(|| std::env::var("MUTANT").map_or(0, |number| number.parse().unwrap_or(0)));
    *NUMBER
}
"""


class Source:
    """One file and the breaks in it."""

    def __init__(self, path, breaks):
        self.path, self.breaks, self.text = path, breaks, path.read_text()
        self.starts = [0]
        for line in self.text.splitlines(keepends=True):
            self.starts.append(self.starts[-1] + len(line))

    def range(self, span):
        return tuple(self.starts[span[end]["line"] - 1] + span[end]["column"] - 1 for end in ("start", "end"))

    def broken(self, one, begin, end):
        """The text between `begin` and `end` with this break in it."""
        start, stop = self.range(one["span"])
        return self.text[begin:start] + one["replacement"] + " " + self.text[stop:end]

    def functions(self):
        """The breaks by the outermost function that they are in, as the range of its body; None: in none that can be woven."""
        ranges = sorted({self.range(one["function"]["span"]) for one in self.breaks if one["function"]})
        outermost = []
        for begin, end in ranges:
            if not outermost or outermost[-1][1] < end:
                outermost.append((begin, end))
        found = defaultdict(list)
        for one in self.breaks:
            at = self.range(one["span"])[0]
            inside = [(begin, end) for begin, end in outermost if begin <= at < end]
            found[self.body(*inside[0]) if inside else None].append(one)
        return found

    def body(self, begin, end):
        at, depth = end - 1, 0
        while True:
            depth += {"}": 1, "{": -1}.get(self.text[at], 0)
            if depth == 0:
                break
            at -= 1
        signature = self.text[begin:at]
        return None if "-> impl" in signature or "const fn" in signature else (at + 1, end - 1)

    def weave(self, out):
        """Writes the file with every break in it that is not in `out`. Returns which lines belong to which break."""
        woven, done, lines = "", 0, {}
        for body, breaks in sorted(item for item in self.functions().items() if item[0]):
            woven += self.text[done : body[0]] + " match crate::mutant() {\n"
            for one in breaks:
                if one["number"] in out:
                    continue
                first = woven.count("\n") + 1
                woven += f"{one['number']} => {{{self.broken(one, *body)}\n}}\n"
                lines.update(dict.fromkeys(range(first, woven.count("\n") + 1), one["number"]))
            woven += f"_ => {{{self.text[slice(*body)]}\n}} }} "
            done = body[1]
        self.path.write_text(woven + self.text[done:])
        return lines


def build():
    """Builds the tests. Returns the program, or the compiler's errors."""
    command = ["cargo", "test", "--offline", "--lib", "--no-run", "--message-format=json"]
    said = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False).stdout
    messages = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    errors = [m["message"] for m in messages if m["reason"] == "compiler-message" and m["message"]["level"] == "error"]
    return [m["executable"] for m in messages if m.get("executable")][-1:], errors


def places(message):
    """Where an error is, the compiler's own choice first."""
    spans = sorted(message["spans"], key=lambda span: not span["is_primary"])
    for span in spans:
        while span:
            yield span["file_name"], span["line_start"]
            span = (span["expansion"] or {}).get("span")


def woven(sources):
    """Builds all breaks at once. Returns the program and the numbers of those that do not compile."""
    out = set()
    while True:
        lines = {f"daemon/src/{source.path.relative_to('src')}": source.weave(out) for source in sources}
        program, errors = build()
        if not errors:
            return program[0], out
        for error in (error for error in errors if error["spans"]):
            of = [lines[file][line] for file, line in places(error) if line in lines.get(file, {})]
            if not of:
                sys.exit(f"no break, and does not compile: {error['rendered']}")
            out.add(of[0])
        print(f"{len(out)} do not compile", flush=True)


def run(program, one):
    """Runs the tests that have to notice, those of the room first. Returns what became of it."""
    room = one["file"].removeprefix("daemon/src/").split("/")[0].removesuffix(".rs")
    outcome = ran(program, [f"{room}::"], one["number"])
    return ran(program, OTHERS[room], one["number"]) if outcome == "survived" else outcome


def ran(program, tests, number):
    tests = subprocess.Popen(
        [program, "-q", *tests],
        env={**os.environ, "MUTANT": str(number)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        return "survived" if tests.wait(PATIENCE) == 0 else "noticed"
    except subprocess.TimeoutExpired:
        return "timeout"
    finally:
        if tests.poll() is None:
            os.killpg(tests.pid, signal.SIGKILL)
            tests.wait()


def alone(source, one):
    source.path.write_text(source.broken(one, 0, len(source.text)))
    program, errors = build()
    source.path.write_text(source.text)
    return "does not compile" if errors else run(program[0], one)


def main():
    breaks = json.loads(Path(sys.argv[1]).read_text())
    os.chdir(sys.argv[2])
    by_file = defaultdict(list)
    for number, one in enumerate(breaks, 1):
        by_file[one["file"]].append({**one, "number": number})
    sources = [Source(Path(file.removeprefix("daemon/")), ones) for file, ones in by_file.items()]
    with open("src/lib.rs", "a", encoding="utf-8") as library:
        library.write(SWITCH)
    program, out = woven(sources)
    if ran(program, [f"{room}::" for room in OTHERS], 0) != "survived":
        sys.exit(f"the tests fail without any break: MUTANT=0 {program}")
    outcomes = {}

    def note(one, outcome):
        outcomes[one["name"]] = outcome
        print(f"{outcome}: {one['name']}", flush=True)

    with ThreadPoolExecutor(JOBS) as pool:
        together = [one for s in sources for body, ones in s.functions().items() if body for one in ones]
        list(pool.map(lambda one: note(one, "does not compile" if one["number"] in out else run(program, one)), together))
    for source in sources:
        source.path.write_text(source.text)
    for source in sources:
        for one in source.functions().get(None, []):
            note(one, alone(source, one))
    for file, ones in by_file.items():
        print(file, len(ones), dict(Counter(outcomes[one["name"]] for one in ones)))
    sys.exit(any(outcome == "survived" for outcome in outcomes.values()))


main()
