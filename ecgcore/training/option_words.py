"""Every option of a run in one sentence: what it does, in which unit, what is allowed, where it is
from.

``OPTION_WORDS`` has a row for each field of ``TrainOptions`` and of ``Augmentation``, named as
recipes name them ("augmentation.shift"); ``OBJECTIVE_WORDS`` one for each objective and
``OBJECTIVE_OPTION_WORDS`` for each of its options. ``network_option_words`` has the networks'.
A test fails where an option has no words.
"""

from __future__ import annotations

from typing import Literal, get_args

Group = Literal[
    "Labels and folds", "Input", "Objective", "Optimiser", "Schedule", "Augmentation", "Keeping",
    "Members", "Card",
]  # fmt: skip
GROUPS: tuple[Group, ...] = get_args(Group)

GROUP_OF: dict[str, Group] = {
    "label_set": "Labels and folds",
    "train_folds": "Labels and folds",
    "validation_folds": "Labels and folds",
    "fewest_positives": "Labels and folds",
    "fewest_validation_positives": "Labels and folds",
    "leads": "Input",
    "sampling_rate": "Input",
    "sampling": "Input",
    "batch": "Input",
    "objective": "Objective",
    "objective_options": "Objective",
    "alpha_balanced": "Objective",
    "teacher": "Objective",
    "start": "Optimiser",
    "optimiser": "Optimiser",
    "learning_rate": "Optimiser",
    "weight_decay": "Optimiser",
    "precision": "Optimiser",
    "seed": "Optimiser",
    "schedule": "Schedule",
    "epochs": "Schedule",
    "warmup_epochs": "Schedule",
    "restart_epochs": "Schedule",
    "restart_factor": "Schedule",
    "augmentation": "Augmentation",
    "keep": "Keeping",
    "best_by": "Keeping",
    "patience": "Keeping",
    "average": "Keeping",
    "members": "Members",
    "attribution": "Card",
}
"""Where each option of a run stands on the page; network and its options stand by themselves."""

OPTION_WORDS: dict[str, str] = {
    "network": "What is trained: one of the published networks, see its paper beside it.",
    "network_options": "The network's own shape; each is explained beside it.",
    "label_set": "What the model shall answer for: one of PTB-XL's sets (Wagner et al. 2020), or "
    "several of them together.",
    "train_folds": "Folds whose recordings are learned from. No fold of validation may be among "
    "them; patients do not stand in two folds where the data know their patients.",
    "validation_folds": "Folds that are scored after every epoch, that the best epoch and the "
    "thresholds are chosen on, and that the card's numbers come from.",
    "leads": "Which leads the network sees, in their order; without a choice those of its paper.",
    "sampling_rate": "Hz at which the network sees the signal; empty: its paper's. Packed data "
    "hold 100 Hz: a higher rate is interpolated and adds nothing.",
    "teacher": "A trained model whose answers the objective learns from (distillation). It must "
    "have the same labels, rate and length; its leads may be more.",
    "start": "Weights to begin from instead of random ones: of a pre-training (CLECG) or of a "
    "trained model, of the same network, options, leads and rate. The head stays random.",
    "objective": "What is made small in training; see the words of each.",
    "objective_options": "Numbers of the objective; empty: the paper's.",
    "alpha_balanced": "Whether a label's positives weigh as its share of negatives; only with "
    "focal objectives, and instead of alpha.",
    "optimiser": "adam (Kingma and Ba 2015), or adamw with the decay apart from the gradient "
    "(Loshchilov and Hutter 2019).",
    "learning_rate": "Step of the optimiser, above 0: the highest of its schedule. Lower it where "
    "the loss is not finite or jumps; 0.0001 to 0.01 is usual.",
    "weight_decay": "How strongly weights are drawn to 0, from 0 on; 0.01 is usual with adamw.",
    "sampling": "Which recordings an epoch shows: each once (uniform); those of rare labels more "
    "often (oversampling, CNN-TE); each label alike (class_balanced, Shen et al. 2016).",
    "schedule": "How the learning rate goes: constant; one_cycle up and down (Smith 2018); "
    "warm_restarts (SGDR 2017); warmup_cosine (HRNN); plateau, a tenth whenever the validation "
    "loss did not improve (Singstad et al. 2022).",
    "restart_epochs": "Epochs of the first fall of warm_restarts, 1 or more; no other schedule "
    "looks at it.",
    "restart_factor": "How many times as long each further fall of warm_restarts is, 1 or more.",
    "warmup_epochs": "Epochs over which warmup_cosine rises to its highest rate, from 0 on; no "
    "other schedule looks at it.",
    "batch": "Recordings a step. More take more memory and make fewer, smoother steps.",
    "epochs": "How often all recordings of training are shown, 1 or more.",
    "patience": "Epochs without a better validation score after which the run ends; 0: never "
    "earlier than its last epoch.",
    "keep": "Whether the weights of the best epoch or of the last are kept. The best of many "
    "epochs on few recordings flatters itself.",
    "best_by": "What makes an epoch the best: the mean AUROC, or the mean sensitivity at a "
    "probability of 0.5 (ECGencode).",
    "average": "Share of the old in a moving average of the weights, a step, 0 to below 1; 0: no "
    "average. The averaged weights are then validated and kept; 0.995 is usual here.",
    "members": "Runs, each of its own seed, whose mean answer is one model (deep ensembles, "
    "Lakshminarayanan et al. 2017); takes as many times as long. Or what each changes, as JSON.",
    "precision": "Numbers of the network's pass in training: float32, or bfloat16, about 1.4 times "
    "as fast on some processors; loss and validation stay in float32.",
    "augmentation": "Random changes of a recording each time it is shown, so that it is not "
    "learned by heart.",
    "augmentation.shift": "Largest circular shift in time, as a share of the length, 0 to 1.",
    "augmentation.gain": "Standard deviation of each lead's log gain, 0 to 1: 0.2 makes leads "
    "about a fifth larger or smaller.",
    "augmentation.lead_dropout": "Probability that a lead is silenced, 0 to 1.",
    "augmentation.noise": "Largest standard deviation of white noise, 0 to 1; the signal's is 1.",
    "augmentation.crop": "Largest share of the length that is cut off and filled with zeros, 0 to "
    "1, as a short recording is seen.",
    "augmentation.scale": "Standard deviation of the log gain that all leads share, 0 to 1.",
    "augmentation.uniform_noise": "Uniform noise in standard deviations of the recording, 0 to 1; "
    "1 is the paper's (Singstad et al. 2022, Equation 3).",
    "augmentation.baseline_wander": "Wander of one period in standard deviations of the recording, "
    "0 to 1; 1 is the paper's (Singstad et al. 2022, Equation 4).",
    "augmentation.mixup": "Alpha of mixup, 0 to 1 (Zhang et al. 2018): recordings and labels are "
    "mixed in pairs; not with a teacher.",
    "fewest_positives": "Positive recordings in training that a label needs; with fewer the model "
    "says \"not enough data\" instead of an answer.",
    "fewest_validation_positives": "Positive recordings in validation that a label needs, to "
    "choose its threshold on.",
    "seed": "Number that all chance starts from, from 0 on; the same seed repeats the run.",
    "attribution": "What the data's licence asks the model's card to say.",
}  # fmt: skip

