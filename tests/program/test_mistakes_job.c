/* Mistakes in job files. */
#include "program/mistakes.h"

static void job_files(void)
{
    static const struct mistake mistakes[] = {
        {TRAIN "--set output.log=none.h5", 78, "'none.h5' is named twice"},
        {"ln -sf d.h5 link.h5; " TRAIN "--set output.model=link.h5", 78, "would replace 'd.h5"},
        {TRAIN "--set data.train=d.h5 --set 'data.validation=[d.h5:/X]' --set output.log=d.h5", 78,
         "would replace 'd.h5"},
        {"cp d.h5 d2.h5; " TRAIN "--set data.validation=d2.h5 --set output.checkpoint=d2.h5", 78,
         "which data.validation reads"},
        {"cp d.h5 marks.h5; " TRAIN "--set data.split=marks.h5:/y --set output.log=marks.h5", 78,
         "which data.split reads"},
        {"cp $G own.so; " TRAIN "--set loss.name=./own.so --set output.log=own.so", 78,
         "would replace the loss './own.so'"},
        {TRAIN "--set loss.5.name=mse --set 'loss=[mse, huber]' --set loss.5.name=mse", 78, "loss"},
        {TRAIN "--set model.type=mlp", 78, "model.hidden: expected 1 to"},
        {TRAIN "--set 'data.train=[[a]]'", 78, "data.train: expected the name of a file"},
        {TRAIN "--set stop=3", 78, "stop: expected a map of keys"},
        {TRAIN "--set 'loss={name: huber, params: {delta: [[1]]}}'", 78, "expected a number or a word in the list"},
        {TRAIN "--set 'loss={name: huber, params: {delta: {a: 1}}}'", 78,
         "expected a number, a word or a list of numbers"},
        {TRAIN "--set 'loss=[[mse]]'", 78, "a loss: a name or a map {name, weight, columns, params}"},
        {"printf 'loss: &a mse\\n' >x.yaml; $G train x.yaml", 78,
         "x.yaml:1:7: anchors (&name) are not used in job files"},
        {"printf 'loss: *a\\n' >x.yaml; $G train x.yaml", 78, "aliases (*name) are not used in job files"},
        {"printf 'loss: !a mse\\n' >x.yaml; $G train x.yaml", 78, "tags (!name) are not used in job files"},
        {"printf 'loss: \"a\\\\0b\"\\n' >x.yaml; $G train x.yaml", 78, "a text holds a zero byte"},
        {"printf 'loss: \\001\\n' >x.yaml; $G train x.yaml", 78, "not a text file that YAML allows"},
        {"{ printf 'loss: '; yes '[' | head -n 100 | tr -d '\\n'; } >x.yaml; $G train x.yaml", 78,
         "nested too deeply for a job file"},
        {TRAIN "--io fast", 64, "--io: expected auto, mapped, chunks or bands, found"},
        {TRAIN "--set optimizer.momentum=1", 78, "optimizer.momentum: expected"},
        {TRAIN "--set loss=kmeans", 78, "clusters by the squared distances that the model 'centroids' gives"},
        {TRAIN "--set \"loss=[mse$(yes ,mse | head -n 64 | tr -d '\\n')]\"", 78,
         "loss: 65 losses; at most 64 are possible"},
        {TRAIN "--set output.log=/dev/full", 73, "is a device, pipe or socket"},
        {"cp m.h5 c.h5; rm -f c.h5.1; " TRAIN "--set output.checkpoint=c.h5 --resume", 65,
         "c.h5: this is not a checkpoint of gradmill."},
        {"cp m.h5 c.h5; cp m.h5 c.h5.1; " TRAIN "--set output.checkpoint=c.h5 --resume", 65,
         "And no older checkpoint can be used: c.h5.1: "},
        {TRAIN "--set loss=contrastive --set model.outputs=3", 78, "Loss contrastive with 3 outputs: "},
        {TRAIN "--set optimizer.type=newton --set optimizer.l1=1", 78, "newton needs a smooth objective"},
    };
    CHECK(mistakes);
}

TEST_MAIN("mistakes_job", TEST(job_files))
