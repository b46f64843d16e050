"""Random models over binary nodes that obey a graph: what is observed, and what would be under do, by enumeration."""

from itertools import product

import numpy as np


class Discrete:
    def __init__(self, graph, seed=0):
        self.graph, self.hidden = graph, sorted(graph.bidirected)
        rng = np.random.default_rng(seed)
        self.table = {}
        for node in graph.order:
            causes = [a for a in graph.order if (a, node) in graph.directed]
            latent = [i for i, pair in enumerate(self.hidden) if node in pair]
            self.table[node] = causes, latent, rng.uniform(0.1, 0.9, [2] * (len(causes) + len(latent)))

    def joint(self, do=None):
        """P(nodes) with some set; axes as graph.nodes."""
        do = do or {}
        result = np.zeros([2] * len(self.graph.nodes))
        for unseen in product((0, 1), repeat=len(self.hidden)):
            for values in product((0, 1), repeat=len(self.graph.nodes)):
                at = dict(zip(self.graph.nodes, values, strict=True))
                if any(at[n] != v for n, v in do.items()):
                    continue
                p = 0.5 ** len(self.hidden)
                for node, (causes, latent, table) in self.table.items():
                    if node not in do:
                        one = table[tuple(at[c] for c in causes) + tuple(unseen[i] for i in latent)]
                        p *= one if at[node] else 1 - one
                result[values] += p
        return result

    def effect(self, x, y, given=()):
        """P(y | do(x), given), axes as graph.nodes with length 1 where it does not depend."""
        nodes = self.graph.nodes
        result = np.zeros([2 if n in (*x, *y, *given) else 1 for n in nodes])
        for values in product((0, 1), repeat=len(x)):
            joint = self.joint(dict(zip(x, values, strict=True)))
            here = joint.sum(tuple(i for i, n in enumerate(nodes) if n not in (*y, *given)), keepdims=True)
            here = here / here.sum(tuple(nodes.index(n) for n in y), keepdims=True)
            at = tuple(values[x.index(n)] if n in x else slice(None) for n in nodes)
            back = tuple(0 if n in x else slice(None) for n in nodes)
            result[at] = here[back]
        return result
