"""MLWGAT: the prior is counted right, edges weigh it against attention, labels reach each other."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ecgcore.models.label_graph import co_occurrence_graph, isolated_graph, normalise_graph
from ecgcore.models.mlwgat import MLWGAT, WeightedGraphAttention
from ecgcore.models.network import count_parameters
from ecgcore.models.registry import build_network

LABELS = [[1, 1, 0], [1, 0, 0], [1, 1, 0], [0, 0, 0]]


def network(labels: int = 3, graph: object = None) -> MLWGAT:
    torch.manual_seed(0)
    built = build_network("mlwgat", leads=2, labels=labels, options={"graph": graph})
    assert isinstance(built, MLWGAT)
    return built


def test_the_graph_by_hand() -> None:
    """Of three records with the first label two have the second; both of the second have the
    first; the third never occurs.
    """
    graph = co_occurrence_graph(LABELS)
    expected = [[3 / 5, 2 / 5, 0], [1 / 2, 1 / 2, 0], [0, 0, 1]]
    np.testing.assert_allclose(graph, expected, rtol=1e-6)
    assert graph.dtype == np.float32


def test_rare_pairs_can_be_left_out() -> None:
    np.testing.assert_array_equal(co_occurrence_graph(LABELS, fewest=3), isolated_graph(3))


@pytest.mark.parametrize(
    ("graph", "message"),
    [
        ([[1.0, 0.0]], r"shape \(1, 2\); must be \(labels, labels\)"),
        ([[1.0, -1.0], [0.0, 1.0]], "negative or missing weights"),
        ([[1.0, 0.0], [0.0, 0.0]], "an empty row; give each label at least itself"),
    ],
)
def test_a_wrong_graph_is_refused(graph: list[list[float]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        normalise_graph(graph)


def test_wrong_labels_are_refused() -> None:
    with pytest.raises(ValueError, match=r"labels of shape \(1, 2\); must be 0 or 1"):
        co_occurrence_graph([[0.5, 1.0]])


def test_a_graph_of_other_labels_is_refused() -> None:
    with pytest.raises(ValueError, match="a label graph of 2 labels; the network has 3"):
        network(graph=[[1.0, 0.0], [0.0, 1.0]])


def test_edges_are_graph_attention_weighed_against_the_prior() -> None:
    """Slowly, pair by pair."""
    torch.manual_seed(1)
    layer = WeightedGraphAttention(8, 2)
    nodes, prior = torch.randn(1, 3, 8), torch.from_numpy(co_occurrence_graph(LABELS))
    with torch.no_grad():
        layer.prior_logit.fill_(float(np.log(3.0)))  # a share of 3/4
        edges = layer.edges(nodes, prior)
        values = layer.values(nodes)[0]
        for head in range(2):
            part = slice(4 * head, 4 * head + 4)
            for i in range(3):
                scores = [
                    torch.nn.functional.leaky_relu(
                        layer.receiver[head] @ values[i, part]
                        + layer.sender[head] @ values[j, part],
                        0.2,
                    )
                    for j in range(3)
                ]
                expected = torch.stack(scores).softmax(0) / 4 + 3 * prior[i] / 4
                torch.testing.assert_close(edges[0, head, i], expected)
    torch.testing.assert_close(edges.sum(-1), torch.ones(1, 2, 3))


def test_the_graph_changes_the_answer_and_stays_with_the_weights() -> None:
    x = torch.randn(2, 2, 400, generator=torch.Generator().manual_seed(2))
    plain, informed = network().eval(), network(graph=co_occurrence_graph(LABELS).tolist()).eval()
    assert torch.equal(plain.prior, torch.eye(3))
    with torch.inference_mode():
        assert not torch.allclose(plain(x), informed(x))
        plain.load_state_dict(informed.state_dict())
        assert torch.equal(plain(x), informed(x))


def test_a_label_starts_with_its_own_node() -> None:
    weight = network().head.weight.detach().reshape(3, 3, 32)
    own = torch.eye(3, dtype=torch.bool)
    assert (weight[~own] == 0).all()
    assert (weight[own] != 0).all()


def test_labels_share_the_backbone_and_its_times() -> None:
    built = build_network("mlwgat", leads=12, labels=34).eval()
    assert isinstance(built, MLWGAT)
    with torch.inference_mode():
        seen = built.backbone(torch.randn(1, 12, 5000))
    assert seen.shape == (1, 512, 157)
    assert built.head.in_features == 34 * 32


def test_weights_by_hand() -> None:
    def block(inputs: int, outputs: int) -> int:
        shortcut = 0 if inputs == outputs else inputs * outputs + 2 * outputs
        return 3 * inputs * outputs + 3 * outputs * outputs + 4 * outputs + shortcut

    stages = [(64, 64), (64, 128), (128, 256), (256, 512)]
    backbone = 12 * 64 * 7 + 128 + sum(block(a, b) + block(b, b) for a, b in stages)
    view = 512 * 34 + 512 * 32 + 32 + 34 * 32
    graph = 2 * (32 * 32 + 2 * 32 + 1)
    expected = backbone + view + graph + 34 * 32 * 34 + 34
    assert count_parameters(build_network("mlwgat", leads=12, labels=34)) == expected
