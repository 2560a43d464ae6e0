# SPDX-License-Identifier: Apache-2.0
"""The text format of Prometheus, version 0.0.4, read more strictly than Prometheus does.

Every sample has a HELP and a TYPE before it; a metric's lines stand together; no sample comes twice;
histograms are cumulative, end in +Inf, and agree with their _count.
"""

import math
import re

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
HELP = re.compile(rf"# HELP ({NAME}) (.+)")
TYPE = re.compile(rf"# TYPE ({NAME}) (counter|gauge|histogram)")
SAMPLE = re.compile(rf"({NAME})(?:\{{(.*)\}})? (\S+)")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\\\|\\"|\\n)*)"(?:,(?=[a-zA-Z_])|$)')
NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?(e[+-]?[0-9]+)?")
UNESCAPED = {r"\\": "\\", r"\"": '"', r"\n": "\n"}


class Metric:
    def __init__(self, name, help):
        self.name = name
        self.help = help
        self.type = None
        self.samples = {}  # (name, labels as a sorted tuple of pairs): value

    def sample_names(self):
        if self.type == "histogram":
            return {self.name + suffix for suffix in ("_bucket", "_sum", "_count")}
        return {self.name}


def labels_of(text):
    labels, at = [], 0
    while at < len(text):
        found = LABEL.match(text, at)
        assert found, f"no labels: {text}"
        value = re.sub(r'\\[\\"n]', lambda escape: UNESCAPED[escape[0]], found[2])
        labels.append((found[1], value))
        at = found.end()
    names = [name for name, _ in labels]
    assert len(set(names)) == len(names), f"a label comes twice: {text}"
    return tuple(sorted(labels))


def read_sample(line, metric):
    found = SAMPLE.fullmatch(line)
    assert found, f"no sample: {line!r}"
    name, labels, value = found[1], labels_of(found[2] or ""), found[3]
    assert metric is not None and metric.type is not None, f"no TYPE before {line!r}"
    assert name in metric.sample_names(), f"{name} stands among {metric.name}"
    assert NUMBER.fullmatch(value), line
    assert (name, labels) not in metric.samples, f"twice: {line!r}"
    metric.samples[name, labels] = float(value)


def check_histogram(metric):
    buckets, bounds = [], []
    for (name, labels), value in metric.samples.items():
        if name == metric.name + "_bucket":
            assert [label for label, _ in labels] == ["le"], "one histogram without labels each"
            buckets.append(value)
            bounds.append(math.inf if labels[0][1] == "+Inf" else float(labels[0][1]))
    assert bounds == sorted(set(bounds)) and bounds[-1] == math.inf, metric.name
    assert buckets == sorted(buckets), f"{metric.name} is not cumulative"
    assert buckets[-1] == metric.samples[metric.name + "_count", ()]
    assert metric.samples[metric.name + "_sum", ()] >= 0


def parse(text):
    """The metrics by name; an AssertionError for whatever is not as it must be."""
    assert text.endswith("\n")
    metrics, metric = {}, None
    for line in text[:-1].split("\n"):
        if found := HELP.fullmatch(line):
            assert found[1] not in metrics, f"twice: {line}"
            metric = metrics[found[1]] = Metric(found[1], found[2])
        elif found := TYPE.fullmatch(line):
            assert metric is not None and found[1] == metric.name and metric.type is None, line
            metric.type = found[2]
        else:
            read_sample(line, metric)
    for metric in metrics.values():
        assert metric.samples, f"{metric.name} has no sample"
        if metric.type == "histogram":
            check_histogram(metric)
        if metric.type == "counter":
            assert metric.name.endswith("_total"), metric.name
    return metrics


def value(metrics, name, **labels):
    """One sample; None when there is none."""
    for metric in metrics.values():
        if name in metric.sample_names():
            return metric.samples.get((name, tuple(sorted(labels.items()))))
    return None
