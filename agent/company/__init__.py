"""Fernwell, the fictional company behind the sample: its own database, its tools, its codes and its customers."""
