/* What predict and evaluate share. */
#include "cli/use.h"

#include "base/text.h"

#define MOST_THREADS 4096

static bool take(struct use_options *use, int option)
{
    size_t threads;
    switch (option) {
    case USE_THREADS:
        if (!options_count(use->command, "--threads", optarg, 1, &threads))
            return false;
        use->use.threads = (int)(threads < MOST_THREADS ? threads : MOST_THREADS);
        return true;
    case USE_MEMORY:
        if (text_bytes(optarg, &use->use.memory) && use->use.memory > 0)
            return true;
        message_usage(use->command, "--memory: expected a size such as 4GiB, found \"%s\".", optarg);
        return false;
    case USE_LOSS_PATH:
        use->loss_path = optarg;
        return true;
    case USE_EXTERNAL:
        use->use.allow_external = true;
        return true;
    case USE_IO:
        return options_io(use->command, optarg, &use->use.io);
    case USE_SECOND:
        use->second = optarg;
        return true;
    case USE_JSON:
        use->json = true;
        return true;
    case USE_RAW:
        use->use.raw = true;
        return true;
    case 'o':
        use->output = optarg;
        return true;
    case 'q':
        use->quiet = true;
        return true;
    default:
        return false;
    }
}

int use_parse(const struct options *options, int argc, char **argv, struct use_options *use)
{
    use->command = options->command;
    for (int option; (option = options_next(options, argc, argv)) != -1;)
        if (!take(use, option))
            return GM_USAGE;
    if (argc - optind < 2)
        return message_usage(options->command, "Expected a model and a dataset, as in: gradmill %s model.h5 data.h5",
                             options->command);
    if (argc - optind > 2)
        return message_usage(options->command, "Expected one model and one dataset; \"%s\" is too many.",
                             argv[optind + 2]);
    return GM_OK;
}

static void hear_note(void *context, const char *text)
{
    const struct use_options *use = context;
    if (!use->quiet)
        message_note(use->command, text);
}

void use_listen(struct use_options *use)
{
    use->watch = (struct gm_watch){.context = use, .note = hear_note};
    use->use.watch = &use->watch;
}

const char *use_class_name(const void *model, size_t index)
{
    return gm_model_class_name(model, index);
}
