"""A running system."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any, Callable, ClassVar, TypeVar

from . import control, diagnosis, process
from .build import PRCTL
from .control import pb
from .errors import CommandFailed, ProteosError
from .manifest import Manifest
from .waiting import PATIENCE, wait_for

T = TypeVar("T")
LOG_LINES_ON_FAILURE = 60

_numbers = itertools.count(1)


def default_base() -> Path:
    """Where prctl looks for instances when nothing else is said."""
    own, user = os.environ.get("PROTEOS_RUNTIME_DIR"), os.environ.get("XDG_RUNTIME_DIR")
    if own:
        return Path(own)
    if user and os.access(user, os.W_OK):
        return Path(user, "proteos")
    return Path(f"/tmp/proteos-{os.getuid()}")


class System:
    """Boots an instance of its own on entry, and takes it down on exit, whatever happens.

    manifest   what to boot; the default system if not given
    name       of the instance; unique if not given
    prefix     a command to run prctl under, such as ["setpriv", "--reuid", "65534"]
    faults     boots it with fault points (docs/faults.md)
    base       where the instance's runtime directory goes; one of its own if not given, which is
               removed at the end

    When the body of the `with` fails, the end of each log is written to standard error."""

    live: ClassVar[list[System]] = []
    leave_s = 60.0  # what a process has for its end after the shutdown

    def __init__(self, manifest: Manifest | None = None, name: str | None = None,
                 prefix: list[str] | None = None, base: Path | None = None,
                 boot_deadline: float = PATIENCE, faults: bool = False):
        self.manifest = manifest or Manifest()
        self.name = name or f"t{os.getpid()}-{next(_numbers)}"
        self.prefix = prefix or []
        self.base = base
        self.boot_deadline = boot_deadline
        self.faults = faults
        self.leftovers: list[str] = []
        self._loader: process.Process | None = None
        self._known: dict[int, process.Process] = {}
        self._previous_sigterm: Any = None

    # -- life ----------------------------------------------------------------------------------

    def __enter__(self) -> System:
        self.directory = Path(tempfile.mkdtemp(prefix="proteos-"))
        self.directory.chmod(0o755)  # `prefix` may make prctl another user's; instances are private
        self.base = self.base or self.directory
        self.runtime = self.base / self.name
        self.socket = self.runtime / "control.sock"
        self._catch_sigterm()
        try:
            self.boot()
        except BaseException:
            self.__exit__(*sys.exc_info())
            raise
        return self

    def __exit__(self, kind: Any, value: Any, traceback: Any) -> None:
        try:
            if kind is not None and not issubclass(kind, GeneratorExit):
                sys.stderr.write(self.logs())
            self.shutdown()
        finally:
            self._take_down()
            self._restore_sigterm()
            shutil.rmtree(self.directory, ignore_errors=True)
        if self.leftovers and kind is None:
            raise ProteosError("still running after shutdown: " + "; ".join(self.leftovers))

    def boot(self) -> str:
        """Boots the instance; returns what prctl printed."""
        arguments = ["--faults"] if self.faults else []
        path = self.directory / "system.yaml"
        self.manifest.write(path)
        arguments += ["--manifest", str(path)]
        try:
            return self.prctl("boot", *arguments, deadline=self.boot_deadline)
        finally:
            self._find_loader()

    def _find_loader(self) -> None:
        """Holds on to the instance, if there is one, also when it does not finish booting."""
        with contextlib.suppress(OSError, ProteosError):
            self._loader = process.Process.open(self.instance().loader_pid)
        for pid in process.loaders(self.runtime) if not self._loader else ():
            self._loader = process.Process.open(pid)
        if self._loader:
            self._known[self._loader.pid] = self._loader
            if self not in System.live:
                System.live.append(self)

    def detach(self) -> None:
        """Leaves the system running when the `with` ends."""
        self._loader = None
        self._known.clear()
        System.live.remove(self)

    def shutdown(self) -> None:
        """Takes the system down in order; nothing happens when it is down already."""
        if self._loader and self._loader.alive():
            self._remember()
            with contextlib.suppress(CommandFailed, subprocess.TimeoutExpired):
                self.prctl("shutdown", deadline=PATIENCE)

    def _remember(self) -> None:
        """Holds on to every process of the instance, so that none can be overlooked later."""
        for pid in self.processes():
            if pid not in self._known:
                found = process.Process.open(pid)
                if found:
                    self._known[pid] = found

    def _take_down(self) -> None:
        """Makes sure that nothing is left, and remembers what had to be killed."""
        self._remember()
        for pid, found in self._known.items():
            if not found.wait(self.leave_s):
                self.leftovers.append(process.command(pid))
                found.send(signal.SIGKILL)
                found.wait(self.leave_s)
            found.close()
        self._known.clear()
        self._loader = None
        if self in System.live:
            System.live.remove(self)

    def _catch_sigterm(self) -> None:
        if threading.current_thread() is not threading.main_thread():
            return

        def leave(signum: int, frame: Any) -> None:
            raise SystemExit(128 + signum)

        self._previous_sigterm = signal.signal(signal.SIGTERM, leave)

    def _restore_sigterm(self) -> None:
        if self._previous_sigterm is not None:
            signal.signal(signal.SIGTERM, self._previous_sigterm)
            self._previous_sigterm = None

    # -- commands ------------------------------------------------------------------------------

    def environment(self) -> dict[str, str]:
        return {**os.environ, "PROTEOS_RUNTIME_DIR": str(self.base)}

    def prctl_command(self, *args: str) -> list[str]:
        """The command line that runs prctl on this instance."""
        return [*self.prefix, str(PRCTL), "--instance", self.name, *args]

    def start_prctl(self, *args: str, **popen: Any) -> subprocess.Popen[str]:
        """Starts prctl and returns at once; both outputs go to its stdout."""
        return subprocess.Popen(self.prctl_command(*args), env=self.environment(), text=True,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, **popen)

    def prctl(self, *args: str, deadline: float = PATIENCE) -> str:
        """Runs prctl; returns what it printed. Raises CommandFailed, which has the output too."""
        done = self.try_prctl(*args, deadline=deadline)
        if done.returncode != 0:
            raise CommandFailed(list(args), done.returncode, done.stdout)
        return done.stdout

    def try_prctl(self, *args: str, deadline: float = PATIENCE) -> subprocess.CompletedProcess[str]:
        """Runs prctl; its exit status and output, whatever they are. Reports on the instance when it takes
        longer than `deadline` seconds."""
        with self.start_prctl(*args) as running:
            try:
                output, _ = running.communicate(timeout=deadline)
            except BaseException as error:
                if isinstance(error, subprocess.TimeoutExpired):
                    sys.stderr.write(diagnosis.report([running.pid, *process.loaders(self.runtime)]))
                running.kill()
                raise
        return subprocess.CompletedProcess(running.args, running.returncode, output)

    def update(self, component: str, path: str | Path, filter: str | None = None,
               *options: str) -> str:
        """Updates one component; returns what prctl printed. `options` are prctl's."""
        return self.prctl("update", component, str(path), *self._state(filter), *options)

    def mupdate(self, component: str, path: str | Path, filter: str | None = None,
                *options: str) -> str:
        """Asks for an update that mupdate_start() performs, together with others."""
        return self.prctl("mupdate", component, str(path), *self._state(filter), *options)

    def mupdate_start(self) -> str:
        return self.prctl("mupdate-start")

    @staticmethod
    def _state(filter: str | None) -> list[str]:
        return ["-state", filter] if filter else []

    # -- looking -------------------------------------------------------------------------------

    def _ask(self, **request: Any) -> Any:
        return control.ask(self.socket, pb.ControlRequest(**request))

    def instance(self) -> Any:
        """InstanceStatus of proto/control.proto."""
        return self._ask(status=pb.StatusRequest()).instance

    def status(self) -> dict[str, Any]:
        """ComponentStatus of proto/control.proto by component name."""
        return {c.name: c for c in self._ask(status=pb.StatusRequest()).components}

    def url(self, path: str = "") -> str:
        """The address at which the system's forwarded port answers."""
        urls = self.instance().urls
        if not urls:
            raise ProteosError("this system forwards no port")
        return urls[0].rstrip("/") + path

    def kill(self, component: str, signum: int = signal.SIGKILL) -> None:
        """Sends a signal to a component's live version."""
        self._ask(kill=pb.KillRequest(component=component, signal=signum))

    def suspend(self, component: str) -> int:
        """Stops a component's live version by SIGSTOP, and waits until it stands. @return its pid"""
        pid = int(self.status()[component].pid)
        self.kill(component, signal.SIGSTOP)
        self.wait(lambda: process.state(pid) == "T", f"{component} to stop")
        return pid

    def resume(self, component: str) -> None:
        """Has one go on that was suspended."""
        self.kill(component, signal.SIGCONT)

    def processes(self) -> dict[int, str]:
        """Command lines of all processes of the instance, by pid."""
        if not self._loader or not self._loader.alive():
            return {}
        pids = [self._loader.pid, *process.descendants(self._loader.pid)]
        return {pid: process.command(pid) for pid in pids}

    def wait(self, condition: Callable[[], T], what: str, deadline: float = PATIENCE) -> T:
        """Waits until `condition` gives something true; see wait_for()."""
        return wait_for(condition, what, deadline)

    def wait_for_restart(self, component: str, restarts: int = 1) -> None:
        """Waits until a component has been restarted so often since the boot, and runs.

        Its state alone does not tell: one that has been killed is `running` until busd notices."""
        def is_back() -> bool:
            status = self.status()[component]
            return bool(status.restarts >= restarts and status.state == "running")
        self.wait(is_back, f"{component}'s restart")

    def log(self, component: str) -> str:
        """A component's log so far."""
        path = self.runtime / "log" / f"{component}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def logs(self) -> str:
        """The end of every log, for people."""
        text = ""
        for path in sorted((self.runtime / "log").glob("*.log")):
            lines = path.read_text(errors="replace").splitlines()[-LOG_LINES_ON_FAILURE:]
            text += f"---- {self.name}: {path.name}\n" + "".join(line + "\n" for line in lines)
        return text
