"""Every option of every network in one sentence.

Options of one name mean the same in most networks; what a network means otherwise stands in its own
table. The numbers behind a default are its paper's.
"""

from __future__ import annotations

_COMMON: dict[str, str] = {
    "attention": "Width of the attention's tanh layer.",
    "augmented_leads": "Leads into which the spatial convolution mixes the recorded ones.",
    "backbone": "Name of the network under the rules; empty: the paper's ResNet.",
    "batch_norm": "Whether each convolution is followed by a batch norm.",
    "blocks": "Blocks of each stage, the first stage first.",
    "bottleneck": "Width of a bottleneck, in growths.",
    "channels": "Channels of each stage, the first stage first.",
    "channels_per_kernel": "Channels of each kernel of the first convolution.",
    "columns_share": "Share of the measured columns of which a node chooses the best, 0 to 1.",
    "concat": "Axis along which a module's branches are joined: channels (paper) or time.",
    "convolutions": "Convolutions in each of the five blocks.",
    "dense": "Width of the dense layer.",
    "depth": "Modules, a multiple of three.",
    "double_every": "Blocks after which the number of filters doubles.",
    "dropout": "Share of values silenced in training, 0 to below 1.",
    "early_blocks": "Blocks of the stage before the leads are joined.",
    "encoder_layers": "Transformer layers behind the convolutions.",
    "excitation": "Reduction of squeeze-and-excitation; 0: none.",
    "feature_1": "First feature block: kernel, stride, outputs, multiplier; as its paper has it.",
    "feature_2": "Second feature block: kernel, stride, outputs, multiplier; as its paper has it.",
    "feed_forward": "Width of a transformer layer's feed-forward part.",
    "filters": "Filters of every convolution.",
    "graph": "Which labels come together, as shares a row; empty: counted in the training records.",
    "growth": "Channels that each layer of a dense block adds.",
    "head": "How features become answers: average pooling, or the benchmark's head.",
    "head_dropout": "Drop-out of the benchmark's head, 0 to below 1.",
    "heads": "Attention heads.",
    "hidden": "Width of the benchmark's head.",
    "joined_channels": "Channels after the leads are joined.",
    "kernel": "Samples that a convolution sees at once.",
    "kernels": "Samples that each convolution, or each branch, sees at once.",
    "last": "Which states of the recurrent layers count as the last.",
    "layers": "Layers.",
    "levels": "Levels of the wavelet decomposition, or of each tree.",
    "lstm_units": "Units of the bidirectional LSTM behind the features; 0: none.",
    "measured_dropout": "Share of the measured values silenced in training, 0 to below 1.",
    "members": "Networks that answer together, with their options and weights.",
    "networks": "One network for all labels (shared), or one for each (own).",
    "node": "Numbers of each label's node.",
    "noise": "Probability of spatial Gaussian noise in training, 0 to 1.",
    "noise_deviation": "Standard deviation of that noise; the signal's is 1.",
    "output": "sigmoid: labels by themselves; softmax: one of them.",
    "patch": "Samples of a token.",
    "pool": "Samples of which the largest is kept.",
    "pools": "Samples of which the largest is kept, after each block.",
    "rate": "Share of its correction that each tree makes, 0 to 1.",
    "readout": "How maps become features: summed over time, or flat.",
    "records_share": "Share of the recordings that each tree is grown on, 0 to 1.",
    "rules": "Rule of each label; by_label: the one that is known for it (HRNN's 15).",
    "samples": "Length of a recording in samples; used where the readout is flat.",
    "segment": "Tokens of a segment; 0: the whole record at once.",
    "shared_shortcuts": "Whether a stage's blocks share a shortcut, as the authors' program does.",
    "shortcut": "Shortcut of a block: identity, or projection.",
    "smallest_leaf": "Fewest recordings of a leaf.",
    "softness": "How far a limit of a tree reaches, in standard deviations of what it asks about.",
    "spatial_filters": "Filters of the convolution over the leads.",
    "spatial_kernel": "Samples that the convolution over the leads sees at once.",
    "stem": "Channels of the first convolutions, or of the first one.",
    "stem_kernel": "Samples that the first convolution sees at once.",
    "stem_pool": "Whether the first convolution is followed by a max-pool.",
    "stem_stride": "Samples by which the first convolution moves on.",
    "stride": "Samples by which a convolution moves on.",
    "trees": "Trees of the forest, or of each label.",
    "units": "Units of a recurrent layer.",
    "units_dropout": "Share of these units silenced in training, 0 to below 1.",
    "width": "Numbers of a token.",
    "widths": "Channels of each stage, the first stage first.",
}

_OWN: dict[str, dict[str, str]] = {
    "afibri_net3": {"filters": "Filters of each of the three layers."},
    "attia": {"filters": "Filters of each temporal block."},
    "cnn_hannun": {
        "blocks": "Residual blocks.",
        "filters": "Filters of the first block.",
    },
    "cnn_te": {
        "channels": "Channels of the convolutions; the last is the encoder's width, a multiple of "
        "twice the heads.",
    },
    "densecnn_wang": {"blocks": "Layers of each dense block."},
    "lstm_bidir": {
        "units": "Units of a recurrent layer, a direction.",
        "dropout": "Share silenced before the last dense layer, half of it before the first.",
    },
    "mlwgat": {
        "blocks": "Blocks of each stage of the backbone.",
        "heads": "Attention heads of a graph layer.",
        "layers": "Graph layers.",
    },
    "se_ecgnet": {
        "blocks": "Blocks of the stage after the leads are joined.",
        "channels": "Channels of a lead before the leads are joined.",
    },
    "vgg11": {"channels": "Channels of each of the five blocks."},
    "inception_measured": {"units": "Units of the layer on the measured values."},
    "inception1d": {"filters": "Filters of every branch and of the bottleneck."},
}


def network_option_words(network: str, option: str) -> str | None:
    """What an option of a network does; None where nobody has said."""
    return _OWN.get(network, {}).get(option) or _COMMON.get(option)
