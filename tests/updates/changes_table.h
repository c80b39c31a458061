/* CHANGE(name, (old members), (new members), (what version 1 sets), what must hold): s is the
 * object, n a small number that differs from place to place. */
/* clang-format off */

/* Members */
CHANGE(same, (int a; char *p;), (int a; char *p;), (s->a = n, s->p = (char *)s), s->a == n && s->p == (char *)s)
CHANGE(added, (int a; int b;), (int a; long c; int b;), (s->a = n, s->b = -n), s->a == n && s->b == -n)
CHANGE(added_first, (int b;), (long a; int b;), (s->b = n), s->b == n)
CHANGE(added_last, (int a;), (int a; char b[100];), (s->a = n), s->a == n)
CHANGE(removed, (int a; long gone; int b;), (int a; int b;), (s->a = n, s->b = 2), s->a == n && s->b == 2)
CHANGE(reordered, (char a; int b; double c; short d;), (double c; short d; char a; int b;),
       (s->a = n, s->b = 1 << 20, s->c = n / 4.0, s->d = -n),
       s->a == n && s->b == 1 << 20 && s->c == n / 4.0 && s->d == -n)
CHANGE(moved_in, (int x; int y; int other;), (int tag; struct { int y; int x; } at; int other;),
       (s->x = n, s->y = -n, s->other = 3), s->PICK(x, at.x) == n && s->PICK(y, at.y) == -n && s->other == 3)
CHANGE(moved_out, (struct { short x; short y; } at; int other;), (int other; int y; int tag; int x;),
       (s->at.x = n, s->at.y = -n, s->other = 3), s->PICK(at.x, x) == n && s->PICK(at.y, y) == -n && s->other == 3)
CHANGE(moved_across, (struct { int x; int keep; } a; struct { int z; } b;), (struct { int keep; } a; struct { int z; int x; } b;),
       (s->a.x = n, s->a.keep = 5, s->b.z = 6), s->PICK(a, b).x == n && s->a.keep == 5 && s->b.z == 6)
CHANGE(moved_deep, (int x; int y;), (struct { char c; struct { int x; } in; } out; int y;),
       (s->x = n, s->y = 4), s->PICK(x, out.in.x) == n && s->y == 4)
CHANGE(moved_pointer, (int *p; int *q;), (int lead; struct { int *q; int *p; } in;),
       (s->p = &numbers[n % 4], s->q = 0), s->PICK(p, in.p) == &numbers[n % 4] && !s->PICK(q, in.q))
CHANGE(moved_array, (int x; int a[3];), (int x; struct { int more; long a[4]; } in;),
       (s->x = 1, s->a[2] = n), s->x == 1 && s->PICK(a, in.a)[2] == n)
CHANGE(moved_bits, (unsigned a : 3; unsigned b : 5;), (int c; struct { unsigned b : 7; unsigned a : 4; } in;),
       (s->a = 5, s->b = 20 + n), s->PICK(a, in.a) == 5 && s->PICK(b, in.b) == 20 + n)
CHANGE(anonymous, (int a; int b; struct { int c; int d; };), (int tag; struct { int b; int a; }; struct { int d; int c; };),
       (s->a = n, s->b = 2, s->c = 3, s->d = 4), s->a == n && s->b == 2 && s->c == 3 && s->d == 4)
CHANGE(anonymous_added, (struct { int c; int d; }; int e;), (struct { int f; }; struct { int c; long d; }; int e;),
       (s->c = n, s->d = 4, s->e = 5), s->c == n && s->d == 4 && s->e == 5)
CHANGE(anonymous_gone, (struct { int c; union { int u; float f; }; }; int e;), (int e; int c; union { int u; float f; };),
       (s->c = n, s->u = 4, s->e = 5), s->c == n && s->u == 4 && s->e == 5)
CHANGE(nested, (struct point p; int i;), (int i; struct point p;), (s->p.x = n, s->p.y = 2, s->i = 3),
       s->p.x == n && s->p.y == 2 && s->i == 3)
CHANGE(nested_array, (struct point p[3];), (int i; struct point p[5];), (s->p[2].x = n, s->p[0].y = 2),
       s->p[2].x == n && s->p[0].y == 2 && !s->p[1].x)
