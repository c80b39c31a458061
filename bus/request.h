/* Pending requests; for the files of the rendezvous only. */
#ifndef PROTEOS_REQUEST_H
#define PROTEOS_REQUEST_H

#include "bus/endpoint.h"

/* In an endpoint's table of requests. */
#define SENDREC_SLOT 0

/** Whether its answer is still owed. */
bool request_is_pending(const struct request *r);

/** Calls `fn` with each pending request to a callee. */
typedef void request_fn(struct request *r, void *arg);
void request_each(const struct endpoint *callee, request_fn *fn, void *arg);

bool request_is_sendrec(const struct request *r);
uint64_t request_token(const struct request *r);

/** Whether the callee takes this request now. */
bool request_can_deliver(const struct endpoint *callee, const struct request *r);
/** Hands it over; it is then DELIVERED. */
void request_deliver(struct endpoint *callee, struct request *r, const void *payload);

/** Ends a QUEUED or DELIVERED request with an answer.
 * @param status  0, or the bus's error */
void request_answer(struct request *r, int status, const msg_t *m, const void *payload);

/** `e` has died, and another version will go on with its state: fails what it was handling and what
 * it waits for.
 * @param answer  that it was handling, or NULL */
void request_interrupt(struct endpoint *e, const msg_t *answer);

/** Makes a free slot of `caller` a call that is answered: one whose answer went to a version that
 * is gone.
 * @param answer  its source is the callee */
void request_answer_again(struct request *r, endpoint_t caller, const msg_t *answer,
                          const void *payload);

/** Makes a free slot of `caller` a call that its callee still owes an answer to.
 * @param answer    its source is the callee; type and cookie count
 * @param sequence  by which the callee knows it */
void request_owe_again(struct request *r, endpoint_t caller, const msg_t *answer,
                       uint32_t sequence);

/** Makes a free slot of `caller` a call that waits for its callee again.
 * @param callee    who takes it
 * @param question  as it was sent
 * @return false without memory: the slot is still free */
bool request_ask_again(struct request *r, endpoint_t caller, endpoint_t callee,
                       const msg_t *question, const void *payload, uint64_t cookie,
                       uint32_t sequence);

/** Of a QUEUED request: its callee takes it after those that wait already. */
void request_put_last(struct request *r);

/** Of an ANSWERED request: its caller gets the answer before all others. */
void request_put_first(struct request *r);

/** Takes it out of every queue and forgets it. */
void request_free(struct request *r);

/** Adds to the deadlines of requests that wait for `callee` the time that it was held. */
void request_delay(struct endpoint *callee, uint64_t held_since_us, uint64_t now_us);

#endif
