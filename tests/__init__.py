"""All tests. Most of them import nbformat sooner or later, in this process and in those that they start."""

from helpers.quick_nbformat import leave_out_iri_grammar

leave_out_iri_grammar()
