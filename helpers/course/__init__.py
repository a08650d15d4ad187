"""What makes the notebooks a course: predictions, exercises with checks and hints, progress, a passport.

A journey through it: ``frontend`` (is a learner at the keyboard?) → ``record_file`` (what this learner has done) →
``predictions`` and ``exercises`` (what they are asked) → ``answers`` (which cell is the answer, and what it sent) and
``replay`` (what its statements do to other rows) → ``outline`` (what the notebooks promise) → ``progress`` and
``passport`` (what they can show). ``catch_up`` puts the database where a chapter begins; ``error_handler``
turns what goes wrong in a cell into a sentence and a next step.
"""

# Where the exercises are, a package that this room does not know: the face says it.
exercises_package = ""
# And what keeps a cell of ``%%cql --design``.
design_module = ""
