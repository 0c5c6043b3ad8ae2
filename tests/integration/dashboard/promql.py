# SPDX-License-Identifier: Apache-2.0
"""Owns: what of a query can be checked without Prometheus: that every name, label and value in it
is exported, and that rates and quantiles are taken of what has them.  Knows the part of PromQL that
the dashboard uses; anything else is a fault, so that nothing passes unseen."""
import re

TOKEN = re.compile(r"""
    (?P<space>\s+)
  | (?P<string>"(?:[^"\\]|\\.)*")
  | (?P<range>\[(?P<length>[^\]]*)\])
  | (?P<number>\d+(?:\.\d+)?)
  | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
  | (?P<sign>=~|!~|!=|==|>=|<=|[-+*/=<>(),{}])
""", re.VERBOSE)
AGGREGATIONS = {"sum", "min", "max", "avg", "count"}
FUNCTIONS = {"rate", "histogram_quantile"}
RANGES = {"$__rate_interval"}
VARIABLES = {"$instance"}


class Fault(Exception):
    pass


def tokens(expr):
    at = 0
    out = []
    while at < len(expr):
        found = TOKEN.match(expr, at)
        if not found:
            raise Fault(f"not understood: {expr[at:at + 20]}")
        at = found.end()
        kind = found.lastgroup if found.lastgroup != "length" else "range"
        if found["range"] is not None:
            out.append(("range", found["length"]))
        elif kind != "space":
            out.append((kind, found[0]))
    return out


class Parser:
    """Each method returns the labels that its result has."""

    def __init__(self, expr, exported):
        self.tokens = tokens(expr)
        self.at = 0
        self.exported = exported
        self.families = set()

    def peek(self):
        return self.tokens[self.at] if self.at < len(self.tokens) else ("end", "")

    def take(self, *words):
        token = self.peek()
        if words and token[1] not in words:
            raise Fault(f"{token[1] or 'the end'} where {' or '.join(words)} is expected")
        self.at += 1
        return token

    def whole(self):
        labels = self.expression()
        if self.peek()[0] != "end":
            raise Fault(f"{self.peek()[1]} after the end")
        return labels

    def expression(self):
        labels = self.operand()
        while self.peek()[1] in {"+", "-", "*", "/", "==", ">", "<", ">=", "<=", "!="}:
            sign = self.take()[1]
            other = self.operand()
            if labels is None:
                labels = other
            elif other is not None and other != labels:
                raise Fault(f"{sign} between different labels finds nothing")
        return labels

    def operand(self):
        kind, word = self.peek()
        if word == "(":
            self.take()
            labels = self.expression()
            self.take(")")
            return labels
        if kind == "number":
            self.take()
            return None
        if kind != "name":
            raise Fault(f"{word or 'the end'} where a metric is expected")
        if word in AGGREGATIONS:
            return self.aggregation()
        if word in FUNCTIONS:
            return self.function()
        labels, _ = self.selector(with_range=False)
        return labels

    def aggregation(self):
        self.take()
        by = []
        if self.peek()[1] == "by":
            self.take()
            self.take("(")
            while self.peek()[1] != ")":
                by.append(self.take()[1])
                if self.peek()[1] == ",":
                    self.take()
            self.take(")")
        self.take("(")
        labels = self.expression()
        self.take(")")
        for label in by:
            if label not in (labels or set()):
                raise Fault(f"grouped by {label}, which is not there")
        return set(by)

    def function(self):
        name = self.take()[1]
        self.take("(")
        if name == "rate":
            labels, series = self.selector(with_range=True)
            if self.exported.series[series].kind == "gauge":
                raise Fault(f"a rate of {series}, which is a gauge")
        else:
            quantile = self.take()
            if quantile[0] != "number" or not 0 < float(quantile[1]) < 1:
                raise Fault(f"a quantile of {quantile[1]}")
            self.take(",")
            labels = self.expression()
            if "le" not in labels:
                raise Fault("a quantile without le")
            labels = labels - {"le"}
        self.take(")")
        return labels

    def selector(self, with_range):
        series = self.take()[1]
        if series not in self.exported.series:
            raise Fault(f"{series} is not exported")
        self.families.add(self.exported.series[series].name)
        matchers = self.matchers(series)
        if matchers.get("instance") != ("=~", "$instance"):
            raise Fault(f"{series} of any host: no instance=~\"$instance\"")
        kind, length = self.peek()
        if (kind == "range") != with_range:
            raise Fault(f"{series}: a range where none belongs, or none where one does")
        if with_range:
            self.take()
            if length not in RANGES:
                raise Fault(f"{series}: a range of {length}")
        return self.exported.labels_of(series), series

    def matchers(self, series):
        out = {}
        if self.peek()[1] != "{":
            return out
        self.take("{")
        while self.peek()[1] != "}":
            label = self.take()[1]
            sign = self.take("=", "!=", "=~", "!~")[1]
            kind, value = self.take()
            if kind != "string":
                raise Fault(f"{value} where a text is expected")
            out[label] = (sign, value[1:-1])
            self.check_matcher(series, label, sign, value[1:-1])
            if self.peek()[1] == ",":
                self.take()
        self.take("}")
        return out

    def check_matcher(self, series, label, sign, value):
        if label not in self.exported.labels_of(series):
            raise Fault(f"{series} has no label {label}")
        if value in VARIABLES:
            return
        # Every alternative must be a value that exists, or it finds nothing.
        for part in value.split("|") if "~" in sign else [value]:
            if part not in self.exported.values_of(series, label):
                raise Fault(f"{series}: {label} is never {part}")


def check(expr, legend, exported):
    """The families that a query uses.  Raises a Fault."""
    parser = Parser(expr, exported)
    labels = parser.whole() or set()
    named = set(re.findall(r"\{\{(\w+)\}\}", legend))
    if named - labels:
        raise Fault(f"the legend names {', '.join(named - labels)}, which is not there")
    # Labels that nobody can see make lines that nobody can tell apart.
    if labels - named - {"instance", "job"}:
        raise Fault(f"the legend does not tell {', '.join(labels - named)}")
    return parser.families


def check_variable(definition, exported):
    found = re.fullmatch(r"label_values\((\w+), (\w+)\)", definition)
    if not found or found[1] not in exported.series:
        raise Fault(f"{definition}: not a label of a metric that is exported")
    if found[2] not in exported.labels_of(found[1]):
        raise Fault(f"{definition}: there is no such label")
