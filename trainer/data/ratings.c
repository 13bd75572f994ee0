/* Datasets of ratings: which datasets they are, and reading them. */
#include "data/ratings.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <xxhash.h>

#include "base/error.h"
#include "base/hdf5_lock.h"
#include "base/memory.h"
#include "base/probe.h"
#include "base/text.h"
#include "data/dataset.h"
#include "data/find.h"
#include "data/listing.h"

#include "data/ratings_ids.h"
#include "data/sizes.h"
#include "data/sparse.h"

#define BAND_ROWS ((size_t)1 << 16)

static const char *const user_names[] = {"user_id", "user_ids", "user", "users", "userId", "userid", "uid", NULL};
static const char *const item_names[] = {"item_id", "item_ids", "item",     "items",   "itemId",
                                         "itemid",  "iid",      "movie_id", "movieId", NULL};
static const char *const rating_names[] = {"rating", "ratings", "score", "scores", NULL};
static const char *const weight_names[] = {"weight", "weights", "sample_weight", NULL};
static const char *const time_names[] = {"timestamp", "timestamps", "time", NULL};
static const char *const pointer_names[] = {"indptr", NULL}, *const index_names[] = {"indices", NULL},
                         *const data_names[] = {"data", NULL};

/* The open parts of one dataset. */
struct parts {
    const struct ratings_request *request;
    struct h5_files files;
    struct stored user, item, rating; /* rating.at NULL: there are none */
    bool sparse;                      /* user is indptr, item is indices */
    const char *ignored[2];
    bool trial;
};

static void close_parts(struct parts *p)
{
    stored_close(&p->user);
    stored_close(&p->item);
    stored_close(&p->rating);
    hdf5_lock();
    h5_close(&p->files);
    hdf5_unlock();
}

/* The first of the names that is a dataset of the place's group; *out stays closed when there is none. */
static enum gm_code open_named(struct stored *out, struct place *place, const char *const *names, struct gm_error *err)
{
    memory_free(place->name);
    place->name = NULL;
    enum gm_code code = find_named(place, names, err);
    return code || !place->name ? code : stored_open(out, place->file, place->name, err);
}

static enum gm_code say_missing(const struct place *place, const char *what, struct gm_error *err)
{
    struct listing listing;
    char text[480];
    enum gm_code code = listing_read(&listing, place->file, place->group, err);
    if (code)
        return code;
    code = error_set(
        err, GM_BAD_DATA,
        "%s:%s: no %s found. Ratings are datasets user_id, item_id and rating of one dimension, or a group of "
        "data, indices and indptr. It holds %s.",
        place->file->path, place->group, what, listing_text(&listing, text, sizeof text));
    listing_release(&listing);
    return code;
}

static enum gm_code check_lengths(const struct parts *p, struct gm_error *err)
{
    const struct stored *all[] = {&p->user, &p->item, &p->rating};
    for (size_t i = 0; i < 3; i++) {
        if (!all[i]->at)
            continue;
        if (all[i]->columns != 1)
            return error_set(err, GM_BAD_DATA, "%s: one value for each rating is expected; it has %zu columns.",
                             all[i]->at, all[i]->columns);
        if (all[i]->rows != p->item.rows && !(p->sparse && i == 0))
            return error_set(err, GM_BAD_DATA, "%s: has %zu rows but %s has %zu.", all[i]->at, all[i]->rows, p->item.at,
                             p->item.rows);
    }
    if (p->rating.at && p->rating.kind != H5_NUMBERS)
        return error_set(err, GM_BAD_DATA, "%s: ratings must be numbers; these are words.", p->rating.at);
    if (p->sparse && (p->user.kind != H5_NUMBERS || p->item.kind != H5_NUMBERS))
        return error_set(err, GM_BAD_DATA, "%s: row pointers and indices must be whole numbers.", p->user.at);
    return GM_OK;
}

/* Compressed columns look the same and would be read with users and items exchanged. */
static enum gm_code check_by_rows(const struct place *place, size_t pointers, struct gm_error *err)
{
    int64_t shape[2];
    char **words = NULL;
    size_t count = 0;
    hid_t group = H5Gopen2(place->file->id, place->group, H5P_DEFAULT);
    enum gm_code code = h5_words(&words, &count, group, "encoding-type", err);
    bool by_columns = count == 1 && strstr(words[0], "csc");
    if (!code && !by_columns && count == 0 && sparse_given_shape(group, shape))
        by_columns = pointers != (uint64_t)shape[0] + 1 && pointers == (uint64_t)shape[1] + 1;
    if (!code && by_columns)
        code = error_set(err, GM_BAD_DATA,
                         "%s:%s: holds compressed columns (CSC); ratings are read by rows: store it as CSR.",
                         place->file->path, place->group);
    h5_free_words(words, count);
    H5Gclose(group);
    return code;
}

