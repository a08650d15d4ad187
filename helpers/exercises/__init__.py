"""The exercises, two files a chapter: ``chapter_04.toml`` has the words and the code, ``chapter_04.py`` the checks.

The TOML file is the one source of an exercise: its rung (repair, write or design), its task, what is given, the
starter, the solution, the wrong answers that people give and what each is told, right answers of another kind than the
solution, two hints, and why the solution works. Code is Python, or begins with a line ``%%cql``.
``tools/build_exercises.py`` writes the notebook's cells from it.

The Python file has a function ``check_N(look)`` for each: it reads the learner's rows, sends the learner's statement to
rows that they have not seen (``look.replay``), and returns a sentence about what it found, or raises ``NotYet`` with
one. A check that plays a rival takes seats of its own and puts them back. ``undo_N(look)`` puts the exercise's back.
"""
