"""What only a release and the judge together can tell: curves over a release's settings, and comparisons with plainer ways.

Each module takes a fitted release and real rows, and gives scores and panels that go into the report.
"""
