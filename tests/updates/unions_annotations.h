/* The annotations of both versions of the pair `unions`. */
#ifndef TESTS_UPDATES_UNIONS_ANNOTATIONS_H
#define TESTS_UPDATES_UNIONS_ANNOTATIONS_H

ST_FIELD(struct value, u,
         live_by(kind, KIND_NUMBER = number, KIND_TEXT = text, KIND_POINT = point, KIND_LIST = list,
                 KIND_NONE = nothing));
ST_FIELD(struct packet, at, live_by(shape, 5 = by, default = at));
ST_FIELD(struct nest, number,
         live_by(kind, KIND_NUMBER = number, KIND_TEXT = text, default = nothing));
ST_TYPE(union event, live_by(type, EVENT_MOVED = moved, 'k' = pressed, 0 = type));

#endif