static enum gm_code find_parts(struct parts *p, struct place *place, struct gm_error *err)
{
    enum gm_code code = open_named(&p->user, place, user_names, err);
    if (!code && p->user.at && !(code = open_named(&p->item, place, item_names, err)) &&
        !(code = open_named(&p->rating, place, rating_names, err)))
        return p->item.at ? GM_OK : say_missing(place, "items", err);
    if (code || (code = open_named(&p->user, place, pointer_names, err)) ||
        (code = open_named(&p->item, place, index_names, err)) ||
        (code = open_named(&p->rating, place, data_names, err)))
        return code;
    p->sparse = p->user.at && p->item.at;
    return p->sparse ? check_by_rows(place, p->user.rows, err) : say_missing(place, "users", err);
}

/* Read the first and the last value: what crashes the library does so in the trial. */
static enum gm_code touch(const struct stored *s, struct gm_error *err)
{
    char value[8];
    if (!s->at || s->kind != H5_NUMBERS || s->columns != 1)
        return GM_OK;
    H5Dget_storage_size(s->dataset);
    sizes_trust(s);
    enum gm_code code = stored_read(s, 0, 1, value, err);
    return code ? code : stored_read(s, s->rows - 1, 1, value, err);
}

static enum gm_code open_parts(void *context, struct gm_error *err)
{
    struct parts *p = context;
    struct place place = {0};
    p->files.allow_external = p->request->allow_external;
    hdf5_lock();
    enum gm_code code = place_open(&place, &p->files, p->request->path, err);
    if (!code && place.name)
        code = error_set(err, GM_BAD_DATA, "%s: is one dataset; ratings are a file or group of several.",
                         p->request->path);
    if (!code)
        code = find_parts(p, &place, err);
    const char *const *roles[] = {weight_names, time_names};
    for (size_t i = 0; !code && i < 2; i++) {
        memory_free(place.name);
        place.name = NULL;
        code = find_named(&place, roles[i], err);
        p->ignored[i] = place.name ? roles[i][0] : NULL;
    }
    if (!code)
        code = check_lengths(p, err);
    const struct stored *all[] = {&p->user, &p->item, &p->rating};
    for (size_t i = 0; !code && p->trial && i < 3; i++)
        code = touch(all[i], err);
    place_release(&place);
    hdf5_unlock();
    return code;
}

/* Opened, after a trial in a child process. close_parts also after an error. */
static enum gm_code open_safely(struct parts *p, struct gm_error *err)
{
    hdf5_lock();
    H5open();
    if (!p->request->allow_external)
        H5PLset_loading_state(0); /* a data file must not choose code to load */
    hdf5_unlock();
    p->trial = true;
    enum gm_code code = probe_run(open_parts, p, p->request->path, err);
    p->trial = false;
    return code ? code : open_parts(p, err);
}

/* ---- reading ---- */

static enum gm_code read_ratings(struct ratings *r, const struct stored *stored, struct gm_error *err)
{
    enum data_type type = stored->value_type;
    bool narrow = type != DATA_F64 && data_type_size(type) < 4;
    r->rating_type = narrow || type == DATA_F32 ? DATA_F32 : DATA_F64;
    size_t size = data_type_size(r->rating_type);
    void *band = NULL;
    struct dataset dataset = {0};
    enum gm_code code = memory_alloc(&r->rating, r->rows, size, "ratings", err);
    if (!code)
        code = memory_alloc(&band, BAND_ROWS, 8, "a band of ratings", err);
    if (!code)
        code = dataset_beside(&dataset, stored, err);
    for (size_t first = 0; !code && first < r->rows; first += BAND_ROWS) {
        size_t n = r->rows - first < BAND_ROWS ? r->rows - first : BAND_ROWS;
        char *to = (char *)r->rating + first * size;
        if ((code = dataset_read(&dataset, first, n, band, err)))
            break;
        if (r->rating_type == DATA_F32)
            convert_to_f32(type, band, n, (float *)(void *)to);
        else
            convert_to_f64(type, band, n, (double *)(void *)to);
        for (size_t row = first; !code && row < first + n; row++)
            if (!isfinite(ratings_value(r, row)))
                code = error_set(err, GM_BAD_DATA, "%s: row %zu: the rating is %s.", stored->at, row,
                                 isnan(ratings_value(r, row)) ? "NaN" : "infinite");
    }
    dataset_rest(&dataset);
    memory_free(band);
    return code;
}

