/* Running the machine's C compiler on a plugin's source. */
#ifndef FACE_COMPILE_H
#define FACE_COMPILE_H

#include <gradmill/gradmill.h>

/* source.c -> plugin.so, replaced whole. The compiler is $CC (which may hold options) or cc; the headers are found
 * beside the program, in ../include. `command` gets the line as one would type it. GM_SYSTEM: no compiler, no headers,
 * or the compiler failed, with what it said. */
enum gm_code compile_plugin(const char *source, const char *plugin, char command[GM_NEW_LOSS_COMMAND],
                            struct gm_error *err);

#endif
