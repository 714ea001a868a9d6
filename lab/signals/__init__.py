"""What lab members say, and how it is recognised in what they hear. All signals are 48 kHz mono float64 in [-1, 1]."""
