"""What somebody needs who teaches the course: notes, schedules, slides, a handout and a cheat sheet of all CQL taught.

The notes are written in ``notes/chapter_NN.toml`` and kept in the notebooks' cell metadata, which ``marks`` writes. All
that is rendered is read from the notebooks.
"""
