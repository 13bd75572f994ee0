/* gradmill predict: predictions for every row of a dataset. */
#include <string.h>

#include <gradmill/gradmill.h>

#include "base/error.h"
#include "base/file.h"
#include "cli/cli.h"
#include "cli/predict_out.h"
#include "cli/progress.h"
#include "cli/use.h"

#define DEFAULT_OUTPUT "predictions.h5"

/* Predictions on their way: to the file or stdout, and to the bar. */
struct passage {
    struct predict_out out;
    struct progress bar;
};

static bool pass(void *context, size_t first_row, size_t rows, const double *pred)
{
    struct passage *p = context;
    char line[PROGRESS_LINE];
    if (!predict_out_rows(&p->out, first_row, rows, pred))
        return false;
    if (progress_due(&p->bar))
        progress_draw(&p->bar, progress_share("predicting", (double)(first_row + rows), (double)p->out.rows,
                                              progress_width(), line));
    return true;
}

static enum gm_code run(struct passage *p, const struct gm_data *data, const struct use_options *use,
                        struct gm_error *err)
{
    struct predict_out *out = &p->out;
    enum gm_code code = gm_model_rows(out->model, data, use->use.allow_external, &out->rows, err);
    if (code != GM_OK)
        return code;
    out->raw = use->use.raw;
    out->outputs = gm_model_outputs(out->model);
    /* Where an ordinal loss draws the lines between classes is part of its link: raw predictions have no class. */
    out->classes = out->raw && gm_model_gives_class(out->model) ? 0 : gm_model_classes(out->model);
    bool csv = strcmp(use->output, "-") == 0;
    progress_init(&p->bar, !use->quiet && !csv);
    code = predict_out_open(out, use->output);
    if (code == GM_OK)
        code = gm_predict(out->model, data, &use->use, pass, p, err);
    if (code == GM_OK && out->err.code == GM_OK)
        code = predict_out_finish(out);
    progress_clear(&p->bar);
    if (out->err.code != GM_OK) { /* ours comes first: the library only saw that it should stop */
        *err = out->err;
        code = err->code;
    }
    if (code == GM_OK && !csv && !use->quiet) {
        char text[GM_ERROR_TEXT];
        snprintf(text, sizeof text, "wrote %s: /predictions [%zu x %zu]%s", use->output, out->rows, out->outputs,
                 out->classes ? ", /classes" : "");
        message_note("predict", text);
    }
    return code;
}

int command_predict(int argc, char **argv)
{
    static const struct option longs[] = {
        {"output", required_argument, NULL, 'o'}, {"raw", no_argument, NULL, USE_RAW}, USE_OPTIONS, {0}};
    static const struct options options = {"predict", "o:qh", longs};
    struct use_options use = {.output = DEFAULT_OUTPUT};
    struct gm_model *model = NULL;
    struct gm_error err = {0};
    int usage = use_parse(&options, argc, argv, &use);
    if (usage != GM_OK)
        return usage;
    use_listen(&use);
    const char *model_path = argv[optind];
    const struct gm_data data = {.path = argv[optind + 1], .second = use.second};
    if (file_same(use.output, data.path) || file_same(use.output, model_path) ||
        (use.second && file_same(use.output, use.second)))
        return message_usage("predict", "The output %s is one of the inputs.", use.output);
    enum gm_code code = gm_model_open(&model, model_path, use.loss_path, &err);
    if (code == GM_OK) {
        struct passage passage = {.out = {.model = model}};
        code = run(&passage, &data, &use, &err);
        predict_out_release(&passage.out);
    }
    gm_model_close(model);
    return code == GM_OK ? GM_OK : message_fail("predict", &err);
}
