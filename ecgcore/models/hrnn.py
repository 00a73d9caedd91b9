"""HRNN: a network whose answers are fused with handcrafted rules (Bian et al. 2022).

A backbone's pooled features, the age as one-hot decade and the sex go through one dense layer and a
sigmoid to h. Where class i has a rule that could be measured (rule r_i, 0 or 1), the super learner
answers y_i = h_i s(w_i) + r_i (1 - s(w_i)), s the sigmoid and w one learned weight a class; else
y_i = h_i (Equations 3 and 4). ``forward`` returns logit(y), so that the sigmoid of the logits is y
and a binary cross-entropy on them is the paper's on y.

Backbone: 1-D ResNet-34. The figure's blocks repeat n in {2, 3, 5} times, read with the first block
of each halving stage drawn apart: stages of 3, 4, 6 and 3 blocks, ResNet-34's (He et al. 2016). The
text says "identical mapping in the shortcut connections": He's parameter-free shortcut, every
second sample and zeros for the new channels; ``shortcut="projection"`` is the 1 x 1 convolution.

Settled where the paper is silent (the authors' published program holds the delineation only):
kernels of 7 and 3 samples, as it names ResNet-34 and changes only the dimension; He initialisation;
w starts at 0, both learners weighed alike; a rule that could not be decided in a recording is
masked there, as a class without a rule is; ages from 100 on belong to the last decade (PTB-XL
writes 300 for "over 89"). The rules are measured with the product's own delineation, see ``aside``,
not the paper's. A named backbone sees this network's input, 10 s at 500 Hz, whatever rate its own
entry has.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from ecgcore.models.aside import PAPER_RULES, AsideName, aside_columns
from ecgcore.models.input_spec import InputSpec
from ecgcore.models.network import AsideNetwork, Network, count_parameters
from ecgcore.models.registry import build_network, network_names, register

PAPER = "Bian et al. 2022, HRNN"
HRNN_ASIDE: tuple[AsideName, ...] = ("age", "sex", "rules:paper")

DECADES = 10
NO_RULE = ""

_RULE_OF_STATEMENT = {label: label for label in PAPER_RULES} | {"STACH": "TACH", "SBRAD": "BRAD"}
"""SCP-ECG statements and the rules that find them; the paper's two rate rules name no rhythm."""


def rules_for(codes: Sequence[str]) -> tuple[str, ...]:
    """The option ``rules`` for labels that are SCP-ECG statements (or named as the rules are)."""
    return tuple(_RULE_OF_STATEMENT.get(code, NO_RULE) for code in codes)


@dataclass(frozen=True)
class HRNNOptions:
    """Backbone and rules.

    ``backbone`` is the name of a registered network, None the paper's ResNet, which the next four
    options shape (``blocks`` and ``channels`` one a stage). ``rules`` has one of PAPER_RULES a
    label, or "" for a label without a rule; empty, no label has one.
    """

    backbone: str | None = None
    blocks: tuple[int, ...] = (3, 4, 6, 3)
    channels: tuple[int, ...] = (64, 128, 256, 512)
    kernel: int = 3
    stem_kernel: int = 7
    shortcut: Literal["identity", "projection"] = "identity"
    rules: tuple[str, ...] = ()


class Block(nn.Module):
    """Two convolutions with batch norm and a shortcut around them (He et al. 2016, basic block)."""

    def __init__(self, inputs: int, outputs: int, stride: int, options: HRNNOptions) -> None:
        super().__init__()
        kernel = options.kernel
        self.stride, self.added = stride, outputs - inputs
        self.conv_1 = _convolution(inputs, outputs, kernel, stride)
        self.norm_1 = nn.BatchNorm1d(outputs)
        self.conv_2 = _convolution(outputs, outputs, kernel, 1)
        self.norm_2 = nn.BatchNorm1d(outputs)
        self.projection: nn.Module | None = None
        if options.shortcut == "projection" and (stride > 1 or self.added):
            self.projection = nn.Sequential(
                _convolution(inputs, outputs, 1, stride), nn.BatchNorm1d(outputs)
            )

    def forward(self, x: Tensor) -> Tensor:
        """(batch, inputs, time) to (batch, outputs, ceil(time / stride))."""
        out = functional.relu(self.norm_1(self.conv_1(x)))
        return functional.relu(self.norm_2(self.conv_2(out)) + self._shortcut(x))

    def _shortcut(self, x: Tensor) -> Tensor:
        if self.projection is not None:
            projected: Tensor = self.projection(x)
            return projected
        padded: Tensor = functional.pad(x[..., :: self.stride], [0, 0, 0, self.added])
        return padded


