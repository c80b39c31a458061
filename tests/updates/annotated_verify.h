/* What both versions of the pair `annotated` must find. */
#ifndef TESTS_UPDATES_ANNOTATED_VERIFY_H
#define TESTS_UPDATES_ANNOTATED_VERIFY_H

static uintptr_t first_cookie; /* a number, though it may look like an address */
ST_VAR(first_cookie, not_pointer);

static void verify_packet(void) {
  uintptr_t word;
  CHECK(packet->bytes == PACKET_BYTES);
  for (unsigned i = 0; i < PACKET_BYTES; i += sizeof(word)) {
    memcpy(&word, packet->data + i, sizeof(word));
    CHECK(word == first_cookie);
  }
}

static void verify_node(const struct node *n, int order) {
  CHECK(n->order == order && n->leaf->number == order * 10);
  CHECK(n->leaves[0] == 0 && n->leaves[1] == (uintptr_t)n->leaf);
  CHECK(n->leaves[2] == (uintptr_t)&spare);
  CHECK(n->raw[1] == (void *)0x123456789000);
  CHECK(((uintptr_t)n->next & 1) == (unsigned)(order % 2));
}

static void verify(void) {
  struct node *n = (struct node *)((uintptr_t)root & ~3ul);
  CHECK(((uintptr_t)root & 3) == 2 && n == plain_root);
  /* Numbers stay as they were, wherever the node is now. */
  if (!first_cookie) first_cookie = (uintptr_t)n->cookie;
  CHECK((uintptr_t)n->cookie == first_cookie && (uintptr_t)cookies[1] == first_cookie);
  CHECK(handles[1] == (uintptr_t)&n->leaf->number && handles[2] == (uintptr_t)counter());
  CHECK(*counter() == 5 && (uintptr_t)user.handle == (uintptr_t)n->leaf);
  CHECK(secret == (char *)n);
  CHECK(high_tagged == ((uintptr_t)n | 0xa5ul << 56));
  CHECK(started == 1 || started == 7);
  CHECK(SEAL[0] == (long)first_cookie && SEAL[1] == 2 && (uintptr_t)HINT == first_cookie);
  CHECK(carrier.lead == 1 && FIRST == 3 && carrier.part.second == 4 && to_part == &carrier.part);
  verify_packet();
  int order = 0;
  for (; n; n = (struct node *)((uintptr_t)n->next & ~1ul)) {
    verify_node(n, order++);
    CHECK(started == 7 || n->cache == NULL);
  }
  CHECK(order == 10);
}

#endif
