"""pandas reads a file, by its defaults, and writes it: BEFORE AFTER. Runs in a Python of its own."""

import sys

import pandas as pd

before, after = sys.argv[1:]
frame = pd.read_csv(before) if before.endswith(".csv") else pd.read_excel(before)
if after.endswith(".csv"):
    frame.to_csv(after, index=False)
else:
    frame.to_excel(after, index=False)
