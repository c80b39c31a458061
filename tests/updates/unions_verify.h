/* What both versions of the pair `unions` must find. */
#ifndef TESTS_UPDATES_UNIONS_VERIFY_H
#define TESTS_UPDATES_UNIONS_VERIFY_H

static void verify(void) {
  static const enum kind kinds[] = {KIND_NONE, KIND_NUMBER, KIND_TEXT, KIND_POINT, KIND_LIST};
  for (int i = 0; i < VALUES; i++) {
    const struct value *v = &values[i];
    CHECK(v->kind == kinds[i % 5]);
    CHECK(v->kind != KIND_NUMBER || v->u.number == i);
    CHECK(v->kind != KIND_TEXT || strcmp(v->u.text, "text") == 0);
    CHECK(v->kind != KIND_POINT || (v->u.point.x == i && v->u.point.y == -i));
    CHECK(v->kind != KIND_LIST || v->u.list == &values[i - 1]);
  }
  CHECK(single.kind == KIND_LIST && single.u.list == values);
  CHECK(packets[0].length == 100 && packets[0].shape == 0 && packets[0].at.y == 4);
  CHECK(packets[1].length == 101 && packets[1].shape == 5 && packets[1].by == &values[1]);
  CHECK(packets[2].length == 102 && packets[2].shape == 1 && packets[2].at.x == 5);
  CHECK(nests[0].kind == KIND_NUMBER && nests[0].pad == 1 && nests[0].number == -5);
  CHECK(nests[1].kind == KIND_TEXT && nests[1].pad == 2 && nests[1].text == values[2].u.text);
  CHECK(events[0].type == EVENT_MOVED && events[0].moved.where == into && into->y == 12);
  CHECK(events[1].pressed.type == 'k' && events[1].pressed.key == 'K' && events[2].type == 0);
}

#endif