class ResNet(Network):
    """Stem, max-pool and stages; all but the first stage halve the time in their first block. A
    backbone only: it has no dense layer.
    """

    def __init__(self, options: HRNNOptions, leads: int) -> None:
        super().__init__()
        if len(options.blocks) != len(options.channels) or not options.blocks:
            raise ValueError(
                f"{len(options.blocks)} numbers of blocks for {len(options.channels)} numbers of "
                "channels; give one of each a stage"
            )
        if sorted(options.channels) != list(options.channels):
            raise ValueError(f"channels {options.channels}; they must not become fewer")
        if options.kernel % 2 == 0 or options.stem_kernel % 2 == 0:
            raise ValueError(f"kernels {options.kernel}, {options.stem_kernel}; give odd lengths")
        width = options.channels[0]
        self.stem = nn.Sequential(
            _convolution(leads, width, options.stem_kernel, 2),
            nn.BatchNorm1d(width),
            nn.ReLU(),
            nn.MaxPool1d(3, stride=2, padding=1),
        )
        self.stages = nn.Sequential()
        for number, (blocks, outputs) in enumerate(
            zip(options.blocks, options.channels, strict=True)
        ):
            first = Block(width, outputs, 1 if number == 0 else 2, options)
            rest = [Block(outputs, outputs, 1, options) for _ in range(blocks - 1)]
            self.stages.append(nn.Sequential(first, *rest))
            width = outputs
        self.width = width

    def features(self, x: Tensor) -> Tensor:
        """(batch, leads, samples) to (batch, width): the global average over time."""
        pooled: Tensor = self.stages(self.stem(x)).mean(-1)
        return pooled

    @property
    def cam_layer(self) -> nn.Module:
        """The last stage."""
        return self.stages[-1]


class Parts(NamedTuple):
    """What the two-part loss needs, each (batch, labels): the network's own probability h, the
    rules' 0 or 1 (0 where masked), the mask (1 where a rule answered), the fused probability y."""

    network: Tensor
    rules: Tensor
    mask: Tensor
    fused: Tensor


