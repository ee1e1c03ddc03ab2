"""Synthetic classes that tests in C# (Mixture.cs) and scripts here draw alike, bit for bit."""
import numpy as np


class Draw:
    """A 32-bit linear congruential generator (constants of Numerical Recipes); values are multiples of 2^-24 in [0, 1)."""

    def __init__(self, seed):
        self.state = seed & 0xFFFFFFFF

    def next(self):
        self.state = (self.state * 1664525 + 1013904223) & 0xFFFFFFFF
        return (self.state >> 8) / 16777216.0


def mixture(rows, columns, classes, seed, spread=1.0):
    """rows x columns float32 and class indices; row i is of class i % classes, around its class's centre."""
    draw = Draw(seed)
    centres = [[draw.next() for _ in range(columns)] for _ in range(classes)]
    x = np.empty((rows, columns), np.float32)
    y = np.arange(rows) % classes
    for i in range(rows):
        for j in range(columns):
            noise = draw.next() + draw.next() + draw.next() - 1.5
            x[i, j] = np.float32(centres[i % classes][j] + spread * noise)
    return x, y
