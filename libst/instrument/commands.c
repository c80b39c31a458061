#include "commands.h"
#include "path.h"

#include <clang-c/CXCompilationDatabase.h>
#include <errno.h>
#include <libgen.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char *taken(CXString string) {
  char *copy = text_copy(clang_getCString(string));
  clang_disposeString(string);
  return copy;
}

/* Options that change what the source means. All others are about code and output, and many are
 * known to one compiler only. */
static bool matters(const char *argument, bool *takes_next) {
  static const char *const alone[] = {"-D",      "-U",       "-I",       "-isystem",
                                      "-iquote", "-include", "-imacros", "-idirafter"};
  static const char *const begins[] = {
      "-std=",         "-O",    "-m",       "-funsigned-char", "-fsigned-char", "-fshort-enums",
      "-fshort-wchar", "-fPIC", "-fPIE",    "-fpic",           "-fpie",         "-fms-extensions",
      "-fpack-struct", "-ansi", "-pthread", "-nostdinc",       "-undef",        "-fgnu89-inline"};
  *takes_next = false;
  for (unsigned i = 0; i < sizeof alone / sizeof *alone; i++) {
    size_t bytes = strlen(alone[i]);
    if (strncmp(argument, alone[i], bytes) != 0) continue;
    *takes_next = argument[bytes] == '\0';
    return true;
  }
  if (strcmp(argument, "-mllvm") == 0) return false;
  for (unsigned i = 0; i < sizeof begins / sizeof *begins; i++)
    if (strncmp(argument, begins[i], strlen(begins[i])) == 0) return true;
  return false;
}

static void read_arguments(struct command *out, CXCompileCommand in) {
  unsigned count = clang_CompileCommand_getNumArgs(in);
  char *directory;
  if (asprintf(&directory, "-working-directory=%s", out->directory) < 0) fail("out of memory");
  *array_add(&out->arguments) = directory;
  for (unsigned i = 1; i < count; i++) {
    char *argument = taken(clang_CompileCommand_getArg(in, i));
    bool takes_next;
    if (strcmp(argument, "-o") == 0 && i + 1 < count) {
      free(out->output);
      out->output = taken(clang_CompileCommand_getArg(in, ++i));
    } else if (matters(argument, &takes_next)) {
      *array_add(&out->arguments) = argument;
      if (takes_next && i + 1 < count)
        *array_add(&out->arguments) = taken(clang_CompileCommand_getArg(in, ++i));
      continue;
    }
    free(argument);
  }
}

struct commands *commands_read(const char *path) {
  if (access(path, R_OK) < 0) fail("%s: %s", path, strerror(errno));
  char *copy = text_copy(path);
  if (strcmp(basename(copy), "compile_commands.json") != 0)
    fail("%s: must be named compile_commands.json", path);
  CXCompilationDatabase_Error error;
  strcpy(copy, path);
  CXCompilationDatabase database = clang_CompilationDatabase_fromDirectory(dirname(copy), &error);
  free(copy);
  if (error != CXCompilationDatabase_NoError) fail("%s: is not a compilation database", path);
  struct commands *out = calloc(1, sizeof *out);
  if (!out) fail("out of memory");
  CXCompileCommands all = clang_CompilationDatabase_getAllCompileCommands(database);
  for (unsigned i = 0; i < clang_CompileCommands_getSize(all); i++) {
    CXCompileCommand in = clang_CompileCommands_getCommand(all, i);
    struct command *command = array_add(&out->items);
    char *file = taken(clang_CompileCommand_getFilename(in));
    command->directory = taken(clang_CompileCommand_getDirectory(in));
    command->file = path_normal(command->directory, file);
    command->output = text_copy("");
    free(file);
    read_arguments(command, in);
  }
  clang_CompileCommands_dispose(all);
  clang_CompilationDatabase_dispose(database);
  return out;
}

void commands_free(struct commands *commands) {
  for (size_t i = 0; i < commands->items.count; i++) {
    struct command *c = &commands->items.items[i];
    for (size_t a = 0; a < c->arguments.count; a++)
      free(c->arguments.items[a]);
    free(c->arguments.items);
    free(c->file);
    free(c->directory);
    free(c->output);
  }
  free(commands->items.items);
  free(commands);
}
