"""Signed versions only: what is refused, and that what was verified is what runs."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Callable, Iterator

import pytest

import booting
from proteos import PATIENCE, Manifest, System
from proteos.build import COMPONENTS, PRCTL

SEALED = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL
NOT_BY_THE_KEY = "UM: Live update of counter refused: the signature of {} is not one of this file " \
    "by the instance's key."


def prctl(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([PRCTL, *arguments], text=True, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=PATIENCE)


class Signer:
    """A pair of keys, and a root folder with executables that are signed by it."""

    def __init__(self, directory: Path, files: list[str]):
        self.keys = directory / "keys"
        self.keys.mkdir()
        assert prctl("keygen", self.keys).returncode == 0
        self.bin = directory / "root" / "bin"
        self.bin.mkdir(parents=True)
        for name in files:
            shutil.copy(COMPONENTS / name, self.bin / name)
            self.sign(self.bin / name)

    def sign(self, path: Path) -> None:
        done = prctl("sign", self.keys / "proteos.key", path)
        assert done.returncode == 0, done.stdout

    def manifest(self, manifest: Manifest | None = None) -> Manifest:
        manifest = manifest or Manifest.empty().add("counter")
        manifest.data["root"] = str(self.bin.parent)
        manifest.data["updates"] = {"require-signature": str(self.keys / "proteos.pub")}
        return manifest

    def version(self, path: Path, source: str = "counter.new") -> Path:
        """A new version, not yet signed."""
        shutil.copy(COMPONENTS / source, path)
        return path


@pytest.fixture
def signer(tmp_path: Path) -> Signer:
    return Signer(tmp_path, ["um", "counter"])


@pytest.fixture
def counting(signer: Signer) -> Iterator[System]:
    with System(signer.manifest()) as system:
        yield system


def build_id(path: Path) -> str:
    notes = subprocess.run(["readelf", "-n", path], text=True, stdout=subprocess.PIPE, check=True)
    return notes.stdout.split("Build ID: ")[1].split()[0]


# ---- what runs ----

def test_whole_system_runs_signed(tmp_path):
    names = ["um", "e1000-model", "e1000", "net", "httpd"]
    signer = Signer(tmp_path, [*names, "net.new", "httpd.new", "e1000.new"])
    with System(signer.manifest(Manifest())) as system:
        for name, component in system.status().items():
            assert component.path == str(signer.bin / name)
            if name == "um":
                continue  # nobody may look at it
            assert os.readlink(f"/proc/{component.pid}/exe") == \
                f"/memfd:{signer.bin / name} (deleted)"
            executable = os.open(f"/proc/{component.pid}/exe", os.O_RDONLY)
            assert fcntl.fcntl(executable, fcntl.F_GET_SEALS) & SEALED == SEALED
            os.close(executable)
        for name in ("net", "httpd", "e1000"):
            system.mupdate(name, f"/bin/{name}.new")
        assert "UM: Live update done." in system.mupdate_start()
        assert system.status()["net"].path == "/bin/net.new"
        fetched = subprocess.run(["curl", "-sf", "--max-time", str(PATIENCE), system.url("/bytes/10000")],
                                 stdout=subprocess.PIPE)
        assert fetched.returncode == 0 and len(fetched.stdout) == 10000


def test_crash_reports_name_functions(counting):
    before = counting.status()["counter"].restarts
    counting.kill("counter", signal.SIGSEGV)
    counting.wait(lambda: "main+0x" in counting.log("counter"), "the report of the crash")
    counting.wait_for_restart("counter", before + 1)


def test_update_manager_comes_back(counting, signer):
    before = counting.status()["um"].restarts
    counting.kill("um")
    counting.wait_for_restart("um", before + 1)
    version = signer.version(signer.bin / "counter.new")
    assert counting.try_prctl("update", "counter", str(version)).returncode == 1
    signer.sign(version)
    counting.update("counter", version)


def test_what_runs_needs_no_signature_to_be_loaded_again(counting, signer, tmp_path):
    counting.update("counter", "self")
    version = signer.version(tmp_path / "counter.new")
    signer.sign(version)
    counting.update("counter", version)
    Path(f"{version}.sig").unlink()
    version.unlink()
    counting.update("counter", "self")
    assert counting.status()["counter"].updates == 3


# ---- what is refused ----

def flip_a_bit(signer: Signer, path: Path) -> None:
    signer.sign(path)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def truncate_signature(signer: Signer, path: Path) -> None:
    signer.sign(path)
    os.truncate(f"{path}.sig", 63)


def lengthen_signature(signer: Signer, path: Path) -> None:
    signer.sign(path)
    with open(f"{path}.sig", "ab") as signature:
        signature.write(b"\0" * 1000)


def sign_by_another_key(signer: Signer, path: Path) -> None:
    other = path.parent / "other-keys"
    other.mkdir()
    assert prctl("keygen", other).returncode == 0
    assert prctl("sign", other / "proteos.key", path).returncode == 0


def take_signature_of_another(signer: Signer, path: Path) -> None:
    shutil.copy(signer.bin / "counter.sig", f"{path}.sig")


@pytest.mark.parametrize("spoil", [flip_a_bit, truncate_signature, lengthen_signature,
                                   sign_by_another_key, take_signature_of_another])
@pytest.mark.parametrize("command", ["update", "mupdate"])
def test_bad_signature(counting, signer, tmp_path, spoil: Callable[[Signer, Path], None], command):
    version = signer.version(tmp_path / "counter.new")
    spoil(signer, version)
    before = counting.status()["counter"], set(counting.processes())
    done = counting.try_prctl(command, "counter", str(version))
    assert (done.returncode, done.stdout) == (1, NOT_BY_THE_KEY.format(version) + "\n")
    assert (counting.status()["counter"].pid, set(counting.processes())) == \
        (before[0].pid, before[1])
    assert counting.try_prctl("mupdate-start").stdout.startswith(
        "UM: Live update refused: nothing is requested.")


@pytest.mark.parametrize("empty_file", [False, True])
def test_no_signature(counting, signer, tmp_path, empty_file):
    version = signer.version(tmp_path / "counter.new")
    if empty_file:
        Path(f"{version}.sig").touch()
    done = counting.try_prctl("update", "counter", str(version))
    assert (done.returncode, done.stdout) == (
        1, f"UM: Live update of counter refused: {version} is not signed, and this instance takes "
        "only signed versions; see prctl sign.\n")


def test_signed_version_of_another_component(counting, signer, tmp_path):
    """What an executable is a version of is in the file, and so part of what is signed."""
    version = signer.version(tmp_path / "counter.new", "asker")
    signer.sign(version)
    done = counting.try_prctl("update", "counter", str(version))
    assert done.returncode == 1
    assert done.stdout == f"UM: Live update of counter refused: {version} was built for component " \
        "asker, but a version of counter runs.\n"


def test_signature_is_checked_before_anything_else(counting):
    """Nothing takes an unsigned file apart."""
    done = counting.try_prctl("update", "counter", "/etc/passwd")
    assert "/etc/passwd is not signed" in done.stdout


def test_signatures_are_not_looked_at_unless_required(signer, tmp_path):
    manifest = signer.manifest()
    del manifest.data["updates"]
    version = signer.version(tmp_path / "counter.new")
    lengthen_signature(signer, version)
    with System(manifest) as system:
        system.update("counter", version)


# ---- boot and restart ----

def test_boot_with_an_unsigned_component(signer):
    (signer.bin / "counter.sig").unlink()
    path = signer.bin / "counter"
    assert f"did not start: counter: {path} is not signed (there is no {path}.sig), and updates: " \
        "require-signature requires it\n" in booting.refused(signer.manifest())


def test_boot_with_an_unsigned_update_manager(signer):
    (signer.bin / "um.sig").unlink()
    assert "did not start: um: " in booting.refused(signer.manifest())


def test_boot_with_an_altered_component(signer):
    path = signer.bin / "counter"
    flip_a_bit(signer, path)
    assert f"did not start: counter: {path}.sig is no signature of that file by the key of " \
        "updates: require-signature\n" in booting.refused(signer.manifest())


def test_boot_without_the_key(signer):
    (signer.keys / "proteos.pub").unlink()
    assert f"updates: require-signature: {signer.keys}/proteos.pub: No such file or directory\n" \
        in booting.refused(signer.manifest())


@pytest.mark.parametrize("text", ["", "proteos-public-key 1234\n", "secret"])
def test_boot_with_a_malformed_key(signer, text):
    key = signer.keys / "proteos.pub"
    key.write_text((signer.keys / "proteos.key").read_text() if text == "secret" else text)
    assert f"updates: require-signature: {key}: it is no key: 'proteos-public-key' and 64 " \
        "hexadecimal digits are expected\n" in booting.refused(signer.manifest())


def test_restart_of_what_was_altered_meanwhile(signer):
    path = signer.bin / "counter"
    with System(signer.manifest()) as system:
        flip_a_bit(signer, path)  # in place: what runs is a copy
        assert system.status()["counter"].state == "running"
        system.kill("counter")
        system.wait(lambda: f"counter cannot be started: {path}.sig is no signature"
                    in system.log("instance"), "the refusal")
        assert system.status()["counter"].state == "dead"
        assert system.status()["um"].state == "running"


def test_key_is_the_one_of_the_boot(counting, signer, tmp_path):
    """A key file that is replaced changes nothing for the instance that runs."""
    shutil.rmtree(signer.keys)
    signer.keys.mkdir()
    assert prctl("keygen", signer.keys).returncode == 0
    version = signer.version(tmp_path / "counter.new")
    signer.sign(version)
    assert counting.try_prctl("update", "counter", str(version)).returncode == 1


# ---- what was verified is what runs ----

def replace_path(path: Path) -> None:
    other = path.with_suffix(".other")
    shutil.copy(COMPONENTS / "counter.crash", other)
    other.rename(path)


def rewrite_in_place(path: Path) -> None:
    content = (COMPONENTS / "counter.crash").read_bytes()
    inode = path.stat().st_ino
    with open(path, "r+b") as file:
        file.write(content)
        file.truncate()
    assert path.stat().st_ino == inode


def truncate_to_nothing(path: Path) -> None:
    os.truncate(path, 0)


@pytest.mark.parametrize("change", [replace_path, rewrite_in_place, truncate_to_nothing])
def test_change_between_request_and_start(counting, signer, tmp_path,
                                          change: Callable[[Path], None]):
    version = signer.version(tmp_path / "counter.new")
    signer.sign(version)
    verified = build_id(version)
    counting.mupdate("counter", version)
    change(version)
    assert counting.mupdate_start().endswith("UM: Live update done.\n")
    counter = counting.status()["counter"]
    assert (counter.build_id, counter.path, counter.updates) == (verified, str(version), 1)


# ---- the tools ----

def test_keys_are_not_overwritten_and_the_secret_one_is_private(tmp_path):
    assert prctl("keygen", tmp_path).returncode == 0
    secret = tmp_path / "proteos.key"
    assert secret.stat().st_mode & 0o777 == 0o600
    before = secret.read_text()
    done = prctl("keygen", tmp_path)
    assert (done.returncode, done.stdout) == (1, f"prctl: {secret}: File exists\n")
    assert secret.read_text() == before


def test_sign_refuses_clearly(signer, tmp_path):
    done = prctl("sign", signer.keys / "proteos.pub", signer.bin / "counter")
    assert done.returncode == 1 and "it is no key: 'proteos-secret-key' and" in done.stdout
    done = prctl("sign", signer.keys / "proteos.key", tmp_path / "nothing")
    assert (done.returncode, done.stdout) == (
        1, f"prctl: {tmp_path}/nothing: No such file or directory\n")
    assert not (tmp_path / "nothing.sig").exists()
    assert prctl("sign", signer.keys / "proteos.key").returncode == 2
    assert prctl("keygen").returncode == 2


def test_keys_come_in_pairs(tmp_path):
    (tmp_path / "proteos.pub").touch()
    done = prctl("keygen", tmp_path)
    assert (done.returncode, done.stdout) == (1, f"prctl: {tmp_path}/proteos.pub: File exists\n")
    assert [path.name for path in tmp_path.iterdir()] == ["proteos.pub"]
    (tmp_path / "proteos.pub").unlink()
    assert prctl("keygen", tmp_path).returncode == 0
    key = (tmp_path / "proteos.key").read_bytes()
    assert prctl("keygen", tmp_path).returncode == 1
    assert (tmp_path / "proteos.key").read_bytes() == key


def test_a_signature_is_replaced_as_a_whole(signer, tmp_path):
    """Who has the one before open goes on to have it."""
    version = signer.version(tmp_path / "counter.new")
    signer.sign(version)
    with open(f"{version}.sig", "rb") as before:
        signature = before.read()
        signer.version(version, "counter")
        signer.sign(version)
        before.seek(0)
        assert before.read() == signature
    assert Path(f"{version}.sig").read_bytes() != signature
    assert sorted(path.name for path in tmp_path.glob("counter*")) == \
        ["counter.new", "counter.new.sig"]