CHANGE(same_union, (int i; union { long number; char *text; } u;), (union { long number; char *text; } u; int i;),
       (s->u.text = (char *)shared_text, s->i = n), !strcmp(s->u.text, "shared") && s->i == n)
CHANGE(emptied, (int a; struct {} e; int b;), (int a; int c; struct {} e; int b;), (s->a = n, s->b = 2), s->a == n && s->b == 2)
CHANGE(packed, (char a; int b; short c;), (struct __attribute__((packed)) { char a; int b; short c; } in;),
       (s->a = n, s->b = n << 20, s->c = 3), s->PICK(a, in.a) == n && s->PICK(b, in.b) == n << 20 && s->PICK(c, in.c) == 3)
CHANGE(aligned, (char a; int b;), (char a; int b __attribute__((aligned(16)));), (s->a = n, s->b = n << 20), s->a == n && s->b == n << 20)

/* Numbers */
CHANGE(widened, (signed char v; short w;), (long v; int w;), (s->v = -n, s->w = -30000), s->v == -n && s->w == -30000)
CHANGE(narrowed, (long v; unsigned long w;), (signed char v; short w;), (s->v = -100, s->w = 30000), s->v == -100 && s->w == 30000)
CHANGE(sign_lost, (int v; long w;), (unsigned v; uint8_t w;), (s->v = 1 << 30, s->w = 200 + n), s->v == 1 << 30 && s->w == 200 + n)
CHANGE(sign_gained, (unsigned char v; unsigned w;), (short v; long w;), (s->v = 250, s->w = ~0u), s->v == 250 && s->w == ~0u)
CHANGE(huge, (long v; __int128 w;), (__int128 v; int tag; __int128 w;), (s->v = -n, s->w = (__int128)n << 90), s->v == -n && s->w == (__int128)n << 90)
CHANGE(to_bool, (int v; char w;), (bool v; bool w;), (s->v = n & 1, s->w = 1), s->v == (n & 1) && s->w == 1)
CHANGE(from_bool, (bool v; bool w;), (long v; unsigned char w;), (s->v = n & 1, s->w = 1), s->v == (n & 1) && s->w == 1)
CHANGE(character, (char v; char t[4];), (int tag; unsigned char v; char t[8];), (s->v = 'a' + n, strcpy(s->t, "abc")), s->v == 'a' + n && !strcmp((char *)s->t, "abc"))
CHANGE(typedefs, (count_type c; chosen_type d;), (count_type c; chosen_type d;), (s->c = -n, s->d = 1), s->c == -n && s->d == 1)
CHANGE(const_member, (const int c; volatile short d;), (short d; const long c;), (*(int *)&s->c = n, s->d = 3), s->c == n && s->d == 3)
CHANGE(float_widened, (float v; double w;), (double v; long double w;), (s->v = n / 8.0f, s->w = n / 3.0), s->v == n / 8.0 && s->w == n / 3.0)
CHANGE(float_narrowed, (double v; long double w; double nan;), (float v; double w; float nan;), (s->v = n / 8.0, s->w = n / 4.0L, s->nan = __builtin_nan("")), s->v == n / 8.0 && s->w == n / 4.0 && s->nan != s->nan)
CHANGE(float_of_integer, (int v; unsigned long w; char u;), (double v; float w; double u;), (s->v = -n, s->w = 1ul << 40, s->u = n), s->v == -n && s->w == 1ul << 40 && s->u == n)
CHANGE(integer_of_float, (double v; float w; double u;), (long v; unsigned char w; char u;), (s->v = -1e15, s->w = 200 + n, s->u = n), s->v == -1000000000000000 && s->w == 200 + n && s->u == n)
CHANGE(complex_moved, (double _Complex z;), (int tag; double _Complex z;), (s->z = n + 2.0i), s->z == n + 2.0i)

