/* The library's face: does a loss keep its contract. */
#include <stdlib.h>

#include <gradmill/gradmill.h>

#include "base/error.h"
#include "base/memory.h"
#include "loss/check.h"

struct listener {
    gm_check_seen_fn *seen;
    void *context;
};

static void tell(void *context, const struct check_result *result)
{
    static const enum gm_check_verdict verdicts[] = {
        [CHECK_PASSED] = GM_CHECK_PASSED,
        [CHECK_WARNED] = GM_CHECK_WARNED,
        [CHECK_FAILED] = GM_CHECK_FAILED,
        [CHECK_SKIPPED] = GM_CHECK_SKIPPED,
    };
    struct listener *listener = context;
    struct gm_check check = {
        .name = result->name,
        .what = result->what,
        .verdict = verdicts[result->verdict],
        .text = result->text,
        .seconds = result->seconds,
    };
    if (listener->seen)
        listener->seen(listener->context, &check);
}

enum gm_code gm_check_loss(const struct gm_check_request *request, gm_check_seen_fn *seen, void *context,
                           struct gm_error *err)
{
    struct listener listener = {.seen = seen, .context = context};
    void *settings;
    enum gm_code code = memory_alloc(&settings, request->n_params, sizeof(struct loss_setting), "loss parameters", err);
    if (code)
        return code;
    for (size_t i = 0; i < request->n_params; i++)
        ((struct loss_setting *)settings)[i] = (struct loss_setting){request->params[i].name, request->params[i].value};
    struct check_options options = {
        .name = request->name,
        .search_path = request->search_path ? request->search_path : getenv("GRADMILL_LOSS_PATH"),
        .settings = settings,
        .n_settings = request->n_params,
        .seed = request->seed,
        .time_limit = request->time_limit,
        .only = request->only,
    };
    code = check_run(&options, tell, &listener, err);
    memory_free(settings);
    return code;
}
