"""Reach a database: settings, the node and its clock, connections, CQL files.

It knows the driver, and nothing of the shop.
"""