double ratings_value(const struct ratings *r, size_t row)
{
    return r->rating_type == DATA_F32 ? (double)((const float *)r->rating)[row] : ((const double *)r->rating)[row];
}

static void hash_ids(XXH3_state_t *state, const struct ratings_ids *ids)
{
    uint64_t count = ids->count;
    XXH3_128bits_update(state, &count, sizeof count);
    if (ids->ids)
        XXH3_128bits_update(state, ids->ids, ids->count * sizeof *ids->ids);
    for (size_t i = 0; ids->words && i < ids->count; i++)
        XXH3_128bits_update(state, ids->words[i], strlen(ids->words[i]) + 1);
}

static enum gm_code take_fingerprint(struct ratings *r, struct gm_error *err)
{
    XXH3_state_t *state = XXH3_createState();
    if (!state || XXH3_128bits_reset(state) != XXH_OK)
        return error_memory(err, "a fingerprint", 0);
    hash_ids(state, &r->users);
    hash_ids(state, &r->items);
    XXH3_128bits_update(state, r->user, r->rows * sizeof *r->user);
    XXH3_128bits_update(state, r->item, r->rows * sizeof *r->item);
    if (r->rating)
        XXH3_128bits_update(state, r->rating, r->rows * data_type_size(r->rating_type));
    XXH128_hash_t hash = XXH3_128bits_digest(state);
    snprintf(r->fingerprint, sizeof r->fingerprint, "%016" PRIx64 "%016" PRIx64, (uint64_t)hash.high64,
             (uint64_t)hash.low64);
    XXH3_freeState(state);
    return GM_OK;
}

static enum gm_code check_memory(const struct parts *p, struct gm_error *err)
{
    char need_text[32], have_text[32];
    uint64_t need = (uint64_t)p->item.rows * (p->rating.at ? 2 * sizeof(uint32_t) + 8 : 2 * sizeof(uint32_t));
    if (need <= p->request->memory)
        return GM_OK;
    return error_set(err, GM_SYSTEM,
                     "%s: %zu ratings need %s of memory, but run.memory allows %s; ratings do not stream.", p->item.at,
                     p->item.rows, text_from_bytes(need, need_text), text_from_bytes(p->request->memory, have_text));
}

static enum gm_code read_parts(struct ratings *r, const struct parts *p, struct gm_error *err)
{
    const struct ratings_request *q = p->request;
    enum gm_code code;
    r->rows = p->item.rows;
    r->ignored[0] = p->ignored[0];
    r->ignored[1] = p->ignored[1];
    if ((code = memory_string(&r->user_at, p->user.at, err)) || (code = memory_string(&r->item_at, p->item.at, err)) ||
        (p->rating.at && (code = memory_string(&r->rating_at, p->rating.at, err))) || (code = check_memory(p, err)) ||
        (code = memory_alloc((void **)&r->user, r->rows, sizeof *r->user, "users of ratings", err)) ||
        (code = memory_alloc((void **)&r->item, r->rows, sizeof *r->item, "items of ratings", err)))
        return code;
    code = p->sparse ? ratings_ids_expand(r->user, &r->users, &p->user, r->rows, q->users, err)
                     : ratings_ids_read(r->user, &r->users, &p->user, q->users, err);
    if (!code)
        code = ratings_ids_read(r->item, &r->items, &p->item, q->items, err);
    if (!code && p->rating.at)
        code = read_ratings(r, &p->rating, err);
    return code ? code : take_fingerprint(r, err);
}

enum gm_code ratings_read(struct ratings *ratings, const struct ratings_request *request, struct gm_error *err)
{
    *ratings = (struct ratings){0};
    struct parts parts = {.request = request};
    enum gm_code code = open_safely(&parts, err);
    if (!code)
        code = read_parts(ratings, &parts, err);
    close_parts(&parts);
    if (code)
        ratings_release(ratings);
    return code;
}

void ratings_release(struct ratings *r)
{
    ratings_ids_release(&r->users);
    ratings_ids_release(&r->items);
    memory_free(r->user);
    memory_free(r->item);
    memory_free(r->rating);
    memory_free(r->user_at);
    memory_free(r->item_at);
    memory_free(r->rating_at);
    *r = (struct ratings){0};
}

enum gm_code ratings_count(const char *path, bool allow_external, size_t *rows, struct gm_error *err)
{
    const struct ratings_request request = {.path = path, .allow_external = allow_external};
    struct parts parts = {.request = &request};
    enum gm_code code = open_safely(&parts, err);
    *rows = code ? 0 : parts.item.rows;
    close_parts(&parts);
    return code;
}
