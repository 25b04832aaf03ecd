/* SPDX-License-Identifier: Apache-2.0 */
/* The exercise of docs/tutorial.md, step by step as its Python original:
 *   exercise [ARCH WEIGHTS DATA]
 * WEIGHTS "-" begins from fresh ones.  Errors end the program with their message. */
#include <afina/afina.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void check(afn_status st)
{
    if (st == AFN_OK) return;
    fprintf(stderr, "exercise: %s\n", afn_error_message());
    exit(1);
}

/* for epoch in range(epochs): for inputs, labels in train_loader: ... */
static void train(afn_model *model, afn_loader *loader, float lr, int64_t first)
{
    enum { EPOCHS = 5 };
    afn_trainer_opts sgd = afn_trainer_defaults(); /* momentum 0.9, cross-entropy */
    afn_trainer *trainer;
    sgd.optim.lr = lr;
    check(afn_trainer_new(&trainer, model, &sgd));
    for (int64_t epoch = first; epoch < first + EPOCHS; epoch++) {
        afn_batch batch;
        afn_step_result step;
        double loss = 0;
        int64_t steps = 0;
        check(afn_loader_start(loader, epoch));
        for (;; steps++, loss += step.loss) {
            check(afn_loader_next(loader, &batch));
            if (batch.n == 0) break;
            check(afn_trainer_step(trainer, &batch, &step));
        }
        printf("epoch %d: loss %.4f\n", (int)epoch + 1, loss / (double)steps);
    }
    check(afn_trainer_sync(trainer));
    afn_trainer_free(trainer);
}

int main(int argc, char **argv)
{
    const char *arch = argc > 1 ? argv[1] : "resnet50";
    const char *weights = argc > 2 ? argv[2] : "resnet50.pth";
    const char *data = argc > 3 ? argv[3] : "fake:size=1000,classes=5";
    afn_model *model;
    afn_dataset *dataset;
    afn_loader *loader;

    /* 1. Choose a pretrained model. */
    if (strcmp(weights, "-") == 0)
        check(afn_model_new(&model, arch, 1000, 0));
    else
        check(afn_model_open(&model, arch, weights));

    /* 2. Freeze every layer. */
    check(afn_model_freeze(model, "*"));

    /* 3. Change the output layer; the new one is trainable. */
    check(afn_model_replace_head(model, 5, 0));

    /* 4. Loss and optimiser: cross-entropy and SGD, made in train() above. */

    /* 5. Prepare the data, Resize(256) and CenterCrop(224); train the new layer. */
    const afn_preprocess transform = afn_model_preprocess(model);
    check(afn_dataset_open(&dataset, data));
    check(afn_loader_new(&loader, dataset, &transform, NULL)); /* 32, shuffled */
    train(model, loader, 0.001f, 0);

    /* 6. Unfreeze the layers and fine-tune. */
    check(afn_model_unfreeze(model, "*"));
    train(model, loader, 0.0001f, 5);

    check(afn_model_save(model, "exercise.pth"));
    afn_loader_free(loader);
    afn_dataset_free(dataset);
    afn_model_free(model);
    return 0;
}
