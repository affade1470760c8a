"""The emulated clouds as a child process: where they are, what they hold, what they were asked."""

import json
import os
import select
import shutil
import signal
import subprocess
import time
import uuid

import tools

START_LIMIT = 120  # seconds; with the app, Azurite may have to be installed from npm
ANSWER_LIMIT = 60


class Broken(Exception):
    """The clouds did not start, or do not answer."""


class Clouds:
    """`with Clouds(...) as clouds`: they run inside, and nothing of them is left after it."""

    def __init__(self, *, time_scale, vpc="organization", prepared=False, app=False, lags=None):
        self.folder = tools.CLIENTS / "run" / uuid.uuid4().hex
        self._arguments = ["--folder", self.folder, "--time-scale", time_scale, "--vpc", vpc]
        for name, seconds in (lags or {}).items():
            self._arguments += ["--lag", f"{name}={seconds}"]
        if prepared:
            self._arguments.append("--prepared")
        self._app = app

    def __enter__(self):
        built = tools.build("clouds", *(["handler"] if self._app else []))
        if self._app:
            self._arguments += ["--handler", built / "handler", "--root", tools.ROOT]
        self.folder.mkdir(parents=True)
        # A group of its own: Ctrl-C reaches this script only, which then ends the child in order.
        self._process = subprocess.Popen(
            [str(part) for part in [built / "clouds", *self._arguments]],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True,
        )
        try:
            self.scene = self._line(START_LIMIT)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self._process.stdin.close()  # Its end ends the clouds, and all they started.
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._process.stdout.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def pid(self):
        return self._process.pid

    def ask(self, question):
        """One line there, one JSON value back."""
        self._process.stdin.write(question + "\n")
        self._process.stdin.flush()
        answer = self._line(ANSWER_LIMIT)
        if isinstance(answer, dict) and "error" in answer:
            raise Broken(f"the clouds refuse {question!r}: {answer['error']}")
        return answer

    def state(self):
        return self.ask("state")

    def calls(self, start=0):
        return self.ask(f"calls {start}")

    def wait(self, what, wish, limit, every=0.1):
        """Asks for the state until it is as wished; returns it."""
        return wait(what, self.state, wish, limit, every)

    def _line(self, limit):
        # The line is not read byte by byte: each answer is one line, and nothing follows it unasked.
        ready, _, _ = select.select([self._process.stdout], [], [], limit)
        line = self._process.stdout.readline() if ready else ""
        if not line:
            raise Broken(f"the emulated clouds said nothing within {limit} s, or ended; see what they wrote above")
        return json.loads(line)


def wait(what, look, wish, limit, every=0.1):
    """Looks until it sees what is wished; returns what it saw."""
    deadline = time.monotonic() + limit
    while True:
        seen = look()
        if wish(seen):
            return seen
        if time.monotonic() > deadline:
            raise Broken(f"{what}: not so after {limit} s; the last look showed {json.dumps(seen)[:2000]}")
        time.sleep(every)
