/* Arguments of these messages are by position: bus/abi.h says which. */
#include "cli/system_messages.h"

#include "bus/abi.h"
#include "bus/abi_programs.h"

#define I32(name, at)                                                                              \
  { #name, (at)*4, IPC_i32 }
#define U32(name, at)                                                                              \
  { #name, (at)*4, IPC_u32 }
#define U64(name, at)                                                                              \
  { #name, (at)*8, IPC_u64 }
#define FIELDS(id, ...)                                                                            \
  static const struct ipc_field *id(void) {                                                        \
    static const struct ipc_field fields[] = {__VA_ARGS__, {0}};                                   \
    return fields;                                                                                 \
  }

static const struct ipc_field *nothing(void) {
  static const struct ipc_field fields[] = {{0}};
  return fields;
}

FIELDS(endpoint, I32(endpoint, 0))
FIELDS(alarm, U32(bit, 0), U64(at_us, 1))
FIELDS(watch, I32(fd, 0), U32(events, 1), U32(bit, 2))
FIELDS(byte_count, U32(bytes, 0))
FIELDS(region_reply, U64(bytes, 0))
FIELDS(report, U32(phase, 0), I32(status, 1))
FIELDS(load, I32(endpoint, 0), U64(txid, 1), U32(filter_bytes, 4), U32(signature_bytes, 5))
FIELDS(load_reply, I32(pid, 0))
FIELDS(commit, U64(txid, 0), U32(members, 2), U32(converge_ms, 3), U32(transfer_ms, 4),
       U32(probation_ms, 5))
FIELDS(control_send, U64(client, 0), U32(last, 2))
FIELDS(control_client, U64(client, 0))
FIELDS(um_report, I32(endpoint, 0), U32(phase, 1), I32(status, 2), I32(pid, 3))
FIELDS(um_exited, I32(endpoint, 0), U32(new, 1), I32(pid, 2), I32(wait_status, 3))
FIELDS(um_committed, U64(txid, 0), I32(status, 2))
FIELDS(um_probation, U64(txid, 0), U32(stays, 2), I32(died, 3))
FIELDS(program, I32(endpoint, 0), U32(incarnation, 1))
FIELDS(program_signal, I32(endpoint, 0), U32(incarnation, 1), I32(signal, 2))
FIELDS(program_ended, I32(endpoint, 0), U32(incarnation, 1), I32(wait_status, 2), U32(answered, 3),
       U64(cpu_us, 2))
FIELDS(usage, U64(cpu_us, 0))
FIELDS(segment, U32(segment, 0))
FIELDS(segment_share, U32(segment, 0), I32(endpoint, 1), U32(rights, 2))
FIELDS(incarnation, U32(incarnation, 0))
FIELDS(end, I32(endpoint, 0), U32(incarnation, 1))
FIELDS(task_priority, I32(endpoint, 0), U32(incarnation, 1), U32(priority, 2))
FIELDS(task_preempt, I32(endpoint, 0), U32(incarnation, 1), U32(ms, 2))
FIELDS(task_place, I32(endpoint, 0), U32(incarnation, 1), U64(cpus, 1))
FIELDS(live, U32(calls_in_flight, 0), U32(probation, 1))

static const struct ipc_message messages[] = {
    {SYS_NOTIFIED, "NOTIFIED", nothing, nothing},
    {SYS_EXITED, "EXITED", endpoint, nothing},
    {SYS_RESTARTED, "RESTARTED", endpoint, nothing},
    {KERN_HELLO, "HELLO", nothing, nothing},
    {KERN_ALARM, "ALARM", alarm, nothing},
    {KERN_WATCH, "WATCH", watch, nothing},
    {KERN_RANDOM, "RANDOM", byte_count, nothing},
    {KERN_REGION, "REGION", nothing, region_reply},
    {KERN_REPORT, "REPORT", report, nothing},
    {KERN_LOOKUP, "LOOKUP", nothing, endpoint},
    {KERN_READY, "READY", nothing, nothing},
    {KERN_KEEP, "KEEP", nothing, nothing},
    {KERN_INFO, "INFO", endpoint, nothing},
    {KERN_LOAD, "LOAD", load, load_reply},
    {KERN_CONVERGE, "CONVERGE", endpoint, nothing},
    {KERN_COMMIT, "COMMIT", commit, nothing},
    {KERN_ABORT, "ABORT", endpoint, nothing},
    {KERN_CONTROL_SEND, "CONTROL_SEND", control_send, nothing},
    {KERN_WAITS, "WAITS", endpoint, nothing},
    {KERN_JOURNAL, "JOURNAL", nothing, nothing},
    {KERN_SPAWN, "SPAWN", nothing, program},
    {KERN_START, "START", program, load_reply},
    {KERN_SIGNAL, "SIGNAL", program_signal, nothing},
    {KERN_REAP, "REAP", program, nothing},
    {KERN_USAGE, "USAGE", program, usage},
    {KERN_PLACES, "PLACES", nothing, nothing},
    {PROGRAM_ENDED, "PROGRAM_ENDED", program_ended, nothing},
    {PROGRAM_LOOK_AGAIN, "PROGRAM_LOOK_AGAIN", nothing, nothing},
    {BUS_TABLE, "TABLE", control_client, nothing},
    {KERN_SEGMENT_MAKE, "SEGMENT_MAKE", region_reply, segment},
    {KERN_SEGMENT_SHARE, "SEGMENT_SHARE", segment_share, incarnation},
    {KERN_SEGMENT_DROP, "SEGMENT_DROP", segment, nothing},
    {KERN_END, "END", end, nothing},
    {KERN_SEGMENT_OPEN, "SEGMENT_OPEN", segment, region_reply},
    {KERN_TASKS, "TASKS", nothing, nothing},
    {KERN_PRIORITY, "PRIORITY", task_priority, nothing},
    {KERN_PREEMPT, "PREEMPT", task_preempt, nothing},
    {KERN_PLACE, "PLACE", task_place, nothing},
    {UM_REPORT, "UM_REPORT", um_report, nothing},
    {UM_EXITED, "UM_EXITED", um_exited, nothing},
    {UM_CONTROL, "UM_CONTROL", control_client, nothing},
    {UM_CONTROL_CLOSED, "UM_CONTROL_CLOSED", control_client, nothing},
    {UM_COMMITTED, "UM_COMMITTED", um_committed, nothing},
    {UM_PROBATION, "UM_PROBATION", um_probation, nothing},
    {UM_LIFE, "UM_LIFE", endpoint, nothing},
    {UM_TIMEOUTS, "UM_TIMEOUTS", nothing, nothing},
    {BUS_CTL_PREPARE, "CTL_PREPARE", nothing, nothing},
    {BUS_CTL_CONVERGE, "CTL_CONVERGE", nothing, nothing},
    {BUS_CTL_THAW, "CTL_THAW", nothing, nothing},
    {BUS_CTL_LIVE, "CTL_LIVE", live, nothing},
    {BUS_CTL_SHUTDOWN, "CTL_SHUTDOWN", nothing, nothing},
    {BUS_CTL_PING, "CTL_PING", nothing, nothing},
    {BUS_CTL_PASSED, "CTL_PASSED", nothing, nothing},
    {0},
};

const struct ipc_interface ipc_system = {"system", messages};
