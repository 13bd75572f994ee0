/* SHA-256 (FIPS 180-4) of bytes and of open files, by nettle. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <nettle/sha2.h>

#include "base/error.h"
#include "base/file.h"

#define PART ((size_t)32 << 10) /* bytes a read, on the stack */

static void finish(struct sha256_ctx *state, char hex[65])
{
    static const char digits[] = "0123456789abcdef";
    uint8_t sum[SHA256_DIGEST_SIZE];
    sha256_digest(state, sizeof sum, sum);
    for (size_t i = 0; i < sizeof sum; i++) {
        hex[2 * i] = digits[sum[i] >> 4];
        hex[2 * i + 1] = digits[sum[i] & 15];
    }
    hex[2 * sizeof sum] = 0;
}

void file_sha256_bytes(const void *bytes, size_t size, char hex[65])
{
    struct sha256_ctx state;
    sha256_init(&state);
    sha256_update(&state, size, bytes);
    finish(&state, hex);
}

enum gm_code file_sha256(int fd, const char *name, char hex[65], struct gm_error *err)
{
    struct sha256_ctx state;
    uint8_t part[PART];
    off_t offset = 0;
    ssize_t got;
    sha256_init(&state);
    while ((got = pread(fd, part, sizeof part, offset)) != 0) {
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_set(err, GM_IO, "%s: reading failed at byte %lld: %s.", name, (long long)offset,
                             strerror(errno));
        sha256_update(&state, (size_t)got, part);
        offset += got;
    }
    finish(&state, hex);
    return GM_OK;
}
