"""openpyxl opens a workbook and saves it: BEFORE AFTER. Runs in a Python of its own."""

import sys

import openpyxl

openpyxl.load_workbook(sys.argv[1]).save(sys.argv[2])
