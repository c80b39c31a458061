"""Boot a Proteos system from Python, use it, update it, and always take it down.

    from proteos import System

    with System() as system:
        print(system.url())
        system.update("net", "/bin/net.new")
"""

from .errors import CommandFailed, ProteosError, Timeout
from .manifest import Manifest
from .system import System, default_base
from .waiting import PATIENCE, wait_for

__all__ = ["PATIENCE", "CommandFailed", "Manifest", "ProteosError", "System", "Timeout",
           "default_base", "wait_for"]
