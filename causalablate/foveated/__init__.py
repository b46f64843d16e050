"""The reference model: a small foveated vision-language model, every component a module of its own."""
