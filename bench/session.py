"""A process that times work on request: `suanli bench session`, or a peer that speaks the same lines of JSON."""
import json
import os
import subprocess
import tempfile
import time


class Refused(Exception):
    """The process answered a request with an error, or ended."""


class Session:
    """Use as a context: the process ends with it."""

    def __init__(self, command, environment):
        self.errors = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors,
                                        text=True, env={**os.environ, **environment})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.errors.close()

    def ask(self, **request):
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise Refused(f"the process ended: {self.last_error()}")
        answer = json.loads(line)
        if "error" in answer:
            raise Refused(answer["error"])
        return answer

    def last_error(self):
        self.errors.seek(0)
        return " | ".join(self.errors.read().strip().splitlines()[-3:])

    def settle(self, longest=0.5):
        """Waits until the process has stopped computing: idle threads of some runtimes spin for a while."""
        end, used = time.monotonic() + longest, self.cpu_ticks()
        while time.monotonic() < end:
            time.sleep(0.02)
            before, used = used, self.cpu_ticks()
            if used == before:
                return

    def cpu_ticks(self):
        try:
            with open(f"/proc/{self.process.pid}/stat", encoding="utf-8") as f:
                fields = f.read().rsplit(")", 1)[1].split()
            return int(fields[11]) + int(fields[12])
        except OSError:
            return 0