@register(
    "hrnn",
    options=HRNNOptions,
    paper=PAPER,
    spec=InputSpec(sampling_rate=500.0, seconds=10.0, aside=HRNN_ASIDE),
    labels=55,
    output="sigmoid",
    count=count_parameters,
)
class HRNN(AsideNetwork):
    """The whole network; its features are the backbone's, the decade of age and the sex."""

    aside = HRNN_ASIDE

    def __init__(self, options: HRNNOptions, leads: int, labels: int) -> None:
        super().__init__()
        columns = aside_columns(HRNN_ASIDE)
        self.columns = len(columns)
        self.age, self.sex = columns.index("age"), columns.index("sex")
        self.backbone, width = _backbone(options, leads, labels)
        self.cam_keeps_leads = self.backbone.cam_keeps_leads
        self.head = nn.Linear(width + DECADES + 1, labels)
        rules = _checked_rules(options.rules, labels)
        any_rule = any(rule != NO_RULE for rule in rules)
        ruled = torch.tensor([rule != NO_RULE for rule in rules])
        sources = torch.tensor([columns.index(rule) if rule else 0 for rule in rules])
        self.register_buffer("ruled", ruled, persistent=False)
        self.register_buffer("sources", sources, persistent=False)
        # One weight a class, as in the paper; no gradient reaches those without a rule.
        self.trust = nn.Parameter(torch.zeros(labels), requires_grad=any_rule)

    def features(self, x: Tensor, aside: Tensor | None = None) -> Tensor:
        """(batch, leads, samples) and aside values (batch, 17) to (batch, features)."""
        told = self._told(x, aside)
        pooled = self.backbone.features(x)
        age, sex = one_hot_decade(told[:, self.age]), told[:, self.sex].nan_to_num(0.0)
        return torch.cat([pooled, age, sex[:, None]], dim=1)

    def forward(self, x: Tensor, aside: Tensor | None = None) -> Tensor:
        """The logits (batch, labels) of the fused probabilities."""
        logits: Tensor = self.head(self.features(x, aside))
        return self._fused(logits, *self.rule_answers(x, aside))

    def rule_answers(self, x: Tensor, aside: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """What the rules say of each class, 0 or 1, and the mask of where they say anything; both
        (batch, labels) float32. The rules are 0 where the mask is."""
        answers = self._told(x, aside)[:, self.get_buffer("sources")]
        mask = self.get_buffer("ruled") & answers.isfinite()
        return torch.where(mask, answers, 0.0), mask.to(x.dtype)

    def parts(self, x: Tensor, aside: Tensor | None = None) -> Parts:
        """Both learners' answers and the fused one, for a loss that looks at each."""
        logits = self.head(self.features(x, aside))
        rules, mask = self.rule_answers(x, aside)
        fused = self._fused(logits, rules, mask)
        return Parts(torch.sigmoid(logits), rules, mask, torch.sigmoid(fused))

    @property
    def cam_layer(self) -> nn.Module:
        """The backbone's."""
        return self.backbone.cam_layer

    @contextmanager
    def as_published(self) -> Iterator[None]:
        """The backbone's published order."""
        with self.backbone.as_published():
            yield

    def _fused(self, logits: Tensor, rules: Tensor, mask: Tensor) -> Tensor:
        return torch.where(mask > 0, fused_logits(logits, rules, self.trust), logits)

    def _told(self, x: Tensor, aside: Tensor | None) -> Tensor:
        if aside is None:
            return x.new_full((len(x), self.columns), torch.nan)
        if aside.shape != (len(x), self.columns):
            raise ValueError(
                f"aside values of shape {tuple(aside.shape)} for {len(x)} records; "
                f"{self.columns} a record are needed: {', '.join(HRNN_ASIDE)}"
            )
        return aside


def fused_logits(logits: Tensor, rules: Tensor, trust: Tensor) -> Tensor:
    """logit(y) of y = h s(w) + r (1 - s(w)) for h = s(``logits``), r 0 or 1, w = ``trust``.

    With z the logits and r = 0, 1/y - 1 = (1 + e^-z) (1 + e^-w) - 1, so that
    logit(y) = -log(e^-z + e^-w + e^(-z-w)); r = 1 mirrors it (1 - y for 1 - h). No probability is
    formed, so that nothing overflows or is lost near 0 and 1.
    """
    sign = 2 * rules - 1
    w = trust.expand_as(logits)
    terms = torch.stack([sign * logits, -w, sign * logits - w])
    fused: Tensor = sign * torch.logsumexp(terms, dim=0)
    return fused


def one_hot_decade(age: Tensor) -> Tensor:
    """Ages in years (batch,) to (batch, 10): a 1 in the decade, zeros where NaN or negative."""
    known = age >= 0
    decade = torch.where(known, age, 0.0).div(10).floor().clamp(max=DECADES - 1).long()
    return functional.one_hot(decade, DECADES).to(age.dtype) * known[:, None]


def _backbone(options: HRNNOptions, leads: int, labels: int) -> tuple[Network, int]:
    """A network without its own dense layer, and the number of its features."""
    if options.backbone is None:
        resnet = ResNet(options, leads)
        return resnet, resnet.width
    if options.backbone == "hrnn":
        known = ", ".join(name for name in network_names() if name != "hrnn")
        raise ValueError(f"hrnn cannot be its own backbone; choose one of {known}")
    network = build_network(options.backbone, leads=leads, labels=labels)
    if isinstance(network, AsideNetwork):
        raise ValueError(
            f"backbone {options.backbone!r} is told more than the signal; choose one that is not"
        )
    width = network.head.in_features
    del network.head  # unused: it would be counted and never trained
    return network, width


def _checked_rules(rules: Sequence[str], labels: int) -> tuple[str, ...]:
    chosen = tuple(rules) or (NO_RULE,) * labels
    unknown = [rule for rule in chosen if rule not in (NO_RULE, *PAPER_RULES)]
    if unknown or len(chosen) != labels:
        raise ValueError(
            f"rules {', '.join(map(repr, chosen))} for {labels} labels; give one a label, "
            f"'' or one of {', '.join(PAPER_RULES)}"
        )
    return chosen


def _convolution(inputs: int, outputs: int, kernel: int, stride: int) -> nn.Conv1d:
    layer = nn.Conv1d(inputs, outputs, kernel, stride=stride, padding=kernel // 2, bias=False)
    nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
    return layer
