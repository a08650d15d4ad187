"""Pages to print or to look at: one style, light and dark, and the few pieces of HTML that they are made of."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence

_CODE = re.compile(r"`([^`]+)`")
_LINK = re.compile(r"\[([^\]]+)\]\([^)]+\)")
_STYLE = """
:root { color-scheme: light dark; --paper: #fff; --ink: #22262d; --quiet: #666d78; --accent: #0072b2; --box: #f3f1ec; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #14171c; --ink: #eceae4; --quiet: #a5abb6; --accent: #56b4e9; --box: #22262d; }
}
body { background: var(--paper); color: var(--ink); font: 15px/1.45 "Helvetica Neue", Helvetica, Arial, sans-serif;
  max-width: 62rem; margin: 2rem auto; padding: 0 1.5rem; }
h1 { font-size: 1.7rem; margin: 0 0 0.3rem; } h2 { font-size: 1.15rem; margin: 1.5rem 0 0.4rem; color: var(--accent); }
h3 { font-size: 1rem; margin: 1rem 0 0.2rem; } p { margin: 0.3rem 0; } .quiet { color: var(--quiet); }
table { border-collapse: collapse; width: 100%; } th { text-align: left; color: var(--quiet); font-weight: normal; }
td, th { padding: 0.35rem 0.7rem 0.35rem 0; border-bottom: 1px solid var(--box); vertical-align: top; }
td.time { white-space: nowrap; font-variant-numeric: tabular-nums; font-weight: bold; }
td.number { text-align: right; white-space: nowrap; }
dl { display: grid; grid-template-columns: 7.5rem 1fr; gap: 0.15rem 0.8rem; margin: 0.3rem 0 0.8rem; }
dt { color: var(--quiet); } dd { margin: 0; }
code, pre { font: 0.88em/1.4 "DejaVu Sans Mono", Menlo, Consolas, monospace; }
pre { background: var(--box); border-radius: 6px; padding: 0.45rem 0.7rem; margin: 0.3rem 0; white-space: pre-wrap; }
ol, ul { margin: 0.2rem 0; padding-left: 1.3rem; }
.columns { columns: 2; column-gap: 1.8rem; } .columns > * { break-inside: avoid; }
.columns > h2 { break-after: avoid; } .columns > h2:first-child { margin-top: 0; }
@page { size: A4; margin: 13mm; }
@media print {
  :root { --paper: #fff; --ink: #000; --quiet: #555; --accent: #00507d; --box: #f0f0f0; }
  body { font-size: 10.5px; line-height: 1.36; margin: 0; padding: 0; max-width: none; }
  h1 { font-size: 17px; } h2 { font-size: 12.5px; margin: 0.8rem 0 0.2rem; } h3 { font-size: 11px; margin: 0.5rem 0 0; }
  .page { break-after: page; } tr, dl, pre { break-inside: avoid; } h2, h3 { break-after: avoid; }
}
"""


def page(title: str, *body: str) -> str:
    """A whole page, which needs nothing from elsewhere."""
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{html.escape(title)}</title>\n'
        f'<meta name="viewport" content="width=device-width">\n<style>{_STYLE}</style>\n</head>\n<body>\n'
        f"{''.join(each + chr(10) for each in body)}</body>\n</html>\n"
    )


def inline(text: str) -> str:
    """A sentence of Markdown: code stays code, of a link its words."""
    return _CODE.sub(r"<code>\1</code>", html.escape(_LINK.sub(r"\1", text), quote=False)).replace("**", "")


def listed(items: Iterable[str], kind: str = "ul") -> str:
    """A list, or with "ol" a numbered one."""
    return f"<{kind}>{''.join(f'<li>{inline(each)}</li>' for each in items)}</{kind}>"


def defined(pairs: Iterable[tuple[str, str]]) -> str:
    """Words and what they mean, without those that mean nothing."""
    return f"<dl>{''.join(f'<dt>{word}</dt><dd>{inline(text)}</dd>' for word, text in pairs if text)}</dl>"


def table(head: Sequence[str], rows: Iterable[Sequence[str]], classes: Sequence[str] = ()) -> str:
    """A table; its cells are HTML."""
    kinds = [f' class="{each}"' if each else "" for each in classes] or [""] * len(head)
    body = "".join(
        f"<tr>{''.join(f'<td{kind}>{cell}</td>' for cell, kind in zip(row, kinds, strict=True))}</tr>\n" for row in rows
    )
    return f"<table>\n<tr>{''.join(f'<th>{each}</th>' for each in head)}</tr>\n{body}</table>"
