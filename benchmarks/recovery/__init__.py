"""The parts of the benchmark of graph recovery: what planted models show, and the ways to a graph that are compared."""
