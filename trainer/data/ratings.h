/*
 * Ratings: triples of user, item and rating, in coordinate form or as rows of a sparse matrix users x items.
 *
 * Coordinates are three datasets of one dimension beside each other: user_id, item_id and rating (also user, users
 * ...). Ids are whole numbers of any width, or words. A sparse matrix is a group of data, indices and indptr (CSR),
 * whose row is the user and whose column the item. Ratings may be missing: then every triple is a mere event.
 *
 * Held in memory in compact form: 4 bytes a user, 4 an item, 4 or 8 a rating.
 */
#ifndef DATA_RATINGS_H
#define DATA_RATINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <gradmill/status.h>

#include "data/convert.h"

#define RATINGS_UNKNOWN UINT32_MAX /* index of an id that is not in the vocabulary */

/* The vocabulary of users or of items: index -> id. */
struct ratings_ids {
    size_t count;
    uint64_t *ids; /* [count] ascending; NULL: words, or the numbers 0 .. count-1 */
    char **words;  /* [count] in strcmp's order; NULL: numbers */
};
void ratings_ids_release(struct ratings_ids *ids); /* a zeroed struct is fine */

struct ratings {
    size_t rows;
    uint32_t *user, *item;               /* [rows] indices into the vocabularies, or RATINGS_UNKNOWN */
    void *rating;                        /* [rows] of rating_type; NULL: there are none */
    enum data_type rating_type;          /* DATA_F32 or DATA_F64 */
    struct ratings_ids users, items;     /* found in this file; empty when the request came with vocabularies */
    char *user_at, *item_at, *rating_at; /* "ratings.h5:/user_id"; rating_at NULL: there are none */
    const char *ignored[2];              /* datasets that are there and play no role: "weight", "timestamp"; or NULL */
    char fingerprint[33];                /* XXH3-128 of ids and ratings, hexadecimal */
};

struct ratings_request {
    const char *path; /* "FILE.h5" or "FILE.h5:/group" */
    bool allow_external;
    uint64_t memory;                         /* bytes that may be used */
    const struct ratings_ids *users, *items; /* vocabularies to look ids up in; NULL: those that are found */
};

/* GM_NO_INPUT, GM_DENIED, GM_BAD_DATA (no ratings: candidates are listed; different lengths; a negative id or a rating
 * that is not finite, with its row; damaged), GM_SYSTEM (over the memory, the need is told), GM_IO. */
enum gm_code ratings_read(struct ratings *ratings, const struct ratings_request *request, struct gm_error *err);
void ratings_release(struct ratings *ratings); /* a zeroed struct is fine */

/* Rows without reading them; errors as ratings_read. */
enum gm_code ratings_count(const char *path, bool allow_external, size_t *rows, struct gm_error *err);

double ratings_value(const struct ratings *ratings, size_t row);

#endif
