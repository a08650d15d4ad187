"""Makes ``import nbformat``, and papermill with it, some three seconds shorter."""

from __future__ import annotations

import sys


def leave_out_iri_grammar() -> None:
    """Call it before the first import of nbformat.

    nbformat imports jsonschema, and that one builds forty parsers for internationalised addresses when it finds
    rfc3987-syntax, which JupyterLab brings along. The schema of a notebook has no such address, so nothing asks them;
    jsonschema does without them as if the package was not installed.
    """
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
