"""How long a process runs before others take turns: Linux gives a fair task the slice that it asks
for (6.12 and later), in the `sched_runtime` of sched_setattr(2)."""

from __future__ import annotations

import ctypes
import os
import struct

# linux/sched/types.h: size, policy, flags, nice, priority, runtime, deadline, period.
_ATTRIBUTES = struct.Struct("=IIQiIQQQ")
_SYS_SETATTR, _SYS_GETATTR = {"x86_64": (314, 315),
                              "aarch64": (274, 275)}.get(os.uname().machine, (-1, -1))


def _call(number: int, *arguments: object) -> bool:
    return ctypes.CDLL(None).syscall(number, *arguments) == 0


def get_slice_ns(pid: int) -> int:
    """0 from kernels that do not tell."""
    attributes = ctypes.create_string_buffer(_ATTRIBUTES.size)
    told = _call(_SYS_GETATTR, pid, attributes, _ATTRIBUTES.size, 0)
    return int(_ATTRIBUTES.unpack(attributes.raw)[5]) if told else 0


def set_own_slice_ns(ns: int) -> None:
    """0: the kernel's default. Processes with a priority (chrt) have none, and children inherit it.
    Where the kernel has equal slices for all nothing changes."""
    if os.sched_getscheduler(0) != os.SCHED_OTHER:
        return
    nice = os.getpriority(os.PRIO_PROCESS, 0)
    _call(_SYS_SETATTR, 0, _ATTRIBUTES.pack(_ATTRIBUTES.size, os.SCHED_OTHER, 0, nice, 0, ns, 0, 0),
          0)
