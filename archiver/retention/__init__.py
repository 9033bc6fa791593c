"""What is due by the retention rules, what stands in the way, and disposing of it once somebody has decided.

An archive is one thing here: its key is destroyed or is not.
"""
