/* Everything that changes while a run trains. */
#include "train/state.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>

#include "train/strata.h"

#define COUNT_MOST 9007199254740992.0 /* 2^53: a double holds every whole number up to here */

enum number_kind { REAL, COUNT, FLAG };

#define ROW(kind, member)                           \
    {                                               \
#member, kind, offsetof(struct run, member) \
    }
#define EPOCH_ROWS(member)                                                                            \
    ROW(COUNT, member.epoch), ROW(COUNT, member.max_epochs), ROW(COUNT, member.best_epoch),           \
        ROW(REAL, member.train_loss), ROW(REAL, member.objective), ROW(REAL, member.validation_loss), \
        ROW(REAL, member.gradient_norm), ROW(REAL, member.learning_rate), ROW(REAL, member.change),   \
        ROW(REAL, member.seconds), ROW(REAL, member.rows_per_second)

static const struct number {
    const char *name;
    enum number_kind kind;
    size_t offset;
} numbers[] = {
    ROW(COUNT, stop.best_epoch),
    ROW(REAL, stop.best_loss),
    ROW(REAL, stop.reference_loss),
    ROW(COUNT, stop.epochs_without),
    EPOCH_ROWS(last),
    EPOCH_ROWS(best_epoch),
    ROW(REAL, totals.loss[0]),
    ROW(REAL, totals.loss[1]),
    ROW(REAL, totals.weight[0]),
    ROW(REAL, totals.weight[1]),
    ROW(FLAG, totals.finite),
    ROW(COUNT, totals.bad_row),
    ROW(REAL, rate),
    ROW(REAL, search.loss),
    ROW(COUNT, search.tried),
    ROW(COUNT, search.moves),
    ROW(COUNT, search.downhill),
    ROW(COUNT, search.found),
    ROW(REAL, lowest),
    ROW(COUNT, epochs),
    ROW(COUNT, batches),
    ROW(COUNT, steps),
    ROW(COUNT, averaged),
    ROW(COUNT, passes),
    ROW(REAL, seconds),
    ROW(COUNT, ended),
    ROW(COUNT, log_bytes),
};
_Static_assert(sizeof numbers / sizeof *numbers * 8 == offsetof(struct run, numbers_end) - offsetof(struct run, stop),
               "every number of struct run between stop and numbers_end has a row here");

static void add(struct run_state *s, const char *room, const char *name, double *values, size_t count)
{
    if (s->count < STATE_ARRAYS) {
        struct state_array *a = &s->arrays[s->count];
        snprintf(a->name, sizeof a->name, "%s%s", room, name);
        a->values = values;
        a->count = count;
    }
    s->count++;
}

static void add_strata(struct run_state *s, struct strata *strata)
{
    struct strata_array arrays[STRATA_ARRAYS];
    size_t found = strata_state(strata, arrays, STRATA_ARRAYS);
    for (size_t i = 0; i < found; i++) {
        add(s, "", arrays[i].name, arrays[i].single ? NULL : arrays[i].values, arrays[i].count);
        s->arrays[s->count - 1].singles = arrays[i].single ? arrays[i].values : NULL;
    }
}

void run_state(struct run *r, struct run_state *s)
{
    struct optim_array optim[OPTIM_ARRAYS];
    size_t found = optim_state(r->optim, optim, OPTIM_ARRAYS);
    *s = (struct run_state){0};
    add(s, "", "parameters", r->params, r->n);
    add(s, "", "best", r->best, r->n);
    add(s, "", "kept", r->kept, r->n);
    if (r->step.average)
        add(s, "", "average", r->step.average, r->n);
    if (r->step.snapshot)
        add(s, "", "snapshot", r->step.snapshot, r->n);
    if (r->strata)
        add_strata(s, r->strata);
    for (size_t i = 0; i < found && i < OPTIM_ARRAYS; i++) {
        bool singles = optim[i].singles;
        add(s, "optimizer/", optim[i].name, singles ? NULL : optim[i].values, optim[i].count * (singles ? 2 : 1));
        s->arrays[s->count - 1].singles = singles ? (void *)optim[i].values : NULL;
    }
}

size_t state_numbers(void)
{
    return sizeof numbers / sizeof *numbers;
}

const char *state_number_name(size_t i)
{
    return numbers[i].name;
}

void state_get_numbers(const struct run *r, double *values)
{
    for (size_t i = 0; i < state_numbers(); i++) {
        const void *place = (const char *)r + numbers[i].offset;
        switch (numbers[i].kind) {
        case REAL:
            values[i] = *(const double *)place;
            break;
        case COUNT:
            values[i] = (double)*(const uint64_t *)place;
            break;
        case FLAG:
            values[i] = *(const bool *)place;
            break;
        }
    }
}

bool state_set_numbers(struct run *r, const double *values)
{
    for (size_t i = 0; i < state_numbers(); i++) {
        double most = numbers[i].kind == FLAG ? 1 : COUNT_MOST;
        if (numbers[i].kind != REAL && !(values[i] >= 0 && values[i] <= most && values[i] == floor(values[i])))
            return false;
    }
    for (size_t i = 0; i < state_numbers(); i++) {
        void *place = (char *)r + numbers[i].offset;
        switch (numbers[i].kind) {
        case REAL:
            *(double *)place = values[i];
            break;
        case COUNT:
            *(uint64_t *)place = (uint64_t)values[i];
            break;
        case FLAG:
            *(bool *)place = values[i] != 0;
            break;
        }
    }
    return true;
}