/* Enumerations */
CHANGE(renumbered, (enum color c; enum level l; enum color z;), (enum color c; enum level l; enum color z;), (s->c = n % 2 ? GREEN : BLUE, s->l = LOW, s->z = RED), s->c == (n % 2 ? GREEN : BLUE) && s->l == LOW && s->z == RED)
CHANGE(renumbered_array, (enum color c[4];), (enum color c[6];), (s->c[0] = BLUE, s->c[1] = s->c[2] = RED, s->c[3] = GREEN), s->c[0] == BLUE && s->c[1] == RED && s->c[3] == GREEN)
CHANGE(enum_to_int, (enum level l;), (long l;), (s->l = n % 2 ? LOW : MIDDLE), s->l == -(n % 2))
CHANGE(int_to_enum, (int l; unsigned char c;), (enum { UP = 3, DOWN = 4 } l; enum level c;), (s->l = 3 + n % 2, s->c = 0), s->l == 3 + n % 2 && s->c == 0)
CHANGE(enum_wide, (enum wide w;), (enum wide w;), (s->w = n % 2 ? NARROW_ONE : FAR), s->w == (n % 2 ? NARROW_ONE : FAR))
CHANGE(enum_bits, (enum color c : 4; unsigned r : 4;), (unsigned r : 4; enum color c : 6;), (s->c = n % 2 ? GREEN : BLUE, s->r = n), s->c == (n % 2 ? GREEN : BLUE) && s->r == n)
CHANGE(enum_bits_in, (enum color c;), (int tag : 3; enum color c : 8;), (s->c = n % 2 ? GREEN : BLUE), s->c == (n % 2 ? GREEN : BLUE))
CHANGE(enum_bits_out, (enum color c : 3;), (enum color c;), (s->c = n % 2 ? GREEN : RED), s->c == (n % 2 ? GREEN : RED))
CHANGE(enum_bits_in_place, (enum color c : 8;), (enum color c : 8;), (s->c = n % 2 ? GREEN : RED), s->c == (n % 2 ? GREEN : RED))
CHANGE(enum_alias, (enum alias a; enum alias b;), (enum alias a; enum alias b;), (s->a = ALSO_SECOND, s->b = THIRD), s->a == SECOND && s->b == THIRD)

/* Bit-fields */
CHANGE(bits_moved, (unsigned a : 3; unsigned b : 13; int c : 5;), (int c : 5; int : 3; unsigned b : 13; unsigned a : 3;), (s->a = 5, s->b = 8000 + n, s->c = -n), s->a == 5 && s->b == 8000 + n && s->c == -n)
CHANGE(bits_widened, (unsigned a : 3; int b : 7; unsigned long c : 40;), (unsigned a : 9; int b : 20; unsigned long c : 60;), (s->a = 7, s->b = -60, s->c = 1ul << 39 | n), s->a == 7 && s->b == -60 && s->c == (1ul << 39 | n))
CHANGE(bits_narrowed, (unsigned a : 9; int b : 20; unsigned long c : 60;), (unsigned a : 3; int b : 7; unsigned long c : 40;), (s->a = 7, s->b = -60, s->c = 1ul << 39 | n), s->a == 7 && s->b == -60 && s->c == (1ul << 39 | n))
CHANGE(bits_to_integer, (unsigned a : 5; int b : 11; unsigned long c : 50;), (unsigned char a; long b; unsigned long c;), (s->a = 30, s->b = -1000, s->c = 1ul << 49 | n), s->a == 30 && s->b == -1000 && s->c == (1ul << 49 | n))
CHANGE(integer_to_bits, (unsigned char a; long b; unsigned long c;), (unsigned a : 5; int b : 11; unsigned long c : 50;), (s->a = 30, s->b = -1000, s->c = 1ul << 49 | n), s->a == 30 && s->b == -1000 && s->c == (1ul << 49 | n))
CHANGE(bits_bool, (unsigned a : 4; bool b : 1;), (bool a : 1; int b;), (s->a = 1, s->b = n & 1), s->a == 1 && s->b == (n & 1))
CHANGE(bits_across, (unsigned char a; unsigned b : 3;), (int x; unsigned char c; unsigned b : 3; unsigned char a : 6;), (s->a = 50 + n, s->b = 6), s->a == 50 + n && s->b == 6)
CHANGE(bits_packed, (unsigned a : 3; unsigned b : 30; unsigned c : 31;), (struct __attribute__((packed)) { unsigned a : 3; unsigned b : 30; unsigned c : 31; } in;), (s->a = 6, s->b = 1 << 29 | n, s->c = 1 << 30 | n), s->PICK(a, in.a) == 6 && s->PICK(b, in.b) == (1 << 29 | n) && s->PICK(c, in.c) == (1 << 30 | n))

