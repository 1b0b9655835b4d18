"""Users as spreadsheets, written and read, without MongoDB and without HTTP."""
