"""A person at a terminal, in bash: stops, goes on, leaves and interrupts what runs below `tegata exec` and `tegata shell`.

The first argument is tegata; the environment is that of a home with a signed-in profile `dev`. Each step prints one line once it came
out as it would without tegata in between; the first that does not ends the run.
"""

import os
import pty
import select
import sys
import time

PATIENCE = 30


class Terminal:
    def __init__(self):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            environment = {**os.environ, "PS1": "outer> ", "TERM": "dumb", "SHELL": "/bin/bash"}
            os.execve("/bin/bash", ["bash", "--norc", "-i"], environment)
        self.unread = b""

    def types(self, text):
        os.write(self.fd, text.encode())

    def shows(self, text):
        """Waits until the terminal shows a text and returns all up to there."""
        end = time.monotonic() + PATIENCE
        while text.encode() not in self.unread:
            ready, _, _ = select.select([self.fd], [], [], max(0, end - time.monotonic()))
            if not ready:
                sys.exit(f"{text!r} never came after {self.unread!r}")
            self.unread += os.read(self.fd, 4096)
        at = self.unread.index(text.encode()) + len(text)
        seen, self.unread = self.unread[:at], self.unread[at:]
        return seen.decode()


def holds(what, condition, seen):
    if not condition:
        sys.exit(f"not so: {what}: {seen!r}")
    print(what, flush=True)


tegata = sys.argv[1]
terminal = Terminal()
terminal.shows("outer> ")

# What is typed is echoed, so what is waited for is written differently: $((1+1)) for 2.
terminal.types(f"for i in 1 2 3; do {tegata} exec dev -- sh -c \"echo go\\$((1+$i)); read -r line\"; done; echo ended$((1+1))\n")
terminal.shows("go2")
terminal.types("\x03")
seen = terminal.shows("outer> ")
holds("an interrupt ends the loop", "go3" not in seen and "ended2" not in seen, seen)

terminal.types(f"{tegata} exec dev -- sh -c 'echo re$((1+1)); read -r line; echo got-$line'\n")
terminal.shows("re2")
terminal.types("\x1a")
seen = terminal.shows("outer> ")
holds("a stop stops both", "Stopped" in seen, seen)
terminal.types("fg\n")
terminal.shows("exec dev")
terminal.types("typed\n")
terminal.shows("got-typed")
holds("both go on", True, terminal.shows("outer> "))

terminal.types(f"{tegata} shell dev\n")
terminal.types("PS1='inner''> '; echo is-$TEGATA_PROFILE-$((1+1))\n")
terminal.shows("is-dev-2")
terminal.shows("inner> ")
terminal.types("suspend\n")
seen = terminal.shows("outer> ")
holds("a shell that suspends itself gives the terminal back", "Stopped" in seen, seen)
terminal.types("fg\n")
holds("and takes it again", True, terminal.shows("inner> "))
terminal.types("sh -c 'echo be$((1+1)); exec sleep 60'; echo slept$((1+1))\n")
terminal.shows("be2")
terminal.types("\x03")
seen = terminal.shows("inner> ")
holds("an interrupt in the inner shell leaves it open", "outer> " not in seen, seen)
terminal.types(f"{tegata} shell dev\n")
seen = terminal.shows("inner> ")
holds("a shell in a shell is refused", "this is a shell of dev already" in seen, seen)
terminal.types("exit 7\n")
terminal.shows("outer> ")
terminal.types("echo code-$?\n")
holds("its end is told", True, terminal.shows("code-7"))
