/* Mistakes with losses: naming, checking, making them. */
#include "program/mistakes.h"

static void losses(void)
{
    static const struct mistake mistakes[] = {
        {TRAIN "--set 'loss=[{name: mse, columns: \"2:2\"}]'", 78, "columns"},
        {TRAIN "--set 'loss=[{name: mse, columns: 0, target: 7}]'", 78, "is not within the 1 columns of the target"},
        {TRAIN "--set 'loss=[{name: mse, columns: 0}, {name: mse, columns: 2, target: 0}]'", 78,
         "Output 1 belongs to no loss of the list"},
        {TRAIN "--set 'data.train=d.h5:/wider' --set 'loss=[{name: mse, columns: \"0:5\"}]'", 78,
         "reach beyond the 2 columns of the target"},
        {TRAIN "--set 'loss=[{name: mse, weight: 0}]'", 78, "loss.weight: expected"},
        {TRAIN "--set loss=contrastive", 78, "works with any number of outputs; say how many"},
        {TRAIN "--set 'loss={name: huber, params: {nonsense: 1}}'", 78, "has no parameter \"nonsense\""},
        {TRAIN "--set 'data.train=d.h5:/wider' --set loss=cross_entropy", 65,
         "a class label is one column, but there are 2"},
        {"$G check-loss mse --only nonsense", 64, "There is no check \"nonsense\""},
        {"ln -sf m.h5 x.so; $G check-loss ./x.so", 81, "is not a shared object (no ELF header)"},
        {"GRADMILL_LOSS_PATH=$(head -c 9000 /dev/zero | tr '\\0' a) " TRAIN, 64, "loss search path"},
        {"$G new-loss 9th --formula pred", 64, "cannot name a loss"},
        {"$G new-loss n --formula '(pred - target)^2' --param d=1", 64, "--param: the formula does not use 'd'"},
        {"$G new-loss n --formula '(pred - target)^2' --theta d=1", 64, "--theta: the formula does not use 'd'"},
        {"$G new-loss n --formula 'd * (pred - target)^2' --param d=1 --theta d=1", 64,
         "is both a --param and a --theta"},
        {"CC=nonsense-cc $G new-loss n --formula '(pred - target)^2' -o made", 71,
         "There is no C compiler 'nonsense-cc'"},
        {"CC=false $G new-loss n --formula '(pred - target)^2' -o made2", 71, "The C compiler 'false' failed on "},
        {"CC=\"$(yes a | head -n 500 | tr '\\n' ' ')\" $G new-loss n --formula '(pred - target)^2' -o made3", 71,
         "environment variable CC"},
        {": >file; $G new-loss n --formula '(pred - target)^2' -o file", 73, "exists and is not a directory"},
        {"$G check-loss huber --param delta", 64, "--param takes NAME=VALUE, as in --param delta=1.0"},
        {"$G losses mse huber", 64, "Expected one name at most, as in: gradmill losses huber"},
        {"$G new-loss n --formula '(pred - target)^2' $(yes -- '--param d=1' | head -n 100 | tr '\\n' ' ')", 64,
         "--param: at most "},
        {"mkdir -p twice; : >twice/n.c; $G new-loss n --formula '(pred - target)^2' -o twice", 73,
         "exists already. Choose another name or directory (-o)"},
        {"$G new-loss n --param d=1", 64, "Parameters, target, link and convexity go with a formula"},
        {"$G new-loss n --formula '2pred'", 64, "a number ends here; write * between a number and a name"},
        {"$G new-loss n --formula 'pred && target'", 64, "conditions are joined with the words 'and' and 'or'"},
        {"$G new-loss n --formula '!pred'", 64, "negation is written with the word 'not'"},
        {"$G new-loss n --formula 'zzzzzzzz * pred'", 64, "a parameter is declared with --param zzzzzzzz=DEFAULT"},
        {"$G new-loss n --formula 'D * pred' --param D=1", 64,
         "a name is a small letter, then small letters, digits and _"},
        {": >noexec; CC=./noexec $G new-loss n --formula '(pred - target)^2' -o made4", 71,
         "Cannot start the C compiler './noexec'"},
        {"mkdir -p made5/n.so/x; CC=true $G new-loss n --formula '(pred - target)^2' -o made5 --force", 73,
         "Cannot replace "},
        {"truncate -s 5G big.so; $G check-loss ./big.so", 81, "bytes are too many for a loss plugin"},
        {"cp \"$GRADMILL_LOSSES/mse.so\" cut.so && truncate -s 3000 cut.so && $G check-loss ./cut.so", 81,
         "its tables point outside the file"},
        {TRAIN "--set 'loss=[{name: mse, columns: \"0:2\"}]'", 78, "it has 1 outputs, but its columns are 2"},
    };
    CHECK(mistakes);
}

TEST_MAIN("mistakes_loss", TEST(losses))
