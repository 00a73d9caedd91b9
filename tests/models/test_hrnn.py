"""HRNN: ResNet-34 by hand, the fusion by its printed formula, and what is missing left out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save
from torch import Tensor, nn

from ecgcore.labels import statements
from ecgcore.models.aside import PAPER_RULES
from ecgcore.models.card import CARD, WEIGHTS, CardError
from ecgcore.models.hrnn import HRNN, HRNN_ASIDE, fused_logits, one_hot_decade, rules_for
from ecgcore.models.input_spec import prepare
from ecgcore.models.network import count_parameters
from ecgcore.models.predictor import Predictor, read_predictor
from ecgcore.models.registry import build_network, network_entry
from ecgcore.recording import Patient, Recording
from tests.models.example import CODES, example_card, example_recording

SMALL: dict[str, Any] = {"blocks": [1, 1], "channels": [8, 16]}
RULES = ("", "LAD", "TACH", "PRWP", "QWAVE")
"""For CODES. Of the example recording LAD and QWAVE fire, TACH and PRWP do not."""
AGE, SEX, FIRST_RULE = 0, 1, 2


def small(rules: Sequence[str] = RULES, labels: int = 5, **options: Any) -> HRNN:
    """A network of two blocks, with weights of the rules that differ."""
    torch.manual_seed(0)
    chosen = SMALL | {"rules": list(rules)} | options
    network = build_network("hrnn", leads=12, labels=labels, options=chosen)
    assert isinstance(network, HRNN)
    with torch.no_grad():
        network.trust.copy_(torch.linspace(-1.5, 2.0, labels))
    return network.eval()


def aside_of(records: int = 4, **columns: float) -> Tensor:
    """Aside values in which only the named columns are known."""
    names = ("age", "sex", *PAPER_RULES)
    rows = torch.full((records, len(names)), torch.nan)
    for name, value in columns.items():
        rows[:, names.index(name)] = value
    return rows


def plain(h: Tensor, rule: Tensor, mask: Tensor, w: Tensor) -> Tensor:
    """Equation 4, as printed."""
    s = 1 / (1 + torch.exp(-w))
    return mask * (h * s + rule * (1 - s)) + (1 - mask) * h


def test_the_default_backbone_has_34_layers_repeated_2_3_and_5_times() -> None:
    network = build_network("hrnn", leads=12, labels=55)
    assert isinstance(network, HRNN)
    convolutions = [m for m in network.modules() if isinstance(m, nn.Conv1d)]
    assert len(convolutions) + 1 == 34
    blocks = [len(stage) for stage in network.backbone.stages]
    assert blocks == [3, 4, 6, 3]
    assert {blocks[0]} | {count - 1 for count in blocks[1:]} == {2, 3, 5}


def test_weights_by_hand() -> None:
    """Stem, 16 blocks of two convolutions of 3 with two batch norms, dense over 512 + 10 + 1."""
    expected = 12 * 64 * 7 + 2 * 64
    width = 64
    for blocks, channels in zip((3, 4, 6, 3), (64, 128, 256, 512), strict=True):
        for _ in range(blocks):
            expected += 3 * channels * (width + channels) + 4 * channels
            width = channels
    expected += (512 + 11) * 55 + 55
    assert count_parameters(build_network("hrnn", leads=12, labels=55)) == expected
    with_rules = {"rules": ["LAD", *[""] * 54]}
    network = build_network("hrnn", leads=12, labels=55, options=with_rules)
    assert count_parameters(network) == expected + 55


def test_shapes_through_the_stages() -> None:
    network = build_network("hrnn", leads=12, labels=5).eval()
    assert isinstance(network, HRNN)
    with torch.inference_mode():
        out = network.backbone.stem(torch.randn(1, 12, 5000))
        shapes = [tuple(out.shape[1:])]
        for stage in network.backbone.stages:
            out = stage(out)
            shapes.append(tuple(out.shape[1:]))
    assert shapes == [(64, 1250), (64, 1250), (128, 625), (256, 313), (512, 157)]


def test_the_identity_shortcut_passes_every_second_sample() -> None:
    network = small()
    block = network.backbone.stages[1][0]
    nn.init.zeros_(block.norm_2.weight)
    x = torch.rand(2, 8, 9)
    with torch.inference_mode():
        out = block(x)
    assert torch.equal(out[:, :8], x[..., ::2])
    assert not out[:, 8:].any()
    projected = small(shortcut="projection").backbone.stages[1][0].projection
    assert count_parameters(projected) == 8 * 16 + 2 * 16


@pytest.mark.parametrize("rule", [0.0, 1.0])
def test_fused_logits_are_the_formula(rule: float) -> None:
    z, w = torch.randn(400).double() * 4, torch.randn(400).double() * 3
    y = plain(torch.sigmoid(z), torch.tensor(rule), torch.tensor(1.0), w)
    found = fused_logits(z, torch.full_like(z, rule), w)
    torch.testing.assert_close(found, torch.logit(y), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("rule", [0.0, 1.0])
@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_fused_logits_neither_overflow_nor_saturate(rule: float, sign: float) -> None:
    """Where float32 probabilities are 0 or 1, logits and gradients still are numbers."""
    z = torch.tensor([60.0, 200.0, 1e4]).mul(sign).requires_grad_()
    w = torch.tensor([50.0, -80.0, 300.0]).requires_grad_()
    found = fused_logits(z, torch.full((3,), rule), w)
    found.sum().backward()
    assert found.isfinite().all()
    assert z.grad is not None and z.grad.isfinite().all()
    assert w.grad is not None and w.grad.isfinite().all()
    exact = fused_logits(z.detach().double(), torch.full((3,), rule).double(), w.detach().double())
    torch.testing.assert_close(found.detach().double(), exact, rtol=1e-6, atol=1e-6)


def test_the_sigmoid_of_the_logits_is_the_papers_y() -> None:
    """A mask a record and class: every mixture of rules fired, not fired and not measured."""
    network = small()
    torch.manual_seed(1)
    x, aside = torch.randn(27, 12, 1000), aside_of(27, age=50, sex=1)
    choices = torch.tensor([0.0, 1.0, torch.nan])
    columns = [FIRST_RULE + PAPER_RULES.index(rule) for rule in ("LAD", "TACH", "PRWP")]
    aside[:, columns] = torch.cartesian_prod(choices, choices, choices)
    with torch.inference_mode():
        h = torch.sigmoid(network.head(network.features(x, aside)))
        rule = torch.zeros(27, 5)
        rule[:, 1:4] = aside[:, columns].nan_to_num(0.0)
        mask = torch.zeros(27, 5)
        mask[:, 1:4] = (~aside[:, columns].isnan()).float()
        expected = plain(h, rule, mask, network.trust)
        torch.testing.assert_close(torch.sigmoid(network(x, aside)), expected)
        parts = network.parts(x, aside)
    for found, wanted in zip(parts, (h, rule, mask, expected), strict=True):
        torch.testing.assert_close(found, wanted)
    assert (expected[:, 0] == h[:, 0]).all()
    assert (expected - h).abs().max() > 0.1


def test_without_aside_values_the_network_answers_alone() -> None:
    network = small()
    x = torch.randn(2, 12, 1000)
    with torch.inference_mode():
        features = network.features(x)
        assert not features[:, -11:].any()
        assert torch.equal(network(x), network.head(features))
        assert torch.equal(network(x), network(x, aside_of(2)))


def test_age_and_sex_stand_behind_the_features() -> None:
    network, x = small(), torch.randn(4, 12, 1000)
    aside = aside_of(4, age=37)
    aside[:, SEX] = torch.tensor([1.0, 2.0, torch.nan, 2.0])
    aside[3, AGE] = torch.nan
    with torch.inference_mode():
        features = network.features(x, aside)
    assert network.head.in_features == 16 + 10 + 1
    assert torch.equal(features[:, :16], network.backbone.features(x))
    assert features[:3, 16:26].tolist() == [[0.0] * 3 + [1.0] + [0.0] * 6] * 3
    assert not features[3, 16:26].any()
    assert features[:, 26].tolist() == [1.0, 2.0, 0.0, 2.0]


@pytest.mark.parametrize(
    ("age", "decade"),
    [
        (0, 0),
        (9.99, 0),
        (10, 1),
        (69.5, 6),
        (99, 9),
        (100, 9),
        (300, 9),
        (np.nan, None),
        (-1, None),
    ],
)
def test_ages_fall_into_decades(age: float, decade: int | None) -> None:
    expected = [float(number == decade) for number in range(10)]
    assert one_hot_decade(torch.tensor([age]))[0].tolist() == expected


def test_only_classes_with_a_measured_rule_move_their_weight() -> None:
    network = small().train()
    aside = aside_of(4, LAD=1.0, TACH=0.0, QWAVE=torch.nan)
    network(torch.randn(4, 12, 1000), aside).square().sum().backward()
    assert network.trust.grad is not None
    assert (network.trust.grad != 0).tolist() == [False, True, True, False, False]
    assert all(p.grad is not None and p.grad.isfinite().all() for p in network.parameters())
    assert not small(rules=()).trust.requires_grad


def test_fused_classes_learn_by_cross_entropy_on_the_logits() -> None:
    """The loss on the logits is the paper's on y, so its gradient is too."""
    network, x, aside = small(), torch.randn(4, 12, 1000), aside_of(4, LAD=1.0, QWAVE=0.0)
    targets = torch.randint(0, 2, (4, 5)).float()
    bce = nn.functional.binary_cross_entropy
    (on_logits,) = torch.autograd.grad(
        nn.functional.binary_cross_entropy_with_logits(network(x, aside), targets), network.trust
    )
    (on_y,) = torch.autograd.grad(bce(network.parts(x, aside).fused, targets), network.trust)
    torch.testing.assert_close(on_logits, on_y)


