/* gradmill evaluate: loss and metrics of a model on a dataset. */
#include <stdlib.h>

#include <jansson.h>

#include <gradmill/gradmill.h>

#include "cli/cli.h"
#include "cli/table.h"
#include "cli/use.h"

struct question {
    const char *model_path, *data_path;
    const struct gm_model *model;
};

/* The metrics' own object, with what they are about. */
static void print_json(const struct question *q, const struct gm_metrics *metrics)
{
    char *text = gm_metrics_json(metrics);
    json_t *object = text ? json_loads(text, 0, NULL) : NULL;
    size_t classes = gm_model_classes(q->model);
    if (classes) {
        json_t *names = json_array();
        for (size_t k = 0; k < classes; k++)
            json_array_append_new(names, json_string(gm_model_class_name(q->model, k)));
        json_object_set_new(object, "class_names", names);
    }
    json_object_set_new(object, "model", json_string(q->model_path));
    json_object_set_new(object, "data", json_string(q->data_path));
    json_object_set_new(object, "loss_id", json_string(gm_model_loss_id(q->model)));
    if (json_dumpf(object, stdout, JSON_COMPACT | JSON_REAL_PRECISION(17)) == 0)
        fputc('\n', stdout);
    json_decref(object);
    free(text);
}

static void print_table(const struct question *q, const struct gm_metrics *metrics)
{
    struct table table = {0};
    table_add(&table, "model", "%s", q->model_path);
    table_add(&table, "data", "%s", q->data_path);
    table_add(&table, "rows", "%zu", metrics->rows);
    if (metrics->weight_sum != (double)metrics->rows)
        table_real(&table, "sum of weights", metrics->weight_sum);
    table_add(&table, "loss", "%.7g (%s)", metrics->loss, gm_model_loss_id(q->model));
    table_metrics(&table, metrics, NULL);
    table_terms(&table, metrics, NULL);
    table_print(&table, stdout);
    if (metrics->confusion) {
        fputc('\n', stdout);
        table_confusion(metrics, use_class_name, q->model, stdout);
    }
}

int command_evaluate(int argc, char **argv)
{
    static const struct option longs[] = {{"json", no_argument, NULL, USE_JSON}, USE_OPTIONS, {0}};
    static const struct options options = {"evaluate", "qh", longs};
    struct use_options use = {0};
    struct gm_model *model = NULL;
    struct gm_metrics metrics = {0};
    struct gm_error err = {0};
    int usage = use_parse(&options, argc, argv, &use);
    if (usage != GM_OK)
        return usage;
    use_listen(&use);
    const struct gm_data data = {.path = argv[optind + 1], .second = use.second};
    enum gm_code code = gm_model_open(&model, argv[optind], use.loss_path, &err);
    if (code == GM_OK)
        code = gm_evaluate(model, &data, &use.use, &metrics, &err);
    if (code == GM_OK) {
        const struct question question = {argv[optind], argv[optind + 1], model};
        if (use.json)
            print_json(&question, &metrics);
        else
            print_table(&question, &metrics);
    }
    gm_metrics_release(&metrics);
    gm_model_close(model);
    return code == GM_OK ? GM_OK : message_fail("evaluate", &err);
}
