/* Networks on the sample of sparse_lab.h, for tests. */
#ifndef TESTS_TRAIN_MLP_SPARSE_LAB_H
#define TESTS_TRAIN_MLP_SPARSE_LAB_H

#include "train/sparse_lab.h"

static const size_t units[] = {20, 9};

static inline void make_mlp(struct lab *lab, const char *data, const char *loss, const char *model)
{
    lab_job(lab, data, loss, model);
    lab->job.model.type = GM_MODEL_MLP;
    lab->job.model.hidden = (struct gm_wholes){units, 2};
    lab->job.model.activation = GM_TANH;
    lab->job.data.standardize = false;
    lab->job.data.validation_fraction = 0.2;
    lab->job.stop.max_epochs = 3;
    lab->job.stop.restore_best = false;
    lab->job.run.seed = 4;
    lab->job.run.threads = 1; /* small work, and bits do not depend on it */
}

static inline void train_well(struct lab *lab, const char *what)
{
    struct gm_error err;
    enum gm_code code = lab_train(lab, &err);
    if (code)
        printf("\n    %s: %s", what, err.text);
    CU_ASSERT_EQUAL_FATAL(code, GM_OK);
}

/* ---- ways to train ---- */

static inline void batches(struct gm_job *job, enum gm_optimizer type)
{
    job->optimizer.type = type;
    job->optimizer.batch_size = 20; /* some 80 entries, 400 columns */
    job->optimizer.learning_rate = type == GM_OPTIMIZER_ADAGRAD ? 0.05 : 0.3;
    job->optimizer.schedule = GM_SCHEDULE_COSINE; /* another rate in each step */
}

static inline void penalised(struct gm_job *job)
{
    batches(job, GM_OPTIMIZER_SGD);
    job->optimizer.l1 = 2e-3;
    job->optimizer.l2 = 0.02;
}

static inline void full(struct gm_job *job)
{
    job->optimizer.l2 = 1e-3;
    job->stop.max_epochs = 5;
}

static inline void full_lbfgs(struct gm_job *job)
{
    full(job);
    job->optimizer.type = GM_OPTIMIZER_LBFGS;
}

#endif