def test_wrong_options_and_values_are_refused() -> None:
    with pytest.raises(ValueError, match=r"for 5 labels; give one a label, '' or one of PRWP, "):
        small(rules=("LAD",))
    with pytest.raises(ValueError, match="'lad'"):
        small(rules=("lad", "", "", "", ""))
    with pytest.raises(ValueError, match=r"cannot be its own backbone; choose one of .*inception"):
        small(backbone="hrnn")
    with pytest.raises(ValueError, match="2 numbers of blocks for 1 numbers of channels"):
        small(channels=[8])
    with pytest.raises(ValueError, match="must not become fewer"):
        small(channels=[16, 8])
    with pytest.raises(ValueError, match="give odd lengths"):
        small(kernel=4)
    with pytest.raises(ValueError, match=r"shape \(2, 3\) for 2 records; 17 a record are needed"):
        small()(torch.randn(2, 12, 1000), torch.zeros(2, 3))


@pytest.mark.parametrize("backbone", ["inception", "ecgencode_m1", "ecgencode_m2"])
def test_a_registered_network_can_be_the_backbone(backbone: str) -> None:
    network = small(backbone=backbone)
    own = build_network(backbone, leads=12, labels=5)
    assert network.head.in_features == own.head.in_features + 11
    assert not any(name.startswith("backbone.head") for name, _ in network.named_parameters())
    assert network.cam_keeps_leads == own.cam_keeps_leads
    seen: list[Tensor] = []
    hook = network.cam_layer.register_forward_hook(lambda module, given, out: seen.append(out))
    with torch.inference_mode(), network.as_published():
        logits = network(torch.randn(2, 12, 5000), aside_of(2, age=70, LAD=1.0))
    hook.remove()
    assert logits.shape == (2, 5)
    assert len(seen) == 1