OBJECTIVE_WORDS: dict[str, str] = {
    "bce": "Binary cross-entropy: each label by itself, all alike.",
    "weighted_bce": "Cross-entropy whose rare labels weigh more (HRNN, Equation 5).",
    "focal": "Focal loss: what is hard weighs more (Lin et al. 2017).",
    "categorical_focal": "Focal loss over labels that exclude each other (softmax).",
    "double_soft_f1": "F1 of positives and of negatives made smooth (Singstad et al. 2022, "
    "Equation 1).",
    "hrnn": "Weighted cross-entropy of network and rules (HRNN, Equation 6); for the network hrnn.",
    "mkd": "Multi-label distillation from a teacher (MVKT-ECG, Equation 8).",
    "kd": "Classical distillation from a teacher (Hinton et al. 2015).",
    "fitnet": "The student follows a layer of the teacher (FitNets, Romero et al. 2015).",
    "attention_transfer": "The student looks where the teacher looks (Zagoruyko and Komodakis "
    "2017).",
    "mvkt": "Distillation and contrastive lead-information transferring (MVKT-ECG, Equation 9).",
}

OBJECTIVE_OPTION_WORDS: dict[str, str] = {
    "alpha": "Weight of positives against negatives, 0 to 1 (0.25).",
    "gamma": "How much more what is hard weighs, from 0 on (2).",
    "lambda": "Weight of the rules' part (1); 0 leaves it out.",
    "weight": "Weight of the distillation beside the cross-entropy (1).",
    "temperature": "Softness of the teacher's answers, above 0 (1.5).",
    "hints": "Weight of the followed layer (100).",
    "attention": "Weight of the attention maps' distance (1000).",
    "mkd": "Weight of the multi-label distillation (1); not with kl.",
    "kl": "Weight of the classical distillation in the place of mkd (0).",
    "clt": "Weight of the contrastive part (0.8).",
    "negatives": "Other recordings that each one is held against (1024).",
    "contrast_temperature": "Sharpness of the contrastive part, above 0 (0.07).",
    "momentum": "Share of the old in the memory's rows, 0 to 1 (0.5).",
    "size": "Numbers of a projection (128).",
}
