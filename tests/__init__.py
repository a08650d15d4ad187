"""All tests. Most of them import nbformat sooner or later, in this process and in those that they start."""

from tools.run_notebooks import leave_out_iri_grammar

leave_out_iri_grammar()
