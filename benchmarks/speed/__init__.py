"""How fast the library is beside JAX and PyTorch, on the same mathematics."""