def test_statements_have_the_rules_that_find_them() -> None:
    codes = [label.code for label in statements()]
    found = dict(zip(codes, rules_for(codes), strict=True))
    ruled = {code: rule for code, rule in found.items() if rule}
    assert ruled.pop("STACH") == "TACH" and ruled.pop("SBRAD") == "BRAD"
    same = {"SARRH", "LVOLT", "LNGQT", "1AVB", "QWAVE", "TAB_", "RAO/RAE", "VCLVH"}
    assert ruled == {code: code for code in same}


def predictor_of(network: HRNN, rules: Sequence[str] = RULES) -> Predictor:
    card = example_card("hrnn", options=SMALL | {"rules": list(rules)})
    return Predictor(card, network, torch.device("cpu"))


def of_a_woman() -> Recording:
    return replace(example_recording(), patient=Patient(age=63.0, sex="F"))


def test_a_recordings_rules_move_the_answer_by_the_formula() -> None:
    network, recording = small(), of_a_woman()
    told = prepare(recording, network_entry("hrnn").spec)
    fired = {rule: told.aside[FIRST_RULE + PAPER_RULES.index(rule)] for rule in RULES[1:]}
    assert fired == {"LAD": 1.0, "TACH": 0.0, "PRWP": 0.0, "QWAVE": 1.0}
    fused = predictor_of(network).probabilities(told.values[None], told.aside[None])[0]
    alone = predictor_of(network).probabilities(
        told.values[None], np.where(np.arange(17) < FIRST_RULE, told.aside, np.nan)[None]
    )[0]
    s = torch.sigmoid(network.trust).detach().numpy()
    rule = np.array([0.0, 1.0, 0.0, 0.0, 1.0])
    expected = np.where([False, True, True, True, True], alone * s + rule * (1 - s), alone)
    np.testing.assert_allclose(fused, expected, rtol=1e-5)
    answer = predictor_of(network).predict(recording)
    for code, probability in zip(CODES[:4], expected, strict=False):
        assert answer.label(code).probability == pytest.approx(probability, rel=1e-5)


