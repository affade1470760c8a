"""A person at a terminal: types commands of the real clients, reads what they print, and is measured."""

import json
import os
import re
import resource
import shlex
import shutil
import signal
import string
import subprocess
import tempfile
import time

import tools

COMMAND_LIMIT = 120  # seconds for one command; the slowest takes a few


class Unexpected(Exception):
    """A client did what the runbook does not say."""


class Typed:
    """One command and what came of it."""

    def __init__(self, step, text, exit_code, out, err, requests, cpu, wall):
        self.step, self.text, self.exit_code, self.out, self.err = step, text, exit_code, out, err
        self.requests, self.cpu, self.wall = requests, cpu, wall

    @property
    def said(self):
        """The end of what it said, for an error."""
        return (self.err or self.out).strip()[-1500:]

    @property
    def json(self):
        try:
            return json.loads(self.out)
        except ValueError as error:
            raise Unexpected(f"{self.text}: printed no JSON: {self.out[:300]!r}") from error


class Names(dict):
    """What the runbooks tell the reader to save; one writes $USER_APP_ID, the other $user_app_id."""

    def __getitem__(self, name):
        return super().__getitem__(name.lower())


class Terminal:
    """Runs commands against some clouds."""

    def __init__(self, clouds, *clients):
        self.clouds, self.names, self.typed = clouds, Names(), []
        self._seen = 0
        home = clouds.folder / "home"
        home.mkdir()
        self.environment = {
            "PATH": os.pathsep.join([*(str(tools.client(which)) for which in clients), os.defpath]),
            "HOME": str(home), "LANG": "C.UTF-8", "COLUMNS": "400",
            "REQUESTS_CA_BUNDLE": clouds.scene["certificate"],
            "AIVEN_WEB_URL": clouds.scene["aiven"], "AIVEN_AUTH_TOKEN": clouds.scene["aiven_token"],
            "AZURE_CONFIG_DIR": str(home / "azure"), "AZURE_CORE_INSTANCE_DISCOVERY": "false",
            "AZURE_CORE_COLLECT_TELEMETRY": "0", "AZURE_CORE_NO_COLOR": "1",
        }

    def run(self, step, text, exit_code=0):
        """Types one command; `$NAME` stands for a saved value. Anything but the expected exit code is an error."""
        typed = self.type(step, text)
        if typed.exit_code != exit_code:
            raise Unexpected(f"{text}: exit code {typed.exit_code}, not {exit_code}: {typed.said}")
        return typed

    def type(self, step, text):
        """Types one command, and takes what comes."""
        self._show(step, text)
        return self._measured([self._typed(step, text)])[-1]

    def insist(self, step, text, refusal, limit=120, before=None):
        """Types a command again as long as it is refused for a reason that passes; returns all tries, the last one successful.

        `before` is what has to be done before each further try."""
        deadline, tries = time.monotonic() + limit, []
        self._show(step, text)
        while True:
            tries.append(self._typed(step, text))
            last = tries[-1]
            if last.exit_code == 0:
                self._measured(tries if before is None else [last])
                return tries
            if not re.search(refusal, last.err + last.out) or time.monotonic() > deadline:
                raise Unexpected(f"{text}: exit code {last.exit_code}: {last.said}")
            time.sleep(1)
            if before is not None:
                self._measured([last])
                before()
                self._show(step, text)

    def until(self, step, text, wish, limit=120, every=1.0, exit_codes=(0,)):
        """Types a command again until it prints what is wished for; returns the last try."""
        deadline, tries = time.monotonic() + limit, []
        self._show(step, text)
        while True:
            tries.append(self._typed(step, text))
            last = tries[-1]
            if last.exit_code not in exit_codes:
                raise Unexpected(f"{text}: exit code {last.exit_code}: {last.said}")
            if wish(last):
                return self._measured(tries)[-1]
            if time.monotonic() > deadline:
                raise Unexpected(f"{text}: still not so after {limit} s: {last.said}")
            time.sleep(every)

    def _typed(self, step, text):
        words = shlex.split(string.Template(text).substitute(self.names))
        began, before = time.monotonic(), _cpu()
        exit_code, out, err = _execute(words, self.environment)
        wall, cpu = time.monotonic() - began, _cpu() - before
        requests = len(self.clouds.calls(self._seen))
        self._seen += requests
        self.typed.append(Typed(step, text, exit_code, out, err, requests, cpu, wall))
        return self.typed[-1]

    def _show(self, step, text):
        print(f"  {step:>4} $ {' '.join(text.split())}", flush=True)

    def _measured(self, tries):
        codes = " ".join(str(code) for code in dict.fromkeys(typed.exit_code for typed in tries))
        times = f" (typed {len(tries)} times)" if len(tries) > 1 else ""
        requests, wall = sum(typed.requests for typed in tries), sum(typed.wall for typed in tries)
        print(f"       exit {codes}, {requests} requests, {wall:.1f} s{times}", flush=True)
        return tries


def _cpu():
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def _execute(words, environment):
    program = shutil.which(words[0], path=environment["PATH"])
    if program is None:
        raise Unexpected(f"{words[0]} is not installed")
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = subprocess.Popen(
            [program, *words[1:]], stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=environment, start_new_session=True
        )
        try:
            exit_code = process.wait(COMMAND_LIMIT)
        except BaseException as error:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            if isinstance(error, subprocess.TimeoutExpired):
                raise Unexpected(f"{words[0]} {words[1]}: no end after {COMMAND_LIMIT} s") from error
            raise
        return exit_code, *(_text(file) for file in (out, err))


def _text(file):
    file.seek(0)
    return file.read().decode(errors="replace")
