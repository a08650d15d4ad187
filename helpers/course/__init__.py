"""What makes the notebooks a course: predictions, exercises with checks and hints, checkpoints, progress, a passport.

A journey through it: ``frontend`` (is a learner at the keyboard?) → ``progress_file`` (what this learner has done) →
``predictions`` and ``exercises`` (what they are asked) → ``outline`` (what the notebooks promise) → ``progress`` and
``passport`` (what they can show). ``checkpoints`` puts the database where a chapter begins; ``mishaps`` turns a
driver's error into a sentence and a next step.
"""
