/* May this file be loaded as code? Who else could have changed it decides. */
#ifndef LOSS_SAFETY_H
#define LOSS_SAFETY_H

#include <gradmill/status.h>

/* `fd` is the open file, `path` its real path (no links in it). Refused with GM_PLUGIN_LOAD when someone other than
 * root and this user can change the file, or a directory above it:
 *  - it belongs to someone else;
 *  - others may write to it (a directory where only owners may rename and remove, like /tmp, is fine);
 *  - a group may write to it, unless it is the owner's private group (umask 002 as on Debian and Ubuntu).
 * Directories that also hold this program are not looked at: who can change them can change the program. */
enum gm_code safety_check(int fd, const char *path, struct gm_error *err);

#endif
