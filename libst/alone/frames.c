/* At an update point the stack may hold the executable's event loop and nothing else: what a
 * library keeps there (the round of its own loop that it is in) would be lost. */
#include <stdio.h>
#include <string.h>
#include <unwind.h>

#include "libst/alone/alone.h"
#include "libst/process.h"

/* _start is a few instructions. */
enum { START_BYTES = 64 };

struct walk {
  bool in_program;             /* past libst's own frames */
  const struct image *foreign; /* the first image that is not the executable, going up */
  bool below;                  /* the executable called it */
  bool ended;                  /* at _start */
};

static _Unwind_Reason_Code step(struct _Unwind_Context *context, void *data) {
  struct walk *w = data;
  const struct image *exe = &st_process.images.image[0];
  uintptr_t at = _Unwind_GetIP(context);
  const struct image *image = images_at(&st_process.images, at - 1);
  if (image != exe) {
    if (w->in_program && !w->foreign) w->foreign = image;
    return _URC_NO_REASON;
  }
  w->in_program = true;
  w->ended = at - exe->base - st_process.exe.header->e_entry < START_BYTES;
  if (w->ended) return _URC_END_OF_STACK;
  if (w->foreign) w->below = true;
  return w->below ? _URC_END_OF_STACK : _URC_NO_REASON;
}

bool frames_find(char *text, size_t cap) {
  struct walk w = {0};
  _Unwind_Backtrace(step, &w);
  if (w.below)
    snprintf(text, cap,
             "st_update_point() was called from within %s; call it in the event loop, between two "
             "of the library's rounds",
             w.foreign ? w.foreign->name : "a library");
  else if (!w.ended)
    snprintf(text, cap, "the stack at st_update_point() cannot be followed to main()");
  return w.below || !w.ended;
}
