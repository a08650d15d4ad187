"""The exercises, two files a chapter: ``chapter_04.toml`` has the words and the code, ``chapter_04.py`` the checks.

The TOML file is the one source of an exercise: its task, the starter code, the solution, the wrong answers that people
give and what each is told, right answers of another kind than the solution, two hints, and why the solution works.
``tools/build_exercises.py`` writes the notebook's cells from it. The Python file has a function ``check_N(look)`` for
each: it reads the learner's rows and returns a sentence about them, or raises ``NotYet`` with one. Where a second try
would find the first in its way, ``undo_N(look)`` puts the rows back.
"""
