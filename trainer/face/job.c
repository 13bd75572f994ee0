/* The library's face: a job with nothing but defaults. */
#include <math.h>

#include <gradmill/gradmill.h>

void gm_job_init(struct gm_job *job)
{
    *job = (struct gm_job){
        .data = {.standardize = true, .missing = GM_MISSING_ERROR, .split = "rows"},
        .model = {.type = GM_MODEL_LINEAR, .intercept = true, .rank = 16, .count = 8, .restarts = 10, .embedding = 32},
        .optimizer = {.type = GM_OPTIMIZER_GD,
                      .learning_rate = NAN,
                      .schedule = GM_SCHEDULE_CONSTANT,
                      .step_factor = 0.1,
                      .step_epochs = 10,
                      .momentum = NAN,
                      .beta1 = NAN,
                      .beta2 = NAN,
                      .epsilon = NAN,
                      .weight_decay = NAN,
                      .clip_norm = NAN,
                      .average_decay = NAN},
        .stop = {.max_epochs = 1000,
                 .loss_change = 1e-6,
                 .relative = true,
                 .patience = 5,
                 .monitor = GM_MONITOR_AUTO,
                 .restore_best = true,
                 .target_loss = NAN,
                 .gradient_norm = NAN,
                 .max_time = NAN},
        .output = {.model = "model.h5", .log = "log.jsonl", .checkpoint_every = 60},
        .run = {.seed = 1, .precision = GM_FLOAT32, .watchdog = NAN},
    };
}