def test_an_undecided_rule_leaves_the_networks_answer() -> None:
    """Without V1 nobody can say whether R grows from V1 to V4."""
    network = small()
    recording = replace(example_recording(flat=("V1",)), patient=Patient(age=63.0, sex="F"))
    told = prepare(recording, network_entry("hrnn").spec)
    x, aside = torch.from_numpy(told.values)[None], torch.from_numpy(told.aside)[None]
    with torch.inference_mode():
        parts = network.parts(x, aside)
    assert parts.mask[0].tolist() == [0.0, 1.0, 1.0, 0.0, 1.0]
    assert parts.fused[0, 3] == parts.network[0, 3]
    said = predictor_of(network).predict(recording).warnings
    assert any(s.startswith("not decided here") and "PRWP" in s and "LAD" not in s for s in said)


def write(folder: Path, predictor: Predictor) -> None:
    weights = save({k: v.contiguous() for k, v in predictor.network.state_dict().items()})
    card = replace(predictor.card, weights_sha256=hashlib.sha256(weights).hexdigest())
    (folder / WEIGHTS).write_bytes(weights)
    (folder / CARD).write_text(json.dumps(card.to_json()), encoding="utf-8")


def test_a_saved_model_answers_the_same(tmp_path: Path) -> None:
    predictor = predictor_of(small())
    write(tmp_path, predictor)
    read = read_predictor(tmp_path)
    read.warm_up()
    assert read.card.spec.aside == HRNN_ASIDE
    given, expected = read.predict(of_a_woman()), predictor.predict(of_a_woman())
    assert [a.probability for a in given.labels] == pytest.approx(
        [a.probability for a in expected.labels], abs=1e-6
    )
    unknown = read.predict(example_recording())
    assert unknown.label("MI").probability != pytest.approx(given.label("MI").probability, abs=1e-6)
    assert "the recording states no age; the model answers without it" in unknown.warnings


def test_a_card_with_other_aside_inputs_is_refused(tmp_path: Path) -> None:
    predictor = predictor_of(small())
    spec = replace(predictor.card.spec, aside=("age", "sex"))
    predictor.card = replace(predictor.card, spec=spec)
    write(tmp_path, predictor)
    with pytest.raises(CardError, match=r"its aside inputs are \('age', 'sex', 'rules:paper'\)"):
        read_predictor(tmp_path)


def test_a_backbone_sees_the_signal_alone() -> None:
    with pytest.raises(ValueError, match="'inception_measured' is told more than the signal"):
        build_network("hrnn", leads=12, labels=5, options={"backbone": "inception_measured"})