/* Arrays */
CHANGE(grown, (int a[3];), (int a[5];), (s->a[0] = n, s->a[2] = 2), s->a[0] == n && s->a[2] == 2)
CHANGE(shrunk, (int a[8];), (int a[5];), (s->a[0] = n, s->a[4] = 2), s->a[0] == n && s->a[4] == 2)
CHANGE(elements, (short a[3];), (long a[3];), (s->a[0] = n, s->a[2] = -2), s->a[0] == n && s->a[2] == -2)
CHANGE(made_rows, (int a[6];), (int a[2][3];), (s->a[1] = n, s->a[5] = 5), ((int *)s->a)[1] == n && ((int *)s->a)[5] == 5)
CHANGE(made_flat, (short a[2][3];), (long a[6];), (s->a[0][1] = n, s->a[1][2] = 5), PICK(s->a[0], s->a)[1] == n && PICK(s->a[1][2], s->a[5]) == 5)
CHANGE(made_a_row, (int a[3];), (int a[2][3];), (s->a[1] = n, s->a[2] = 5), ((int *)s->a)[1] == n && ((int *)s->a)[2] == 5)
CHANGE(rows_grown, (int a[2][3];), (int a[3][5];), (s->a[0][1] = n, s->a[1][2] = 5), s->a[0][1] == n && s->a[1][2] == 5)
CHANGE(pointer_rows, (int *a[4];), (int *a[2][2];), (s->a[3] = &numbers[n % 4]), ((int **)s->a)[3] == &numbers[n % 4])

/* Pointers */
CHANGE(to_object, (struct grows *p; struct grows *e;), (int i; struct grows *p; struct grows *e;), (s->p = &grown[n % 3], s->e = grown + 3), s->p == &grown[n % 3] && s->e == grown + 3)
CHANGE(to_middle, (int *p;), (int i; int *p;), (s->p = &grown[n % 3].used), s->p == &grown[n % 3].used)
CHANGE(to_anything, (void *p; char *c; void *q;), (void *q; char *c; void *p;), (s->p = &grown[1], s->c = (char *)&numbers[2] + 1, s->q = s), s->p == &grown[1] && s->c == (char *)&numbers[2] + 1 && s->q == s)
CHANGE(to_itself, (int lead; struct to_itself *self; int *mine;), (long lead; int more; struct to_itself *self; int *mine;), (s->self = s), s->self == s && !s->mine)
CHANGE(to_text, (const char *t; const char *u;), (const char *u; const char *t;), (s->t = &"only in the old"[n], s->u = shared_text + 2), !strcmp(s->t, &"only in the old"[n]) && s->u == shared_text + 2)
CHANGE(to_function, (int (*f)(int); int (*g)(const char *, const char *); void *h;), (int i; int (*f)(int); int (*g)(const char *, const char *); void *h;), (s->f = twice, s->g = strcmp, s->h = (void *)twice), s->f == twice && s->g == strcmp && s->h == (void *)twice)
CHANGE(renamed_struct, (struct PICK(old_tag, new_tag) k; struct PICK(old_tag, new_tag) *p;), (int tag; struct PICK(old_tag, new_tag) k; struct PICK(old_tag, new_tag) *p;), (s->k.key = n, s->k.next = &s->k, s->p = &s->k), s->k.key == n && s->k.next == &s->k && s->p == &s->k)
CHANGE(in_moved, (int x; int y; int *to_x;), (int tag; struct { int y; int x; } at; int *to_x;), (s->x = n, s->to_x = &s->x), *s->to_x == n && s->to_x == &s->PICK(x, at.x))
CHANGE(to_rows, (int a[6]; int *p;), (int tag; int a[2][3]; int *p;), (s->p = &s->a[4], s->a[4] = n), s->p == (int *)s->a + 4 && *s->p == n)
CHANGE(small_integers, (void *p; char *q;), (int i; void *p; char *q;), (s->p = (void *)-1l, s->q = (char *)(long)n), s->p == (void *)-1l && s->q == (char *)(long)n)
