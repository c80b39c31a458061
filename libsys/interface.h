/* Describing the messages of an interface once, for the compiler and for tools.
 *
 * An interface header lists its messages with X-macros:
 *
 *   #define ECHO_SAY_FIELDS(F)  F(u32, loudness) F(u64, id)
 *   #define ECHO_SAID_FIELDS(F) F(u32, heard)
 *   #define ECHO_MESSAGES(M)    M(ECHO_SAY, 0x900, echo_say, ECHO_SAY_FIELDS, ECHO_SAID_FIELDS)
 *   IPC_INTERFACE(echo, ECHO_MESSAGES)
 *
 * which defines `enum { ECHO_SAY = 0x900 }`, `struct echo_say` (the request's fields), `struct
 * echo_say_reply`, and `ipc_echo`, the table that `prctl trace` prints from. Fields lie in a
 * message's body; use IPC(m, echo_say)->loudness to reach them. */
#ifndef PROTEOS_INTERFACE_H
#define PROTEOS_INTERFACE_H

#include <stddef.h>
#include <stdint.h>

#include "libsys/msg.h"

enum ipc_kind { IPC_i32, IPC_u32, IPC_u64, IPC_x32, IPC_ip4, IPC_u16 };
typedef int32_t ipc_type_i32;
typedef uint32_t ipc_type_u32;
typedef uint64_t ipc_type_u64;
typedef uint32_t ipc_type_x32; /* printed in hexadecimal */
typedef uint32_t ipc_type_ip4; /* IPv4 address in network byte order */
typedef uint16_t ipc_type_u16;

struct ipc_field {
  const char *name;
  uint16_t offset; /* in the body */
  uint16_t kind;   /* enum ipc_kind */
};

struct ipc_message {
  uint32_t type;
  const char *name;
  const struct ipc_field *(*request)(void); /* fields, ended by a NULL name */
  const struct ipc_field *(*reply)(void);
};

struct ipc_interface {
  const char *name;
  const struct ipc_message *messages; /* ended by a NULL name */
};

#define IPC_FIELD_MEMBER_(kind, name) ipc_type_##kind name;
#define IPC_FIELD_DESC_(kind, fname)  {#fname, (uint16_t)offsetof(IPC_STRUCT_, fname), IPC_##kind},
#define IPC_NO_FIELDS(F)

#define IPC_ENUM_(NAME, number, tag, REQ, REP) NAME = number,
#define IPC_STRUCTS_(NAME, number, tag, REQ, REP)                                                  \
  struct tag {                                                                                     \
    union {                                                                                        \
      struct {                                                                                     \
        REQ(IPC_FIELD_MEMBER_)                                                                     \
      };                                                                                           \
      uint8_t body_[SYS_BODY_BYTES];                                                               \
    };                                                                                             \
  };                                                                                               \
  struct tag##_reply {                                                                             \
    union {                                                                                        \
      struct {                                                                                     \
        REP(IPC_FIELD_MEMBER_)                                                                     \
      };                                                                                           \
      uint8_t body_[SYS_BODY_BYTES];                                                               \
    };                                                                                             \
  };                                                                                               \
  _Static_assert(sizeof(struct tag) == SYS_BODY_BYTES, #tag " does not fit in a message");         \
  _Static_assert(sizeof(struct tag##_reply) == SYS_BODY_BYTES, #tag " reply does not fit");

/* The table half, for tools that print messages: where IPC_TABLES is defined before inclusion. */
#ifdef IPC_TABLES
#define IPC_DESCRIBE_(NAME, number, tag, REQ, REP)                                                 \
  static inline const struct ipc_field *ipc_request_##tag(void) {                                  \
    typedef struct tag IPC_STRUCT_ __attribute__((unused));                                        \
    static const struct ipc_field fields[] = {REQ(IPC_FIELD_DESC_){0}};                            \
    return fields;                                                                                 \
  }                                                                                                \
  static inline const struct ipc_field *ipc_reply_##tag(void) {                                    \
    typedef struct tag##_reply IPC_STRUCT_ __attribute__((unused));                                \
    static const struct ipc_field fields[] = {REP(IPC_FIELD_DESC_){0}};                            \
    return fields;                                                                                 \
  }
#define IPC_ENTRY_(NAME, number, tag, REQ, REP) {number, #NAME, ipc_request_##tag, ipc_reply_##tag},
#define IPC_TABLE_(iname, MESSAGES)                                                                \
  MESSAGES(IPC_DESCRIBE_)                                                                          \
  static const struct ipc_message ipc_messages_##iname[] = {MESSAGES(IPC_ENTRY_){0}};              \
  static const struct ipc_interface ipc_##iname = {#iname, ipc_messages_##iname};
#else
#define IPC_TABLE_(iname, MESSAGES)
#endif

/** Defines the enum of message numbers, the structs, and with IPC_TABLES `ipc_NAME`. */
#define IPC_INTERFACE(name, MESSAGES)                                                              \
  enum { MESSAGES(IPC_ENUM_) };                                                                    \
  MESSAGES(IPC_STRUCTS_)                                                                           \
  IPC_TABLE_(name, MESSAGES)

/* The request's (IPC) or reply's (IPC_REPLY) fields in the body of message `m` (a msg_t *). */
#define IPC(m, tag)       ((struct tag *)(void *)(m)->body)
#define IPC_REPLY(m, tag) ((struct tag##_reply *)(void *)(m)->body)

#endif
